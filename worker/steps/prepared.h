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

#define BF_PREPARED_FIRST  "bf_first"  /* (statement_timeout in ms, as text): what begins the transaction */
#define BF_PREPARED_SETTLE "bf_settle" /* (run, step, seq, epoch): bf.settle */

/* Once for each job, before its message is made: is its step prepared on its lane? */
bool bf_prepared_use(struct bf_job *j);
bool bf_prepared_is_made(const struct bf_job *j); /* the same, afterwards */
/* If so: adds what is sent in place of the step's text. */
int bf_prepared_call(struct bf_job *j, struct bf_buf *out, struct bf_error *err);
/* If not: adds what is to be sent behind the job's COMMIT to prepare it. Nothing, where that is not worth while. `first`: what the
 * transaction begins with, with $1 for the timeout. */
void bf_prepared_text(struct bf_job *j, const char *first, struct bf_buf *out);
/* After that: whether it went well. False also after an error that shows that what was prepared is of no use any more. */
void bf_prepared_made(struct bf_job *j, bool ok);

void bf_prepared_free(struct bf_lane *lane);

#endif
