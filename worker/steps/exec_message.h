/*
 * What an exec job's program gets: its arguments, and an environment of exactly these, later ones winning over earlier ones:
 *
 *   PATH; what the pipeline's env.pass names and the worker has; env.set;
 *   BF_RUN BF_STEP BF_CHUNK BF_SINCE BF_UNTIL BF_KEY ("" for what the chunk has not), BF_JOB (the idempotency key: run/step/chunk),
 *   BF_ATTEMPT (from 1) BF_EPOCH, BF_PROGRESS_FD, BF_CHECKPOINT if an earlier attempt left one, BF_LOOKBACK_SINCE or
 *   BF_LOOKBACK_KEY if the step looks back.
 */
#ifndef BF_WORKER_EXEC_MESSAGE_H
#define BF_WORKER_EXEC_MESSAGE_H

#include "worker.h"

/* The message that starts a job's supervisor. -BF_E_INPUT: a template; -BF_E_LIMIT: too much of it. */
int bf_exec_message(const struct bf_job *j, int64_t grace_ms, struct bf_buf *out, struct bf_error *err);

#endif
