#include "base/buf.h"
#include "base/dates.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct into {
	struct bf_opt_date since, until;
	int64_t batch_days, wait_ms, at_least;
	const char *order, *note;
	struct bf_opt_list keys, steps;
	bool dry_run;
};

static const char *const orders[] = {"asc", "desc", NULL};
static const char *const modes[] = {"none", "failed", "completed", NULL};

static const struct bf_opt options[] = {
	{.name = "since", .type = BF_OPT_DATE, .offset = offsetof(struct into, since), .value = "DATE", .help = "first day"},
	{.name = "until", .type = BF_OPT_DATE, .offset = offsetof(struct into, until), .value = "DATE", .help = "last day"},
	{.name = "batch-days",
	 .alias = "batchDays",
	 .type = BF_OPT_INT,
	 .offset = offsetof(struct into, batch_days),
	 .value = "N",
	 .help = "days in a chunk",
	 .min = 1,
	 .max = 30},
	{.name = "at-least", .type = BF_OPT_INT, .offset = offsetof(struct into, at_least), .help = "a number", .min = 5, .max = INT64_MAX},
	{.name = "wait", .type = BF_OPT_DURATION, .offset = offsetof(struct into, wait_ms), .help = "how long"},
	{.name = "order", .type = BF_OPT_CHOICE, .offset = offsetof(struct into, order), .choices = orders, .help = "of the chunks"},
	{.name = "reprocess-what-is-there",
	 .type = BF_OPT_CHOICE,
	 .offset = offsetof(struct into, order),
	 .choices = modes,
	 .help = "on the next line"},
	{.name = "note", .type = BF_OPT_TEXT, .offset = offsetof(struct into, note), .value = "TEXT", .help = "why"},
	{.name = "key", .type = BF_OPT_LIST, .offset = offsetof(struct into, keys), .value = "K…", .help = "only these"},
	{.name = "step", .type = BF_OPT_LIST, .offset = offsetof(struct into, steps), .value = "S", .help = "only these"},
	{.name = "dry-run", .type = BF_OPT_FLAG, .offset = offsetof(struct into, dry_run), .help = "print the plan"},
	{0},
};

static const struct bf_command run = {
	.name = "run",
	.synopsis = "enqueue run PIPELINE --since=DATE --until=DATE [OPTION…]",
	.summary = "Plans a run.",
	.options = options,
	.min_args = 1,
	.max_args = 2,
};

#define ARGS_MAX 32
static struct into got;
static const char *args[ARGS_MAX];
static int n_args;
static bool help;
static struct bf_error err;

/* Parses a command line written as words that single spaces separate. */
static int parse(const struct bf_command *cmd, const char *line)
{
	static char text[1000];
	char *argv[ARGS_MAX];
	int argc = 0;
	(void)snprintf(text, sizeof(text), "%s", line);
	char *rest = text, *word;
	while (*line && (word = strsep(&rest, " ")))
		argv[argc++] = word;
	memset(&got, 0, sizeof(got));
	memset(args, 0, sizeof(args));
	memset(&err, 0, sizeof(err));
	return bf_options_parse(cmd, argc, argv, &got, args, &n_args, &help, &err);
}

static void assert_parses(const char *line)
{
	if (parse(&run, line))
		fail_msg("%s: %s", line, err.text);
}

static void assert_refused(const char *line, const char *text)
{
	assert_int_equal(parse(&run, line), -BF_E_INPUT);
	assert_string_equal(err.text, text);
	assert_int_equal(err.code, BF_E_INPUT);
}

