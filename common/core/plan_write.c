#include "base/failpoint.h"
#include "base/mem.h"
#include "bf_sql.h"
#include "core/plan_internal.h"
#include "core/vars.h"

#define COPY_BYTES ((size_t)64 << 10)
#define BODY_MAX   ((size_t)64 << 20)
#define REVIEW_MAX ((size_t)1 << 20)

static int run_statement(struct bf_pg *pg, const struct bf_pg_stmt *stmt, struct bf_pg_params *p, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *ignored = NULL;
	int rc = bf_pg_exec(pg, stmt, p, &ignored, err);
	bf_pg_params_release(p);
	return rc;
}

static int pin_pipeline(struct bf_pg *pg, const struct bf_pipeline *pipeline, char *sha256, size_t size, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf body;
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	struct bf_pg_params p;
	bf_buf_init(&body, BODY_MAX);
	int rc = bf_pipeline_body(pipeline, &body, err);
	if (rc < 0)
		return rc;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, pipeline->name);
	bf_pg_add_text(&p, body.data);
	rc = bf_pg_exec(pg, &bf_sql_plan_pin_pipeline, &p, &r, err);
	bf_pg_params_release(&p);
	if (rc == 0)
		snprintf(sha256, size, "%s", bf_pg_text(r, 0, 0));
	return rc;
}

static void add_texts(struct bf_pg_params *p, const char *const *texts, size_t n)
{
	bf_pg_array_begin(p);
	for (size_t i = 0; i < n; i++)
		bf_pg_array_text(p, texts[i]);
	bf_pg_array_end(p);
}

static double interval_ms(const struct bf_pipeline *p)
{
	return p->rate_interval_ms > (double)p->pause_ms ? p->rate_interval_ms : (double)p->pause_ms;
}

static int insert_run(struct bf_pg *pg, const struct bf_plan_ask *ask, const struct bf_plan *plan, const char *sha256, struct bf_error *err)
{
	struct bf_pg_params p;
	char since[BF_DATE_TEXT], until[BF_DATE_TEXT], interval[40], throttle[24];
	const char *trial = bf_plan_is_trial(ask) ? "true" : "false";
	const char *rest[] = {ask->requested_by, ask->note, ask->pipeline->throttle.name ? throttle : NULL, trial};
	snprintf(interval, sizeof(interval), "%.6f", interval_ms(ask->pipeline));
	snprintf(throttle, sizeof(throttle), "%lld", (long long)ask->pipeline->throttle_ms);
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, plan->run);
	bf_pg_add_text(&p, ask->pipeline->name);
	bf_pg_add_text(&p, sha256);
	bf_pg_add_text(&p, ask->pipeline->dir);
	bf_pg_add_text(&p, ask->queue);
	bf_pg_add_text(&p, ask->keys ? NULL : bf_date_format(ask->since, since));
	bf_pg_add_text(&p, ask->keys ? NULL : bf_date_format(ask->until, until));
	bf_plan_add_params(&p, ask, false);
	bf_plan_add_params(&p, ask, true);
	add_texts(&p, ask->option_names, ask->n_options);
	add_texts(&p, ask->option_values, ask->n_options);
	bf_pg_add_int(&p, ask->concurrency);
	bf_pg_add_text(&p, interval);
	add_texts(&p, rest, BF_COUNT_OF(rest));
	return run_statement(pg, &bf_sql_plan_insert_run, &p, err);
}

/* An approval's time and what then; the part of the jobs that may fail. */
static void add_limits(struct bf_pg_params *p, const struct bf_step *s)
{
	char ratio[32];
	bool timed = s->approval.timeout_ms > 0;
	snprintf(ratio, sizeof(ratio), "%.17g", s->max_failed_ratio);
	if (timed)
		bf_pg_add_int(p, s->approval.timeout_ms);
	else
		bf_pg_add_text(p, NULL);
	bf_pg_add_text(p, !timed ? NULL : s->approval.approve_on_timeout ? "approve" : "reject");
	bf_pg_add_text(p, s->max_failed_ratio < 0 ? NULL : ratio);
}

/* What the person of an approval should look at, with the values of this run. */
static int render_review(const struct bf_plan_ask *ask, const struct bf_plan *plan, const struct bf_step_plan *s, struct bf_buf *out,
						 struct bf_error *err)
{
	const struct bf_pipeline *pipeline = ask->pipeline;
	BF_AUTOFREE const char **names = bf_alloc((pipeline->n_params + 1) * sizeof(*names));
	char since[BF_DATE_TEXT] = "", until[BF_DATE_TEXT] = "";
	for (size_t i = 0; i < pipeline->n_params; i++)
		names[i] = pipeline->params[i].name;
	if (!ask->keys) {
		bf_date_format(plan->whole.first, since);
		bf_date_format(plan->whole.last, until);
	}
	const struct bf_vars v = {.run = plan->run,
							  .step = s->step->name,
							  .chunk = s->first,
							  .since = since,
							  .until = until,
							  .lookback_since = "",
							  .key = "",
							  .param_names = names,
							  .param_values = ask->param_values,
							  .n_params = pipeline->n_params};
	return bf_template_render(s->step->approval.review, &v, BF_ESCAPE_NONE, out, err) < 0
			   ? bf_error_prefix(err, "step %s: review", s->step->name)
			   : 0;
}

