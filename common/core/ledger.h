/*
 * The ledger: PostgreSQL as this program uses it. One statement is one file in sql/ and one function (or one bind/read pair, for the
 * loop) here. Nobody else writes SQL. The rules that the statements keep are in docs/ledger.md, by number.
 */
#ifndef BF_CORE_LEDGER_H
#define BF_CORE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dates.h"
#include "base/error.h"
#include "base/text.h"
#include "bf_sql.h"
#include "io/pg.h"

/* ---- for the loop: what a worker does with its jobs. Arrays must be sorted by (run, step, seq): the rows are locked in that order. ----
 */

struct bf_open_ask {
	const char *run, *step;
	int seq;
	int backend_pid;           /* 0: none */
	const char *backend_start; /* as bf_pgc_backend_start; NULL: none */
	bool alone;                /* the worker runs nothing else beside it */
};

enum bf_open_verdict {
	BF_OPENED,
	BF_OPEN_SETTLED,
	BF_OPEN_LOCKED,
	BF_OPEN_EARLY,
	BF_OPEN_HELD, /* by the pipeline's throttle */
	BF_OPEN_CLOSED,
	BF_OPEN_CANCELLED,
	BF_OPEN_UNKNOWN,
	BF_OPEN_SUSPECT,
	BF_OPEN_WAITING
};

struct bf_open_answer { /* texts live as long as the result */
	enum bf_open_verdict verdict;
	const char *state; /* before this open */
	int epoch, attempts;
	const char *checkpoint;          /* NULL: none */
	const char *since, *until, *key; /* "" when none */
	const char *lookback_key;        /* NULL: none */
	int redone;                      /* how often it was opened again although it was done */
	int waits;                       /* how often it was put off in a row, without a try being counted */
	int64_t waited_ms;               /* since the first of these */
	int64_t early_ms;
	int stale_pid; /* backend of an earlier attempt that may still run; 0: none */
	const char *stale_start;
};

/* statement bf_sql_open_jobs */
void bf_ledger_open_bind(struct bf_pg_params *p, const struct bf_open_ask *asks, size_t n, const char *worker);
void bf_ledger_open_read(const struct bf_pg_result *r, int row, struct bf_open_answer *out);

/* statement bf_sql_fail_unopened; of an ask only run, step and seq count */
void bf_ledger_fail_bind(struct bf_pg_params *p, const struct bf_open_ask *asks, size_t n, const char *category, const char *error,
						 const char *worker);

enum bf_outcome { BF_OUT_DONE, BF_OUT_FAILED, BF_OUT_RETRY, BF_OUT_RETURN };

struct bf_settle_ask {
	const char *run, *step;
	int seq, epoch;
	enum bf_outcome outcome;
	int64_t delay_ms;
	int64_t rows;                          /* -1: not known */
	const char *category, *error, *tail;   /* valid UTF-8, or NULL; error of a return: why the job is put off */
	const char *checkpoint, *note;         /* NULL: leave what is there */
	int64_t progress_done, progress_total; /* -1: leave what is there */
};

struct bf_settle_answer {
	const char *state; /* "" when the job does not exist */
	int epoch;
};

/* statement bf_sql_settle_jobs */
void bf_ledger_settle_bind(struct bf_pg_params *p, const struct bf_settle_ask *asks, size_t n);
void bf_ledger_settle_read(const struct bf_pg_result *r, int row, struct bf_settle_answer *out);

struct bf_progress_ask {
	const char *run, *step;
	int seq, epoch, number;
	int64_t done, total;           /* -1: unchanged */
	const char *checkpoint, *note; /* NULL: unchanged */
};
void bf_ledger_progress_bind(struct bf_pg_params *p, const struct bf_progress_ask *asks, size_t n); /* bf_sql_note_progress */

struct bf_held { /* note_rows, look */
	const char *run, *step;
	int seq, epoch;
	int64_t rows;
};
void bf_ledger_rows_bind(struct bf_pg_params *p, const struct bf_held *held, size_t n); /* bf_sql_note_rows */
void bf_ledger_look_bind(struct bf_pg_params *p, const struct bf_held *held, size_t n); /* bf_sql_look; answers places from 1 */

/* ---- plain calls: the queue's upkeep ---- */

struct bf_run_row {
	char run[BF_RUN_MAX + 1], pipeline[BF_NAME_MAX + 1], queue[BF_NAME_MAX + 1], state[16], since[BF_DATE_TEXT], until[BF_DATE_TEXT],
		created_at[32];
	int version, concurrency;
	double interval_ms;
	int64_t since_last_start_ms; /* -1: not rated, or nothing started yet */
};

struct bf_step_row {
	char step[BF_NAME_MAX + 1], state[16];
	int ordinal, planned, concurrency, plan_number;
	int upto; /* its jobs up to this seq may begin: all, or, where chunks wait for chunks, those whose turn has come */
	bool chronological, soak, waits_for_chunks;
};

/* -BF_E_NOT_FOUND for an unknown run. state: the run's after it (at least 16 bytes). */
int bf_ledger_advance(struct bf_pg *pg, const char *run, char *state, struct bf_error *err);
/* last_start: look for since_last_start_ms, which costs as much as the run has jobs; else it is -1. */
int bf_ledger_run_row(struct bf_pg *pg, const char *run, bool last_start, struct bf_run_row *out, struct bf_error *err);
int bf_ledger_run_steps(struct bf_pg *pg, const char *run, struct bf_step_row *out, int max, int *n, struct bf_error *err);

/* The next queries give their result as it is: see the .sql file for the columns. */
int bf_ledger_pending_page(struct bf_pg *pg, const char *run, const char *step, int after, int upto, int limit, struct bf_pg_result **out,
						   struct bf_error *err);
int bf_ledger_unsettled_jobs(struct bf_pg *pg, const char *run, int pending, int near, struct bf_pg_result **out, struct bf_error *err);
/* Of rows `places` (from 1) of an earlier result of unsettled_jobs: those that are not settled even now. */
int bf_ledger_still_unsettled(struct bf_pg *pg, const char *run, const struct bf_pg_result *jobs, const int *places, size_t n,
							  struct bf_pg_result **out, struct bf_error *err);
int bf_ledger_run_counts(struct bf_pg *pg, const char *run, struct bf_pg_result **out, struct bf_error *err);
int bf_ledger_active_runs(struct bf_pg *pg, const char *after, int limit, struct bf_pg_result **out, struct bf_error *err);

int bf_ledger_generation(struct bf_pg *pg, int64_t *out, struct bf_error *err);
int bf_ledger_next_generation(struct bf_pg *pg, int64_t from, int64_t *out, struct bf_error *err); /* -BF_E_CONFLICT: not `from` any more */
/* Session locks: one rebuild, one deep look at a run at a time. *locked tells; unlock ignores errors (the session's end unlocks too). While
 * it has the lock, the server ends the session once it was silent for idle_ms: its process stands still, or its host is gone. */
int bf_ledger_lock_rebuild(struct bf_pg *pg, int64_t idle_ms, bool *locked, struct bf_error *err);
void bf_ledger_unlock_rebuild(struct bf_pg *pg);
int bf_ledger_lock_reconcile(struct bf_pg *pg, const char *run, int64_t idle_ms, bool *locked, struct bf_error *err);
void bf_ledger_unlock_reconcile(struct bf_pg *pg, const char *run);

#endif
