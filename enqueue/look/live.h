/*
 * What Redis knows at this moment: workers with their leases, what they hold, and the runs' hashes. A lease is compared with Redis's
 * own clock, so a worker that is dead is not taken for alive.
 */
#ifndef BF_LOOK_LIVE_H
#define BF_LOOK_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "io/redis.h"

struct bf_live_worker {
	char *id, *host, *queues, *version, *started_at; /* never NULL */
	int64_t pid, slots, held;
	int64_t lease_ms;  /* left; 0 or less: it is over */
	int64_t silent_ms; /* since it was last heard, where it has said how long its lease is; else -1 */
	bool alive, condemned;
};

struct bf_live {
	struct bf_live_worker *workers; /* by id */
	size_t n;
	int64_t now_ms;      /* Redis's time */
	bool whole;          /* the queue is there: false while it waits to be rebuilt, when a worker's absence means nothing */
	int alive;           /* how many */
	int64_t slots, busy; /* of those that are alive */
};

int bf_live_load(struct bf_redis *r, struct bf_live *out, struct bf_error *err);
void bf_live_release(struct bf_live *live);
const struct bf_live_worker *bf_live_find(const struct bf_live *live, const char *id); /* NULL: none */
/* Is it one of those that the worker serves, or served while it lived? */
bool bf_live_names_queue(const struct bf_live_worker *w, const char *queue);
/* How many that are alive serve this queue. */
int bf_live_serving(const struct bf_live *live, const char *queue);

/* A command of words, ending with NULL. */
int bf_live_ask(struct bf_redis *r, struct bf_redis_reply **out, struct bf_error *err, ...) __attribute__((sentinel));
/* The same, and its answer as a number. */
int bf_live_count(struct bf_redis *r, int64_t *out, struct bf_error *err, ...) __attribute__((sentinel));

/* A field of HGETALL's answer; "" when absent. */
const char *bf_live_field(const struct bf_redis_reply *hash, const char *field);
int64_t bf_live_number(const struct bf_redis_reply *hash, const char *field);

#endif
