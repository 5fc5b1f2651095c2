/* `bfstat missing`: of every pipeline that has runs, how many days of each step are not done. One line a step. */
#include "base/mem.h"
#include "core/stat.h"
#include "look/days.h"

struct options {
	bool json;
};

struct hole {
	int64_t asked, missing;
	bf_date first, last; /* of those that are missing */
};

struct holes {
	struct bf_look *look;
	struct bf_table *table; /* either this … */
	struct bf_json *json;   /* … or this */
	int64_t steps, with_holes;
};

static bool is_missing(unsigned char state)
{
	return state == BF_DAY_MISSING || state == BF_DAY_FAILED || state == BF_DAY_RUNNING || state == BF_DAY_GONE;
}

static struct hole look_at(const struct bf_days *d)
{
	struct bf_day_counts n = bf_days_count(d, d->since, d->until);
	struct hole h = {.asked = n.asked};
	for (bf_date day = d->since; day <= d->until; day++) {
		if (!is_missing(d->state[day - d->since]))
			continue;
		h.first = h.missing == 0 ? day : h.first;
		h.last = day;
		h.missing++;
	}
	return h;
}

static void add_row(struct holes *out, const char *pipeline, const char *step, const struct hole *h)
{
	char range[BF_RANGE_TEXT];
	bf_table_row(out->table);
	bf_table_cell(out->table, BF_PLAIN, pipeline);
	bf_table_cell(out->table, BF_PLAIN, step);
	bf_table_number(out->table, BF_CARE, h->missing);
	bf_table_number(out->table, BF_PLAIN, h->asked);
	bf_table_cell(out->table, BF_PLAIN, bf_range_format(h->first, h->last, range));
}

static void add_json(struct bf_json *j, const char *pipeline, const struct bf_section *s, const struct hole *h)
{
	char day[BF_DATE_TEXT];
	bf_json_object(j, NULL);
	bf_json_text(j, "pipeline", pipeline);
	bf_json_text(j, "step", s->step);
	bf_json_raw(j, "identity", s->identity);
	bf_json_int(j, "missing", h->missing);
	bf_json_int(j, "asked", h->asked);
	bf_json_text(j, "first", h->missing > 0 ? bf_date_format(h->first, day) : NULL);
	bf_json_text(j, "last", h->missing > 0 ? bf_date_format(h->last, day) : NULL);
	bf_json_close(j);
}

static int add_pipeline(struct holes *out, const char *pipeline, struct bf_error *err)
{
	const struct bf_days_options whole = {.json = false};
	struct bf_subject subject = {.by_key = false};
	struct bf_coverage c = {.n = 0};
	int rc = bf_subject_open(out->look, pipeline, &whole, &subject, err);
	if (rc == 0 && !subject.by_key)
		rc = bf_coverage_load(&subject, false, &c, err);
	if (rc < 0) {
		bf_subject_release(&subject);
		return rc;
	}
	for (size_t i = 0; i < c.n; i++) {
		BF_AUTOBUF struct bf_buf step;
		struct hole h = look_at(&c.sections[i].days);
		out->steps++;
		out->with_holes += h.missing > 0;
		bf_buf_init(&step, 1u << 16);
		bf_subject_section(&step, c.sections[i].step, c.sections[i].identity);
		if (out->json)
			add_json(out->json, pipeline, &c.sections[i], &h);
		else if (h.missing > 0)
			add_row(out, pipeline, step.data, &h);
	}
	bf_coverage_release(&c);
	bf_subject_release(&subject);
	return 0;
}

static int add_all(struct holes *out, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *pipelines = NULL;
	int rc = bf_stat_pipelines(out->look->pg, &pipelines, err);
	for (int i = 0; rc == 0 && i < bf_pg_rows(pipelines); i++)
		rc = add_pipeline(out, bf_pg_text(pipelines, i, 0), err);
	return rc;
}

static int show_text(struct holes *out, struct bf_error *err)
{
	static const struct bf_column columns[] = {{.title = "PIPELINE"},
											   {.title = "STEP", .elastic = true},
											   {.title = "DAYS MISSING", .right = true},
											   {.title = "OF", .right = true},
											   {.title = "WITHIN"}};
	BF_AUTOTABLE struct bf_table *table = bf_table_new(&out->look->term, columns, BF_COUNT_OF(columns));
	out->table = table;
	int rc = add_all(out, err);
	if (rc < 0)
		return rc;
	if (out->with_holes == 0 && out->steps == 0)
		puts("No run has been asked for days yet, so none is missing.");
	else if (out->with_holes == 0)
		puts("Nothing is missing: every day that a run was asked for is done.");
	else
		bf_table_print(table, stdout);
	if (out->with_holes > 0)
		puts("\nWhich days:  bfstat gaps PIPELINE");
	return 0;
}

static int show_json(struct holes *out, struct bf_error *err)
{
	struct bf_json j;
	out->json = &j;
	bf_json_begin(&j, stdout);
	bf_json_array(&j, "steps");
	int rc = add_all(out, err);
	bf_json_close(&j);
	bf_look_json_end(out->look, &j);
	return rc;
}

static int run_missing(const struct bf_command *command, int argc, char **argv)
{
	struct options o = {.json = false};
	struct bf_look look = {.pg = NULL};
	struct bf_error err;
	BF_AUTOFREE const char **args = bf_alloc((size_t)(argc + 1) * sizeof(*args));
	int n_args, exit_code = 0;
	if (!bf_command_parse(command, argc, argv, &o, args, &n_args, &exit_code) || !bf_look_open(&look, BF_LEDGER, &exit_code))
		return exit_code;
	struct holes out = {.look = &look};
	int rc = o.json ? show_json(&out, &err) : show_text(&out, &err);
	bf_look_close(&look);
	return rc < 0 ? bf_program_fail(&err) : 0;
}

static const struct bf_opt options[] = {
	{.name = "json", .type = BF_OPT_FLAG, .offset = offsetof(struct options, json), .help = "print JSON (docs/bfstat-json.md)"},
	{.name = NULL}};

static const struct bf_example examples[] = {
	{"bfstat missing", "which pipelines and steps have holes"},
	{"bfstat missing daily-sales", "which days of one: the same as `bfstat gaps daily-sales`"},
	{NULL, NULL},
};

static const struct bf_command command_missing = {
	.name = "missing",
	.synopsis = "bfstat missing [OPTION…]",
	.summary = "how many days of each pipeline and step are not done",
	.details = "`bfstat missing PIPELINE` is `bfstat gaps PIPELINE`. Pipelines that go by keys are not in it.",
	.options = options,
	.examples = examples};

const struct bf_entry bf_look_missing = {&command_missing, run_missing};
