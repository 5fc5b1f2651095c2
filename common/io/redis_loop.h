/*
 * Redis on the libuv loop: one connection that keeps itself connected (own socket under uv_poll, own clocks; hiredis only parses).
 *
 * Same rules as io/pg_loop.h: a starter that returned 0 calls back exactly once, later; a lost connection calls every
 * pending command back with BF_E_UNKNOWN_OUTCOME, then on_lost, then tries again (0.05 s to 0.5 s apart) until closed.
 * A command that has no answer within its timeout counts as a lost connection: the server may be stopped with its sockets open.
 * on_lost also tells of a try that failed; while it stays down it is called again only when the reason is another one.
 */
#ifndef BF_IO_REDIS_LOOP_H
#define BF_IO_REDIS_LOOP_H

#include <uv.h>

#include "io/redis.h"

struct bf_redisc;

struct bf_redisc_options {
	const char *url;                                   /* NULL: from the environment */
	const char *client_name;                           /* CLIENT SETNAME */
	int64_t timeout_ms;                                /* of connecting, and of each command (a blocking pop adds its own) */
	void (*on_ready)(struct bf_redisc *c, void *data); /* connected, AUTH and SELECT done */
	void (*on_lost)(struct bf_redisc *c, const struct bf_error *err, void *data);
	void *data;
};

/* err NULL: a reply, owned by the connection, that dies when the callback returns. An error reply comes as err with BF_E_REDIS and its
 * text. */
typedef void (*bf_redisc_cb)(struct bf_redisc *c, const struct bf_redis_reply *reply, const struct bf_error *err, void *data);

int bf_redisc_open(uv_loop_t *loop, const struct bf_redisc_options *o, struct bf_redisc **out, struct bf_error *err);
void bf_redisc_close(struct bf_redisc *c, void (*closed)(void *data), void *data);
bool bf_redisc_ready(const struct bf_redisc *c);
const char *bf_redisc_where(const struct bf_redisc *c);

/* -BF_E_UNAVAILABLE when not ready, -BF_E_LIMIT when the command, or what still waits to be sent, is too large. extra_timeout_ms is
 * added to the connection's own for this command. */
int bf_redisc_exec(struct bf_redisc *c, const struct bf_redis_cmd *cmd, int64_t extra_timeout_ms, bf_redisc_cb cb, void *data);

#endif
