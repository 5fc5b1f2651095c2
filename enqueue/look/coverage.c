/* `bfstat coverage PIPELINE`: a calendar of each step, then the figures by year; of keys, counts and the first that are missing. */
#include "base/mem.h"
#include "base/text.h"
#include "look/days.h"
#include "look/keys_print.h"
#include "look/stale.h"
#include "render/bar.h"
#include "shared/today.h"

static int year_of(bf_date day)
{
	int year, month, dom;
	bf_date_split(day, &year, &month, &dom);
	return year;
}

/* Done, or there without a record of it. */
static int64_t there(const struct bf_day_counts *n)
{
	return n->done + n->unrecorded;
}

/* ---- text ---- */

/* Nothing of it is missing: a calendar of it would say nothing that one line does not. */
static bool is_whole(const struct bf_section *s)
{
	struct bf_day_counts n = bf_days_count(&s->days, s->days.since, s->days.until);
	return n.asked > 0 && there(&n) == n.asked && n.gone == 0 && (n.unrecorded == 0 || s->checked);
}

static void print_calendar(const struct bf_term *t, const struct bf_section *s, bool fold)
{
	BF_AUTOBUF struct bf_buf name;
	BF_AUTOBUF struct bf_buf percent;
	struct bf_day_counts n = bf_days_count(&s->days, s->days.since, s->days.until);
	char done[28], asked[28], range[BF_RANGE_TEXT];
	bf_buf_init(&name, 1u << 16);
	bf_buf_init(&percent, 64);
	bf_subject_section(&name, s->step, s->identity);
	bf_percent_text(&percent, there(&n), n.asked);
	printf("%s%s%s  %s: %s of %s %s %s", bf_tone_on(t, BF_STRONG), name.data, bf_tone_off(t, BF_STRONG), percent.data,
		   bf_text_group(there(&n), done), bf_text_group(n.asked, asked), n.asked == 1 ? "day" : "days", s->data ? "there" : "done");
	if (fold) {
		printf(", %s\n", bf_range_format(s->days.since, s->days.until, range));
		return;
	}
	putchar('\n');
	bf_heat_print(stdout, t, &s->days);
	putchar('\n');
}

static void add_row(struct bf_table *table, const char *name, const char *year, const struct bf_day_counts *n, bool data)
{
	BF_AUTOBUF struct bf_buf percent;
	bf_buf_init(&percent, 64);
	bf_percent_text(&percent, there(n), n->asked);
	bf_table_row(table);
	bf_table_cell(table, BF_PLAIN, name);
	bf_table_cell(table, BF_PLAIN, year);
	bf_table_number(table, BF_PLAIN, n->asked);
	bf_table_number(table, BF_GOOD, n->done);
	bf_table_number(table, BF_BUSY, n->running);
	bf_table_number(table, BF_BAD, n->failed);
	bf_table_number(table, BF_CARE, n->missing);
	if (data) {
		bf_table_number(table, BF_PLAIN, n->unrecorded);
		bf_table_number(table, BF_BAD, n->gone);
	}
	bf_table_cell(table, there(n) == n->asked ? BF_GOOD : BF_PLAIN, percent.data);
}

static void add_section(struct bf_table *table, const struct bf_section *s, bool data, bool fold)
{
	BF_AUTOBUF struct bf_buf name;
	bf_buf_init(&name, 1u << 16);
	bf_subject_section(&name, s->step, s->identity);
	int first = year_of(s->days.since), last = year_of(s->days.until);
	for (int year = first; year <= last && !fold; year++) {
		struct bf_day_counts n = bf_days_count(&s->days, bf_date_make(year, 1, 1), bf_date_make(year, 12, 31));
		char text[16];
		(void)snprintf(text, sizeof(text), "%d", year);
		add_row(table, name.data, text, &n, data);
	}
	if (first == last && !fold)
		return;
	struct bf_day_counts all = bf_days_count(&s->days, s->days.since, s->days.until);
	add_row(table, name.data, "all", &all, data);
}

