#include "io/http.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

#define LENGTH_MAX 32 /* bytes of a Content-Length; a longer one is no number of bytes */

struct header {
	char *line; /* "Name: value" */
	bool secret;
};

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
	char *url, *origin_url; /* of this request; of the first, before redirects */
	const char *method;     /* one of a few constants */
	struct curl_slist *headers;
	struct header *given;
	size_t n_given;
	struct bf_buf body, answer;
	bool has_body, secret_body;
	int redirects_left;
	int64_t took_us;           /* of the requests that redirected */
	const char *not_followed;  /* why an answer that redirects was not followed */
	char length[LENGTH_MAX];   /* Content-Length of the answer at hand; "" */
	char bad_length[160];      /* what is wrong with it; "" */
	char why[CURL_ERROR_SIZE]; /* libcurl's own words */
	bf_http_cb *cb;
	void *data;
};

struct watched { /* a socket of libcurl's */
	uv_poll_t poll;
	struct bf_http *client;
	curl_socket_t socket;
	int wanted; /* events */
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
	for (size_t i = 0; i < c->n_given; i++)
		free(c->given[i].line);
	free(c->given);
	free(c->url);
	free(c->origin_url);
	bf_buf_release(&c->body);
	bf_buf_release(&c->answer);
	free(c);
}

/* ---- a request ---- */

static void set_method(const struct bf_http_call *c)
{
	bool empty = strcmp(c->method, "POST") == 0 || strcmp(c->method, "PUT") == 0 || strcmp(c->method, "PATCH") == 0;

	curl_easy_setopt(c->easy, CURLOPT_HTTPGET, 1L); /* whatever it was before */
	if (c->has_body || empty) {                     /* an empty body says Content-Length: 0 */
		curl_easy_setopt(c->easy, CURLOPT_POST, 1L);
		curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, c->has_body ? c->body.data : "");
		curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(c->has_body ? c->body.len : 0));
	} else if (strcmp(c->method, "HEAD") == 0) {
		curl_easy_setopt(c->easy, CURLOPT_NOBODY, 1L);
	}
	curl_easy_setopt(c->easy, CURLOPT_CUSTOMREQUEST, c->method);
}

static void add_header(struct bf_http_call *c, const char *line)
{
	const char *colon = strchr(line, ':');

	if (colon && colon[1 + strspn(colon + 1, " ")] == '\0') { /* libcurl writes an empty one as "Name;" */
		BF_AUTOFREE char *empty = bf_asprintf("%.*s;", (int)(colon - line), line);
		c->headers = curl_slist_append(c->headers, empty);
	} else {
		c->headers = curl_slist_append(c->headers, line);
	}
}

static void set_headers(struct bf_http_call *c)
{
	bool home = bf_http_same_origin(c->origin_url, c->url);

	curl_slist_free_all(c->headers);
	c->headers = curl_slist_append(NULL, "Expect:"); /* no waiting for a "100 Continue" before a body */
	for (size_t i = 0; i < c->n_given; i++) {
		bool of_body = strncasecmp(c->given[i].line, "Content-Type:", 13) == 0 && c->body.len > 0;

		if ((home || !c->given[i].secret) && (c->has_body || !of_body))
			add_header(c, c->given[i].line);
	}
	curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers);
}

/* What changes with each redirect. */
static void set_request(struct bf_http_call *c)
{
	c->why[0] = c->length[0] = '\0';
	curl_easy_setopt(c->easy, CURLOPT_URL, c->url);
	set_method(c);
	set_headers(c);
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

/* "redirected to HOST: ", where the request has left the host that it was for; otherwise "". The caller frees. */
static char *elsewhere(const struct bf_http_call *c)
{
	BF_AUTOFREE char *first = bf_http_host(c->origin_url), *last = bf_http_host(c->url);

	return first && last && strcmp(first, last) != 0 ? bf_asprintf("redirected to %s: ", last) : bf_strdup("");
}

static void call_failed(struct bf_http_call *c, CURLcode code)
{
	char text[BF_ERROR_TEXT_MAX];
	BF_AUTOFREE char *where = elsewhere(c);

	if (c->answer.overflow) {
		snprintf(text, sizeof(text), "the answer is longer than %zu bytes", c->answer.max);
		call_back_error(c, BF_E_LIMIT, text);
		return;
	}
	if (*c->bad_length) {
		snprintf(text, sizeof(text), "%s%s", where, c->bad_length);
		call_back_error(c, BF_E_UNAVAILABLE, text);
		return;
	}
	snprintf(text, sizeof(text), "%s%s", where, *c->why ? c->why : curl_easy_strerror(code));
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
	BF_AUTOFREE char *location = NULL, *host = bf_http_host(c->url);
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
							   .not_followed = c->not_followed,
							   .host = host,
							   .retry_after_ms = retry_after_ms(c->easy),
							   .took_ms = (c->took_us + took_us) / 1000};
	bf_buf_init(&c->answer, 0); /* it outlives the call */
	call_free(c);
	cb(&a, NULL, data);
	bf_buf_release(&body);
}

/* ---- following ---- */

/* Why the answer at hand is not followed to `to`; NULL: it is. */
static const char *why_not_follow(const struct bf_http_call *c, const char *to, bool keeps_body)
{
	if (strncasecmp(to, "http://", 7) != 0 && strncasecmp(to, "https://", 8) != 0)
		return "which is neither http nor https";
	if (keeps_body && c->secret_body && !bf_http_same_origin(c->origin_url, to))
		return "another host, which is not to get the environment's values that are in the body";
	return NULL;
}

