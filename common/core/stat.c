#include "core/stat.h"

#include "bf_sql.h"
#include "core/keys.h"

#define KEYS_PAGE_TEXT ((size_t)24 << 20) /* bytes of keys in one statement's array */

static int query(struct bf_pg *pg, const struct bf_pg_stmt *stmt, struct bf_pg_params *params, struct bf_pg_result **out,
				 struct bf_error *err)
{
	int rc = bf_pg_exec(pg, stmt, params, out, err);
	bf_pg_params_release(params);
	return rc;
}

static int query_text(struct bf_pg *pg, const struct bf_pg_stmt *stmt, const char *text, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, text);
	return query(pg, stmt, &p, out, err);
}

int bf_stat_runs(struct bf_pg *pg, const char *state, const char *pipeline, int limit, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_int(&p, limit);
	bf_pg_add_text(&p, state);
	bf_pg_add_text(&p, pipeline);
	return query(pg, &bf_sql_stat_runs, &p, out, err);
}

int bf_stat_run(struct bf_pg *pg, const char *run, struct bf_pg_result **out, struct bf_error *err)
{
	return query_text(pg, &bf_sql_stat_run, run, out, err);
}

int bf_stat_steps(struct bf_pg *pg, const char *run, struct bf_pg_result **out, struct bf_error *err)
{
	return query_text(pg, &bf_sql_stat_steps, run, out, err);
}

int bf_stat_stale(struct bf_pg *pg, const char *pipeline, const char *step, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, pipeline);
	bf_pg_add_text(&p, step);
	return query(pg, &bf_sql_stat_stale, &p, out, err);
}

int bf_stat_running(struct bf_pg *pg, const char *run, struct bf_pg_result **out, struct bf_error *err)
{
	return query_text(pg, &bf_sql_stat_running, run, out, err);
}

int bf_stat_last_error(struct bf_pg *pg, const char *run, struct bf_pg_result **out, struct bf_error *err)
{
	return query_text(pg, &bf_sql_stat_last_error, run, out, err);
}

int bf_stat_put_off(struct bf_pg *pg, const char *run, struct bf_pg_result **out, struct bf_error *err)
{
	return query_text(pg, &bf_sql_stat_put_off, run, out, err);
}

static void move_on(int64_t *after, const struct bf_pg_result *page, int column)
{
	int rows = bf_pg_rows(page);
	if (rows > 0)
		*after = bf_pg_int(page, rows - 1, column);
}

int bf_stat_jobs(struct bf_pg *pg, const char *run, const char *step, const char *state, int64_t *after, int limit,
				 struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, run);
	bf_pg_add_text(&p, step);
	bf_pg_add_text(&p, state);
	bf_pg_add_int(&p, *after);
	bf_pg_add_int(&p, limit);
	int rc = query(pg, &bf_sql_stat_jobs, &p, out, err);
	if (rc == 0)
		move_on(after, *out, BF_JOBS_SEQ);
	return rc;
}

int bf_stat_failures(struct bf_pg *pg, const char *run, const char *step, int64_t *after, int limit, struct bf_pg_result **out,
					 struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, run);
	bf_pg_add_text(&p, step);
	bf_pg_add_int(&p, *after);
	bf_pg_add_int(&p, limit);
	int rc = query(pg, &bf_sql_stat_failures, &p, out, err);
	if (rc == 0)
		move_on(after, *out, BF_FAILURES_SEQ);
	return rc;
}

static int query_texts(struct bf_pg *pg, const struct bf_pg_stmt *stmt, const char *a, const char *b, struct bf_pg_result **out,
					   struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, a);
	bf_pg_add_text(&p, b);
	return query(pg, stmt, &p, out, err);
}

int bf_stat_coverage(struct bf_pg *pg, const char *pipeline, const char *step, struct bf_pg_result **out, struct bf_error *err)
{
	return query_texts(pg, &bf_sql_stat_coverage, pipeline, step, out, err);
}

int bf_stat_by_key(struct bf_pg *pg, const char *pipeline, struct bf_pg_result **out, struct bf_error *err)
{
	return query_text(pg, &bf_sql_stat_by_key, pipeline, out, err);
}

int bf_stat_key_sections(struct bf_pg *pg, const char *pipeline, const char *step, struct bf_pg_result **out, struct bf_error *err)
{
	return query_texts(pg, &bf_sql_stat_key_sections, pipeline, step, out, err);
}

int bf_stat_keys(struct bf_pg *pg, const char *pipeline, const char *identity, struct bf_pg_result **out, struct bf_error *err)
{
	return query_texts(pg, &bf_sql_stat_keys, pipeline, identity, out, err);
}

int bf_stat_key_states(struct bf_pg *pg, const char *pipeline, const char *step, const char *identity, const struct bf_keys *keys,
					   size_t *place, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	size_t from = *place;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, pipeline);
	bf_pg_add_text(&p, step);
	bf_pg_add_text(&p, identity);
	bf_pg_array_begin(&p);
	for (; *place < keys->count && keys->offset[*place] - keys->offset[from] < KEYS_PAGE_TEXT; ++*place)
		bf_pg_array_text(&p, bf_keys_at(keys, *place));
	bf_pg_array_end(&p);
	bf_pg_add_int(&p, (int64_t)from);
	return query(pg, &bf_sql_stat_key_states, &p, out, err);
}

