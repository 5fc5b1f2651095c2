#include "shared/find.h"

#include "base/mem.h"
#include "base/text.h"
#include "core/decide.h"
#include "core/ledger.h"
#include "core/pipeline.h"
#include "shared/program.h"

#define RUNS_LOOKED_AT   500
#define CHUNKS_LOOKED_AT 500
#define BEGINNING        4 /* bytes of a chunk that a suggestion shares with it: a year */
#define SHOWN_MAX        60

/* The first column as a list that ends with NULL; borrowed from the result. */
static const char **column(const struct bf_pg_result *r)
{
	size_t n = (size_t)bf_pg_rows(r);
	const char **words = bf_realloc_array(NULL, n + 1, sizeof(*words));
	for (size_t i = 0; i < n; i++)
		words[i] = bf_pg_text(r, (int)i, 0);
	words[n] = NULL;
	return words;
}

static int no_run_and_no_pipeline(struct bf_pg *pg, const char *run, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *runs = NULL;
	BF_AUTOBUF struct bf_buf shown = {0};
	int rc = bf_find_runs(pg, RUNS_LOOKED_AT, &runs, err);
	if (rc < 0)
		return rc;
	BF_AUTOFREE const char **known = column(runs);
	const char *near = bf_text_nearest(run, known);
	bf_buf_init(&shown, 512);
	bf_text_quote(&shown, run, strlen(run), SHOWN_MAX);
	if (near)
		return bf_fail(err, BF_E_NOT_FOUND, "unknown run %s; did you mean %s?", shown.data, near);
	return bf_fail(err, BF_E_NOT_FOUND, "unknown run %s; %s", shown.data,
				   known[0] ? "`bfstat` lists the runs" : "the ledger has no run yet");
}

/* *found: `name` is a run. Else `out` has the latest run of the pipeline that has this name. What cannot be either's name is not
 * sent. -BF_E_NOT_FOUND: neither. */
static int find_by_name(struct bf_pg *pg, const char *name, bool *found, char *out, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *run = NULL;
	BF_AUTORESULT struct bf_pg_result *latest = NULL;
	int rc = bf_run_valid(name) ? bf_find_run_row(pg, name, &run, err) : 0;
	*found = rc == 0 && run && bf_pg_rows(run) > 0;
	if (rc == 0 && !*found && bf_name_valid(name))
		rc = bf_find_latest_run(pg, name, &latest, err);
	if (rc < 0)
		return rc;
	if (!*found && !(latest && bf_pg_rows(latest) > 0))
		return no_run_and_no_pipeline(pg, name, err);
	snprintf(out, BF_RUN_MAX + 1, "%s", *found ? name : bf_pg_text(latest, 0, 0));
	return 0;
}

int bf_find_run(struct bf_pg *pg, const char *run, struct bf_error *err)
{
	char latest[BF_RUN_MAX + 1];
	bool found;
	int rc = find_by_name(pg, run, &found, latest, err);
	if (rc == 0 && !found)
		rc = bf_fail(err, BF_E_NOT_FOUND, "%s is a pipeline, expected a run; its latest is %s", run, latest);
	return rc;
}

int bf_find_run_or_latest(struct bf_pg *pg, const char *name, char out[static BF_RUN_MAX + 1], struct bf_error *err)
{
	bool found;
	return find_by_name(pg, name, &found, out, err);
}

static int find_step(struct bf_pg *pg, const char *run, const char *step, struct bf_error *err)
{
	struct bf_step_row rows[BF_STEPS_MAX];
	const char *known[BF_STEPS_MAX + 1];
	char what[BF_RUN_MAX + 32];
	int n = 0;
	int rc = bf_ledger_run_steps(pg, run, rows, BF_STEPS_MAX, &n, err);
	for (int i = 0; rc == 0 && i < n; i++) {
		if (strcmp(rows[i].step, step) == 0)
			return 0;
		known[i] = rows[i].step;
	}
	if (rc < 0)
		return rc;
	known[n] = NULL;
	snprintf(what, sizeof(what), "step of run %s,", run);
	return bf_unknown_word(what, step, known, err);
}

static int unknown_chunk(struct bf_pg *pg, const char *run, const char *step, const char *chunk, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *rows = NULL;
	BF_AUTOBUF struct bf_buf shown = {0};
	size_t at = 0;
	while (at < BEGINNING && chunk[at])
		at += bf_utf8_char(chunk + at, strlen(chunk + at));
	BF_AUTOFREE char *beginning = bf_strndup(chunk, at);
	int rc = bf_find_chunks(pg, run, step, beginning, CHUNKS_LOOKED_AT, &rows, err);
	if (rc < 0)
		return rc;
	BF_AUTOFREE const char **known = column(rows);
	const char *near = bf_text_nearest(chunk, known);
	bf_buf_init(&shown, 1024);
	bf_text_quote(&shown, chunk, strlen(chunk), SHOWN_MAX);
	if (near) {
		bf_buf_addstr(&shown, "; did you mean ");
		bf_text_quote(&shown, near, strlen(near), SHOWN_MAX);
		bf_buf_addch(&shown, '?');
	} else {
		bf_buf_printf(&shown, "; `bfstat jobs %s` lists them", run);
	}
	return bf_fail(err, BF_E_NOT_FOUND, "unknown chunk of run %s%s%s: %s", run, step ? ", step " : "", step ? step : "", shown.data);
}

static int find_chunk(struct bf_pg *pg, const char *run, const char *step, const char *chunk, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *rows = NULL;
	int rc = bf_find_chunk(pg, run, chunk, &rows, err);
	for (int i = 0; rc == 0 && i < bf_pg_rows(rows); i++)
		if (!step || strcmp(bf_pg_text(rows, i, 0), step) == 0)
			return 0;
	return rc < 0 ? rc : unknown_chunk(pg, run, step, chunk, err);
}

int bf_find_job(struct bf_pg *pg, const char *run, const char *step, const char *chunk, struct bf_error *err)
{
	int rc = bf_find_run(pg, run, err);
	if (rc == 0 && step)
		rc = find_step(pg, run, step, err);
	if (rc == 0 && chunk)
		rc = find_chunk(pg, run, step, chunk, err);
	return rc;
}
