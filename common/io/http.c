#include "io/http.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

struct bf_http {
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t timer;
	struct bf_http_call *calls;
	int open; /* handles of the loop: the timer and the sockets' */
	bool closing;
};

struct bf_http_call {
	struct bf_http *client;
	struct bf_http_call **link, *next; /* link: what points to this one */
	CURL *easy;
	struct curl_slist *headers;
	struct bf_buf body, answer;
	char why[CURL_ERROR_SIZE]; /* libcurl's own words */
	bf_http_cb *cb;
	void *data;
};

struct watched { /* a socket of libcurl's */
	uv_poll_t poll;
	struct bf_http *client;
	curl_socket_t socket;
};

/* ---- a call ---- */

static void call_free(struct bf_http_call *c)
{
	struct bf_http *h = c->client;

	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	curl_multi_remove_handle(h->multi, c->easy);
	curl_easy_cleanup(c->easy);
	curl_slist_free_all(c->headers);
	bf_buf_release(&c->body);
	bf_buf_release(&c->answer);
	free(c);
}

static void call_back_error(struct bf_http_call *c, enum bf_errc code, const char *text)
{
	bf_http_cb *cb = c->cb;
	void *data = c->data;
	struct bf_error err;

	bf_fail(&err, code, "%s", text);
	call_free(c);
	cb(NULL, &err, data);
}

static void call_failed(struct bf_http_call *c, CURLcode code)
{
	char text[CURL_ERROR_SIZE + 64];

	if (c->answer.overflow) {
		snprintf(text, sizeof(text), "the answer is longer than %zu bytes", c->answer.max);
		call_back_error(c, BF_E_LIMIT, text);
		return;
	}
	snprintf(text, sizeof(text), "%s", *c->why ? c->why : curl_easy_strerror(code));
	call_back_error(c, code == CURLE_URL_MALFORMAT ? BF_E_INPUT : BF_E_UNAVAILABLE, text);
}

static int64_t retry_after_ms(CURL *easy)
{
	curl_off_t s = 0;

	curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &s);
	if (s <= 0)
		return 0;
	return s < BF_HTTP_RETRY_AFTER_MS / 1000 ? (int64_t)s * 1000 : BF_HTTP_RETRY_AFTER_MS;
}

static void call_answered(struct bf_http_call *c)
{
	bf_http_cb *cb = c->cb;
	void *data = c->data;
	struct bf_buf body = c->answer;
	BF_AUTOFREE char *location = NULL;
	char *to = NULL;
	long status = 0;
	curl_off_t took_us = 0;

	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(c->easy, CURLINFO_TOTAL_TIME_T, &took_us);
	curl_easy_getinfo(c->easy, CURLINFO_REDIRECT_URL, &to);
	location = bf_strdup(to);
	struct bf_http_answer a = {.status = (int)status,
							   .body = body.data ? body.data : "",
							   .body_len = body.len,
							   .location = location,
							   .retry_after_ms = retry_after_ms(c->easy),
							   .took_ms = took_us / 1000};
	bf_buf_init(&c->answer, 0); /* it outlives the call */
	call_free(c);
	cb(&a, NULL, data);
	bf_buf_release(&body);
}

/* Whoever is called back may start and cancel others. */
static void take_finished(struct bf_http *h)
{
	CURLMsg *m;
	int left;

	while (!h->closing && (m = curl_multi_info_read(h->multi, &left))) {
		CURLcode code = m->data.result;
		struct bf_http_call *c = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&c);
		if (code == CURLE_OK)
			call_answered(c);
		else
			call_failed(c, code);
	}
}

static size_t on_body(char *bytes, size_t one, size_t n, void *data)
{
	struct bf_http_call *c = data;

	return bf_buf_add(&c->answer, bytes, one * n) == 0 ? one * n : 0;
}

/* ---- libcurl on the loop ---- */

static void let_go(struct bf_http *h)
{
	if (--h->open == 0)
		free(h);
}

static void on_timer_closed(uv_handle_t *timer)
{
	let_go(timer->data);
}

static void on_watched_closed(uv_handle_t *poll)
{
	struct watched *s = poll->data;
	struct bf_http *h = s->client;

	free(s);
	let_go(h);
}

static void act(struct bf_http *h, curl_socket_t socket, int events)
{
	int running;

	curl_multi_socket_action(h->multi, socket, events, &running);
	take_finished(h);
}

/* A poll that fails is told to libcurl, which finds out by the socket what it is. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
	const struct watched *s = poll->data;
	int what =
		(status < 0 ? CURL_CSELECT_ERR : 0) | (events & UV_READABLE ? CURL_CSELECT_IN : 0) | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);

	act(s->client, s->socket, what);
}

static void on_timer(uv_timer_t *timer)
{
	act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

/* A socket that cannot be watched is left to libcurl's own clock. */
static struct watched *watch(struct bf_http *h, curl_socket_t socket)
{
	struct watched *s = bf_alloc(sizeof(*s));

