#include "look/report.h"

#include "base/mem.h"

struct options {
	bool json;
	const char *out;
};

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), k = strlen(end);
	return n >= k && strcmp(name + n - k, end) == 0;
}

static int write_page(struct bf_report *r, const struct bf_report_ask *a, FILE *out, struct bf_error *err)
{
	if (strcmp(a->what, "summary") == 0)
		return bf_report_summary(r, out, err);
	if (strcmp(a->what, "results") == 0)
		return bf_report_results(r, out, err);
	if (strcmp(a->what, "checks") == 0)
		return ends_with(a->file, ".md") ? bf_report_check_page(r, a, out, err) : bf_report_all_checks(r, a, out, err);
	if (strcmp(a->what, "soak") == 0)
		return bf_report_soak_page(r, a->step, out, err);
	if (strcmp(a->what, "rollback") == 0)
		return bf_report_rollback(r, a, out, err);
	return bf_report_sign_off(r, out, err);
}

/* Whether any of the steps that a file is about has run; what is about all of them is always written. */
static bool has_begun(const struct bf_report *r, const struct bf_report_ask *a)
{
	if (strcmp(a->steps, "{}") == 0)
		return true;
	for (int i = 0; i < r->view.n_steps; i++) {
		const struct bf_view_step *s = &r->view.steps[i];
		bool at_work = strcmp(s->state, "released") == 0 && s->started_ms > 0;
		int64_t tried = s->jobs.done + s->jobs.failed + s->jobs.running + s->jobs.lost + s->jobs.undone;
		if (bf_report_about(a, s->step) && (at_work || tried > 0))
			return true;
	}
	return false;
}

static int write_one(struct bf_report *r, const struct bf_report_ask *a, struct bf_error *err)
{
	struct bf_report_file file;
	if (!has_begun(r, a))
		return 0;
	if (strcmp(a->what, "batches") == 0)
		return bf_report_batches(r, a, err);
	if (strcmp(a->what, "violations") == 0)
		return bf_report_violations(r, a, err);
	int rc = bf_report_open(r, a->file, &file, err);
	if (rc == 0)
		rc = bf_report_close(r, &file, write_page(r, a, file.out, err), err);
	return rc;
}

bool bf_report_about(const struct bf_report_ask *a, const char *step)
{
	size_t len = strlen(step);
	if (strcmp(a->steps, "{}") == 0)
		return true;
	for (const char *at = a->steps; *at; at += strcspn(at, ",}")) {
		at++; /* '{', ',' or '}' */
		if (strncmp(at, step, len) == 0 && (at[len] == ',' || at[len] == '}'))
			return true;
	}
	return false;
}

/* ---- the command ---- */

static const char *const usual[][2] = {
	{"summary.md", "summary"}, {"results.json", "results"}, {"checks.json", "checks"}, {"sign_off.md", "sign_off"}};

static int write_all(struct bf_report *r, struct bf_error *err)
{
	const struct bf_pg_result *named = NULL;
	int rc = bf_report_artifacts(r->look->pg, r->view.run, &r->named, err);
	named = r->named;
	for (int i = 0; rc == 0 && i < bf_pg_rows(named); i++) {
		struct bf_report_ask ask = {.file = bf_pg_text(named, i, BF_ARTIFACTS_FILE),
									.what = bf_pg_text(named, i, BF_ARTIFACTS_WHAT),
									.step = bf_pg_text(named, i, BF_ARTIFACTS_STEP),
									.steps = bf_pg_text(named, i, BF_ARTIFACTS_STEPS),
									.array = bf_pg_text(named, i, BF_ARTIFACTS_ARRAY),
									.size = (int)bf_pg_int(named, i, BF_ARTIFACTS_SIZE)};
		rc = write_one(r, &ask, err);
	}
	for (size_t i = 0; rc == 0 && bf_pg_rows(named) == 0 && i < BF_COUNT_OF(usual); i++) {
		struct bf_report_ask ask = {.file = usual[i][0], .what = usual[i][1], .step = "", .steps = "{}"};
		rc = write_one(r, &ask, err);
	}
	return rc;
}