static void every_type_is_stored_in_its_field(void **state)
{
	(void)state;
	assert_parses("--since=2012-01-01 weather --until 2015-12-31 --batch-days=3 --wait=10m --order desc --note=a=b --dry-run");
	assert_true(got.since.given && got.until.given);
	assert_int_equal(got.since.day, bf_date_make(2012, 1, 1));
	assert_int_equal(got.until.day, bf_date_make(2015, 12, 31));
	assert_int_equal(got.batch_days, 3);
	assert_int_equal(got.wait_ms, 600000);
	assert_ptr_equal(got.order, orders[1]);
	assert_string_equal(got.note, "a=b");
	assert_true(got.dry_run);
	assert_int_equal(n_args, 1);
	assert_string_equal(args[0], "weather");
	assert_false(help);
}

static void what_is_not_given_keeps_its_default(void **state)
{
	(void)state;
	assert_parses("weather");
	assert_false(got.since.given);
	assert_int_equal(got.keys.count, 0);
	assert_null(got.note);
	assert_false(got.dry_run);
}

static void an_alias_is_the_option_itself(void **state)
{
	(void)state;
	assert_parses("weather --batchDays=7");
	assert_int_equal(got.batch_days, 7);
	assert_refused("weather --batchDays=7 --batch-days=7", "--batch-days: given twice, expected once");
	assert_refused("weather --batchDays=0", "--batchDays: found \"0\", expected a whole number from 1 to 30");
}

static void lists_keep_their_items_in_order_beside_the_arguments(void **state)
{
	(void)state;
	assert_parses("a --key=1 --step x --key 2 b --step=y --key=--3 --key=");
	assert_int_equal(n_args, 2);
	assert_string_equal(args[0], "a");
	assert_string_equal(args[1], "b");
	assert_int_equal(got.keys.count, 4);
	assert_string_equal(got.keys.items[0], "1");
	assert_string_equal(got.keys.items[1], "2");
	assert_string_equal(got.keys.items[2], "--3");
	assert_string_equal(got.keys.items[3], "");
	assert_int_equal(got.steps.count, 2);
	assert_string_equal(got.steps.items[0], "x");
	assert_string_equal(got.steps.items[1], "y");
}

static void two_dashes_end_the_options(void **state)
{
	(void)state;
	assert_parses("-- --dry-run --");
	assert_false(got.dry_run);
	assert_int_equal(n_args, 2);
	assert_string_equal(args[0], "--dry-run");
	assert_string_equal(args[1], "--");
	assert_parses("- -- --help");
	assert_string_equal(args[0], "-");
	assert_false(help);
}

static void an_unknown_option_is_refused_with_the_near_one(void **state)
{
	(void)state;
	assert_refused("weather --batch-dayz=3", "enqueue run: unknown option --batch-dayz (did you mean --batch-days?)");
	assert_refused("--dryrun", "enqueue run: unknown option --dryrun (did you mean --dry-run?)");
	assert_refused("-since=2012-01-01", "enqueue run: unknown option -since (did you mean --since?)");
	assert_refused("--hepl", "enqueue run: unknown option --hepl (did you mean --help?)");
	assert_refused("--batchdays", "enqueue run: unknown option --batchdays (did you mean --batch-days?)");
	assert_refused("--frobnicate", "enqueue run: unknown option --frobnicate (--help lists the options)");
	assert_refused("-x", "enqueue run: unknown option -x (--help lists the options)");
	assert_refused("--=3", "enqueue run: unknown option -- (--help lists the options)");
	assert_refused("--\xff\x1b[2J", "enqueue run: unknown option \"--\\xff\\x1b[2J\" (--help lists the options)");
}

static void numbers_outside_their_range_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"0", "31", "-1", "abc", "99999999999999999999", "", "3.5"};
	for (size_t i = 0; i < BF_COUNT_OF(bad); i++) {
		BF_AUTOFREE char *line = bf_asprintf("weather --batch-days=%s", bad[i]);
		BF_AUTOFREE char *text = bf_asprintf("--batch-days: found \"%s\", expected a whole number from 1 to 30", bad[i]);
		assert_refused(line, text);
	}
	assert_refused("weather --batch-days -1", "--batch-days: found \"-1\", expected a whole number from 1 to 30");
	assert_refused("weather --at-least=4", "--at-least: found \"4\", expected a whole number of at least 5");
}

