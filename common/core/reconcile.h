/*
 * Bringing Redis to what the ledger says (PROTOCOL R10–R12, L10). Synchronous: `enqueue` calls it after each decision, every worker's
 * steward calls it every few seconds, a repair is the same call. All of it is idempotent and may run in several places at once.
 */
#ifndef BF_CORE_RECONCILE_H
#define BF_CORE_RECONCILE_H

#include <stdbool.h>

#include "core/inspect.h"
#include "core/ledger.h"
#include "core/queue.h"

struct bf_upkeep {
	struct bf_pg *pg;
	struct bf_redis *redis;
	int64_t lease_ms;
	int64_t generation;             /* filled by bf_reconcile_generation */
	struct bf_inspection discarded; /* what any of the calls below has thrown away, for the caller to tell and release */
};

/*
 * Throws away what cannot be read in Redis (core/inspect.h). Each call below does so by itself where Redis answers it
 * with such an error, and then goes on; a worker whose loop met one, and an operator who asks for it, call it first.
 */
int bf_reconcile_mend(struct bf_upkeep *u, enum bf_thoroughness how, struct bf_error *err);

/* Makes sure that Redis holds the ledger's generation: the libraries are loaded, and if the generation differs the queue is rebuilt here
 * (or the rebuild of another process is waited for). *rebuilt may be NULL. */
int bf_reconcile_generation(struct bf_upkeep *u, bool *rebuilt, struct bf_error *err);

/* How closely a run that is under way is compared. */
enum bf_depth {
	BF_DEPTH_STATE, /* its state and how much of its plan is pushed */
	BF_DEPTH_JOBS,  /* also, near the head of each step, whether a job is nowhere; and its counters, at an expected cost that does not grow
					  with the run */
	BF_DEPTH_ALL    /* also its counters, whatever that costs */
};

/* One run: advance it, tell Redis its state, push what is not pushed, and look as closely as asked. state (may be NULL, at least 16 bytes):
 * the run's state after it. repaired (may be NULL): jobs put right are added. */
int bf_reconcile_run(struct bf_upkeep *u, const char *run, enum bf_depth depth, char *state, int *repaired, struct bf_error *err);

/* These runs, by their state. What is wrong with one of them only keeps no other from its turn: the first such error is put into `first`,
 * if that has none yet (code 0), and the call goes well. */
int bf_reconcile_runs(struct bf_upkeep *u, char (*runs)[BF_RUN_MAX + 1], int n, struct bf_error *first, struct bf_error *err);

/* The same, for all runs that are not ended, and those that only Redis takes for such. */
int bf_reconcile_all(struct bf_upkeep *u, enum bf_depth depth, int *repaired, struct bf_error *first, struct bf_error *err);

#endif
