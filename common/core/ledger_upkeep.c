/* The plain calls of core/ledger.h: what keeping the queue in step with the ledger needs. */
#include "core/ledger.h"

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

static int no_such_run(const char *run, struct bf_error *err)
{
	return bf_fail(err, BF_E_NOT_FOUND, "there is no run %s in the ledger; `bfstat` lists them", run);
}

int bf_ledger_advance(struct bf_pg *pg, const char *run, char *state, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	int rc = query_text(pg, &bf_sql_advance, run, &r, err);
	if (rc < 0)
		return rc;
	if (bf_pg_null(r, 0, 0))
		return no_such_run(run, err);
	snprintf(state, 16, "%s", bf_pg_text(r, 0, 0));
	return 0;
}

int bf_ledger_run_row(struct bf_pg *pg, const char *run, bool last_start, struct bf_run_row *out, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, run);
	bf_pg_add_bool(&p, last_start);
	int rc = query(pg, &bf_sql_run_row, &p, &r, err);
	if (rc < 0)
		return rc;
	if (bf_pg_rows(r) == 0)
		return no_such_run(run, err);
	*out = (struct bf_run_row){.version = (int)bf_pg_int(r, 0, 6),
							   .concurrency = (int)bf_pg_int(r, 0, 7),
							   .interval_ms = strtod(bf_pg_text(r, 0, 8), NULL),
							   .since_last_start_ms = bf_pg_null(r, 0, 10) ? -1 : bf_pg_int(r, 0, 10)};
	snprintf(out->run, sizeof(out->run), "%s", bf_pg_text(r, 0, 0));
	snprintf(out->pipeline, sizeof(out->pipeline), "%s", bf_pg_text(r, 0, 1));
	snprintf(out->since, sizeof(out->since), "%s", bf_pg_text(r, 0, 2));
	snprintf(out->until, sizeof(out->until), "%s", bf_pg_text(r, 0, 3));
	snprintf(out->queue, sizeof(out->queue), "%s", bf_pg_text(r, 0, 4));
	snprintf(out->state, sizeof(out->state), "%s", bf_pg_text(r, 0, 5));
	snprintf(out->created_at, sizeof(out->created_at), "%s", bf_pg_text(r, 0, 9));
	return 0;
}

int bf_ledger_run_steps(struct bf_pg *pg, const char *run, struct bf_step_row *out, int max, int *n, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	int rc = query_text(pg, &bf_sql_run_steps, run, &r, err);
	if (rc < 0)
		return rc;
	if (bf_pg_rows(r) > max)
		return bf_fail(err, BF_E_LIMIT, "run %s has %d steps; at most %d were expected", run, bf_pg_rows(r), max);
	*n = bf_pg_rows(r);
	for (int i = 0; i < *n; i++) {
		out[i] = (struct bf_step_row){.ordinal = (int)bf_pg_int(r, i, 1),
									  .planned = (int)bf_pg_int(r, i, 3),
									  .concurrency = (int)bf_pg_int(r, i, 4),
									  .chronological = bf_pg_bool(r, i, 5),
									  .plan_number = (int)bf_pg_int(r, i, 6),
									  .soak = bf_pg_bool(r, i, 7),
									  .upto = (int)bf_pg_int(r, i, 8),
									  .waits_for_chunks = bf_pg_bool(r, i, 9)};
		snprintf(out[i].step, sizeof(out[i].step), "%s", bf_pg_text(r, i, 0));
		snprintf(out[i].state, sizeof(out[i].state), "%s", bf_pg_text(r, i, 2));
	}
	return 0;
}

int bf_ledger_pending_page(struct bf_pg *pg, const char *run, const char *step, int after, int upto, int limit, struct bf_pg_result **out,
						   struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, run);
	bf_pg_add_text(&p, step);
	bf_pg_add_int(&p, after);
	bf_pg_add_int(&p, upto);
	bf_pg_add_int(&p, limit);
	return query(pg, &bf_sql_pending_page, &p, out, err);
}

