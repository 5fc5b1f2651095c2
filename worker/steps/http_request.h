/*
 * The request of an http step, or of a check, made from the pipeline's templates for one job.
 *
 * bf_request_init … bf_request_start, then its callback or bf_request_cancel … bf_request_release. What the environment put into it is kept
 * in mind: bf_request_mask takes it out of whatever a server echoes before anyone else sees that.
 */
#ifndef BF_WORKER_HTTP_REQUEST_H
#define BF_WORKER_HTTP_REQUEST_H

#include "io/http.h"
#include "worker.h"

struct bf_request {
	struct bf_http_call *call; /* under way; NULL: not */
	char **secrets;            /* values of environment variables; ends with NULL */
	size_t n_secrets;
	struct bf_buf shown; /* "POST {{env.BASE}}/path (host:8080)", for messages: without its query */
	char *host;          /* that is asked first; NULL: not known yet */
};

void bf_request_init(struct bf_request *q);
void bf_request_release(struct bf_request *q);

/* `key`: the job's idempotency key goes with it, unless the pipeline gives another. The callback forgets `call` itself. */
int bf_request_start(struct bf_request *q, const struct bf_job *j, const struct bf_http_spec *http, bool key, bf_http_cb *cb, void *data,
					 struct bf_error *err);
void bf_request_cancel(struct bf_request *q); /* nothing happens when none is under way */

bool bf_request_expects(const struct bf_http_spec *http, int status);
void bf_request_add_expected(const struct bf_http_spec *http, struct bf_buf *out); /* "200 to 299", "200, 204 or 409" */
/* Whether the same request may fare better later: 408, 425, 429 and what the server says is its own fault. */
bool bf_request_passing(int status);
/* "POST https://host/path, redirected to other:8080, answered 503, expected 200 to 299" */
void bf_request_unexpected(const struct bf_request *q, const struct bf_http_spec *http, const struct bf_http_answer *a, struct bf_buf *out);
/* "POST https://host/path: Connection refused" */
void bf_request_unanswered(const struct bf_request *q, const struct bf_error *why, struct bf_buf *out);
void bf_request_mask(const struct bf_request *q, const char *s, size_t len, struct bf_buf *out);

#endif