static void dates_and_durations_say_what_is_wrong_with_them(void **state)
{
	(void)state;
	assert_refused("w --since=2024-02-30", "--since: found \"2024-02-30\", but February 2024 has 29 days, 01 to 29");
	assert_refused("w --until 24-1-1",
				   "--until: found \"24-1-1\", expected YYYY-MM-DD, today, yesterday, or so many days or weeks ago: -7d, -2w");
	assert_false(got.until.given);
	assert_refused("w --wait=10", "--wait: found \"10\", expected a whole number and a unit (ms, s, m, h or d), such as 30s");
}

static void a_choice_lists_the_right_words(void **state)
{
	(void)state;
	assert_refused("w --order=down", "--order: found \"down\", expected asc or desc");
	assert_refused("w --reprocess-what-is-there=all", "--reprocess-what-is-there: found \"all\", expected none, failed or completed");
}

static void a_switch_takes_no_value(void **state)
{
	(void)state;
	assert_refused("w --dry-run=yes", "--dry-run: found \"yes\", expected no value: it is a switch");
	assert_refused("w --dry-run=", "--dry-run: found \"\", expected no value: it is a switch");
	assert_refused("w --help=yes", "--help: found \"yes\", expected --help without a value");
}

static void a_missing_value_is_not_taken_from_the_next_option(void **state)
{
	(void)state;
	assert_refused("w --since --until=2012-01-01", "--since: a value is missing, expected --since=DATE");
	assert_refused("w --order", "--order: a value is missing, expected --order=asc|desc");
	assert_refused("w --note --", "--note: a value is missing, expected --note=TEXT");
}

static void an_option_given_twice_is_refused(void **state)
{
	(void)state;
	assert_refused("w --note=a --note=a", "--note: given twice, expected once");
	assert_refused("w --dry-run --dry-run", "--dry-run: given twice, expected once");
}

static void text_that_is_not_utf8_is_refused(void **state)
{
	(void)state;
	assert_refused("w --note=a\xff", "--note: found \"a\\xff\", expected text in UTF-8");
	assert_refused("w --key=\xc3", "--key: found \"\\xc3\", expected text in UTF-8");
}

static void the_number_of_arguments_is_checked(void **state)
{
	(void)state;
	assert_refused("", "enqueue run: an argument is missing, expected: enqueue run PIPELINE --since=DATE --until=DATE [OPTION…]");
	assert_refused("a b \x1b", "enqueue run: found one argument too many, \"\\x1b\", expected: enqueue run PIPELINE --since=DATE "
							   "--until=DATE [OPTION…]");
	struct bf_command any = run;
	any.max_args = -1;
	assert_int_equal(parse(&any, "a b c d"), 0);
	assert_int_equal(n_args, 4);
}

static void a_long_value_is_cut_in_the_message(void **state)
{
	(void)state;
	char line[600] = "w --order=";
	size_t len = strlen(line);
	memset(line + len, 'a', sizeof(line) - len - 1);
	assert_int_equal(parse(&run, line), -BF_E_INPUT);
	assert_true(strlen(err.text) < 120);
	assert_non_null(strstr(err.text, "a…\", expected asc or desc"));
	memset(line + 2, '-', 2);
	memset(line + 4, 'b', sizeof(line) - 5);
	assert_int_equal(parse(&run, line), -BF_E_INPUT);
	assert_true(strlen(err.text) < 150);
}

static void help_wins_over_everything_else(void **state)
{
	(void)state;
	assert_parses("--nonsense --since=never --help --batch-days");
	assert_true(help);
	assert_int_equal(n_args, 0);
}