	s->client = h;
	s->socket = socket;
	if (uv_poll_init_socket(h->loop, &s->poll, socket) < 0) {
		free(s);
		return NULL;
	}
	s->poll.data = s;
	h->open++;
	curl_multi_assign(h->multi, socket, s);
	return s;
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *data, void *assigned)
{
	struct bf_http *h = data;
	struct watched *s = assigned;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (!s)
			return 0;
		curl_multi_assign(h->multi, socket, NULL);
		uv_poll_stop(&s->poll);
		uv_close((uv_handle_t *)&s->poll, on_watched_closed);
		return 0;
	}
	if (!s)
		s = watch(h, socket);
	if (s)
		uv_poll_start(&s->poll, (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0), on_poll);
	return s ? 0 : -1;
}

static int on_timeout_wanted(CURLM *multi, long ms, void *data)
{
	struct bf_http *h = data;

	(void)multi;
	if (h->closing)
		return 0;
	if (ms < 0)
		uv_timer_stop(&h->timer);
	else /* never from here: libcurl does not want to be called back inside itself */
		uv_timer_start(&h->timer, on_timer, (uint64_t)ms, 0);
	return 0;
}

/* ---- the client ---- */

int bf_http_open(uv_loop_t *loop, struct bf_http **out, struct bf_error *err)
{
	static bool set_up; /* libcurl's own globals; never undone: the process ends with them */
	struct bf_http *h;

	if (!set_up && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return bf_fail(err, BF_E_INTERNAL, "libcurl cannot be set up");
	set_up = true;
	h = bf_alloc(sizeof(*h));
	h->loop = loop;
	h->multi = curl_multi_init();
	if (!h->multi) {
		free(h);
		return bf_fail(err, BF_E_INTERNAL, "libcurl cannot be set up");
	}
	uv_timer_init(loop, &h->timer);
	h->timer.data = h;
	h->open = 1;
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	*out = h;
	return 0;
}

void bf_http_close(struct bf_http *h)
{
	if (!h)
		return;
	h->closing = true;
	while (h->calls) {
		h->calls->link = &h->calls; /* it is; the static analyzer cannot know */
		call_back_error(h->calls, BF_E_UNAVAILABLE, "the client is closed");
	}
	curl_multi_cleanup(h->multi); /* closes the connections that were kept, and so their handles */
	uv_close((uv_handle_t *)&h->timer, on_timer_closed);
}

/* ---- starting ---- */

static void set_method(CURL *easy, const struct bf_http_request *q)
{
	if (q->body) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body_len);
	} else if (strcmp(q->method, "HEAD") == 0) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	} else if (strcmp(q->method, "POST") == 0 || strcmp(q->method, "PUT") == 0 || strcmp(q->method, "PATCH") == 0) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L); /* says Content-Length: 0 */
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, 0L);
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, q->method);
}

static const char *authorities(void)
{
	const char *file = getenv("SSL_CERT_FILE");
	return file && *file ? file : NULL;
}

/* libcurl would open whatever it is, on the loop: a named pipe without a writer would stop all of the worker. */
static int check_authorities(struct bf_error *err)
{
	int fd = authorities() ? bf_file_open(authorities(), err) : -1;

	if (fd >= 0)
		(void)close(fd);
	return authorities() && fd < 0 ? bf_error_prefix(err, "SSL_CERT_FILE") : 0;
}

static void set_options(struct bf_http_call *c, const struct bf_http_request *q)
{
	CURL *easy = c->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, (char *)c);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, c->why);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, q->redirects > 0 ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)q->redirects);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)BF_HTTP_CONNECT_MS);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_URL, q->url);
	if (authorities())
		curl_easy_setopt(easy, CURLOPT_CAINFO, authorities());
	set_method(easy, q);
	if (q->body)
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, c->body.data);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, c->headers);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, c);
}

static void add_headers(struct bf_http_call *c, const struct bf_http_request *q)
{
	c->headers = curl_slist_append(NULL, "Expect:"); /* no waiting for a "100 Continue" before a body */
	for (const char *const *header = q->headers; header && *header; header++) {
		const char *colon = strchr(*header, ':');

		if (colon && colon[1 + strspn(colon + 1, " ")] == '\0') { /* libcurl writes an empty one as "Name;" */
			BF_AUTOFREE char *empty = bf_asprintf("%.*s;", (int)(colon - *header), *header);
			c->headers = curl_slist_append(c->headers, empty);
		} else {
			c->headers = curl_slist_append(c->headers, *header);
		}
	}
}

int bf_http_start(struct bf_http *h, const struct bf_http_request *q, bf_http_cb *cb, void *data, struct bf_http_call **out,
				  struct bf_error *err)
{
	int rc = check_authorities(err);
	if (rc < 0)
		return rc;

	struct bf_http_call *c = bf_alloc(sizeof(*c));

	c->client = h;
	c->cb = cb;
	c->data = data;
	c->easy = curl_easy_init();
	bf_buf_init(&c->body, q->body_len + 1);
	bf_buf_init(&c->answer, BF_HTTP_ANSWER_MAX);
	if (q->body)
		bf_buf_add(&c->body, q->body, q->body_len);
	add_headers(c, q);
	c->link = &h->calls;
	c->next = h->calls;
	if (c->next)
		c->next->link = &c->next;
	h->calls = c;
	if (c->easy)
		set_options(c, q);
	if (!c->easy || curl_multi_add_handle(h->multi, c->easy) != CURLM_OK) {
		call_free(c);
		return bf_fail(err, BF_E_INTERNAL, "libcurl does not take the request");
	}
	*out = c;
	return 0;
}

void bf_http_cancel(struct bf_http_call *c)
{
	call_free(c);
}
