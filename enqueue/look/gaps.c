/* `bfstat gaps PIPELINE`: the days, or keys, that are not done, one a line, for other programs: `date`, or `step<TAB>date` when there are
 * several. What is judged is said on stderr. */
#include "base/mem.h"
#include "look/days.h"
#include "look/judge.h"
#include "look/keys_print.h"
#include "shared/today.h"

/* A page of the days that are missing. */
struct page {
	const struct bf_subject *s;
	const struct bf_coverage *c;
	struct bf_json *json; /* NULL: as text */
	bf_date from;         /* days before it are on a page before this one */
	int64_t shown, all;
};

static void show_text(const struct page *p, const struct bf_section *s, const char *day)
{
	BF_AUTOBUF struct bf_buf name;
	bf_buf_init(&name, 1u << 16);
	if (p->c->n == 1) {
		puts(day);
		return;
	}
	bf_subject_section(&name, s->step, s->identity);
	printf("%s\t%s\n", name.data, day);
}

static void show_json(const struct page *p, const struct bf_section *s, const char *day, enum bf_day state)
{
	bf_json_object(p->json, NULL);
	bf_json_text(p->json, "step", s->step);
	bf_json_raw(p->json, "identity", s->identity);
	bf_json_text(p->json, "date", day);
	bf_json_text(p->json, "state", bf_day_name(state));
	bf_json_close(p->json);
}

static void show_section(struct page *p, const struct bf_section *s)
{
	char text[BF_DATE_TEXT];
	for (bf_date day = s->days.since; day <= s->days.until; day++) {
		enum bf_day state = bf_days_at(&s->days, day);
		if (!bf_judge_is_gap(state))
			continue;
		p->all++;
		if (day < p->from || (p->s->o->limit > 0 && p->shown == p->s->o->limit))
			continue;
		p->shown++;
		if (p->json)
			show_json(p, s, bf_date_format(day, text), state);
		else
			show_text(p, s, bf_date_format(day, text));
	}
}

/* A program reads the days; what they are the days of is for the person who calls it. */
static void say_judged(const struct page *p)
{
	char range[BF_RANGE_TEXT], all[28], shown[28];
	if (p->c->n > 0 && !p->c->given)
		fprintf(stderr, "bfstat: judged %s, the days that runs were asked for; others: --since=DATE --until=DATE\n",
				bf_range_format(p->c->since, p->c->until, range));
	if (p->shown < p->all)
		fprintf(stderr, "bfstat: %s days are not done; %s are shown\n", bf_text_group(p->all, all), bf_text_group(p->shown, shown));
}

/* Where a page begins: behind a day of the one list that is shown. */
static int find_after(struct page *p, struct bf_error *err)
{
	p->from = p->c->since;
	if (!p->s->o->after)
		return 0;
	if (p->c->n != 1)
		return bf_fail(err, BF_E_INPUT, "--after: found %zu lists of days, expected one: --step=STEP", p->c->n);
	int rc = bf_date_parse(p->s->o->after, &p->from, err);
	p->from++;
	return rc < 0 ? bf_error_prefix(err, "--after") : 0;
}

static int print_page(struct page *p, struct bf_error *err)
{
	int rc = find_after(p, err);
	if (rc < 0)
		return rc;
	if (p->json) {
		bf_json_begin(p->json, stdout);
		bf_json_text(p->json, "pipeline", p->s->name);
		bf_coverage_json_range(p->json, p->c);
		bf_json_array(p->json, "gaps");
	}
	for (size_t i = 0; i < p->c->n; i++)
		show_section(p, &p->c->sections[i]);
	if (!p->json) {
		say_judged(p);
		return 0;
	}
	bf_json_close(p->json);
	bf_json_int(p->json, "missing", p->all);
	bf_look_json_end(p->s->look, p->json);
	return 0;
}

static int show_days(const struct bf_subject *s, struct bf_error *err)
{
	struct bf_coverage c;
	struct bf_json j;
	int rc = bf_coverage_load(s, false, &c, err);
	if (rc < 0)
		return rc;
	struct page page = {.s = s, .c = &c, .json = s->o->json ? &j : NULL};
	rc = print_page(&page, err);
	bf_coverage_release(&c);
	return rc;
}

static int run_gaps(const struct bf_command *command, int argc, char **argv)
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
		rc = subject.by_key ? bf_keys_gaps(&subject, &err) : show_days(&subject, &err);
	bf_subject_release(&subject);
	bf_look_close(&look);
	return rc < 0 ? bf_program_fail(&err) : 0;
}

static const struct bf_example examples[] = {
	{"bfstat gaps daily-sales", "what was asked for and is not done"},
	{"bfstat gaps daily-sales --since=2024-01-01 --until=2024-12-31", "of a year"},
	{NULL, NULL},
};

static const struct bf_command command_gaps = {
	.name = "gaps",
	.synopsis = "bfstat gaps PIPELINE [OPTION…]",
	.summary = "the days, or keys, that are not done, one a line",
	.details =
		"A line is `date`, or `step<TAB>date` when the pipeline has several steps; of a pipeline of keys, a key. What is asked for and\n"
		"not done is a gap: failed, running, waiting or never begun. Of steps that say what is expected and present: what is expected\n"
		"and not there. What is judged, and how many there are where not all are shown, is said on stderr.",
	.examples = examples,
	.options = bf_days_opts,
	.min_args = 1,
	.max_args = 1};

const struct bf_entry bf_look_gaps = {&command_gaps, run_gaps};