static void help_is_made_from_the_table(void **state)
{
	(void)state;
	struct bf_command cmd = run;
	cmd.details = "Some more.";
	BF_AUTOBUF struct bf_buf out;
	bf_buf_init(&out, 10000);
	bf_options_help(&cmd, 0, &out);
	assert_string_equal(out.data, "Usage: enqueue run PIPELINE --since=DATE --until=DATE [OPTION…]\n"
								  "\n"
								  "Plans a run.\n"
								  "\n"
								  "Some more.\n"
								  "\n"
								  "Options:\n"
								  "  --since=DATE      first day\n"
								  "  --until=DATE      last day\n"
								  "  --batch-days=N    days in a chunk (1 to 30; also --batchDays)\n"
								  "  --at-least=N      a number\n"
								  "  --wait=TIME       how long\n"
								  "  --order=asc|desc  of the chunks\n"
								  "  --reprocess-what-is-there=none|failed|completed\n"
								  "                    on the next line\n"
								  "  --note=TEXT       why\n"
								  "  --key=K…          only these\n"
								  "  --step=S          only these\n"
								  "  --dry-run         print the plan\n"
								  "  --help            show this help and exit\n");
}

static void messages_begin_with_the_command_as_it_is_typed(void **state)
{
	(void)state;
	struct bf_command worker = {.name = "worker", .synopsis = "worker [OPTION…]", .summary = "Works.", .options = options};
	assert_int_equal(parse(&worker, "--nope"), -BF_E_INPUT);
	assert_string_equal(err.text, "worker: unknown option --nope (did you mean --note?)");
	worker.synopsis = "something else";
	assert_int_equal(parse(&worker, "x"), -BF_E_INPUT);
	assert_string_equal(err.text, "worker: found one argument too many, \"x\", expected: something else");
}

#define REFUSED(argument, where, what) \
	assert_refused(argument, where ": found the placeholder " what " of a help text, expected your own word in its place")

static void a_placeholder_that_was_pasted_is_no_value(void **state)
{
	(void)state;
	REFUSED("weather --note=…", "--note", "…");
	REFUSED("weather --note=...", "--note", "...");
	REFUSED("weather --note=TEXT", "--note", "TEXT");
	REFUSED("weather --note=<TEXT>", "--note", "<TEXT>");
	REFUSED("weather --since=DATE", "--since", "DATE");
	REFUSED("weather --wait=TIME", "--wait", "TIME");
	REFUSED("weather --key=…", "--key", "…");
	REFUSED("PIPELINE", "run", "PIPELINE");
	REFUSED("weather …", "run", "…");
	assert_parses("weather --note=TEXTS --key=K --step=S");
	assert_parses("weather --note=RUN");
	assert_parses("weather PIPELINE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_is_stored_in_its_field),
		cmocka_unit_test(what_is_not_given_keeps_its_default),
		cmocka_unit_test(an_alias_is_the_option_itself),
		cmocka_unit_test(lists_keep_their_items_in_order_beside_the_arguments),
		cmocka_unit_test(two_dashes_end_the_options),
		cmocka_unit_test(an_unknown_option_is_refused_with_the_near_one),
		cmocka_unit_test(numbers_outside_their_range_are_refused),
		cmocka_unit_test(dates_and_durations_say_what_is_wrong_with_them),
		cmocka_unit_test(a_choice_lists_the_right_words),
		cmocka_unit_test(a_switch_takes_no_value),
		cmocka_unit_test(a_missing_value_is_not_taken_from_the_next_option),
		cmocka_unit_test(an_option_given_twice_is_refused),
		cmocka_unit_test(text_that_is_not_utf8_is_refused),
		cmocka_unit_test(the_number_of_arguments_is_checked),
		cmocka_unit_test(a_long_value_is_cut_in_the_message),
		cmocka_unit_test(help_wins_over_everything_else),
		cmocka_unit_test(help_is_made_from_the_table),
		cmocka_unit_test(messages_begin_with_the_command_as_it_is_typed),
		cmocka_unit_test(a_placeholder_that_was_pasted_is_no_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
