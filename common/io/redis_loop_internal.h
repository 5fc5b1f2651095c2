/*
 * The inside of a bf_redisc, which three files share: redis_loop_connect.c connects to a place; redis_loop_sentinel.c says to which one
 * when a master is searched for; redis_loop.c does everything from the greeting on. Nobody else includes this.
 *
 * hiredis parses; the socket, the queue of callbacks and the clocks are ours. A socket under uv_poll rather than a
 * uv_stream, because a stream writes without MSG_NOSIGNAL.
 */
#ifndef BF_IO_REDIS_LOOP_INTERNAL_H
#define BF_IO_REDIS_LOOP_INTERNAL_H

#include "io/redis_internal.h"
#include "io/redis_loop.h"
#include "io/redis_sentinel.h"

enum bf_redisc_phase {
	PHASE_LOOKUP,  /* the host's name is being resolved */
	PHASE_CONNECT, /* connect() is under way */
	PHASE_ASK,     /* a sentinel is asked for the master */
	PHASE_GREET,   /* AUTH, SELECT, …, PING are sent */
	PHASE_READY,
	PHASE_BROKEN, /* sending failed: what has been received is still delivered, from the loop, before it counts as lost */
	PHASE_WAIT,   /* for the next try, or the next place of a search */
	PHASE_CLOSE
};

struct bf_redisc_pending {
	bf_redisc_cb cb;
	void *data;
	int64_t extra_ms;
};

/* Lives until its own callback, which may be long after the connection was closed. */
struct bf_redisc_lookup {
	uv_getaddrinfo_t req;
	struct bf_redisc *owner; /* NULL: nobody waits for it any more */
};

struct bf_redisc {
	struct bf_redisc_options opt;
	struct bf_redis_url url;
	struct bf_sentinel_search search; /* used when the URL names sentinels */
	struct bf_redis_place place;      /* connected to, or tried */
	char where[512];                  /* for messages */
	const char *because;
	char *client_name;
	uv_loop_t *loop;
	uv_timer_t timer; /* limit of connecting, the oldest command's limit, or the next try */
	int events;       /* that the poll watches for */
	uv_poll_t *poll;  /* allocated: it outlives the socket until its close callback */
	int fd;
	enum bf_redisc_phase phase;
	int64_t limit_ms; /* of the try */
	struct bf_redisc_lookup *lookup;
	struct addrinfo *addresses, *address; /* found, and the one being tried */
	redisReader *reader;                  /* NULL: not connected */

	struct bf_buf encoded; /* the command being sent */
	struct bf_buf out;     /* what the socket did not take, from out_done on */
	size_t out_done;
	int write_errno;

	struct bf_redisc_pending *fifo; /* a ring */
	size_t first, count, cap;
	int64_t heard_ms; /* when the server last gave a sign of life, or the oldest command was sent into silence */
	int64_t timer_due_ms;

	int tries;
	struct bf_error told; /* the last reason given to on_lost; code 0 while ready */
	void (*closed)(void *data);
	void *closed_data;
};

/* redis_loop_connect.c */
void bf_redisc_connect(struct bf_redisc *c);        /* starts a try; it ends in bf_redisc_greet or bf_redisc_lost */
void bf_redisc_connect_event(struct bf_redisc *c);  /* in PHASE_CONNECT: the socket has something to tell */
void bf_redisc_connect_forget(struct bf_redisc *c); /* what the try still holds */
void bf_redisc_drop_socket(struct bf_redisc *c);

/* redis_loop_sentinel.c: only when the URL names sentinels */
void bf_redisc_search_place(struct bf_redisc *c);                   /* sets place and limit_ms */
void bf_redisc_search_ask(struct bf_redisc *c);                     /* connected to a sentinel */
bool bf_redisc_search_failed(struct bf_redisc *c, const char *why); /* true: goes on with another place; false: nobody is left */

/* redis_loop.c */
void bf_redisc_post(struct bf_redisc *c, const struct bf_redis_cmd *cmd, bf_redisc_cb cb, void *data); /* before it is ready */
void bf_redisc_again(struct bf_redisc *c); /* ends the connection, and connects to the place that is next in the search */
void bf_redisc_start_timer(struct bf_redisc *c, int64_t ms);
void bf_redisc_watch(struct bf_redisc *c, int events);
void bf_redisc_connected(struct bf_redisc *c);
void bf_redisc_lost(struct bf_redisc *c, const char *reason); /* ends the connection or the try, and tries again later */

#endif