static void print_judged(const struct bf_coverage *c)
{
	BF_AUTOBUF struct bf_buf range;
	bf_buf_init(&range, 256);
	bf_coverage_range(&range, c);
	printf("Judged: %s%s\n\n", range.data, c->given ? "" : "; others: --since=DATE --until=DATE");
}

/* unfold: also what is whole is drawn. */
static void print_text(const struct bf_term *t, const char *pipeline, const struct bf_coverage *c, bool unfold)
{
	static const struct bf_column columns[] = {{.title = "STEP", .elastic = true},
											   {.title = "YEAR", .right = true},
											   {.title = "ASKED", .right = true},
											   {.title = "DONE", .right = true},
											   {.title = "RUNNING", .right = true, .rank = 1},
											   {.title = "FAILED", .right = true},
											   {.title = "MISSING", .right = true},
											   {.title = "DONE %", .right = true}};
	static const struct bf_column with_data[] = {{.title = "STEP", .elastic = true},
												 {.title = "YEAR", .right = true},
												 {.title = "EXPECTED", .right = true},
												 {.title = "DONE", .right = true},
												 {.title = "RUNNING", .right = true, .rank = 1},
												 {.title = "FAILED", .right = true},
												 {.title = "MISSING", .right = true},
												 {.title = "NOT RECORDED", .right = true},
												 {.title = "GONE", .right = true},
												 {.title = "THERE %", .right = true}};
	if (c->n == 0) {
		printf("There are no days of %s to show: no run was asked for any, or the range is empty.\n", pipeline);
		return;
	}
	print_judged(c);
	BF_AUTOTABLE struct bf_table *table =
		bf_table_new(t, c->data ? with_data : columns, c->data ? BF_COUNT_OF(with_data) : BF_COUNT_OF(columns));
	size_t folded = 0;
	for (size_t i = 0; i < c->n; i++) {
		bool fold = !unfold && is_whole(&c->sections[i]);
		folded += fold;
		print_calendar(t, &c->sections[i], fold);
		add_section(table, &c->sections[i], c->data, fold);
	}
	if (folded < c->n)
		bf_heat_legend(stdout, t, c->data);
	if (folded > 0)
		printf("A step that is whole is one line; --step=STEP draws it.\n");
	putchar('\n');
	bf_table_print(table, stdout);
}

/* ---- JSON ---- */

static void add_counts(struct bf_json *j, const struct bf_day_counts *n)
{
	bf_json_int(j, "asked", n->asked);
	bf_json_int(j, "done", n->done);
	bf_json_int(j, "running", n->running);
	bf_json_int(j, "failed", n->failed);
	bf_json_int(j, "missing", n->missing);
	bf_json_int(j, "not_recorded", n->unrecorded);
	bf_json_int(j, "gone", n->gone);
	bf_json_number(j, "percent", n->asked > 0 ? 100.0 * (double)there(n) / (double)n->asked : 0);
}

static void json_years(struct bf_json *j, const struct bf_days *d)
{
	bf_json_array(j, "years");
	for (int year = year_of(d->since); year <= year_of(d->until); year++) {
		struct bf_day_counts n = bf_days_count(d, bf_date_make(year, 1, 1), bf_date_make(year, 12, 31));
		bf_json_object(j, NULL);
		bf_json_int(j, "year", year);
		add_counts(j, &n);
		bf_json_close(j);
	}
	bf_json_close(j);
}

/* Runs of days with the same state. */
static void json_ranges(struct bf_json *j, const struct bf_days *d)
{
	char text[BF_DATE_TEXT];
	bf_json_array(j, "ranges");
	for (bf_date first = d->since; first <= d->until;) {
		unsigned char state = d->state[first - d->since];
		bf_date last = first;
		while (last < d->until && d->state[last + 1 - d->since] == state)
			last++;
		if (state != BF_DAY_NONE) {
			bf_json_object(j, NULL);
			bf_json_text(j, "since", bf_date_format(first, text));
			bf_json_text(j, "until", bf_date_format(last, text));
			bf_json_text(j, "state", bf_day_name((enum bf_day)state));
			bf_json_close(j);
		}
		first = last + 1;
	}
	bf_json_close(j);
}

