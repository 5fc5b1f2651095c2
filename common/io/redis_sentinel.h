/*
 * The search for a master that Redis Sentinel watches: whom to connect to next, what the answers mean, and the message when nobody leads to
 * a master. It does no I/O; io/redis.c and io/redis_loop.c connect, ask and tell it here what came of it. Only these two include it.
 *
 * It follows Redis's specification for clients (https://redis.io/docs/latest/develop/reference/sentinel-clients/): at each
 * connection the sentinels are asked in turn, with a short time limit, for the master's address; the server at that address is used only if
 * it says by ROLE that it is a master, for a sentinel may be behind the times; the sentinel that led there is asked first the next time.
 * When a master is demoted its connections are closed, or it answers READONLY: both lead to a new search.
 *
 * The life of a search:
 *
 *     bf_sentinel_begin                                   `place` is a sentinel: connect, send bf_sentinel_question
 *     bf_sentinel_named      its answer; 0:               `place` is the master it names: connect, greet with ROLE
 *     bf_sentinel_found      it is one: the end
 *     bf_sentinel_failed     no answer, an error, another role: `place` is the next sentinel; false: there is none, the search is over
 */
#ifndef BF_IO_REDIS_SENTINEL_H
#define BF_IO_REDIS_SENTINEL_H

#include "io/redis.h"

#define BF_SENTINEL_MS 500  /* a sentinel's time to accept and to answer */
#define BF_MASTER_MS   2000 /* the same of a server that a sentinel named */

struct bf_sentinel_search {
	const struct bf_redis_url *url;
	struct bf_redis_place place; /* to connect to now */
	bool under_way;
	bool at_master;     /* place is the master that a sentinel named, not a sentinel */
	bool gave_password; /* to the sentinel being asked, for it wanted one */
	int first;          /* sentinel that is asked first */
	int asked;          /* sentinels in this search */
	int n_tried;        /* servers that were named in it */
	struct bf_redis_place tried[BF_REDIS_SENTINELS_MAX];
	struct bf_buf said; /* by whom and what */
};

void bf_sentinel_init(struct bf_sentinel_search *s, const struct bf_redis_url *url /* must outlive it */);
void bf_sentinel_release(struct bf_sentinel_search *s);

void bf_sentinel_begin(struct bf_sentinel_search *s);
void bf_sentinel_question(const struct bf_sentinel_search *s, struct bf_redis_cmd *cmd); /* cmd is replaced */
/* Whether an error reply asks for a password that can be given (once): the URL's, by AUTH. */
bool bf_sentinel_wants_password(struct bf_sentinel_search *s, const char *error);
int bf_sentinel_named(struct bf_sentinel_search *s, const struct bf_redis_reply *answer, struct bf_error *why);
int bf_sentinel_check_role(const struct bf_redis_reply *answer, struct bf_error *why);
void bf_sentinel_found(struct bf_sentinel_search *s);
bool bf_sentinel_failed(struct bf_sentinel_search *s, const char *reason);

/* For messages: "redis://10.0.0.5:6379/0 (master mymaster)". */
void bf_sentinel_show(const struct bf_sentinel_search *s, char *out, size_t size);
/* BF_E_UNAVAILABLE: who was asked, and what each said. */
int bf_sentinel_fail(const struct bf_sentinel_search *s, struct bf_error *err);

#endif
