/*
 * Undoing what a run has done, from the ledger alone: its steps' rollback files, its done jobs newest first, and the transaction that
 * undoes one of them. `enqueue rollback` executes those transactions; `bfstat report` writes them as a script for psql.
 *
 *     begin;  bf.undo_begin (locks the job, refuses what is not to be undone);  no row of `changed`;  the file's own statements;
 *     no row of `verify`;  bf.undo (the job is undone);  commit;
 */
#ifndef BF_CORE_UNDO_H
#define BF_CORE_UNDO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "core/run_params.h"
#include "io/pg.h"

struct bf_undo_step {
	const char *step, *undo;
	const char *changed, *verify; /* "" where there is none */
	const char *present;          /* the step's query for the days or keys that are there; "" where there is none */
	bool chronological;
};

struct bf_undo { /* borrows from its results */
	char run[BF_RUN_MAX + 1];
	struct bf_pg_result *files;
	struct bf_run_params params;
	struct bf_undo_step *steps;
	size_t n_steps;
};

struct bf_undo_job { /* borrowed from a page of jobs */
	const struct bf_undo_step *files;
	const char *chunk, *since, *until, *key;
	const char *started_at, *finished_at; /* 2024-05-01T10:00:00.000000Z */
	int seq, epoch;
	bool unknown; /* it did not succeed, and may have been carried out */
	bool taken;   /* another run has done it since, or is about to: it stays */
	bool beyond;  /* it has days outside of the range that was picked */
};

int bf_undo_load(struct bf_pg *pg, const char *run, struct bf_undo *out, struct bf_error *err);
void bf_undo_release(struct bf_undo *u);
const struct bf_undo_step *bf_undo_step_of(const struct bf_undo *u, const char *step); /* NULL: it has no rollback file */

/* Which of a run's jobs: NULL, or none, is all of them. since, until: those that have a day of this range. */
struct bf_undo_pick {
	const char *step;
	const char *const *chunks;
	size_t n_chunks;
	const char *since, *until; /* 2024-01-01; either may be NULL */
};

/* A page of jobs, newest first, after *last of the page before (NULL: from the newest). */
#define BF_UNDO_PAGE 1000
int bf_undo_page(struct bf_pg *pg, const struct bf_undo *u, const struct bf_undo_pick *pick, const struct bf_undo_job *last,
				 struct bf_pg_result **page, struct bf_error *err);
void bf_undo_job_read(const struct bf_undo *u, const struct bf_pg_result *page, int row, struct bf_undo_job *out);

/* Whether it can be told if a job that is unknown was carried out: by `present`, or by `changed`. */
bool bf_undo_can_tell(const struct bf_undo_job *j);
/* Asks `present` whether what an unknown job makes is there; without that query it may be. */
int bf_undo_is_there(struct bf_pg *pg, const struct bf_undo *u, const struct bf_undo_job *j, bool *there, struct bf_error *err);

/* Appends the statements between begin and commit. who NULL: whoever executes it. */
int bf_undo_script(struct bf_pg *pg, const struct bf_undo *u, const struct bf_undo_job *j, const char *who, const char *note,
				   struct bf_buf *out, struct bf_error *err);
/* The same for psql, up to the branch of what stays: a job that is not to be undone any more, or that another writer has changed, is
 * rolled back, with the reason in :why; :undone and :stays are counted. The caller adds what is said then, and "\\endif". */
int bf_undo_psql(struct bf_pg *pg, const struct bf_undo *u, const struct bf_undo_job *j, const char *note, struct bf_buf *out,
				 struct bf_error *err);
/* Executes them. -BF_E_SQL with the states BF001 (it is not to be undone), BF002 (another writer has changed it), BF003 (it is still
 * there), BF006 (it is unknown, and `present` says that it is not there), or an error of the file's own: nothing has changed. */
int bf_undo_execute(struct bf_pg *pg, const struct bf_undo *u, const struct bf_undo_job *j, const char *who, const char *note,
					struct bf_error *err);
/* Only asks whether another writer has changed it; *rows: a JSON array of the first ones, or NULL. The caller frees it. */
int bf_undo_changed(struct bf_pg *pg, const struct bf_undo *u, const struct bf_undo_job *j, char **rows, struct bf_error *err);

int bf_undo_left(struct bf_pg *pg, const char *run, struct bf_pg_result **out, struct bf_error *err); /* as undo_left.sql says */
int bf_undo_note(struct bf_pg *pg, const char *run, const char *step, const char *chunk, const char *who, const char *note,
				 struct bf_error *err);

#endif
