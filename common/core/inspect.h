/*
 * Whether what Redis holds under our keys can be read at all: each key has its type, and what stands in it is what
 * belongs there. The table of keys is in lua/bf_v1_keys.lua; here is who calls it, key by key, in bounded parts.
 *
 * `bfstat verify` looks. Whoever brings Redis to what the ledger says (core/reconcile.h) throws away what cannot be
 * read when Redis answers with an error: once it is gone, the ledger's word and the workers' own fill the gap.
 */
#ifndef BF_CORE_INSPECT_H
#define BF_CORE_INSPECT_H

#include <stdbool.h>
#include <stddef.h>

#include "io/pg.h"
#include "io/redis.h"

struct bf_unreadable {
	char *key;
	char *text; /* what is wrong with it, as the end of a sentence: "is a string, and has to be a zset" */
};

struct bf_inspection {
	struct bf_unreadable *list; /* no more than BF_UNREADABLE_MAX of them */
	size_t n, cap;
	bool whole; /* a key is among them that cannot be read as a whole: nothing that depends on it can be judged */
};

#define BF_UNREADABLE_MAX 1000

enum bf_thoroughness {
	BF_INSPECT_HEADS, /* each key, and some of its members: costs as little as it takes to do it all the time */
	BF_INSPECT_ALL    /* each member */
};

/*
 * Looks at all of the keys of everything that is under way: what is shared, the workers that Redis lists with their queues,
 * the ledger's unfinished runs. What is found is added to *found, which is the caller's to release, also on failure.
 * A Redis that does not have the functions yet holds no queue: nothing is found, and the call goes well.
 */
int bf_inspect(struct bf_pg *pg, struct bf_redis *redis, struct bf_inspection *found, struct bf_error *err);

/* Throws away what is found. lease_ms: what a worker is given whose lease cannot be. */
int bf_inspect_discard(struct bf_pg *pg, struct bf_redis *redis, int64_t lease_ms, enum bf_thoroughness how, struct bf_inspection *found,
					   struct bf_error *err);

void bf_inspection_release(struct bf_inspection *found);

/* Is this the error of a command, or of a function of ours, that met something it cannot read? */
bool bf_inspection_due(const struct bf_error *err);

#endif
