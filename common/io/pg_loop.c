#include "io/pg_loop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/retry.h"
#include "base/text.h"
#include "io/pg_loop_internal.h"

static void on_timer(uv_timer_t *timer);
static void on_socket(uv_poll_t *poll, int status, int events);

/* ---- the socket ---- */

static void free_handle(uv_handle_t *handle)
{
	free(handle);
}

static void unwatch(struct bf_pgc *c)
{
	if (!c->poll)
		return;
	uv_poll_stop(c->poll);
	uv_close((uv_handle_t *)c->poll, free_handle);
	c->poll = NULL;
	c->events = 0;
}

void bf_pgc_watch(struct bf_pgc *c, int events)
{
	if (!c->poll) {
		uv_poll_t *poll = bf_alloc(sizeof(*poll));
		if (uv_poll_init(c->loop, poll, PQsocket(c->conn))) {
			free(poll);
			bf_pgc_break_soon(c);
			return;
		}
		poll->data = c;
		c->poll = poll;
	}
	if (events != c->events) /* each change is a system call */
		uv_poll_start(c->poll, events, on_socket);
	c->events = events;
}

/* A write that fails is told by the read that follows: libpq keeps the server's last words for it. */
void bf_pgc_flush(struct bf_pgc *c)
{
	bf_pgc_watch(c, PQflush(c->conn) == 1 ? UV_READABLE | UV_WRITABLE : UV_READABLE);
}

/* ---- losing a connection ---- */

static void disconnect(struct bf_pgc *c)
{
	unwatch(c);
	bf_pgc_forget_cancel(c);
	PQfinish(c->conn);
	c->conn = NULL;
	bf_pg_prepared_clear(&c->prepared);
	*c->last_words = '\0';
	c->ours.complete = false;
	c->pipeline = c->copy_out = c->broken = c->was_cancelled = false;
}

/* The one place where a connection, or the try to make one, ends before it is closed. */
void bf_pgc_lost(struct bf_pgc *c, const struct bf_error *why)
{
	static const struct bf_retry backoff = {.first_ms = 100, .factor = 2, .max_ms = 1000, .jitter = 0.2};
	disconnect(c);
	uv_timer_stop(&c->timer);
	c->phase = PHASE_WAIT;
	bf_pgc_fail_request(c, why->text);
	if (c->phase == PHASE_WAIT && (c->told.code == 0 || strcmp(c->told.text, why->text) != 0)) {
		c->told = *why;
		if (c->opt.on_lost)
			c->opt.on_lost(c, why, c->opt.data);
	}
	if (c->phase == PHASE_WAIT)
		uv_timer_start(&c->timer, on_timer, (uint64_t)bf_retry_delay_ms(&backoff, ++c->tries, bf_random_unit()), 0);
}

void bf_pgc_broke(struct bf_pgc *c)
{
	struct bf_error why;
	struct bf_buf reason BF_AUTOBUF;
	bf_buf_init(&reason, 2048);
	if (*c->last_words)
		bf_buf_addstr(&reason, c->last_words);
	else
		bf_pg_reason(c->conn, &reason);
	bf_pg_fail_broken(c->where, false, reason.data, &why);
	bf_pgc_lost(c, &why);
}

void bf_pgc_break_soon(struct bf_pgc *c)
{
	c->phase = PHASE_BROKEN;
	uv_timer_start(&c->timer, on_timer, 0, 0);
}

/* ---- connecting ---- */

/* Poolers do not know settings in a startup packet. They only spare statements, so the next try, which is at once, is without them. */
static bool give_up_startup(struct bf_pgc *c)
{
	if (!c->startup || !bf_pg_session_options_refused(c->conn))
		return false;
	free(c->startup);
	c->startup = NULL;
	bf_pg_target_options(&c->target, NULL);
	disconnect(c);
	c->phase = PHASE_WAIT;
	uv_timer_start(&c->timer, on_timer, 0, 0);
	return true;
}

