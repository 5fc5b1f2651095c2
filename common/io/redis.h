/*
 * Redis, one command at a time: what the operator's commands and the worker's steward thread use. The loop uses
 * io/redis_loop.h; both share command building and replies, defined here.
 *
 * BF_REDIS_URL: redis://[user:password@]host:port/db, unix:///path[?db=N] or sentinel://[user:password@]host:port,…/master[?db=N];
 * default redis://127.0.0.1:6379/0. How a master is found through sentinels: io/redis_sentinel.h. A message never contains a password.
 *
 * A server that refuses to write because it is a replica (now) ends the connection: the next one may lead to the master.
 */
#ifndef BF_IO_REDIS_H
#define BF_IO_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* ---- a command: arguments copied in ---- */
struct bf_redis_cmd {
	struct bf_buf bytes; /* the arguments, as RESP bulk strings */
	size_t argc;
};

void bf_redis_cmd_init(struct bf_redis_cmd *c);
void bf_redis_cmd_release(struct bf_redis_cmd *c);
void bf_redis_cmd_clear(struct bf_redis_cmd *c); /* keeps the memory */
void bf_redis_arg(struct bf_redis_cmd *c, const char *s);
void bf_redis_arg_len(struct bf_redis_cmd *c, const char *s, size_t len);
void bf_redis_arg_int(struct bf_redis_cmd *c, int64_t n);
void bf_redis_argf(struct bf_redis_cmd *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Appends the arguments of `more`. */
void bf_redis_cmd_append(struct bf_redis_cmd *c, const struct bf_redis_cmd *more);
/* The whole command in RESP ("*3\r\n$5\r\n…"): `out` is replaced. */
void bf_redis_cmd_encode(const struct bf_redis_cmd *c, struct bf_buf *out);

/* ---- a reply: a view of redisReply, so that only io/redis includes hiredis ---- */
struct bf_redis_reply; /* opaque: a redisReply */

enum bf_redis_type { BF_REDIS_NIL, BF_REDIS_TEXT, BF_REDIS_STATUS, BF_REDIS_INT, BF_REDIS_ARRAY, BF_REDIS_ERROR };

enum bf_redis_type bf_redis_type(const struct bf_redis_reply *r);
const char *bf_redis_text(const struct bf_redis_reply *r);                          /* "" unless text, status or error */
size_t bf_redis_len(const struct bf_redis_reply *r);                                /* bytes of the text */
int64_t bf_redis_int(const struct bf_redis_reply *r);                               /* also of a decimal text; else 0 */
size_t bf_redis_count(const struct bf_redis_reply *r);                              /* elements of an array; else 0 */
const struct bf_redis_reply *bf_redis_at(const struct bf_redis_reply *r, size_t i); /* a NIL reply when out of range */

/* ---- a connection ---- */
struct bf_redis;

#define BF_REDIS_SENTINELS_MAX 9

struct bf_redis_place {
	char host[256]; /* or the socket's path */
	int port;       /* 0: unix socket */
};

struct bf_redis_url {
	char host[256]; /* as in a place; "" with sentinels */
	int port;
	int db;
	char user[128];
	char password[512];
	struct bf_redis_place sentinels[BF_REDIS_SENTINELS_MAX];
	int n_sentinels; /* 0: the server itself is named */
	char master[128];
	char shown[512]; /* without secrets, for messages: "redis://127.0.0.1:6379/0" */
};

/* Parses a URL, or the environment's when url is NULL. -BF_E_INPUT names what was found and what is possible. */
int bf_redis_url_parse(const char *url, struct bf_redis_url *out, struct bf_error *err);

/* Blocks, about 5 s at most. -BF_E_UNAVAILABLE: where it was looked for and how to start one. */
int bf_redis_open(const char *url /* NULL: environment */, struct bf_redis **out, struct bf_error *err);
/* The same for whoever does not want to wait that long: connecting, and each answer, may take `wait_ms`. */
int bf_redis_open_within(const char *url, int64_t wait_ms, struct bf_redis **out, struct bf_error *err);
void bf_redis_close(struct bf_redis *r);
/* An answer is waited for no longer than that, nor for longer than the usual 10 s. */
void bf_redis_set_timeout(struct bf_redis *r, int64_t ms);
bool bf_redis_alive(const struct bf_redis *r);
const char *bf_redis_where(const struct bf_redis *r);

/*
 * Refuses a server this program must not use (-BF_E_UNAVAILABLE): older than Redis 7.0 / Valkey 7.2, or an evicting
 * maxmemory-policy. *warning (may be NULL) gets a text to show when AOF is off, else "". A server whose CONFIG is
 * forbidden is judged by INFO alone.
 */
int bf_redis_check_server(struct bf_redis *r, char *warning, size_t warning_size, struct bf_error *err);

/* An error reply is -BF_E_REDIS with its text; that of a replica is -BF_E_UNAVAILABLE. The reply is the caller's to free. */
int bf_redis_exec(struct bf_redis *r, const struct bf_redis_cmd *cmd, struct bf_redis_reply **out, struct bf_error *err);
/* The same in two halves, for whoever has something to do meanwhile. What was sent has to be received before anything else is sent. */
int bf_redis_send(struct bf_redis *r, const struct bf_redis_cmd *cmd, struct bf_error *err);
int bf_redis_receive(struct bf_redis *r, struct bf_redis_reply **out, struct bf_error *err);
void bf_redis_reply_free(struct bf_redis_reply *r);

#define BF_AUTOREPLY __attribute__((cleanup(bf_redis_reply_cleanup)))
void bf_redis_reply_cleanup(struct bf_redis_reply **r);

#endif
