/*
 * Each decision is one statement of core/sql/decide_*.sql; retry is made under the lock that planners take. Below
 * them, what commands ask about a run before and after a decision.
 */
#include "core/decide.h"

#include <stdio.h>

#include "bf_sql.h"
#include "core/plan.h"

#define DEADLOCKS_MAX 5

static int ask(struct bf_pg *pg, const struct bf_pg_stmt *stmt, struct bf_pg_params *p, struct bf_pg_result **out, struct bf_error *err)
{
	int rc = bf_pg_exec(pg, stmt, p, out, err);
	bf_pg_params_release(p);
	return rc;
}

static int no_such_run(const char *run, struct bf_error *err)
{
	return bf_fail(err, BF_E_NOT_FOUND, "there is no run %s in the ledger; `bfstat` lists them", run);
}

static int decide_state(struct bf_pg *pg, const struct bf_pg_stmt *stmt, const struct bf_decision *d, char *state, struct bf_error *err)
{
	struct bf_pg_params p;
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, d->run);
	bf_pg_add_text(&p, d->who);
	bf_pg_add_text(&p, d->note);
	int rc = ask(pg, stmt, &p, &r, err);
	if (rc < 0)
		return rc;
	if (bf_pg_null(r, 0, 0))
		return no_such_run(d->run, err);
	snprintf(state, 16, "%s", bf_pg_text(r, 0, 0));
	return 0;
}

static void add_jobs(struct bf_pg_params *p, const struct bf_decision *d)
{
	bf_pg_params_init(p);
	bf_pg_add_text(p, d->run);
	bf_pg_add_text(p, d->step);
	bf_pg_add_text(p, d->chunk);
	bf_pg_add_text(p, d->who);
	bf_pg_add_text(p, d->note);
}

/* p is released. */
static int decide_jobs(struct bf_pg *pg, const struct bf_pg_stmt *stmt, struct bf_pg_params *p, const struct bf_decision *d, int64_t *jobs,
					   struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	int rc = ask(pg, stmt, p, &r, err);
	if (rc < 0)
		return rc;
	if (bf_pg_null(r, 0, 0))
		return no_such_run(d->run, err);
	*jobs = bf_pg_int(r, 0, 0);
	return 0;
}

int bf_decide_stop(struct bf_pg *pg, const struct bf_decision *d, char *state, struct bf_error *err)
{
	return decide_state(pg, &bf_sql_decide_stop, d, state, err);
}

int bf_decide_resume(struct bf_pg *pg, const struct bf_decision *d, char *state, struct bf_error *err)
{
	return decide_state(pg, &bf_sql_decide_resume, d, state, err);
}

int bf_decide_close(struct bf_pg *pg, const struct bf_decision *d, char *state, struct bf_error *err)
{
	return decide_state(pg, &bf_sql_decide_close, d, state, err);
}

int bf_decide_cancel(struct bf_pg *pg, const struct bf_decision *d, int64_t *jobs, struct bf_error *err)
{
	struct bf_pg_params p;
	add_jobs(&p, d);
	return decide_jobs(pg, &bf_sql_decide_cancel, &p, d, jobs, err);
}

/* Not while a run of the pipeline is being planned, which looks at what is held. */
static int open_again(struct bf_pg *pg, const char *pipeline, const struct bf_decision *d, int64_t *jobs, struct bf_error *err)
{
	struct bf_pg_params p;
	int rc = bf_plan_begin(pg, pipeline, d->patience_ms, err);
	if (rc < 0)
		return rc;
	add_jobs(&p, d);
	bf_pg_add_bool(&p, d->downstream);
	rc = decide_jobs(pg, &bf_sql_decide_retry, &p, d, jobs, err);
	if (rc == 0)
		return bf_pg_commit(pg, err);
	bf_pg_rollback(pg);
	return rc;
}

/* A deadlock with workers that settle has undone all of it, and is over. */
int bf_decide_retry(struct bf_pg *pg, const struct bf_decision *d, int64_t *jobs, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *run = NULL;
	int rc = bf_find_run_row(pg, d->run, &run, err);
	if (rc == 0 && bf_pg_rows(run) == 0)
		rc = no_such_run(d->run, err);
	if (rc < 0)
		return rc;
	for (int try = 1;; try++) {
		rc = open_again(pg, bf_pg_text(run, 0, 1), d, jobs, err);
		if (rc != -BF_E_SQL || strcmp(err->sqlstate, "40P01") != 0 || try == DEADLOCKS_MAX)
			return rc;
	}
}

int bf_decide_approval(struct bf_pg *pg, const struct bf_decision *d, bool approved, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, d->run);
	bf_pg_add_text(&p, d->step);
	bf_pg_add_bool(&p, approved);
	bf_pg_add_text(&p, d->who);
	bf_pg_add_text(&p, d->note);
	int rc = ask(pg, &bf_sql_decide_approval, &p, out, err);
	if (rc == 0 && bf_pg_null(*out, 0, 0))
		return no_such_run(d->run, err);
	return rc;
}

int bf_find_run_row(struct bf_pg *pg, const char *run, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, run);
	return ask(pg, &bf_sql_find_run, &p, out, err);
}

int bf_find_today(struct bf_pg *pg, const char *zone, const char *pipeline, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, zone);
	bf_pg_add_text(&p, pipeline);
	return ask(pg, &bf_sql_today, &p, out, err);
}

int bf_find_latest_run(struct bf_pg *pg, const char *pipeline, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, pipeline);
	return ask(pg, &bf_sql_find_latest_run, &p, out, err);
}

int bf_find_runs(struct bf_pg *pg, int limit, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_int(&p, limit);
	return ask(pg, &bf_sql_find_runs, &p, out, err);
}

int bf_find_taken(struct bf_pg *pg, const char *run, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, run);
	return ask(pg, &bf_sql_run_taken, &p, out, err);
}

int bf_find_pinned(struct bf_pg *pg, const char *run, const char *body, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, run);
	bf_pg_add_text(&p, body);
	return ask(pg, &bf_sql_find_pinned, &p, out, err);
}

int bf_find_chunk(struct bf_pg *pg, const char *run, const char *chunk, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, run);
	bf_pg_add_text(&p, chunk);
	return ask(pg, &bf_sql_find_chunk, &p, out, err);
}

int bf_find_chunks(struct bf_pg *pg, const char *run, const char *step, const char *beginning, int limit, struct bf_pg_result **out,
				   struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, run);
	bf_pg_add_text(&p, step);
	bf_pg_add_text(&p, beginning);
	bf_pg_add_int(&p, limit);
	return ask(pg, &bf_sql_find_chunks, &p, out, err);
}

int bf_follow_run(struct bf_pg *pg, const char *run, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, run);
	return ask(pg, &bf_sql_follow_run, &p, out, err);
}
