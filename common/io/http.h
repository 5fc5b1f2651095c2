/*
 * HTTP requests on the libuv loop: libcurl's multi interface, whose sockets and clock are the loop's.
 *
 * One client for a worker: it keeps connections open and uses them again. Only http and https are spoken; certificates are always verified,
 * against the system's authorities or the file that SSL_CERT_FILE names. What a server answers is bounded: a longer answer ends the
 * request.
 *
 * An answer is whole when all bytes that it announced are there, whatever becomes of the connection then. One that announces two
 * lengths, or one that is no number, is none: nobody can tell where it ends.
 *
 * Redirects are followed by this module, not by libcurl: http_redirect.h says what becomes of the method. Authorization, Cookie and
 * what the caller marks as secret go to the origin that they were meant for, and to no other.
 *
 * A starter that returned 0 calls back exactly once, later, unless the request is cancelled: then never. How long a request may take is its
 * caller's to watch over; only connecting has a limit here.
 */
#ifndef BF_IO_HTTP_H
#define BF_IO_HTTP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/error.h"
#include "io/http_redirect.h"

#define BF_HTTP_ANSWER_MAX     ((size_t)1 << 20)           /* bytes of an answer's body */
#define BF_HTTP_CONNECT_MS     10000                       /* to connect, TLS included */
#define BF_HTTP_RETRY_AFTER_MS ((int64_t)24 * 3600 * 1000) /* the longest wait that a server is granted */

struct bf_http;
struct bf_http_call;

struct bf_http_request {        /* copied */
	const char *method;         /* "GET", … */
	const char *url;            /* http:// or https:// */
	const char *const *headers; /* "Name: value", without line breaks; ends with NULL */
	const bool *secret_headers; /* of each header: it is for the origin of `url` alone, and goes to no other; NULL: none is */
	const char *body;           /* NULL: none */
	size_t body_len;
	bool secret_body; /* as of a header: a redirect that would bring it elsewhere is not followed */
	int redirects;    /* followed at most; after that, an answer that redirects is the answer */
};

struct bf_http_answer { /* dies when the callback returns */
	int status;         /* 100 to 999, as the server said */
	const char *body;   /* ends with a NUL that is not counted */
	size_t body_len;
	const char *location;     /* where it redirects to; NULL: nowhere */
	const char *not_followed; /* why it was not followed there, although redirects were left; NULL: none was left */
	const char *host;         /* who answered: bf_http_host of the last URL; NULL: not known */
	int64_t retry_after_ms;   /* from Retry-After, seconds or a date; 0: none */
	int64_t took_ms;          /* from the start to the last byte */
};

/* One of answer and err. BF_E_UNAVAILABLE: no whole answer came, and the request may have had its effect; BF_E_LIMIT: the answer is too
 * long; BF_E_INPUT: the URL cannot be used. No text names the URL: it may hold what nobody else is to see. */
typedef void bf_http_cb(const struct bf_http_answer *answer, const struct bf_error *err, void *data);

int bf_http_open(uv_loop_t *loop, struct bf_http **out, struct bf_error *err);
/* Calls back what is under way, with BF_E_UNAVAILABLE, and frees the client once the loop has let go of its handles. NULL is allowed. */
void bf_http_close(struct bf_http *h);

int bf_http_start(struct bf_http *h, const struct bf_http_request *q, bf_http_cb *cb, void *data, struct bf_http_call **out,
				  struct bf_error *err);
void bf_http_cancel(struct bf_http_call *c); /* the connection is closed; the callback does not come any more */

#endif
