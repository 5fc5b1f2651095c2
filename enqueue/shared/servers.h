/*
 * Connecting, with everything that is checked before a server is used.
 */
#ifndef BF_SHARED_SERVERS_H
#define BF_SHARED_SERVERS_H

#include <stdbool.h>

#include "base/error.h"
#include "core/reconcile.h"
#include "io/pg.h"
#include "io/redis.h"

/* The ledger, to look at: the session cannot write (PROTOCOL P3). The schema is checked. */
int bf_open_ledger_to_look(const char *program, struct bf_pg **out, struct bf_error *err);

/* The same for whoever is waited for by a person: an answer takes no longer than BF_PATIENCE, nor does connecting, and a locked table
 * is waited for half as long (patience_ms in io/pg.h). */
int bf_open_ledger_impatiently(const char *program, struct bf_pg **out, struct bf_error *err);

/* BF_PATIENCE, or 4 s. */
int bf_read_patience(int64_t *ms, struct bf_error *err);

/* The ledger, to change: a server that is read-only is refused. The schema is checked. */
int bf_open_ledger_to_change(const char *program, struct bf_pg **out, struct bf_error *err);

/* The queue. A server that evicts or is too old is refused; a warning (no AOF) goes to stderr. */
int bf_open_queue(struct bf_redis **out, struct bf_error *err);

/* Both, to change. The caller closes what is not NULL, also after an error. `upkeep` is ready for bf_reconcile_generation. */
int bf_open_both(const char *program, struct bf_upkeep *upkeep, struct bf_error *err);
void bf_close_both(struct bf_upkeep *upkeep);

/* Tells Redis what was decided about a run, and gives the run's state after it (at least 16 bytes). */
int bf_carry_out(struct bf_upkeep *upkeep, const char *run, enum bf_depth depth, char *state, struct bf_error *err);

/* How many workers hold a lease right now. */
int bf_workers_alive(struct bf_redis *redis, int64_t *count, struct bf_error *err);

#endif
