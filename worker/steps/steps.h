/*
 * The kinds of steps, behind one table. To add a kind: a file here, a row in steps.c, its fields in core/pipeline.
 *
 * `start` begins to execute an opened job and returns at once. Unless it returns an error it calls, exactly once, one of bf_job_done,
 * bf_job_failed, bf_job_again, bf_job_returned (or, for `sql`, bf_job_settled_here; or bf_open_again where the outcome is not known); an
 * error means that the job failed (it is reported as a try). `stop` asks a running job to end as soon as possible (timeout, cancel, fenced,
 * drain): the job still ends by one of these calls. It may be called more than once. The timeout itself is kept by job.c.
 */
#ifndef BF_WORKER_STEPS_H
#define BF_WORKER_STEPS_H

#include "worker.h"

struct bf_step_kind {
	enum bf_kind kind;
	bool needs_connection; /* runs SQL on a connection of its own */
	int (*start)(struct bf_job *j, struct bf_error *err);
	void (*stop)(struct bf_job *j);
};

const struct bf_step_kind *bf_step_kind(enum bf_kind kind);

extern const struct bf_step_kind bf_step_sql, bf_step_exec, bf_step_check, bf_step_soak, bf_step_noop, bf_step_http;

/* The job was settled as done in its own transaction: it goes on to be acknowledged. rows: affected. */
void bf_job_settled_here(struct bf_job *j, int64_t rows);

/* Renders a step's SQL for a job, with libpq's quoting: appends to out, and tells *t what is known of the text. */
int bf_job_render_sql(struct bf_job *j, const char *sql, struct bf_buf *out, struct bf_pgc_transaction *t, struct bf_error *err);

#endif
