/*
 * What the two Redis clients share and nobody else sees: hiredis itself, the greeting of a new connection, and how
 * trouble is worded. Only io/redis*.c may include this.
 */
#ifndef BF_IO_REDIS_INTERNAL_H
#define BF_IO_REDIS_INTERNAL_H

#include <hiredis/hiredis.h>

#include "io/redis.h"

#define BF_REDIS_CMD_MAX ((size_t)64 << 20) /* bytes of one command, and of what waits to be sent */

/* The i-th command (from 0) that a new connection sends before it is used: AUTH, ROLE (of a master that a sentinel named: see
 * redis_sentinel.h), SELECT, CLIENT SETNAME, PING (which tells whether the server is still loading). Returns its name for messages, or
 * NULL when there are no more. */
const char *bf_redis_greeting(const struct bf_redis_url *url, const char *client_name, int i, struct bf_redis_cmd *cmd);

/* Why the address is what it is, for the message below; `given` is the URL that the caller had, NULL for the environment's. */
const char *bf_redis_because(const char *given);

/* "Redis cannot be reached at … (reason). It was looked for there because of …; `deploy/local up` starts a private one." */
int bf_redis_fail_unreachable(const char *where, const char *because, const char *reason, struct bf_error *err);
int bf_redis_fail_greeting(const char *where, const char *command, const char *answer, struct bf_error *err);

/* BF_E_REDIS with the text of an error reply. */
int bf_redis_fail_reply(const struct bf_redis_reply *reply, struct bf_error *err);

/* Whether an error reply says that the server is a replica, and so that another one is the master (now). */
bool bf_redis_is_of_replica(const char *error);

struct bf_redis_reply *bf_redis_wrap(void *raw); /* of a redisReply */

/* hiredis makes room for as many elements as an array says that it has, before any of them comes. From now on one of more than
 * BF_REDIS_ELEMENTS_MAX breaks the connection; no answer of the queue's functions has a hundredth of that. */
#define BF_REDIS_ELEMENTS_MAX (1 << 20)
void bf_redis_bound(redisReader *reader);

#endif
