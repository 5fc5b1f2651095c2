/*
 * The queue: Redis as this program uses it. Prose first, because every other file assumes it.
 *
 * The life of a job. A step's chunks stand in its *pending list*. While the run's window has room, the next one is *released*: its text
 * `<run>/<step>/<chunk>#<n>` joins the run's released set and the queue's list. A worker *claims* it in an exchange: the job moves from
 * the list to the worker's own hash, in one function. That is only permission to try; the worker then opens the job in the ledger. When
 * the ledger has settled it, the worker's next exchange *acknowledges* it: it leaves the hash and the released set, which releases
 * the next one. Two ways lead back: to its place in the pending list (return), or through the delayed set (retry, later).
 *
 * Every function takes the generation and refuses another one; every change is conditional on the claim still being there. So an answer
 * that is lost, a worker that died, or an old image of Redis can repeat a question, but never an effect.
 *
 * The functions are in lua/bf_v1.lua (their arguments and replies stand above each), loaded as library bf_v1. To change what one does in a
 * way that an older worker would not survive, make a bf_v2 beside it. Here is what calls them: the beginning of a command
 * for the loop, and plain calls for synchronous code.
 */
#ifndef BF_CORE_QUEUE_H
#define BF_CORE_QUEUE_H

#include "base/text.h"
#include "io/redis.h"

/* The parts of a job's text; they point into it. */
struct bf_job_name {
	const char *run, *step, *chunk;
	int run_len, step_len, chunk_len;
	int seq;
};
int bf_job_name_parse(const char *job, struct bf_job_name *out); /* -BF_E_INPUT: not of this program */

/* ---- for the loop ---- */

enum bf_ack {
	BF_ACK_DONE,
	BF_ACK_FAILED,
	BF_ACK_SKIPPED,
	BF_ACK_CANCELLED,
	BF_ACK_RETRY,
	BF_ACK_LATER,
	BF_ACK_HELD, /* later, and it keeps its place in the window meanwhile */
	BF_ACK_RETURN,
	BF_ACK_DROP,
	BF_ACKS
};
const char *bf_ack_name(enum bf_ack a);

/* Appends FCALL bf_v1_<function> 0 <generation>; the caller adds the function's own arguments. */
void bf_queue_fcall(struct bf_redis_cmd *cmd, const char *function, int64_t generation);

enum bf_queue_answer {
	BF_QUEUE_OK,
	BF_QUEUE_GENERATION, /* another generation, or none: rebuild, or wait for whoever does */
	BF_QUEUE_UNKNOWN,    /* Redis does not know this worker (any more): say hello, send the hold list */
	BF_QUEUE_CONDEMNED,  /* swept: stop everything, take a new id */
	BF_QUEUE_RESYNC,     /* the exchange's number was not the next one */
	BF_QUEUE_NONSENSE
};
enum bf_queue_answer bf_queue_answer(const struct bf_redis_reply *r);
/* Is this error reply "the function is not there" (FUNCTION FLUSH, an empty Redis)? Then bf_queue_load, and ask again. */
bool bf_queue_needs_load(const struct bf_error *err);

/* ---- plain calls ---- */

/* Loads the function libraries where they are missing or of an older revision. */
int bf_queue_load(struct bf_redis *r, struct bf_error *err);

/* 0 when bf:generation is missing. */
int bf_queue_generation(struct bf_redis *r, int64_t *out, struct bf_error *err);

/* Runs `cmd` (begun with bf_queue_fcall), loading the libraries once if they are missing. -BF_E_CONFLICT on another generation.
 * *out may be NULL when the answer's content does not matter. */
int bf_queue_call(struct bf_redis *r, const struct bf_redis_cmd *cmd, struct bf_redis_reply **out, struct bf_error *err);
/* The second half of it, after bf_redis_send. */
int bf_queue_answer_to(struct bf_redis *r, const struct bf_redis_cmd *cmd, struct bf_redis_reply **out, struct bf_error *err);

#endif
