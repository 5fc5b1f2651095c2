/*
 * Checks whose figure does not come from the database: an HTTP answer's status, latency or a value in it; a number or count in a JSON file.
 */
#ifndef BF_WORKER_CHECK_OUTSIDE_H
#define BF_WORKER_CHECK_OUTSIDE_H

#include "steps/http_request.h"

struct bf_outside_answer {
	const char *figure; /* a decimal (base/decimal.h), of a latency in ms; NULL: it fails, and `text` says why */
	bool passing;       /* without a figure: another try may fare better */
	const char *text;   /* what was asked and what came, for people; it and the figure die when the callback returns */
	int64_t retry_after_ms;
};

typedef void bf_outside_cb(const struct bf_outside_answer *a, void *data);

struct bf_outside {
	const struct bf_job *job;
	const struct bf_check *check;
	struct bf_request request;
	uv_work_t *reading; /* of a file; NULL: none is being read */
	bf_outside_cb *cb;
	void *data;
};

bool bf_check_is_outside(const struct bf_check *c);

void bf_outside_init(struct bf_outside *o);
void bf_outside_release(struct bf_outside *o); /* while nothing is under way */

/* The callback comes once, later, unless it is cancelled. */
int bf_outside_start(struct bf_outside *o, const struct bf_job *j, const struct bf_check *c, bf_outside_cb *cb, void *data,
					 struct bf_error *err);
/* false: nothing can be cancelled, and the callback comes if something is under way. */
bool bf_outside_cancel(struct bf_outside *o);

#endif
