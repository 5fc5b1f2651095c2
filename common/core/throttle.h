/*
 * A pipeline's throttle: one query, asked each `every` by one of the workers' stewards, that says whether a run is to be held back. The
 * first column of its first row decides, true (or a number above 0, or a text that is not empty, 'f' or '0') holds; the second, if there is
 * one, says why. A query that fails holds, too. While a run is held nothing of it is opened but samples of a soak (open_jobs.sql): what is
 * handed out comes back after `every`; what runs goes on. All of it is in the ledger (bf.run.held_until, held_reason, held_since).
 */
#ifndef BF_CORE_THROTTLE_H
#define BF_CORE_THROTTLE_H

#include "base/error.h"
#include "io/pg.h"

/* Asks those of these queues' runs that are due. `queues`: an array's items; n of them. */
int bf_throttle_look(struct bf_pg *pg, const char *const *queues, int n, struct bf_error *err);

#endif
