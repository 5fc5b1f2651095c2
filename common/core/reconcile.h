/*
 * Bringing Redis to what the ledger says (PROTOCOL R10–R12, L10). Synchronous: `enqueue` calls it after each decision, every worker's
 * steward calls it every few seconds, a repair is the same call. All of it is idempotent and may run in several places at once.
 */
#ifndef BF_CORE_RECONCILE_H
#define BF_CORE_RECONCILE_H

#include <stdbool.h>

#include "core/ledger.h"
#include "core/queue.h"

struct bf_upkeep {
	struct bf_pg *pg;
	struct bf_redis *redis;
	int64_t lease_ms;
	int64_t generation; /* filled by bf_reconcile_generation */
};

/* Makes sure that Redis holds the ledger's generation: the libraries are loaded, and if the generation differs the queue is rebuilt here
 * (or the rebuild of another process is waited for). *rebuilt may be NULL. */
int bf_reconcile_generation(struct bf_upkeep *u, bool *rebuilt, struct bf_error *err);

/* One run: advance it, tell Redis its state, push what is not pushed. `deep` also compares job by job (running jobs, jobs that are released
 * but nowhere, counters). state (may be NULL, at least 16 bytes): the run's state after it. repaired (may be NULL): jobs put right. */
int bf_reconcile_run(struct bf_upkeep *u, const char *run, bool deep, char *state, int *repaired, struct bf_error *err);

/* All runs that are not ended. */
int bf_reconcile_all(struct bf_upkeep *u, bool deep, int *repaired, struct bf_error *err);

#endif