static void print_text(const struct bf_report *r)
{
	const struct bf_term *t = &r->look->term;
	BF_AUTOFREE char *folder = bf_term_shown(r->folder);
	int unmet = 0;
	printf("Run %s is %s. %d file%s in %s.\n\n", r->view.run, r->view.state, r->files, r->files == 1 ? "" : "s", folder);
	for (int i = 0; i < bf_pg_rows(r->criteria); i++) {
		bool met = bf_pg_bool(r->criteria, i, BF_CRITERIA_MET);
		BF_AUTOFREE char *found = bf_term_shown(bf_pg_text(r->criteria, i, BF_CRITERIA_FOUND));
		BF_AUTOFREE char *criterion = bf_term_shown(bf_pg_text(r->criteria, i, BF_CRITERIA_CRITERION));
		unmet += !met;
		printf("  %s%-8s%s%s: %s\n", bf_tone_on(t, met ? BF_GOOD : BF_BAD), met ? "met" : "NOT MET", bf_tone_off(t, met ? BF_GOOD : BF_BAD),
			   criterion, found);
	}
	printf("\n%d of %d criteria are met.\n", bf_pg_rows(r->criteria) - unmet, bf_pg_rows(r->criteria));
}

static void print_json(const struct bf_report *r)
{
	struct bf_json j;
	bf_json_begin(&j, stdout);
	bf_json_text(&j, "run", r->view.run);
	bf_json_text(&j, "state", r->view.state);
	bf_json_text(&j, "folder", r->folder);
	bf_json_int(&j, "files", r->files);
	bf_report_add_criteria(&j, r);
	bf_look_json_end(r->look, &j);
}

static int report(struct bf_look *l, const char *run, const struct options *o, struct bf_error *err)
{
	struct bf_report r = {.look = l, .folder = o->out, .root = -1};
	int rc = bf_look_find_run(l, &run, err);
	if (rc == 0)
		rc = bf_view_load(l, run, &r.view, err);
	if (rc < 0)
		return rc;
	rc = bf_report_criteria(l->pg, run, &r.criteria, err);
	if (rc == 0)
		rc = bf_report_begin(&r, err);
	if (rc == 0)
		rc = write_all(&r, err);
	rc = bf_report_end(&r, rc, err);
	if (rc == 0 && o->json)
		print_json(&r);
	else if (rc == 0)
		print_text(&r);
	bf_pg_result_free(r.criteria);
	bf_pg_result_free(r.named);
	bf_view_release(&r.view);
	return rc;
}

static int run_report(const struct bf_command *command, int argc, char **argv)
{
	struct options o = {.json = false};
	struct bf_look look = {.pg = NULL};
	struct bf_error err;
	BF_AUTOFREE const char **args = bf_alloc((size_t)(argc + 1) * sizeof(*args));
	int n_args, exit_code = 0;
	if (!bf_command_parse(command, argc, argv, &o, args, &n_args, &exit_code))
		return exit_code;
	if (!o.out || !*o.out) {
		(void)bf_fail(&err, BF_E_INPUT, "--out is missing; expected the folder to write to: --out=DIR");
		return bf_program_fail(&err);
	}
	if (!bf_look_open(&look, BF_LEDGER, &exit_code))
		return exit_code;
	int rc = report(&look, args[0], &o, &err);
	bf_look_close(&look);
	return rc < 0 ? bf_program_fail(&err) : 0;
}

static const struct bf_opt options[] = {
	{.name = "out",
	 .type = BF_OPT_TEXT,
	 .offset = offsetof(struct options, out),
	 .value = "DIR",
	 .help = "the folder to write to; made when missing"},
	{.name = "json", .type = BF_OPT_FLAG, .offset = offsetof(struct options, json), .help = "print JSON (docs/bfstat-json.md)"},
	{.name = NULL}};

static const struct bf_example examples[] = {
	{"bfstat report daily-sales.k3v9qa --out=/tmp/daily-sales", "the files about a run"},
	{NULL, NULL},
};

static const struct bf_command command_report = {
	.name = "report",
	.synopsis = "bfstat report RUN --out=DIR",
	.summary = "the files about a run: summary, results, checks, sign-off; and which criteria are met",
	.details = "Which files, the pipeline says (\"artifacts\"); by default summary.md, results.json, checks.json and sign_off.md.\n"
			   "They are made out of the ledger, the same every time once the run has ended; files of the same names are replaced.",
	.examples = examples,
	.options = options,
	.min_args = 1,
	.max_args = 1};

const struct bf_entry bf_look_report = {&command_report, run_report};
