/*
 * Reads what a run has done and can be undone, a page at a time, and composes the transaction that undoes one job,
 * as text: executed here, or written for psql.
 */
#include "core/undo.h"

#include "base/mem.h"
#include "bf_sql.h"
#include "core/pipeline_query.h"
#include "core/vars.h"

#define SCRIPT_MAX ((size_t)8 << 20)
#define ROWS_SHOWN "100" /* of those that should not be there */

/* The ledger is written by the role that was logged in, whatever the files became meanwhile. */
#define OWN_AGAIN "set session authorization default; reset role;\n"

/* ---- what is to be undone ---- */

static int ask_run(struct bf_pg *pg, const struct bf_pg_stmt *stmt, const char *run, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, run);
	int rc = bf_pg_exec(pg, stmt, &p, out, err);
	bf_pg_params_release(&p);
	return rc;
}

int bf_undo_load(struct bf_pg *pg, const char *run, struct bf_undo *out, struct bf_error *err)
{
	*out = (struct bf_undo){.n_steps = 0};
	snprintf(out->run, sizeof(out->run), "%s", run);
	int rc = ask_run(pg, &bf_sql_undo_files, run, &out->files, err);
	if (rc == 0)
		rc = bf_run_params_load(pg, run, &out->params, err);
	if (rc < 0) {
		bf_undo_release(out);
		return rc;
	}
	out->n_steps = (size_t)bf_pg_rows(out->files);
	out->steps = bf_alloc((out->n_steps + 1) * sizeof(*out->steps));
	for (int i = 0; i < bf_pg_rows(out->files); i++)
		out->steps[i] = (struct bf_undo_step){.step = bf_pg_text(out->files, i, 0),
											  .chronological = bf_pg_bool(out->files, i, 1),
											  .undo = bf_pg_text(out->files, i, 2),
											  .changed = bf_pg_text(out->files, i, 3),
											  .verify = bf_pg_text(out->files, i, 4),
											  .present = bf_pg_text(out->files, i, 5)};
	return 0;
}

void bf_undo_release(struct bf_undo *u)
{
	bf_pg_result_free(bf_steal(&u->files));
	bf_run_params_release(&u->params);
	free(bf_steal(&u->steps));
}

const struct bf_undo_step *bf_undo_step_of(const struct bf_undo *u, const char *step)
{
	for (size_t i = 0; i < u->n_steps; i++)
		if (strcmp(u->steps[i].step, step) == 0)
			return &u->steps[i];
	return NULL;
}

int bf_undo_page(struct bf_pg *pg, const struct bf_undo *u, const struct bf_undo_pick *pick, const struct bf_undo_job *last,
				 struct bf_pg_result **page, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, u->run);
	bf_pg_add_text(&p, pick->step);
	if (pick->n_chunks == 0) {
		bf_pg_add_text(&p, NULL);
	} else {
		bf_pg_array_begin(&p);
		for (size_t i = 0; i < pick->n_chunks; i++)
			bf_pg_array_text(&p, pick->chunks[i]);
		bf_pg_array_end(&p);
	}
	bf_pg_add_text(&p, last ? last->finished_at : NULL);
	bf_pg_add_text(&p, last ? last->files->step : NULL);
	bf_pg_add_int(&p, last ? last->seq : 0);
	bf_pg_add_int(&p, BF_UNDO_PAGE);
	bf_pg_add_text(&p, pick->since);
	bf_pg_add_text(&p, pick->until);
	int rc = bf_pg_exec(pg, &bf_sql_undo_jobs, &p, page, err);
	bf_pg_params_release(&p);
	return rc;
}

void bf_undo_job_read(const struct bf_undo *u, const struct bf_pg_result *page, int row, struct bf_undo_job *out)
{
	*out = (struct bf_undo_job){.files = bf_undo_step_of(u, bf_pg_text(page, row, 0)),
								.seq = (int)bf_pg_int(page, row, 1),
								.epoch = (int)bf_pg_int(page, row, 2),
								.chunk = bf_pg_text(page, row, 3),
								.since = bf_pg_text(page, row, 4),
								.until = bf_pg_text(page, row, 5),
								.key = bf_pg_text(page, row, 6),
								.started_at = bf_pg_text(page, row, 7),
								.finished_at = bf_pg_text(page, row, 8),
								.taken = bf_pg_bool(page, row, 9),
								.unknown = bf_pg_bool(page, row, 10),
								.beyond = bf_pg_bool(page, row, 11)};
}

/* ---- the transaction ---- */

/* One of the files, with this job's variables; inner: in parentheses. */
static int render(struct bf_pg *pg, const struct bf_undo *u, const struct bf_undo_job *j, const char *sql, bool inner, struct bf_buf *out,
				  struct bf_error *err)
{
	const struct bf_vars vars = {.run = u->run,
								 .step = j->files->step,
								 .chunk = j->chunk,
								 .since = j->since,
								 .until = j->until,
								 .lookback_since = "",
								 .key = j->key,
								 .started_at = j->started_at,
								 .finished_at = j->finished_at,
								 .param_names = u->params.names,
								 .param_values = u->params.values,
								 .n_params = u->params.n};
	return bf_query_render(pg, sql, &vars, inner, out, err);
}

