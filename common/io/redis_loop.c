#include "io/redis_loop.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/retry.h"
#include "io/redis_loop_internal.h"

static void on_timer(uv_timer_t *timer);
static void on_socket(uv_poll_t *poll, int status, int events);

#define TRIES_SLOW 10 /* after so many the next try is the longest wait away */

static int64_t now_ms(void)
{
	return (int64_t)(uv_hrtime() / 1000000);
}

void bf_redisc_start_timer(struct bf_redisc *c, int64_t ms)
{
	c->timer_due_ms = now_ms() + ms;
	uv_timer_start(&c->timer, on_timer, (uint64_t)ms, 0);
}

/* ---- pending commands ---- */

static void fifo_push(struct bf_redisc *c, struct bf_redisc_pending p)
{
	if (c->count == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 16;
		struct bf_redisc_pending *ring = bf_realloc_array(NULL, cap, sizeof(*ring));
		for (size_t i = 0; i < c->count; i++)
			ring[i] = c->fifo[(c->first + i) % c->cap];
		free(c->fifo);
		c->fifo = ring;
		c->first = 0;
		c->cap = cap;
	}
	c->fifo[(c->first + c->count++) % c->cap] = p;
}

static struct bf_redisc_pending fifo_pop(struct bf_redisc *c)
{
	struct bf_redisc_pending p = c->fifo[c->first];
	c->first = (c->first + 1) % c->cap;
	c->count--;
	return p;
}

/* Each command that was pending at this moment is told; none can be added meanwhile, as the connection is not ready. */
static void fail_pending(struct bf_redisc *c, const char *why)
{
	struct bf_error err;
	bf_fail(&err, BF_E_UNKNOWN_OUTCOME, "The connection to Redis at %s broke before the answer came (%s)", c->where, why);
	while (c->count) {
		struct bf_redisc_pending p = fifo_pop(c);
		p.cb(c, NULL, &err, p.data);
	}
}

/* Answers come in order, so only the oldest command can be overdue; any byte from the server starts its time again. */
static int64_t oldest_due(const struct bf_redisc *c)
{
	return c->heard_ms + c->opt.timeout_ms + c->fifo[c->first].extra_ms;
}

static void arm_command_timer(struct bf_redisc *c)
{
	if (c->phase != PHASE_READY || c->count == 0)
		return;
	int64_t due = oldest_due(c), now = now_ms();
	if (!uv_is_active((uv_handle_t *)&c->timer) || due < c->timer_due_ms)
		bf_redisc_start_timer(c, due > now ? due - now : 0);
}

/* ---- the socket ---- */

void bf_redisc_watch(struct bf_redisc *c, int events)
{
	if (events != c->events) /* each change is a system call */
		uv_poll_start(c->poll, events, on_socket);
	c->events = events;
}

static void disconnect(struct bf_redisc *c)
{
	bf_redisc_drop_socket(c);
	bf_redisc_connect_forget(c);
	if (c->reader) {
		redisReaderFree(c->reader);
		c->reader = NULL;
	}
	bf_buf_clear(&c->out);
	c->out_done = 0;
	c->write_errno = 0;
}

/* The one place where a connection, or the try to make one, ends before it is closed. */
static void lose(struct bf_redisc *c, const struct bf_error *why, const char *reason)
{
	static const struct bf_retry backoff = {.first_ms = 50, .factor = 2, .max_ms = 500, .jitter = 0.2};
	disconnect(c);
	uv_timer_stop(&c->timer);
	c->phase = PHASE_WAIT;
	fail_pending(c, reason);
	if (c->phase == PHASE_WAIT && (c->told.code == 0 || strcmp(c->told.text, why->text) != 0)) {
		c->told = *why;
		if (c->opt.on_lost)
			c->opt.on_lost(c, why, c->opt.data);
	}
	if (c->phase == PHASE_WAIT)
		bf_redisc_start_timer(c, bf_retry_delay_ms(&backoff, ++c->tries, bf_random_unit()));
}

