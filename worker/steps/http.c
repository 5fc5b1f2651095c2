/*
 * http: one request a job, on the loop. An expected status is the job done. Of the others, those that may pass (408, 425, 429, 5xx), and a
 * request without a whole answer, are tried again by the step's retry, and not before the moment that Retry-After names; the rest would
 * get the same answer again, and have failed. The beginning of the answer is kept with what failed.
 *
 * The effect is another system's, so it may happen twice where an answer is lost: each try carries the same Idempotency-Key.
 */
#include "base/duration.h"
#include "base/mem.h"
#include "base/text.h"
#include "steps/http_request.h"
#include "steps/steps.h"

#define ANSWER_MAX 200 /* bytes of an answer that its job keeps */

struct http {
	struct bf_job *job;
	struct bf_request request;
	struct bf_buf text, kept; /* for the ledger */
};

/* The job ends after this, and then the state is freed. */
static struct bf_job *let_go(struct http *h)
{
	h->job->step_state = NULL;
	return h->job;
}

static void http_free(struct http *h)
{
	bf_request_release(&h->request);
	bf_buf_release(&h->text);
	bf_buf_release(&h->kept);
	free(h);
}

/* Who has to look at it: the request is wrong, there are too many of them, the server is in trouble, or there was no whole answer. */
static const char *category_of(int status)
{
	if (status == 429)
		return "http-429";
	return status >= 500 ? "http-5xx" : status >= 400 ? "http-4xx" : status > 0 ? "http-status" : "http";
}

static void failed(struct http *h, const char *category, bool never_again)
{
	bf_job_failed(let_go(h), category, never_again, h->text.data, h->kept.data, h->kept.len);
	http_free(h);
}

/* The beginning of the answer, after its secrets were taken out, is the job's note: "HTTP 200: {…". Reports read the status from it. */
static void note_answer(struct http *h, const struct bf_http_answer *a)
{
	size_t begun = 0, n;

	bf_request_mask(&h->request, a->body, a->body_len, &h->kept);
	for (; begun < h->kept.len && (n = bf_utf8_char(h->kept.data + begun, h->kept.len - begun)) > 0; begun += n)
		if (begun + n > ANSWER_MAX)
			break;
	BF_AUTOFREE char *note = begun > 0 ? bf_asprintf("HTTP %d: %.*s%s", a->status, (int)begun, h->kept.data, begun < h->kept.len ? "…" : "")
									   : bf_asprintf("HTTP %d", a->status);
	bf_job_progress(h->job, -1, -1, NULL, note);
}

static void unexpected(struct http *h, const struct bf_http_answer *a)
{
	char wait[BF_DURATION_TEXT];
	bool passing = bf_request_passing(a->status);

	bf_request_unexpected(&h->request, &h->job->step->http, a, &h->text);
	if (passing && a->retry_after_ms > 0) {
		bf_buf_printf(&h->text, "; it asks to wait for %s", bf_duration_human(a->retry_after_ms, wait));
		h->job->not_within_ms = a->retry_after_ms;
	}
	note_answer(h, a);
	failed(h, category_of(a->status), !passing);
}

static void on_answer(const struct bf_http_answer *a, const struct bf_error *err, void *data)
{
	struct http *h = data;

	h->request.call = NULL;
	if (err && h->job->worker->left) {
		bf_open_again(let_go(h), "the worker leaves");
		http_free(h);
	} else if (err) {
		bf_request_unanswered(&h->request, err, &h->text);
		failed(h, category_of(0), err->code == BF_E_INPUT);
	} else if (bf_request_expects(&h->job->step->http, a->status)) {
		note_answer(h, a);
		bf_job_done(let_go(h), -1);
		http_free(h);
	} else {
		unexpected(h, a);
	}
}

static int start(struct bf_job *j, struct bf_error *err)
{
	struct http *h = bf_alloc(sizeof(*h));

	h->job = j;
	bf_request_init(&h->request);
	bf_buf_init(&h->text, BF_ERROR_MAX);
	bf_buf_init(&h->kept, BF_TAIL_MAX);
	int rc = bf_request_start(&h->request, j, &j->step->http, true, on_answer, h, err);
	if (rc < 0)
		http_free(h);
	else
		j->step_state = h;
	return rc;
}

static void stop(struct bf_job *j)
{
	struct http *h = j->step_state;
	char limit[BF_DURATION_TEXT];

	if (!h)
		return;
	bf_request_cancel(&h->request);
	if (j->timed_out && !j->fenced) {
		bf_buf_printf(&h->text, "%s: no whole answer within its timeout of %s", h->request.shown.data,
					  bf_duration_format(j->step->timeout_ms, limit));
		bf_job_failed(let_go(h), "timeout", false, h->text.data, NULL, 0);
	} else {
		bf_job_returned(let_go(h));
	}
	http_free(h);
}

const struct bf_step_kind bf_step_http = {.kind = BF_KIND_HTTP, .start = start, .stop = stop};