static void connect_failed(struct bf_pgc *c, const char *reason)
{
	struct bf_error why;
	if (!reason && give_up_startup(c))
		return;
	bf_pg_fail_connect(c->conn, &c->target, reason, &why);
	bf_pgc_lost(c, &why);
}

static void note_where(struct bf_pgc *c)
{
	free(c->where);
	c->where = bf_pg_where_text(c->conn);
}

/*
 * Each step may leave libpq with another socket, even one of the same number (the next host, a try without TLS): so the
 * old one is not watched any more before the step, and a new handle is made after it.
 */
static void connect_step(struct bf_pgc *c)
{
	unwatch(c);
	switch (PQconnectPoll(c->conn)) {
	case PGRES_POLLING_READING:
		bf_pgc_watch(c, UV_READABLE);
		break;
	case PGRES_POLLING_WRITING:
		bf_pgc_watch(c, UV_WRITABLE);
		break;
	case PGRES_POLLING_OK:
		note_where(c);
		if (PQsetnonblocking(c->conn, 1)) {
			connect_failed(c, NULL);
			break;
		}
		bf_pgc_setup(c);
		break;
	case PGRES_POLLING_FAILED:
	case PGRES_POLLING_ACTIVE:
		connect_failed(c, NULL);
		break;
	}
}

/* All other notices go nowhere. */
static void on_notice(void *data, const PGresult *res)
{
	struct bf_pgc *c = data;
	bf_pg_note_last_words(res, c->last_words);
}

/* A host's name is resolved by libpq in this call, and blocks the loop while it is: a URL for a worker names an address,
 * a socket, or a name that is in /etc/hosts or answered by a cache on the same machine. */
static void start_connecting(struct bf_pgc *c)
{
	c->phase = PHASE_CONNECT;
	c->conn = PQconnectStartParams(c->target.keywords, c->target.values, 1);
	if (!c->conn)
		abort();
	PQsetNoticeReceiver(c->conn, on_notice, c);
	if (PQstatus(c->conn) == CONNECTION_BAD) {
		connect_failed(c, NULL);
		return;
	}
	uv_timer_start(&c->timer, on_timer, (uint64_t)bf_pg_connect_limit_ms(c->conn), 0);
	bf_pgc_watch(c, UV_WRITABLE);
}

/* With a status, libuv has stopped polling after an error on the socket: reading finds out which. */
static void on_socket(uv_poll_t *poll, int status, int events)
{
	struct bf_pgc *c = poll->data;
	if (status)
		c->events = 0;
	if (c->phase == PHASE_BROKEN)
		return;
	if (c->phase == PHASE_CONNECT) {
		connect_step(c);
		return;
	}
	bool open = bf_pg_still_open(c->conn, c->last_words);
	c->broken = PQstatus(c->conn) == CONNECTION_BAD || (!open && !*c->last_words); /* last words may have an answer before them */
	if (!c->broken && (status || (events & UV_WRITABLE)))
		bf_pgc_flush(c);
	bf_pgc_results(c);
}

void bf_pgc_limit(struct bf_pgc *c)
{
	if (c->opt.timeout_ms)
		uv_timer_start(&c->timer, on_timer, (uint64_t)c->opt.timeout_ms, 0);
}

static bool has_request(const struct bf_pgc *c)
{
	return c->phase == PHASE_EXEC || c->phase == PHASE_SCRIPT || c->phase == PHASE_ROLLBACK || c->phase == PHASE_PAUSE ||
		   c->phase == PHASE_RESET;
}

/* This process may have been the one that stood still: the answer is looked for before it is given up. */
static void overdue(struct bf_pgc *c)
{
	char reason[80];
	struct bf_error why;
	if (!bf_pg_still_open(c->conn, c->last_words) || !PQisBusy(c->conn)) {
		bf_pgc_limit(c);
		on_socket(c->poll, 0, UV_READABLE);
		return;
	}
	(void)snprintf(reason, sizeof(reason), "no answer for %" PRId64 " ms", c->opt.timeout_ms);
	bf_pg_fail_broken(c->where, true, reason, &why);
	bf_pgc_lost(c, &why);
}