/* Where a limit has left something for later: what was missing, so that it counts as asked for until it is done. */
static void add_asked(struct bf_pg_params *p, const struct bf_plan_ask *ask, const struct bf_step_plan *s)
{
	BF_AUTOBUF struct bf_buf days;
	char first[BF_DATE_TEXT], last[BF_DATE_TEXT];
	bool limited = s->planned < s->asked;
	bf_buf_init(&days, SIZE_MAX);
	bf_buf_addch(&days, '{');
	for (size_t i = 0; limited && !ask->keys && i < s->n_wanted; i++)
		bf_buf_printf(&days, "%s[%s,%s]", i ? "," : "", bf_date_format(s->wanted[i].first, first), bf_date_format(s->wanted[i].last, last));
	bf_buf_addch(&days, '}');
	bf_pg_add_text(p, limited && !ask->keys ? days.data : NULL);
	if (limited)
		bf_pg_add_int(p, s->asked);
	else
		bf_pg_add_text(p, NULL);
}

static int insert_step(struct bf_pg *pg, const struct bf_plan_ask *ask, const struct bf_plan *plan, const struct bf_step_plan *s,
					   struct bf_error *err)
{
	static const char *const on_failure[] = {[BF_HALT] = "halt", [BF_CONTINUE] = "continue"};
	struct bf_pg_params p;
	char soak[24];
	BF_AUTOBUF struct bf_buf review;
	bf_buf_init(&review, REVIEW_MAX);
	if (s->step->approval.review && render_review(ask, plan, s, &review, err) < 0)
		return -(int)err->code;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, plan->run);
	bf_pg_add_text(&p, s->step->name);
	bf_pg_add_int(&p, s->step->ordinal);
	bf_pg_add_text(&p, bf_kind_name(s->step->kind));
	bf_pg_add_int(&p, s->jobs);
	bf_pg_array_begin(&p);
	for (size_t i = 0; i < s->n_needs; i++)
		bf_pg_array_text(&p, ask->pipeline->steps[s->needs[i]].name);
	bf_pg_array_end(&p);
	bf_pg_add_text(&p, on_failure[s->step->on_failure]);
	bf_pg_add_int(&p, s->step->concurrency);
	bf_pg_add_bool(&p, bf_step_chronological(s->step));
	bf_pg_add_bool(&p, s->step->per == BF_PER_RUN);
	add_limits(&p, s->step);
	bf_pg_add_text(&p, s->step->approval.review ? review.data : NULL);
	bf_pg_add_bool(&p, s->step->split);
	bf_pg_array_begin(&p);
	for (size_t i = 0; i < s->n_needs; i++)
		if (s->chunkwise[i])
			bf_pg_array_text(&p, ask->pipeline->steps[s->needs[i]].name);
	bf_pg_array_end(&p);
	bf_pg_add_int(&p, s->step->lookback);
	add_asked(&p, ask, s);
	(void)snprintf(soak, sizeof(soak), "%lld", (long long)s->step->soak.duration_ms);
	bf_pg_add_text(&p, s->step->kind == BF_KIND_SOAK ? soak : NULL);
	return run_statement(pg, &bf_sql_plan_insert_step, &p, err);
}

/* One row of COPY: run, step, seq, chunk, since, until, key. Its line is ended by the caller. */
static void add_job(struct bf_buf *rows, const char *run, const char *step, int64_t seq, const char *chunk, const struct bf_span *days,
					const char *key)
{
	char since[BF_DATE_TEXT], until[BF_DATE_TEXT];
	bf_buf_printf(rows, "%s\t%s\t%lld\t", run, step, (long long)seq);
	bf_pg_copy_escape(rows, chunk);
	bf_buf_addch(rows, '\t');
	bf_pg_copy_escape(rows, days ? bf_date_format(days->first, since) : NULL);
	bf_buf_addch(rows, '\t');
	bf_pg_copy_escape(rows, days ? bf_date_format(days->last, until) : NULL);
	bf_buf_addch(rows, '\t');
	bf_pg_copy_escape(rows, key);
}

/* What a step's jobs have that others do not: the jobs that they wait for, and the key that they look back to. */
struct extras {
	struct bf_windows *windows; /* NULL: they do not wait for chunks */
	bool wanted, lookback_key;
};