/* Sends the request on to where its answer leads. Returns false where it does not: then the answer is the answer. */
static bool follow(struct bf_http_call *c)
{
	long status = 0;
	char *to = NULL;
	curl_off_t took_us = 0;

	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(c->easy, CURLINFO_REDIRECT_URL, &to);
	if (!to || c->redirects_left == 0 || !bf_http_redirects((int)status))
		return false;
	const char *method = bf_http_redirected_method(c->method, (int)status);
	c->not_followed = why_not_follow(c, to, c->has_body && method == c->method);
	if (c->not_followed)
		return false;
	curl_easy_getinfo(c->easy, CURLINFO_TOTAL_TIME_T, &took_us);
	c->took_us += took_us;
	c->redirects_left--;
	c->has_body = c->has_body && method == c->method;
	c->method = method;
	char *url = bf_strdup(to); /* libcurl's until its next request */
	free(c->url);
	c->url = url;
	curl_multi_remove_handle(c->client->multi, c->easy);
	bf_buf_clear(&c->answer);
	set_request(c);
	if (curl_multi_add_handle(c->client->multi, c->easy) != CURLM_OK)
		call_back_error(c, BF_E_INTERNAL, "libcurl does not take the request");
	return true;
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
		if (code == CURLE_OK && !follow(c))
			call_answered(c);
		else if (code != CURLE_OK)
			call_failed(c, code);
	}
}

/* ---- what comes ---- */

/* A value may be repeated, in one header or in several, as long as it is the same; then it is meant. */
static void note_length(struct bf_http_call *c, const char *value, size_t len)
{
	if (len == 0 || len >= LENGTH_MAX || strspn(value, "0123456789") < len || strtoll(value, NULL, 10) == INT64_MAX)
		snprintf(c->bad_length, sizeof(c->bad_length), "the answer has a Content-Length that is no number of bytes: %.*s",
				 (int)(len < 60 ? len : 60), value);
	else if (*c->length && (strlen(c->length) != len || strncmp(c->length, value, len) != 0))
		snprintf(c->bad_length, sizeof(c->bad_length), "the answer has more than one Content-Length: %s and %.*s", c->length, (int)len,
				 value);
	else
		snprintf(c->length, sizeof(c->length), "%.*s", (int)len, value);
}

static void note_lengths(struct bf_http_call *c, const char *list)
{
	do {
		size_t len;

		list += strspn(list, ", \t");
		len = strcspn(list, ",\r\n");
		while (len > 0 && (list[len - 1] == ' ' || list[len - 1] == '\t'))
			len--;
		note_length(c, list, len);
		list += strcspn(list, ",\r\n");
	} while (*list == ',' && !*c->bad_length);
}

static size_t on_header(char *bytes, size_t one, size_t n, void *data)
{
	struct bf_http_call *c = data;
	BF_AUTOFREE char *line = bf_strndup(bytes, one * n);

	if (strncasecmp(line, "HTTP/", 5) == 0) /* the next answer: the one before was a "100 Continue" */
		c->length[0] = '\0';
	else if (strncasecmp(line, "Content-Length:", 15) == 0)
		note_lengths(c, line + 15);
	return *c->bad_length ? 0 : one * n;
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

/* After a reset a poll fails, although the whole answer may still be there to be read: so libcurl is told to read and to write, and
 * finds out by the socket what it is. libuv has stopped the poll by then; what libcurl did not close goes on. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct watched *s = poll->data;
	int what = (events & UV_READABLE ? CURL_CSELECT_IN : 0) | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);

	act(s->client, s->socket, status < 0 ? CURL_CSELECT_IN | CURL_CSELECT_OUT : what);
	if (status < 0 && !uv_is_closing((uv_handle_t *)poll))
		uv_poll_start(poll, s->wanted, on_poll);
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
	if (!s)
		return -1;
	s->wanted = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
	uv_poll_start(&s->poll, s->wanted, on_poll);
	return 0;
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

static void set_options(struct bf_http_call *c)
{
	CURL *easy = c->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, (char *)c);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, c->why);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)BF_HTTP_CONNECT_MS);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	if (authorities())
		curl_easy_setopt(easy, CURLOPT_CAINFO, authorities());
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, c);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, c);
}

static const char *known_method(const char *name)
{
	static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", NULL};
	int i = 0;

	while (methods[i] && strcmp(methods[i], name) != 0)
		i++;
	return methods[i];
}

static void keep_headers(struct bf_http_call *c, const struct bf_http_request *q)
{
	static const char *const always[] = {"Authorization:", "Proxy-Authorization:", "Cookie:"};
	size_t n = 0;

	while (q->headers && q->headers[n])
		n++;
	c->given = bf_alloc((n + 1) * sizeof(*c->given));
	for (; c->n_given < n; c->n_given++) {
		struct header *h = &c->given[c->n_given];

		h->line = bf_strdup(q->headers[c->n_given]);
		h->secret = q->secret_headers && q->secret_headers[c->n_given];
		for (size_t i = 0; i < BF_COUNT_OF(always); i++)
			h->secret = h->secret || strncasecmp(h->line, always[i], strlen(always[i])) == 0;
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
	c->url = bf_strdup(q->url);
	c->origin_url = bf_strdup(q->url);
	c->method = known_method(q->method);
	c->has_body = q->body;
	c->secret_body = q->secret_body;
	c->redirects_left = q->redirects;
	bf_buf_init(&c->body, q->body_len + 1);
	bf_buf_init(&c->answer, BF_HTTP_ANSWER_MAX);
	if (q->body)
		bf_buf_add(&c->body, q->body, q->body_len);
	keep_headers(c, q);
	c->link = &h->calls;
	c->next = h->calls;
	if (c->next)
		c->next->link = &c->next;
	h->calls = c;
	if (c->easy && c->method) {
		set_options(c);
		set_request(c);
	}
	if (!c->easy || !c->method || curl_multi_add_handle(h->multi, c->easy) != CURLM_OK) {
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
