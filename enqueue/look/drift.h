/*
 * Where Redis and the ledger differ, in plain words. Both keep moving while one looks, so a difference counts only when it cannot be
 * explained by that: the ledger is read before and after Redis, Redis in one piece, and jobs that are settled but not yet
 * acknowledged are no difference. The caller looks twice and keeps what bf_drift_persists.
 */
#ifndef BF_LOOK_DRIFT_H
#define BF_LOOK_DRIFT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/pg.h"
#include "io/redis.h"

struct bf_difference {
	char *run, *step; /* "" where it is about the queue, or the whole run */
	char *what;       /* one word: generation, unknown, state, planned, pushed, done, …; the same difference has the same word */
	char *mark;       /* what must be the same, too, for it to be the same difference; "" mostly */
	char *text;
};

struct bf_drift {
	struct bf_difference *list;
	size_t n, cap;
	int64_t runs; /* how many were compared */
	int alive;    /* workers that were there meanwhile */
};

int bf_drift_find(struct bf_pg *pg, struct bf_redis *redis, struct bf_drift *out, struct bf_error *err);
/* Looks again, for as long as something differs that did each time before; it may have been on its way (verify.c). */
int bf_drift_until_agreed(struct bf_pg *pg, struct bf_redis *redis, struct bf_drift *out, struct bf_error *err);
/* Leaves in `now` only what was in `before`, too. */
void bf_drift_persists(struct bf_drift *now, const struct bf_drift *before);
void bf_drift_release(struct bf_drift *d);

#endif