static struct extras extras_of(const struct bf_plan_ask *ask, const struct bf_plan *plan, const struct bf_step_plan *s)
{
	struct extras e = {.lookback_key = ask->keys && s->step->lookback > 0};
	for (size_t i = 0; i < s->n_needs && !e.windows; i++)
		if (s->chunkwise[i])
			e.windows = bf_windows_new(ask, plan, s);
	e.wanted = e.windows || e.lookback_key;
	return e;
}

static void extras_release(struct extras *e)
{
	if (e->windows)
		bf_windows_free(e->windows);
}

static const char *key_before(const struct bf_plan_ask *ask, const char *key, int lookback)
{
	size_t at = 0;
	(void)bf_keys_find(ask->all_keys, key, &at);
	return bf_keys_at(ask->all_keys, at > (size_t)lookback ? at - (size_t)lookback : 0);
}

static void add_extras(struct bf_buf *rows, const struct bf_plan_ask *ask, const struct bf_step_plan *s, const struct extras *e,
					   struct bf_span chunk, const char *key)
{
	bf_buf_addch(rows, '\t');
	if (e->windows)
		bf_windows_next(e->windows, chunk, rows);
	else
		bf_pg_copy_escape(rows, NULL);
	bf_buf_addch(rows, '\t');
	bf_pg_copy_escape(rows, e->lookback_key ? key_before(ask, key, s->step->lookback) : NULL);
}

static int copy_chunks(struct bf_pg *pg, const struct bf_plan_ask *ask, const struct bf_plan *plan, const struct bf_step_plan *s,
					   const struct extras *extras, struct bf_buf *rows, struct bf_error *err)
{
	struct bf_cut cut = bf_plan_cut(ask, s);
	struct bf_span chunk;
	char text[BF_CHUNK_MAX + 1];
	int64_t seq = 0;
	int rc = 0;
	while (rc == 0 && bf_cut_next(&cut, &chunk)) {
		bf_plan_chunk_text(ask, chunk, text);
		add_job(rows, plan->run, s->step->name, ++seq, text, ask->keys ? NULL : &chunk, ask->keys ? text : NULL);
		if (extras->wanted)
			add_extras(rows, ask, s, extras, chunk, text);
		bf_buf_addch(rows, '\n');
		if (rows->len < COPY_BYTES)
			continue;
		rc = bf_pg_copy_put(pg, rows->data, rows->len, err);
		bf_buf_clear(rows);
	}
	bf_cut_release(&cut);
	return rc;
}

static int copy_step(struct bf_pg *pg, const struct bf_plan_ask *ask, const struct bf_plan *plan, const struct bf_step_plan *s,
					 struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf rows;
	struct extras extras = extras_of(ask, plan, s);
	int64_t copied = 0;
	bf_buf_init(&rows, 2 * COPY_BYTES);
	int rc = bf_pg_copy_begin(pg, extras.wanted ? &bf_sql_plan_copy_jobs_and_more : &bf_sql_plan_copy_jobs, err);
	if (rc == 0 && BF_FAILPOINT("mid_copy"))
		rc = bf_fail(err, BF_E_UNAVAILABLE, "fail point mid_copy");
	if (rc == 0 && s->step->per == BF_PER_RUN) {
		add_job(&rows, plan->run, s->step->name, 1, s->first, ask->keys ? NULL : &plan->whole, NULL);
		bf_buf_addch(&rows, '\n');
	} else if (rc == 0) {
		rc = copy_chunks(pg, ask, plan, s, &extras, &rows, err);
	}
	extras_release(&extras);
	if (rc == 0 && rows.len > 0)
		rc = bf_pg_copy_put(pg, rows.data, rows.len, err);
	if (rc == 0)
		rc = bf_pg_copy_end(pg, &copied, err);
	if (rc == 0 && copied != s->jobs)
		rc = bf_fail(err, BF_E_INTERNAL, "step %s: %lld jobs were planned and %lld written", s->step->name, (long long)s->jobs,
					 (long long)copied);
	if (rc == 0 && BF_FAILPOINT("mid_plan"))
		rc = bf_fail(err, BF_E_UNAVAILABLE, "fail point mid_plan");
	return rc;
}

int bf_plan_write(struct bf_pg *pg, const struct bf_plan_ask *ask, const struct bf_plan *plan, struct bf_error *err)
{
	char sha256[65];
	int rc = pin_pipeline(pg, ask->pipeline, sha256, sizeof(sha256), err);
	if (rc == 0)
		rc = insert_run(pg, ask, plan, sha256, err);
	for (int i = 0; rc == 0 && i < plan->n_steps; i++) {
		const struct bf_step_plan *s = &plan->steps[i];
		if (s->left_out)
			continue;
		rc = insert_step(pg, ask, plan, s, err);
		if (rc == 0 && s->jobs > 0)
			rc = copy_step(pg, ask, plan, s, err);
	}
	return rc;
}