static void print_json(const struct bf_look *l, const char *pipeline, const struct bf_coverage *c, const struct bf_stale *stale)
{
	struct bf_json j;
	bf_json_begin(&j, stdout);
	bf_json_text(&j, "pipeline", pipeline);
	bf_coverage_json_range(&j, c);
	bf_json_array(&j, "steps");
	for (size_t i = 0; i < c->n; i++) {
		const struct bf_section *s = &c->sections[i];
		struct bf_day_counts n = bf_days_count(&s->days, s->days.since, s->days.until);
		bf_json_object(&j, NULL);
		bf_json_text(&j, "step", s->step);
		bf_json_raw(&j, "identity", s->identity);
		bf_json_bool(&j, "data_asked", s->data);
		add_counts(&j, &n);
		json_years(&j, &s->days);
		json_ranges(&j, &s->days);
		bf_json_close(&j);
	}
	bf_json_close(&j);
	bf_stale_json(&j, stale);
	bf_look_json_end(l, &j);
}

static int show_days(const struct bf_subject *s, struct bf_error *err)
{
	struct bf_coverage c;
	struct bf_stale stale;
	int rc = bf_coverage_load(s, true, &c, err);
	if (rc < 0)
		return rc;
	rc = bf_stale_load(s->look, s->name, s->o->step, &stale, err);
	if (rc == 0 && s->o->json) {
		print_json(s->look, s->name, &c, &stale);
	} else if (rc == 0) {
		print_text(&s->look->term, s->name, &c, s->o->step != NULL);
		bf_stale_print(&s->look->term, s->name, &stale);
	}
	bf_stale_release(&stale);
	bf_coverage_release(&c);
	return rc;
}

static int run_coverage(const struct bf_command *command, int argc, char **argv)
{
	struct bf_days_options o = {.json = false};
	struct bf_look look = {.pg = NULL};
	struct bf_subject subject = {.by_key = false};
	struct bf_today today;
	struct bf_error err;
	BF_AUTOFREE const char **args = bf_alloc((size_t)(argc + 1) * sizeof(*args));
	int n_args, exit_code = 0;
	if (!bf_command_parse(command, argc, argv, &o, args, &n_args, &exit_code) || !bf_look_open(&look, BF_LEDGER, &exit_code))
		return exit_code;
	int rc = bf_today_resolve(look.pg, NULL, args[0], &o.since, &o.until, &today, &err);
	if (rc == 0)
		rc = bf_subject_open(&look, args[0], &o, &subject, &err);
	if (rc == 0)
		rc = subject.by_key ? bf_keys_coverage(&subject, &err) : show_days(&subject, &err);
	bf_subject_release(&subject);
	bf_look_close(&look);
	return rc < 0 ? bf_program_fail(&err) : 0;
}

static const struct bf_example examples[] = {
	{"bfstat coverage daily-sales", "all days that some run was asked for"},
	{"bfstat coverage daily-sales --since=2024-01-01 --until=2024-12-31", "one year, whether it was asked for or not"},
	{NULL, NULL},
};

static const struct bf_command command_coverage = {
	.name = "coverage",
	.synopsis = "bfstat coverage PIPELINE [OPTION…]",
	.summary = "a calendar of what is done, step by step, and the figures by year",
	.details =
		"The days that count are those that some run was asked for; with --since or --until, all days from the one to the other, in\n"
		"every step. Of a pipeline of keys, its list as it is now. Of steps that say what is expected and present, those that are\n"
		"expected; their data is asked, too: what is there and was never recorded, and what a run has done and is gone, is shown\n"
		"as such. --param of an identity shows that one alone, whether it ever ran or not.",
	.examples = examples,
	.options = bf_days_opts,
	.min_args = 1,
	.max_args = 1};

const struct bf_entry bf_look_coverage = {&command_coverage, run_coverage};