void bf_redisc_lost(struct bf_redisc *c, const char *reason)
{
	struct bf_error err;
	if (c->phase == PHASE_READY || c->phase == PHASE_BROKEN)
		bf_fail(&err, BF_E_UNAVAILABLE, "The connection to Redis at %s broke (%s)", c->where, reason);
	else if (!c->url.n_sentinels)
		bf_redis_fail_unreachable(c->where, c->because, reason, &err);
	else if (bf_redisc_search_failed(c, reason))
		return;
	else
		bf_sentinel_fail(&c->search, &err);
	lose(c, &err, reason);
}

void bf_redisc_again(struct bf_redisc *c)
{
	disconnect(c);
	c->phase = PHASE_WAIT;
	fail_pending(c, "it is not needed any more");
	bf_redisc_start_timer(c, 0);
}

/* The server has become a replica: whoever is the master, it is not this one. Where no sentinel tells which, the same address may lead to
 * the master sooner or later; it is not tried in haste. */
static void lose_replica(struct bf_redisc *c, const char *said)
{
	struct bf_error err;
	bf_fail(&err, BF_E_UNAVAILABLE, "Redis at %s is a replica: %s", c->where, said);
	if (!c->url.n_sentinels)
		c->tries = TRIES_SLOW;
	lose(c, &err, "it is a replica");
}

static void flush(struct bf_redisc *c)
{
	while (c->out_done < c->out.len) {
		ssize_t n = send(c->fd, c->out.data + c->out_done, c->out.len - c->out_done, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			c->write_errno = errno;
			c->phase = PHASE_BROKEN;
			bf_redisc_start_timer(c, 0);
			return;
		}
		c->out_done += (size_t)n;
	}
	if (c->out_done == c->out.len) {
		bf_buf_clear(&c->out);
		c->out_done = 0;
	}
	bf_redisc_watch(c, c->out.len ? UV_READABLE | UV_WRITABLE : UV_READABLE);
}

/* Queues a command and sends what the socket takes. Its callback comes from the loop, whatever happens here. */
static int post(struct bf_redisc *c, const struct bf_redis_cmd *cmd, struct bf_redisc_pending p)
{
	bf_redis_cmd_encode(cmd, &c->encoded);
	if (c->encoded.overflow || c->encoded.len > BF_REDIS_CMD_MAX - (c->out.len - c->out_done))
		return -BF_E_LIMIT;
	if (c->count == 0)
		c->heard_ms = now_ms();
	fifo_push(c, p);
	bool idle = c->out.len == 0;
	if (!idle && c->out_done > c->out.len / 2) {
		bf_buf_drop_front(&c->out, c->out_done);
		c->out_done = 0;
	}
	bf_buf_add(&c->out, c->encoded.data, c->encoded.len);
	if (idle)
		flush(c);
	return 0;
}

/* ---- answers ---- */

static void deliver(struct bf_redisc *c, struct bf_redis_reply *reply)
{
	struct bf_redisc_pending p = fifo_pop(c);
	if (bf_redis_type(reply) == BF_REDIS_ERROR) {
		struct bf_error err;
		bf_redis_fail_reply(reply, &err);
		p.cb(c, NULL, &err, p.data);
		if (c->phase == PHASE_READY && bf_redis_is_of_replica(err.text))
			lose_replica(c, err.text);
	} else {
		p.cb(c, reply, NULL, p.data);
	}
	bf_redis_reply_free(reply);
}

/* A callback may close the connection, or lose it: then the reader is gone. */
static void deliver_all(struct bf_redisc *c)
{
	while (c->reader) {
		void *reply = NULL;
		if (redisReaderGetReply(c->reader, &reply) != REDIS_OK) {
			char reason[160];
			(void)snprintf(reason, sizeof(reason), "not an answer of Redis: %s", c->reader->errstr);
			bf_redisc_lost(c, reason);
			return;
		}
		if (!reply)
			return;
		if (c->count == 0) {
			freeReplyObject(reply);
			bf_redisc_lost(c, "it answered without having been asked");
			return;
		}
		deliver(c, bf_redis_wrap(reply));
	}
}

