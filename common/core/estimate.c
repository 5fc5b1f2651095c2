#include "core/estimate.h"

#include "base/mem.h"
#include "bf_sql.h"

enum { OF_STEP, OF_JOBS, OF_MS_A_JOB, OF_MS_A_DAY };

/* A limit takes the first chunks of each step, whole ones. */
static double days_of(const struct bf_plan_ask *ask, const struct bf_step_plan *s)
{
	double days = 0;
	for (size_t i = 0; i < s->n_missing; i++)
		days += s->missing[i].last - s->missing[i].first + 1;
	double most = (double)s->jobs * s->size * (s->unit == BF_UNIT_MONTH ? 31 : 1);
	return ask->limit && most < days ? most : days;
}

static double work_ms(const struct bf_plan_ask *ask, const struct bf_step_plan *s, const struct bf_pg_result *r, int row)
{
	if (!ask->keys && s->step->per == BF_PER_CHUNK && !bf_pg_null(r, row, OF_MS_A_DAY))
		return strtod(bf_pg_text(r, row, OF_MS_A_DAY), NULL) * days_of(ask, s);
	return strtod(bf_pg_text(r, row, OF_MS_A_JOB), NULL) * (double)s->jobs;
}

static int64_t side_by_side(const struct bf_plan_ask *ask, const struct bf_step_plan *s)
{
	int64_t n = s->step->concurrency && s->step->concurrency < ask->concurrency ? s->step->concurrency : ask->concurrency;
	return n < s->jobs ? n : s->jobs;
}

/* The longest way to the end of a step. `done`: as found before, or -1. */
static int64_t until_end(const struct bf_plan *plan, const struct bf_estimate *e, int ordinal, int64_t *done)
{
	const struct bf_step_plan *s = &plan->steps[ordinal];
	int64_t before = 0;
	if (done[ordinal] >= 0)
		return done[ordinal];
	for (size_t i = 0; i < s->n_needs; i++) {
		int64_t end = until_end(plan, e, s->needs[i], done);
		before = end > before ? end : before;
	}
	done[ordinal] = before + (e->step_ms[ordinal] > 0 ? e->step_ms[ordinal] : 0);
	return done[ordinal];
}

static int64_t total(const struct bf_plan_ask *ask, const struct bf_plan *plan, const struct bf_estimate *e, double work)
{
	const struct bf_pipeline *p = ask->pipeline;
	double interval = p->rate_interval_ms > (double)p->pause_ms ? p->rate_interval_ms : (double)p->pause_ms;
	int64_t done[BF_STEPS_MAX], longest = (int64_t)(work / ask->concurrency);
	int64_t by_rate = (int64_t)(interval * (double)(plan->jobs > 0 ? plan->jobs - 1 : 0));
	memset(done, -1, sizeof(done));
	for (int i = 0; i < plan->n_steps; i++) {
		int64_t end = plan->steps[i].left_out ? 0 : until_end(plan, e, i, done);
		longest = end > longest ? end : longest;
	}
	return by_rate > longest ? by_rate : longest;
}

static int row_of(const struct bf_pg_result *r, const char *step)
{
	for (int i = 0; i < bf_pg_rows(r); i++)
		if (strcmp(bf_pg_text(r, i, OF_STEP), step) == 0)
			return i;
	return -1;
}

static void add_step(const struct bf_plan_ask *ask, const struct bf_step_plan *s, const struct bf_pg_result *r, struct bf_estimate *e,
					 double *work)
{
	int64_t *ms = &e->step_ms[s->step->ordinal];
	int row = row_of(r, s->step->name);
	if (s->step->kind == BF_KIND_APPROVAL) {
		*ms = 0;
	} else if (s->step->kind == BF_KIND_SOAK) {
		*ms = s->step->soak.duration_ms;
	} else if (row < 0) {
		e->unknown++;
	} else {
		double all = work_ms(ask, s, r, row);
		*work += all;
		*ms = (int64_t)(all / (double)side_by_side(ask, s));
		e->measured += bf_pg_int(r, row, OF_JOBS);
	}
}

int bf_plan_estimate(struct bf_pg *pg, const struct bf_plan_ask *ask, const struct bf_plan *plan, struct bf_estimate *out,
					 struct bf_error *err)
{
	struct bf_pg_params p;
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	double work = 0;
	memset(out, 0, sizeof(*out));
	memset(out->step_ms, -1, sizeof(out->step_ms));
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, ask->pipeline->name);
	int rc = bf_pg_exec(pg, &bf_sql_plan_estimate, &p, &r, err);
	bf_pg_params_release(&p);
	if (rc < 0)
		return rc;
	for (int i = 0; i < plan->n_steps; i++)
		if (!plan->steps[i].left_out && plan->steps[i].jobs > 0)
			add_step(ask, &plan->steps[i], r, out, &work);
	out->total_ms = out->measured > 0 ? total(ask, plan, out, work) : -1;
	return 0;
}
