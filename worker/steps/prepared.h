/*
 * Short jobs of one sql step after another on one lane: from the third on, the step's statement is not parsed and planned again, for the
 * lane has it prepared, with the step's variables as parameters; so are the two statements that stand around it. It is SQL's own PREPARE
 * and EXECUTE, so the job stays one message and one transaction.
 *
 * What PostgreSQL will not prepare (a typed literal such as date :'since', a parameter whose type it cannot tell) is not tried again in
 * that run. A step of several statements, or with :name or :"name" in it, is never prepared; nor are long jobs, which gain nothing by it
 * and could lose by a plan that does not know their values.
 */
#ifndef BF_WORKER_STEPS_PREPARED_H
#define BF_WORKER_STEPS_PREPARED_H

#include "worker.h"

/* What is prepared for a step. Each has a name that nobody can know beforehand, so that a function of a step which prepares
 * statements itself meets none of ours, and is never called in their place. */
enum bf_prepared_statement {
	BF_PREPARED_FIRST,  /* (statement_timeout in ms, as text): what begins the transaction */
	BF_PREPARED_STEP,   /* the step's own, with its variables */
	BF_PREPARED_SETTLE, /* (run, step, seq, epoch): bf.settle */
	BF_PREPARED_TIDY,   /* BF_PGC_TIDY */
	BF_PREPARED_COUNT
};

/* Once for each job, before its message is made: is its step prepared on its lane? */
bool bf_prepared_use(struct bf_job *j);
bool bf_prepared_is_made(const struct bf_job *j);  /* the same, afterwards */
int bf_prepared_count(const struct bf_lane *lane); /* statements that are prepared on the lane, of whatever step */
/* If so: adds EXECUTE and the name, without arguments. */
void bf_prepared_execute(const struct bf_job *j, enum bf_prepared_statement which, struct bf_buf *out);
/* If so: adds what is sent in place of the step's text. */
int bf_prepared_call(struct bf_job *j, struct bf_buf *out, struct bf_pgc_transaction *t, struct bf_error *err);
/* If not: adds what is to be sent behind the job's COMMIT to prepare it. Nothing, where that is not worth while. `first`: what the
 * transaction begins with, with $1 for the timeout. */
void bf_prepared_text(struct bf_job *j, const char *first, struct bf_buf *out);
/* After that: whether it went well. False also after an error that shows that what was prepared is of no use any more. */
void bf_prepared_made(struct bf_job *j, bool ok);

void bf_prepared_free(struct bf_lane *lane);

#endif