/* A bounded portion of what has come, so that the loop's other work gets its turn. True: the socket may hold more. */
static bool receive(struct bf_redisc *c)
{
	char bytes[65536];
	for (int turn = 0; turn < 16 && c->reader; turn++) {
		ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n < 0)
			bf_redisc_lost(c, strerror(errno));
		else if (n == 0)
			bf_redisc_lost(c, "closed by the server");
		if (n <= 0)
			return false;
		c->heard_ms = now_ms();
		if (redisReaderFeed(c->reader, bytes, (size_t)n) != REDIS_OK) {
			bf_redisc_lost(c, "out of memory");
			return false;
		}
		deliver_all(c);
		if ((size_t)n < sizeof(bytes))
			return false;
	}
	return c->reader != NULL;
}

/* ---- greeting ---- */

static void refuse_greeting(struct bf_redisc *c, const struct bf_error *why)
{
	if (c->url.n_sentinels)
		bf_redisc_lost(c, why->text);
	else
		lose(c, why, why->text);
}

static void greeted(struct bf_redisc *c, const struct bf_redis_reply *reply, const struct bf_error *err, void *data)
{
	const char *command = data;
	struct bf_error why;
	if (c->phase != PHASE_GREET)
		return;
	if (err)
		bf_redis_fail_greeting(c->where, command, err->text, &why);
	if (err || (strcmp(command, "ROLE") == 0 && bf_sentinel_check_role(reply, &why))) {
		refuse_greeting(c, &why);
		return;
	}
	if (c->count > 0)
		return;
	uv_timer_stop(&c->timer);
	c->phase = PHASE_READY;
	c->tries = 0;
	c->told.code = 0;
	if (c->url.n_sentinels)
		bf_sentinel_found(&c->search);
	if (c->opt.on_ready)
		c->opt.on_ready(c, c->opt.data);
}

void bf_redisc_post(struct bf_redisc *c, const struct bf_redis_cmd *cmd, bf_redisc_cb cb, void *data)
{
	(void)post(c, cmd, (struct bf_redisc_pending){.cb = cb, .data = data});
}

static void greet(struct bf_redisc *c)
{
	struct bf_redis_cmd cmd;
	const char *name;
	bf_redis_cmd_init(&cmd);
	c->phase = PHASE_GREET;
	for (int i = 0; c->phase == PHASE_GREET && (name = bf_redis_greeting(&c->url, c->client_name, i, &cmd)); i++)
		bf_redisc_post(c, &cmd, greeted, (void *)(uintptr_t)name);
	bf_redis_cmd_release(&cmd);
}

void bf_redisc_connected(struct bf_redisc *c)
{
	c->reader = redisReaderCreate();
	if (!c->reader)
		abort();
	bf_redis_bound(c->reader);
	c->reader->maxbuf = 1 << 20; /* a buffer of ordinary size is kept between answers */
	if (c->url.n_sentinels && !c->search.at_master)
		bf_redisc_search_ask(c);
	else
		greet(c);
}

/* With a status, libuv has stopped polling after an error on the socket: the calls below find out which. */
static void on_socket(uv_poll_t *poll, int status, int events)
{
	struct bf_redisc *c = poll->data;
	if (status) /* libuv has stopped polling */
		c->events = 0;
	if (c->phase == PHASE_CONNECT) {
		bf_redisc_connect_event(c);
		return;
	}
	if (status || (events & UV_READABLE))
		(void)receive(c);
	if (c->reader && c->phase != PHASE_BROKEN && (status || (events & UV_WRITABLE)))
		flush(c);
	arm_command_timer(c);
}

