/*
 * The operator's decisions about a run, and finding what they are about. Each decision is one function of the ledger, and one
 * transaction; afterwards bf_reconcile_run tells Redis.
 */
#ifndef BF_CORE_DECIDE_H
#define BF_CORE_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "io/pg.h"

struct bf_decision {
	const char *run;
	const char *step, *chunk; /* NULL: all of them. Not for stop and resume. */
	const char *who;
	const char *note;    /* or NULL */
	bool downstream;     /* for retry: also what was done without what is tried again */
	int64_t patience_ms; /* for retry: how long somebody who plans for the pipeline may stand still before he is ended */
};

/* state: the run's after it, at least 16 bytes. A run that was not under way (was not stopped) is left as it is. -BF_E_NOT_FOUND. */
int bf_decide_stop(struct bf_pg *pg, const struct bf_decision *d, char *state, struct bf_error *err);
int bf_decide_resume(struct bf_pg *pg, const struct bf_decision *d, char *state, struct bf_error *err);

/* Nothing more comes of what failed in it: it needs no attention any more. state: the run's; nothing is closed unless that is "failed". */
int bf_decide_close(struct bf_pg *pg, const struct bf_decision *d, char *state, struct bf_error *err);

/* jobs: how many were cancelled, or will run again. -BF_E_NOT_FOUND. */
int bf_decide_cancel(struct bf_pg *pg, const struct bf_decision *d, int64_t *jobs, struct bf_error *err);
int bf_decide_retry(struct bf_pg *pg, const struct bf_decision *d, int64_t *jobs, struct bf_error *err);

/* A person's yes or no to an approval: the result is that of decide_approval.sql, which says what came of it. -BF_E_NOT_FOUND. */
int bf_decide_approval(struct bf_pg *pg, const struct bf_decision *d, bool approved, struct bf_pg_result **out, struct bf_error *err);

/* One row, or none of an unknown run: its pipeline, whether `body` is what it was planned from, and the command that takes
 * what failed with the pipeline as it is now. */
int bf_find_pinned(struct bf_pg *pg, const char *run, const char *body, struct bf_pg_result **out, struct bf_error *err);

/* One row: how many jobs of the run are taken by others, and by which runs. */
int bf_find_taken(struct bf_pg *pg, const char *run, struct bf_pg_result **out, struct bf_error *err);

/* The results as they are: the .sql files say the columns. */
int bf_find_run_row(struct bf_pg *pg, const char *run, struct bf_pg_result **out, struct bf_error *err);
int bf_find_today(struct bf_pg *pg, const char *zone, const char *pipeline, struct bf_pg_result **out, struct bf_error *err);
int bf_find_latest_run(struct bf_pg *pg, const char *pipeline, struct bf_pg_result **out, struct bf_error *err);
int bf_find_runs(struct bf_pg *pg, int limit, struct bf_pg_result **out, struct bf_error *err);
int bf_find_chunk(struct bf_pg *pg, const char *run, const char *chunk, struct bf_pg_result **out, struct bf_error *err);
int bf_find_chunks(struct bf_pg *pg, const char *run, const char *step, const char *beginning, int limit, struct bf_pg_result **out,
				   struct bf_error *err);
int bf_follow_run(struct bf_pg *pg, const char *run, struct bf_pg_result **out, struct bf_error *err);

#endif
