#include "steps/check_outside.h"

#include "base/decimal.h"
#include "base/duration.h"
#include "base/mem.h"
#include "core/json_figure.h"
#include "core/vars.h"

#define FILE_MAX ((size_t)64 << 20) /* bytes of a JSON file */

struct reading {
	uv_work_t work;
	struct bf_outside *outside;
	char *path, *pointer;
	struct bf_buf figure;
	struct bf_error err; /* code 0: there is a figure */
};

bool bf_check_is_outside(const struct bf_check *c)
{
	return c->type == BF_CHECK_HTTP || c->type == BF_CHECK_JSON;
}

void bf_outside_init(struct bf_outside *o)
{
	*o = (struct bf_outside){0};
	bf_request_init(&o->request);
}

void bf_outside_release(struct bf_outside *o)
{
	bf_request_release(&o->request);
}

static void answer(const struct bf_outside *o, struct bf_outside_answer *a, const struct bf_buf *text)
{
	a->text = text->data;
	o->cb(a, o->data);
}

/* ---- HTTP ---- */

static void add_answered(const struct bf_outside *o, const struct bf_http_answer *a, struct bf_buf *text)
{
	char took[BF_DURATION_TEXT];

	bf_buf_printf(text, "%s answered %d in %s", o->request.shown.data, a->status, bf_duration_human(a->took_ms, took));
}

static bool take_value(const struct bf_outside *o, const struct bf_http_answer *h, struct bf_buf *figure, struct bf_buf *text)
{
	struct bf_error err;
	int rc = bf_json_figure(h->body, h->body_len, o->check->pointer, figure, &err);

	bf_buf_printf(text, "%s in the answer to %s", o->check->pointer, o->request.shown.data);
	if (rc < 0) {
		bf_buf_addstr(text, ": ");
		bf_request_mask(&o->request, err.text, strlen(err.text), text);
	}
	return rc == 0;
}

static void judge_answer(const struct bf_outside *o, const struct bf_http_answer *h, struct bf_outside_answer *a, struct bf_buf *figure,
						 struct bf_buf *text)
{
	bool found = true;

	if (o->check->figure == BF_FIGURE_VALUE) {
		found = take_value(o, h, figure, text);
	} else {
		bf_buf_printf(figure, "%lld", o->check->figure == BF_FIGURE_STATUS ? (long long)h->status : (long long)h->took_ms);
		add_answered(o, h, text);
	}
	a->figure = found ? figure->data : NULL;
}

static void on_answer(const struct bf_http_answer *h, const struct bf_error *err, void *data)
{
	struct bf_outside *o = data;
	struct bf_outside_answer a = {0};
	BF_AUTOBUF struct bf_buf text, figure;

	o->request.call = NULL;
	bf_buf_init(&text, BF_ERROR_MAX);
	bf_buf_init(&figure, BF_DECIMAL_MAX);
	if (err) {
		a.passing = err->code != BF_E_INPUT;
		bf_request_unanswered(&o->request, err, &text);
	} else if (!bf_request_expects(&o->check->http, h->status)) {
		a.passing = bf_request_passing(h->status);
		a.retry_after_ms = h->retry_after_ms;
		bf_request_unexpected(&o->request, &o->check->http, h, &text);
	} else {
		judge_answer(o, h, &a, &figure, &text);
	}
	answer(o, &a, &text);
}

/* ---- a file ---- */

static void read_in_pool(uv_work_t *work)
{
	struct reading *r = work->data;
	BF_AUTOBUF struct bf_buf text;

	bf_buf_init(&text, FILE_MAX);
	if (bf_buf_read_file(&text, r->path, &r->err) == 0 && bf_json_figure(text.data, text.len, r->pointer, &r->figure, &r->err) < 0)
		bf_error_prefix(&r->err, "%s", r->path);
}

static void on_read(uv_work_t *work, int status)
{
	struct reading *r = work->data;
	struct bf_outside *o = r->outside;
	struct bf_outside_answer a = {.figure = r->err.code ? NULL : r->figure.data};
	BF_AUTOBUF struct bf_buf text;

	(void)status; /* it is never cancelled */
	o->reading = NULL;
	bf_buf_init(&text, BF_ERROR_MAX);
	if (r->err.code)
		bf_buf_addstr(&text, r->err.text);
	else
		bf_buf_printf(&text, "%s%s%s", r->pointer, *r->pointer ? " of " : "", r->path);
	answer(o, &a, &text);
	bf_buf_release(&r->figure);
	free(r->path);
	free(r->pointer);
	free(r);
}

static int start_reading(struct bf_outside *o, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf name;
	struct bf_vars v;

	bf_buf_init(&name, 4096);
	bf_job_vars(o->job, &v);
	if (bf_template_render(o->check->json_file, &v, BF_ESCAPE_NONE, &name, err) < 0)
		return bf_error_prefix(err, "json_file");
	struct reading *r = bf_alloc(sizeof(*r));
	r->outside = o;
	bf_buf_init(&r->figure, BF_DECIMAL_MAX);
	r->work.data = r;
	r->pointer = bf_strdup(o->check->pointer);
	r->path = name.data[0] == '/' ? bf_strdup(name.data) : bf_asprintf("%s/%s", o->job->def->pipeline->dir, name.data);
	o->reading = &r->work;
	uv_queue_work(o->job->worker->loop, &r->work, read_in_pool, on_read); /* fails only for want of a function */
	return 0;
}

/* ---- both ---- */

int bf_outside_start(struct bf_outside *o, const struct bf_job *j, const struct bf_check *c, bf_outside_cb *cb, void *data,
					 struct bf_error *err)
{
	bf_outside_release(o); /* of the check before */
	*o = (struct bf_outside){.job = j, .check = c, .cb = cb, .data = data};
	bf_request_init(&o->request);
	if (c->type == BF_CHECK_JSON)
		return start_reading(o, err);
	return bf_request_start(&o->request, j, &c->http, false, on_answer, o, err);
}

bool bf_outside_cancel(struct bf_outside *o)
{
	bool flying = o->request.call;

	bf_request_cancel(&o->request);
	return flying;
}