static void on_command_timer(struct bf_redisc *c)
{
	/* This process may have been the one that stood still: look for the answer before giving it up. */
	if (c->count && oldest_due(c) <= now_ms())
		(void)receive(c);
	if (c->phase != PHASE_READY || c->count == 0)
		return;
	if (oldest_due(c) <= now_ms()) {
		char reason[80];
		(void)snprintf(reason, sizeof(reason), "no answer for %" PRId64 " ms", c->opt.timeout_ms + c->fifo[c->first].extra_ms);
		bf_redisc_lost(c, reason);
		return;
	}
	arm_command_timer(c);
}

static void on_timer(uv_timer_t *timer)
{
	struct bf_redisc *c = timer->data;
	char reason[80];
	switch (c->phase) {
	case PHASE_WAIT:
		bf_redisc_connect(c);
		return;
	case PHASE_LOOKUP:
	case PHASE_CONNECT:
	case PHASE_ASK:
	case PHASE_GREET:
		(void)snprintf(reason, sizeof(reason), "no answer for %" PRId64 " ms", c->limit_ms);
		bf_redisc_lost(c, reason);
		return;
	case PHASE_READY:
		on_command_timer(c);
		return;
	case PHASE_BROKEN:
		while (receive(c))
			;
		if (c->phase == PHASE_BROKEN)
			bf_redisc_lost(c, strerror(c->write_errno));
		return;
	case PHASE_CLOSE:
		return;
	}
}

/* ---- the public face ---- */

int bf_redisc_open(uv_loop_t *loop, const struct bf_redisc_options *o, struct bf_redisc **out, struct bf_error *err)
{
	struct bf_redis_url url;
	int rc = bf_redis_url_parse(o->url, &url, err);
	if (rc)
		return rc;
	struct bf_redisc *c = bf_alloc(sizeof(*c));
	c->opt = *o;
	c->opt.url = c->opt.client_name = NULL;
	c->url = url;
	c->place.port = url.port;
	memcpy(c->place.host, url.host, sizeof(c->place.host));
	memcpy(c->where, url.shown, sizeof(c->where));
	c->limit_ms = o->timeout_ms;
	bf_sentinel_init(&c->search, &c->url);
	c->because = bf_redis_because(o->url);
	c->client_name = bf_strdup(o->client_name);
	c->loop = loop;
	c->fd = -1;
	bf_buf_init(&c->encoded, BF_REDIS_CMD_MAX + 64);
	bf_buf_init(&c->out, 2 * BF_REDIS_CMD_MAX);
	uv_timer_init(loop, &c->timer);
	c->timer.data = c;
	c->phase = PHASE_WAIT;
	bf_redisc_start_timer(c, 0);
	*out = c;
	return 0;
}

static void on_closed(uv_handle_t *timer)
{
	struct bf_redisc *c = timer->data;
	fail_pending(c, "closed by this program");
	if (c->closed)
		c->closed(c->closed_data);
	bf_buf_release(&c->encoded);
	bf_buf_release(&c->out);
	bf_sentinel_release(&c->search);
	free(c->fifo);
	free(c->client_name);
	free(c);
}

void bf_redisc_close(struct bf_redisc *c, void (*closed)(void *data), void *data)
{
	if (c->phase == PHASE_CLOSE)
		return;
	c->phase = PHASE_CLOSE;
	c->closed = closed;
	c->closed_data = data;
	disconnect(c);
	uv_timer_stop(&c->timer);
	uv_close((uv_handle_t *)&c->timer, on_closed);
}

bool bf_redisc_ready(const struct bf_redisc *c)
{
	return c->phase == PHASE_READY;
}

const char *bf_redisc_where(const struct bf_redisc *c)
{
	return c->where;
}

int bf_redisc_exec(struct bf_redisc *c, const struct bf_redis_cmd *cmd, int64_t extra_timeout_ms, bf_redisc_cb cb, void *data)
{
	if (c->phase != PHASE_READY)
		return -BF_E_UNAVAILABLE;
	int rc = post(c, cmd, (struct bf_redisc_pending){.cb = cb, .data = data, .extra_ms = extra_timeout_ms});
	if (rc == 0 && c->count == 1)
		arm_command_timer(c);
	return rc;
}
