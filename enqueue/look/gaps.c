/* `bfstat gaps PIPELINE`: the days that are not done, one a line, for other programs: `date`, or `step<TAB>date` when there are several. */
#include "base/mem.h"
#include "look/days.h"

/* What is not there, or not done where the data was not asked. */
static bool is_gap(unsigned char state)
{
	return state != BF_DAY_NONE && state != BF_DAY_DONE && state != BF_DAY_UNRECORDED;
}

static void print_gaps(const struct bf_section *s, bool alone)
{
	BF_AUTOBUF struct bf_buf name;
	char text[BF_DATE_TEXT];
	bf_buf_init(&name, 1u << 16);
	bf_section_name(&name, s);
	for (bf_date day = s->days.since; day <= s->days.until; day++) {
		unsigned char state = s->days.state[day - s->days.since];
		if (!is_gap(state))
			continue;
		if (alone)
			puts(bf_date_format(day, text));
		else
			printf("%s\t%s\n", name.data, bf_date_format(day, text));
	}
}

static void json_gaps(const struct bf_section *s, struct bf_json *j)
{
	char text[BF_DATE_TEXT];
	for (bf_date day = s->days.since; day <= s->days.until; day++) {
		unsigned char state = s->days.state[day - s->days.since];
		if (!is_gap(state))
			continue;
		bf_json_object(j, NULL);
		bf_json_text(j, "step", s->step);
		bf_json_raw(j, "identity", s->identity);
		bf_json_text(j, "date", bf_date_format(day, text));
		bf_json_text(j, "state", bf_day_name((enum bf_day)state));
		bf_json_close(j);
	}
}

static void print_all(const struct bf_look *l, const char *pipeline, const struct bf_coverage *c, bool json)
{
	struct bf_json j;
	if (json) {
		bf_json_begin(&j, stdout);
		bf_json_text(&j, "pipeline", pipeline);
		bf_json_array(&j, "gaps");
	}
	for (size_t i = 0; i < c->n; i++) {
		if (json)
			json_gaps(&c->sections[i], &j);
		else
			print_gaps(&c->sections[i], c->n == 1);
	}
	if (json) {
		bf_json_close(&j);
		bf_look_json_end(l, &j);
	}
}

static int run_gaps(const struct bf_command *command, int argc, char **argv)
{
	struct bf_days_options o = {.json = false};
	struct bf_look look = {.pg = NULL};
	struct bf_coverage c;
	struct bf_error err;
	BF_AUTOFREE const char **args = bf_alloc((size_t)(argc + 1) * sizeof(*args));
	int n_args, exit_code = 0;
	if (!bf_command_parse(command, argc, argv, &o, args, &n_args, &exit_code) || !bf_look_open(&look, BF_LEDGER, &exit_code))
		return exit_code;
	int rc = bf_coverage_load(&look, args[0], &o, &c, &err);
	if (rc == 0) {
		print_all(&look, args[0], &c, o.json);
		bf_coverage_release(&c);
	}
	bf_look_close(&look);
	return rc < 0 ? bf_program_fail(&err) : 0;
}

static const struct bf_command command_gaps = {
	.name = "gaps",
	.synopsis = "bfstat gaps PIPELINE [OPTION…]",
	.summary = "the days that are not done, one a line",
	.details =
		"A line is `date`, or `step<TAB>date` when the pipeline has several steps. What is asked for and not done is a gap: failed,\n"
		"running, waiting or never begun. Of steps that say what is expected and present: what is expected and not there.",
	.options = bf_days_opts,
	.min_args = 1,
	.max_args = 1};

const struct bf_entry bf_look_gaps = {&command_gaps, run_gaps};