/* (the first rows of a query, as a JSON array, or null) */
static int add_rows(struct bf_pg *pg, const struct bf_undo *u, const struct bf_undo_job *j, const char *query, struct bf_buf *out,
					struct bf_error *err)
{
	bf_buf_addstr(out, "(select jsonb_agg(x) from (select * from (");
	int rc = render(pg, u, j, query, true, out, err);
	bf_buf_addstr(out, ") as y limit " ROWS_SHOWN ") as x)");
	return rc;
}

static int add_expect_none(struct bf_pg *pg, const struct bf_undo *u, const struct bf_undo_job *j, const char *query, const char *state,
						   const char *what, struct bf_buf *out, struct bf_error *err)
{
	if (!*query)
		return 0;
	bf_buf_addstr(out, "select bf.expect_none(");
	int rc = add_rows(pg, u, j, query, out, err);
	bf_buf_printf(out, ", '%s', '%s');\n", state, what);
	return rc;
}

bool bf_undo_can_tell(const struct bf_undo_job *j)
{
	return *j->files->present || *j->files->changed;
}

/* A row where `present` has nothing of this job's days, or not its key. */
static int add_absence(struct bf_pg *pg, const struct bf_undo *u, const struct bf_undo_job *j, struct bf_buf *out, struct bf_error *err)
{
	bf_buf_addstr(out, "select 1 as absent where not exists (select from (");
	int rc = render(pg, u, j, j->files->present, true, out, err);
	if (*j->key) {
		bf_buf_addstr(out, ") as there (v) where v::text = ");
		return rc < 0 ? rc : bf_pg_quote_literal(pg, out, j->key, err) < 0 ? -(int)err->code : bf_buf_addch(out, ')');
	}
	bf_buf_printf(out, ") as there (v) where v::date between '%s' and '%s')", j->since, j->until);
	return rc;
}

static int add_expect_there(struct bf_pg *pg, const struct bf_undo *u, const struct bf_undo_job *j, struct bf_buf *out,
							struct bf_error *err)
{
	if (!j->unknown || !*j->files->present)
		return 0;
	bf_buf_addstr(out, "select bf.expect_none((select jsonb_agg(x) from (");
	int rc = add_absence(pg, u, j, out, err);
	bf_buf_addstr(out, ") as x), 'BF006', 'it is not there, so it was not carried out');\n");
	return rc;
}

/* A query of the step's own: it sees the search_path of the database. */
static int ask_of_step(struct bf_pg *pg, const char *sql, struct bf_pg_result **out, struct bf_error *err)
{
	int rc = bf_pg_step_begin(pg, err);
	if (rc == 0)
		rc = bf_pg_script(pg, sql, out, err);
	bf_pg_step_rollback(pg);
	return rc;
}

int bf_undo_is_there(struct bf_pg *pg, const struct bf_undo *u, const struct bf_undo_job *j, bool *there, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf query;
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	bf_buf_init(&query, SCRIPT_MAX);
	*there = true;
	if (!*j->files->present)
		return 0;
	int rc = add_absence(pg, u, j, &query, err);
	if (rc == 0)
		rc = ask_of_step(pg, query.data, &r, err);
	*there = rc < 0 || !r || bf_pg_rows(r) == 0;
	return rc;
}

static int add_job(struct bf_pg *pg, const struct bf_undo *u, const struct bf_undo_job *j, struct bf_buf *out, struct bf_error *err)
{
	int rc = bf_pg_quote_literal(pg, out, u->run, err);
	bf_buf_addstr(out, ", ");
	if (rc == 0)
		rc = bf_pg_quote_literal(pg, out, j->files->step, err);
	bf_buf_printf(out, ", %d, %d", j->seq, j->epoch);
	return rc;
}

static int add_text_or(struct bf_pg *pg, const char *text, const char *otherwise, struct bf_buf *out, struct bf_error *err)
{
	bf_buf_addstr(out, ", ");
	if (text)
		return bf_pg_quote_literal(pg, out, text, err);
	bf_buf_addstr(out, otherwise);
	return 0;
}

/* The rest, once it is clear that the job may be undone. */
static int add_undoing(struct bf_pg *pg, const struct bf_undo *u, const struct bf_undo_job *j, const char *who, const char *note,
					   struct bf_buf *out, struct bf_error *err)
{
	int rc = render(pg, u, j, j->files->undo, false, out, err);
	bf_buf_addstr(out, OWN_AGAIN);
	if (rc == 0)
		rc = add_expect_none(pg, u, j, j->files->verify, "BF003", "it is still there after the undo", out, err);
	bf_buf_addstr(out, OWN_AGAIN "select bf.undo(");
	if (rc == 0)
		rc = add_job(pg, u, j, out, err);
	if (rc == 0)
		rc = add_text_or(pg, who, "session_user", out, err);
	if (rc == 0)
		rc = add_text_or(pg, note, "null", out, err);
	bf_buf_addstr(out, ");\n");
	if (rc == 0 && out->overflow)
		rc = bf_fail(err, BF_E_LIMIT, "the rollback SQL of step %s is longer than %zu bytes", j->files->step, out->max);
	return rc;
}