int bf_stat_pipelines(struct bf_pg *pg, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	return query(pg, &bf_sql_stat_pipelines, &p, out, err);
}

int bf_stat_pipeline_steps(struct bf_pg *pg, const char *pipeline, struct bf_pg_result **out, struct bf_error *err)
{
	return query_text(pg, &bf_sql_stat_pipeline_steps, pipeline, out, err);
}

int bf_stat_events(struct bf_pg *pg, const char *run, int64_t *after, int limit, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, run);
	bf_pg_add_int(&p, *after);
	bf_pg_add_int(&p, limit);
	int rc = query(pg, &bf_sql_stat_events, &p, out, err);
	if (rc == 0)
		move_on(after, *out, BF_EVENTS_ID);
	return rc;
}

int bf_stat_health(struct bf_pg *pg, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	return query(pg, &bf_sql_stat_health, &p, out, err);
}

int bf_stat_queues(struct bf_pg *pg, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	return query(pg, &bf_sql_stat_queues, &p, out, err);
}

/* The run, the steps and the numbers, as the statements about single jobs take them. */
static int query_jobs(struct bf_pg *pg, const struct bf_pg_stmt *stmt, const char *run, const struct bf_stat_job *jobs, size_t n,
					  struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, run);
	bf_pg_array_begin(&p);
	for (size_t i = 0; i < n; i++)
		bf_pg_array_text(&p, jobs[i].step);
	bf_pg_array_end(&p);
	bf_pg_array_begin(&p);
	for (size_t i = 0; i < n; i++)
		bf_pg_array_int(&p, jobs[i].seq);
	bf_pg_array_end(&p);
	return query(pg, stmt, &p, out, err);
}

int bf_stat_settled(struct bf_pg *pg, const char *run, const struct bf_stat_job *jobs, size_t n, struct bf_pg_result **out,
					struct bf_error *err)
{
	return query_jobs(pg, &bf_sql_stat_settled, run, jobs, n, out, err);
}

int bf_stat_open(struct bf_pg *pg, const char *run, const struct bf_stat_job *pushed, size_t n, struct bf_pg_result **out,
				 struct bf_error *err)
{
	return query_jobs(pg, &bf_sql_stat_open, run, pushed, n, out, err);
}

/* ---- for `bfstat report` ---- */

int bf_report_checks(struct bf_pg *pg, const char *run, const char *steps, int64_t *after, int limit, struct bf_pg_result **out,
					 struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, run);
	bf_pg_add_int(&p, *after);
	bf_pg_add_int(&p, limit);
	bf_pg_add_text(&p, steps);
	int rc = query(pg, &bf_sql_report_checks, &p, out, err);
	if (rc == 0)
		move_on(after, *out, BF_CHECKS_ID);
	return rc;
}

int bf_report_last_checks(struct bf_pg *pg, const char *run, const char *steps, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, run);
	bf_pg_add_text(&p, steps);
	return query(pg, &bf_sql_report_last_checks, &p, out, err);
}

int bf_report_criteria(struct bf_pg *pg, const char *run, struct bf_pg_result **out, struct bf_error *err)
{
	return query_text(pg, &bf_sql_report_criteria, run, out, err);
}

int bf_report_artifacts(struct bf_pg *pg, const char *run, struct bf_pg_result **out, struct bf_error *err)
{
	return query_text(pg, &bf_sql_report_artifacts, run, out, err);
}

int bf_report_attempts(struct bf_pg *pg, const char *run, struct bf_pg_result **out, struct bf_error *err)
{
	return query_text(pg, &bf_sql_report_attempts, run, out, err);
}

int bf_report_soak(struct bf_pg *pg, const char *run, const char *step, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, run);
	bf_pg_add_text(&p, step);
	return query(pg, &bf_sql_report_soak, &p, out, err);
}

static int page_of_step(struct bf_pg *pg, const struct bf_pg_stmt *stmt, const char *run, const char *step, int64_t *after, int limit,
						int column, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, run);
	bf_pg_add_text(&p, step);
	bf_pg_add_int(&p, *after);
	bf_pg_add_int(&p, limit);
	int rc = query(pg, stmt, &p, out, err);
	if (rc == 0)
		move_on(after, *out, column);
	return rc;
}

int bf_report_jobs(struct bf_pg *pg, const char *run, const char *step, int64_t *after, int limit, struct bf_pg_result **out,
				   struct bf_error *err)
{
	return page_of_step(pg, &bf_sql_report_jobs, run, step, after, limit, BF_RESULT_SEQ, out, err);
}

int bf_report_samples(struct bf_pg *pg, const char *run, const char *step, int64_t *after, int limit, struct bf_pg_result **out,
					  struct bf_error *err)
{
	return page_of_step(pg, &bf_sql_report_samples, run, step, after, limit, BF_SAMPLES_EPOCH, out, err);
}

int bf_report_verdict(struct bf_pg *pg, const char *run, const char *step, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, run);
	bf_pg_add_text(&p, step);
	return query(pg, &bf_sql_report_verdict, &p, out, err);
}
