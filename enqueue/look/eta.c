/* `bfstat eta`: when each run that is under way will be done, or why nobody can say. */
#include "base/clock.h"
#include "base/duration.h"
#include "base/mem.h"
#include "core/ledger.h"
#include "look/outlook.h"
#include "look/view.h"
#include "render/rate.h"

#define RUNS_MAX 100

struct options {
	bool json;
};

struct etas {
	struct bf_look *look;
	struct bf_table *table; /* either this … */
	struct bf_json *json;   /* … or this */
};

/* Why there is no time to tell. */
static const char *why_none(const struct bf_view *v)
{
	if (!bf_view_active(v->state))
		return "it has ended";
	if (strcmp(v->state, "waiting") == 0)
		return "it waits for a person";
	if (strcmp(v->state, "running") != 0 && strcmp(v->state, "queued") != 0)
		return "it is stopped";
	if (*v->held)
		return "its throttle holds it back";
	if (v->live_known && v->live.alive == 0)
		return "no worker is alive";
	return "nothing has ended in the last half minute";
}

static void add_eta(struct etas *e, const struct bf_view *v)
{
	char left[BF_DURATION_TEXT] = "", at[BF_TIME_TEXT] = "", rate[BF_RATE_TEXT] = "";
	int64_t eta = strcmp(v->state, "running") == 0 && !*v->held ? bf_view_eta(v) : -1;
	bool known = eta > 0;
	if (e->json) {
		bf_json_object(e->json, NULL);
		bf_json_text(e->json, "run", v->run);
		bf_json_text(e->json, "state", v->state);
		if (known)
			bf_json_int(e->json, "left_ms", eta);
		else
			bf_json_null(e->json, "left_ms");
		bf_json_time(e->json, "done_at", known ? v->now_ms + eta : 0);
		bf_json_text(e->json, "why_not", known ? NULL : why_none(v));
		bf_json_close(e->json);
		return;
	}
	bf_table_row(e->table);
	bf_table_cell(e->table, BF_STRONG, v->run);
	const char *until = known ? bf_view_eta_until(v) : NULL;
	if (until) /* what comes behind an approval nobody can tell */
		bf_table_cellf(e->table, BF_PLAIN, "%s until %s is asked", bf_duration_human(eta, left), until);
	else
		bf_table_cell(e->table, known ? BF_PLAIN : BF_CARE, known ? bf_duration_human(eta, left) : why_none(v));
	bf_table_cell(e->table, BF_PLAIN, known ? bf_time_format(v->now_ms + eta, at) : "");
	bf_table_cell(e->table, BF_DIM, v->per_second > 0 ? bf_rate_text(v->per_second, rate) : "");
	bf_table_cellf(e->table, BF_DIM, "%lld of %lld", (long long)v->jobs.done, (long long)v->jobs.planned);
}

static int add_run(struct etas *e, const char *run, struct bf_error *err)
{
	struct bf_view v;
	int rc = bf_view_load(e->look, run, &v, err);
	if (rc < 0)
		return rc;
	add_eta(e, &v);
	bf_view_release(&v);
	return 0;
}

static int add_all(struct etas *e, int *n, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *runs = NULL;
	if (!e->look->pg)
		return bf_fail(err, BF_E_UNAVAILABLE, "the runs that are under way are in PostgreSQL; `bfstat eta RUN` asks Redis of one");
	int rc = bf_ledger_active_runs(e->look->pg, "", RUNS_MAX, &runs, err);
	for (int i = 0; rc == 0 && i < bf_pg_rows(runs); i++, (*n)++)
		rc = add_run(e, bf_pg_text(runs, i, 0), err);
	return rc;
}

static int fill(struct etas *e, const char *run, int *n, struct bf_error *err)
{
	if (!run)
		return add_all(e, n, err);
	int rc = bf_look_find_run(e->look, &run, err);
	*n = 1;
	return rc < 0 ? rc : add_run(e, run, err);
}

static int show_text(struct etas *e, const char *run, struct bf_error *err)
{
	static const struct bf_column columns[] = {{.title = "RUN", .elastic = true},
											   {.title = "LEFT"},
											   {.title = "DONE AT", .rank = 1},
											   {.title = "PACE", .rank = 3},
											   {.title = "JOBS DONE", .right = true, .rank = 2}};
	BF_AUTOTABLE struct bf_table *table = bf_table_new(&e->look->term, columns, BF_COUNT_OF(columns));
	int n = 0;
	e->table = table;
	int rc = fill(e, run, &n, err);
	if (rc == 0 && n > 0)
		bf_table_print(table, stdout);
	else if (rc == 0)
		puts("No run is under way.");
	return rc;
}

static int show_json(struct etas *e, const char *run, struct bf_error *err)
{
	struct bf_json j;
	int n = 0;
	e->json = &j;
	bf_json_begin(&j, stdout);
	bf_json_array(&j, "runs");
	int rc = fill(e, run, &n, err);
	bf_json_close(&j);
	bf_look_json_end(e->look, &j);
	return rc;
}

static int run_eta(const struct bf_command *command, int argc, char **argv)
{
	struct options o = {.json = false};
	struct bf_look look = {.pg = NULL};
	struct bf_error err;
	BF_AUTOFREE const char **args = bf_alloc((size_t)(argc + 1) * sizeof(*args));
	int n_args, exit_code = 0;
	if (!bf_command_parse(command, argc, argv, &o, args, &n_args, &exit_code) || !bf_look_open(&look, BF_LEDGER | BF_QUEUE, &exit_code))
		return exit_code;
	struct etas e = {.look = &look};
	const char *run = n_args > 0 ? args[0] : NULL;
	int rc = o.json ? show_json(&e, run, &err) : show_text(&e, run, &err);
	bf_look_close(&look);
	return rc < 0 ? bf_program_fail(&err) : 0;
}

static const struct bf_opt options[] = {
	{.name = "json", .type = BF_OPT_FLAG, .offset = offsetof(struct options, json), .help = "print JSON (docs/bfstat-json.md)"},
	{.name = NULL}};

static const struct bf_example examples[] = {
	{"bfstat eta", "of each run that is under way"},
	{"bfstat eta daily-sales", "of a pipeline's latest run"},
	{NULL, NULL},
};

static const struct bf_command command_eta = {.name = "eta",
											  .synopsis = "bfstat eta [RUN] [OPTION…]",
											  .summary = "when the runs that are under way will be done, at their present pace",
											  .options = options,
											  .examples = examples,
											  .max_args = 1};

const struct bf_entry bf_look_eta = {&command_eta, run_eta};