static void on_timer(uv_timer_t *timer)
{
	struct bf_pgc *c = timer->data;
	if (has_request(c))
		overdue(c);
	else if (c->phase == PHASE_WAIT)
		start_connecting(c);
	else if (c->phase == PHASE_BROKEN)
		bf_pgc_broke(c);
	else if (c->phase == PHASE_CONNECT || c->phase == PHASE_SETUP)
		connect_failed(c, "no answer in time");
}

/* ---- the public face ---- */

int bf_pgc_open(uv_loop_t *loop, const struct bf_pgc_options *o, struct bf_pgc **out, struct bf_error *err)
{
	struct bf_pg_target target;
	int rc = bf_pg_target_init(&target, o->url, o->application_name, err);
	if (rc)
		return rc;
	struct bf_pgc *c = bf_alloc(sizeof(*c));
	c->opt = *o;
	c->opt.url = c->opt.application_name = NULL;
	c->target = target;
	c->startup = bf_pg_session_options(o->purpose);
	bf_pg_target_options(&c->target, c->startup);
	bf_pg_session_init(&c->ours, o->purpose, false);
	c->loop = loop;
	c->where = bf_strdup("not connected yet");
	bf_buf_init(&c->request.detail, 8192);
	uv_timer_init(loop, &c->timer);
	c->timer.data = c;
	c->phase = PHASE_WAIT;
	uv_timer_start(&c->timer, on_timer, 0, 0);
	*out = c;
	return 0;
}

static void on_closed(uv_handle_t *timer)
{
	struct bf_pgc *c = timer->data;
	bf_pgc_fail_request(c, "closed by this program");
	if (c->closed)
		c->closed(c->closed_data);
	bf_pgc_request_clear(c);
	bf_pg_target_release(&c->target);
	bf_pg_session_release(&c->ours);
	free(c->startup);
	free(c->where);
	free(c);
}

void bf_pgc_close(struct bf_pgc *c, void (*closed)(void *data), void *data)
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

enum bf_pgc_state bf_pgc_state(const struct bf_pgc *c)
{
	switch (c->phase) {
	case PHASE_WAIT:
		return BF_PGC_WAITING;
	case PHASE_CONNECT:
	case PHASE_SETUP:
		return BF_PGC_CONNECTING;
	case PHASE_READY:
		return BF_PGC_READY;
	case PHASE_EXEC:
	case PHASE_SCRIPT:
	case PHASE_ROLLBACK:
	case PHASE_PAUSE:
	case PHASE_RESET:
	case PHASE_BROKEN:
		return BF_PGC_BUSY;
	case PHASE_CLOSE:
		return BF_PGC_CLOSING;
	}
	return BF_PGC_CLOSING;
}

int bf_pgc_backend_pid(const struct bf_pgc *c)
{
	return c->ours.complete ? c->ours.backend_pid : 0;
}

const char *bf_pgc_backend_start(const struct bf_pgc *c)
{
	return c->ours.complete ? c->ours.backend_start : "";
}

const char *bf_pgc_where(const struct bf_pgc *c)
{
	return c->where;
}

int bf_pgc_quote_literal(struct bf_pgc *c, struct bf_buf *out, const char *s, struct bf_error *err)
{
	if (c->phase != PHASE_READY)
		return bf_fail(err, BF_E_UNAVAILABLE, "PostgreSQL (%s) is not connected", c->where);
	return bf_pg_quote(c->conn, out, s, false, err);
}

int bf_pgc_quote_ident(struct bf_pgc *c, struct bf_buf *out, const char *s, struct bf_error *err)
{
	if (c->phase != PHASE_READY)
		return bf_fail(err, BF_E_UNAVAILABLE, "PostgreSQL (%s) is not connected", c->where);
	return bf_pg_quote(c->conn, out, s, true, err);
}