int bf_undo_script(struct bf_pg *pg, const struct bf_undo *u, const struct bf_undo_job *j, const char *who, const char *note,
				   struct bf_buf *out, struct bf_error *err)
{
	const struct bf_undo_step *f = j->files;
	bf_buf_addstr(out, "select bf.undo_begin(");
	int rc = add_job(pg, u, j, out, err);
	bf_buf_addstr(out, ");\n");
	if (rc == 0)
		rc = add_expect_there(pg, u, j, out, err);
	if (rc == 0)
		rc = add_expect_none(pg, u, j, f->changed, "BF002", "another writer has changed it since", out, err);
	return rc < 0 ? rc : add_undoing(pg, u, j, who, note, out, err);
}

static int add_why_absent(struct bf_pg *pg, const struct bf_undo *u, const struct bf_undo_job *j, struct bf_buf *out, struct bf_error *err)
{
	bf_buf_addstr(out, "select case when :'why' <> '' then :'why' when exists (");
	int rc = add_absence(pg, u, j, out, err);
	bf_buf_addstr(out, ") then 'it is not there, so it was not carried out' else '' end as why \\gset\n");
	return rc;
}

int bf_undo_psql(struct bf_pg *pg, const struct bf_undo *u, const struct bf_undo_job *j, const char *note, struct bf_buf *out,
				 struct bf_error *err)
{
	const char *changed = j->files->changed;
	bf_buf_addstr(out, "begin;\nselect coalesce(bf.undo_refusal(");
	int rc = add_job(pg, u, j, out, err);
	bf_buf_addstr(out, "), '') as why \\gset\n");
	if (rc == 0 && j->unknown && *j->files->present)
		rc = add_why_absent(pg, u, j, out, err);
	if (rc == 0 && *changed) {
		bf_buf_addstr(out, "select case when :'why' <> '' then :'why' when ");
		rc = add_rows(pg, u, j, changed, out, err);
		bf_buf_addstr(out, " is not null then 'another writer has changed it since' else '' end as why \\gset\n");
	}
	bf_buf_addstr(out, "select :'why' = '' as go \\gset\n\\if :go\n");
	if (rc == 0)
		rc = add_undoing(pg, u, j, NULL, note, out, err);
	bf_buf_addstr(out, "commit;\nselect :undone + 1 as undone \\gset\n\\else\nrollback;\nselect :stays + 1 as stays \\gset\n");
	return rc;
}

int bf_undo_execute(struct bf_pg *pg, const struct bf_undo *u, const struct bf_undo_job *j, const char *who, const char *note,
					struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf script;
	bf_buf_init(&script, SCRIPT_MAX);
	int rc = bf_undo_script(pg, u, j, who, note, &script, err);
	if (rc == 0)
		rc = bf_pg_step_begin(pg, err);
	if (rc < 0)
		return rc;
	rc = bf_pg_script(pg, script.data, NULL, err);
	if (rc == 0)
		return bf_pg_step_commit(pg, err);
	bf_pg_step_rollback(pg);
	return rc;
}

int bf_undo_changed(struct bf_pg *pg, const struct bf_undo *u, const struct bf_undo_job *j, char **rows, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf query;
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	bf_buf_init(&query, SCRIPT_MAX);
	*rows = NULL;
	if (!*j->files->changed)
		return 0;
	bf_buf_addstr(&query, "select ");
	int rc = add_rows(pg, u, j, j->files->changed, &query, err);
	if (rc == 0)
		rc = ask_of_step(pg, query.data, &r, err);
	if (rc == 0 && r && bf_pg_rows(r) == 1 && !bf_pg_null(r, 0, 0))
		*rows = bf_strdup(bf_pg_text(r, 0, 0));
	return rc;
}

int bf_undo_left(struct bf_pg *pg, const char *run, struct bf_pg_result **out, struct bf_error *err)
{
	return ask_run(pg, &bf_sql_undo_left, run, out, err);
}

int bf_undo_note(struct bf_pg *pg, const char *run, const char *step, const char *chunk, const char *who, const char *note,
				 struct bf_error *err)
{
	struct bf_pg_params p;
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, run);
	bf_pg_add_text(&p, step);
	bf_pg_add_text(&p, chunk);
	bf_pg_add_text(&p, who);
	bf_pg_add_text(&p, note);
	int rc = bf_pg_exec(pg, &bf_sql_undo_note, &p, &r, err);
	bf_pg_params_release(&p);
	return rc;
}