int bf_ledger_unsettled_jobs(struct bf_pg *pg, const char *run, int pending, int near, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, run);
	bf_pg_add_int(&p, pending);
	bf_pg_add_int(&p, near);
	return query(pg, &bf_sql_unsettled_jobs, &p, out, err);
}

int bf_ledger_still_unsettled(struct bf_pg *pg, const char *run, const struct bf_pg_result *jobs, const int *places, size_t n,
							  struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, run);
	bf_pg_array_begin(&p);
	for (size_t i = 0; i < n; i++)
		bf_pg_array_text(&p, bf_pg_text(jobs, places[i] - 1, 0));
	bf_pg_array_end(&p);
	bf_pg_array_begin(&p);
	for (size_t i = 0; i < n; i++)
		bf_pg_array_int(&p, bf_pg_int(jobs, places[i] - 1, 1));
	bf_pg_array_end(&p);
	return query(pg, &bf_sql_still_unsettled, &p, out, err);
}

int bf_ledger_run_counts(struct bf_pg *pg, const char *run, struct bf_pg_result **out, struct bf_error *err)
{
	return query_text(pg, &bf_sql_run_counts, run, out, err);
}

int bf_ledger_active_runs(struct bf_pg *pg, const char *after, int limit, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, after);
	bf_pg_add_int(&p, limit);
	return query(pg, &bf_sql_active_runs, &p, out, err);
}

int bf_ledger_generation(struct bf_pg *pg, int64_t *out, struct bf_error *err)
{
	struct bf_pg_params p;
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	bf_pg_params_init(&p);
	int rc = query(pg, &bf_sql_generation, &p, &r, err);
	if (rc == 0)
		*out = bf_pg_int(r, 0, 0);
	return rc;
}

int bf_ledger_next_generation(struct bf_pg *pg, int64_t from, int64_t *out, struct bf_error *err)
{
	struct bf_pg_params p;
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	bf_pg_params_init(&p);
	bf_pg_add_int(&p, from);
	int rc = query(pg, &bf_sql_next_generation, &p, &r, err);
	if (rc < 0)
		return rc;
	if (bf_pg_rows(r) == 0)
		return bf_fail(err, BF_E_CONFLICT, "another process has begun a new generation of the queue");
	*out = bf_pg_int(r, 0, 0);
	return 0;
}

/* idle_ms: -1 where the statement does not take it */
static int lock(struct bf_pg *pg, const struct bf_pg_stmt *stmt, const char *run, int64_t idle_ms, bool *locked, struct bf_error *err)
{
	struct bf_pg_params p;
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	bf_pg_params_init(&p);
	if (run)
		bf_pg_add_text(&p, run);
	if (idle_ms >= 0)
		bf_pg_add_int(&p, idle_ms);
	int rc = query(pg, stmt, &p, &r, err);
	if (rc == 0)
		*locked = bf_pg_bool(r, 0, 0);
	return rc;
}

int bf_ledger_lock_rebuild(struct bf_pg *pg, int64_t idle_ms, bool *locked, struct bf_error *err)
{
	return lock(pg, &bf_sql_lock_rebuild, NULL, idle_ms, locked, err);
}

void bf_ledger_unlock_rebuild(struct bf_pg *pg)
{
	bool unlocked;
	struct bf_error ignored;
	(void)lock(pg, &bf_sql_unlock_rebuild, NULL, -1, &unlocked, &ignored);
}

int bf_ledger_lock_reconcile(struct bf_pg *pg, const char *run, int64_t idle_ms, bool *locked, struct bf_error *err)
{
	return lock(pg, &bf_sql_lock_reconcile, run, idle_ms, locked, err);
}

void bf_ledger_unlock_reconcile(struct bf_pg *pg, const char *run)
{
	bool unlocked;
	struct bf_error ignored;
	(void)lock(pg, &bf_sql_unlock_reconcile, run, -1, &unlocked, &ignored);
}
