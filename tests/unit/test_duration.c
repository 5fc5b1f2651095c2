#include "base/duration.h"
#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_duration_is_a_whole_number_and_one_unit(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {{"500ms", 500},
				 {"30s", 30000},
				 {"10m", 600000},
				 {"1h", 3600000},
				 {"72h", 259200000},
				 {"2d", 172800000},
				 {"0s", 0},
				 {"007s", 7000},
				 {"366d", BF_DURATION_MAX_MS},
				 {"31622400000ms", BF_DURATION_MAX_MS}};
	for (size_t i = 0; i < BF_COUNT_OF(cases); i++) {
		int64_t ms = -1;
		assert_int_equal(bf_duration_parse(cases[i].text, &ms, NULL), 0);
		assert_int_equal(ms, cases[i].ms);
	}
}

static void what_is_not_a_duration_is_refused_and_writes_nothing(void **state)
{
	(void)state;
	static const char *const bad[] = {"",
									  "s",
									  "10",
									  "-1s",
									  "1.5h",
									  "1 h",
									  " 1h",
									  "1h ",
									  "1h30m",
									  "1H",
									  "1w",
									  "1msx",
									  "+1s",
									  "367d",
									  "31622400001ms",
									  "99999999999999999999s",
									  "9223372036854775807d"};
	for (size_t i = 0; i < BF_COUNT_OF(bad); i++) {
		int64_t ms = 4711;
		struct bf_error err;
		assert_int_equal(bf_duration_parse(bad[i], &ms, &err), -BF_E_INPUT);
		assert_int_equal(ms, 4711);
	}
}

static void a_refused_duration_says_what_is_expected(void **state)
{
	(void)state;
	int64_t ms;
	struct bf_error err;
	bf_duration_parse("10", &ms, &err);
	assert_string_equal(err.text, "found \"10\", expected a whole number and a unit (ms, s, m, h or d), such as 30s");
	bf_duration_parse("99999999999999999999d", &ms, &err);
	assert_string_equal(err.text, "found \"99999999999999999999d\", expected at most 366d");
}

static void a_duration_is_printed_in_its_largest_exact_unit(void **state)
{
	(void)state;
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {{0, "0s"},
				 {1, "1ms"},
				 {1500, "1500ms"},
				 {90000, "90s"},
				 {60000, "1m"},
				 {3600000, "1h"},
				 {5400000, "90m"},
				 {259200000, "3d"},
				 {90000000, "25h"},
				 {BF_DURATION_MAX_MS, "366d"},
				 {BF_DURATION_MAX_MS - 1, "31622399999ms"}};
	for (size_t i = 0; i < BF_COUNT_OF(cases); i++) {
		char text[BF_DURATION_TEXT];
		int64_t ms;
		assert_string_equal(bf_duration_format(cases[i].ms, text), cases[i].text);
		assert_int_equal(bf_duration_parse(text, &ms, NULL), 0);
		assert_int_equal(ms, cases[i].ms);
	}
}

static void people_read_a_duration_in_two_units(void **state)
{
	(void)state;
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {{-5, "0 ms"},
				 {850, "850 ms"},
				 {999, "999 ms"},
				 {1000, "1.0 s"},
				 {12345, "12.3 s"},
				 {59999, "59.9 s"},
				 {60000, "1 min 00 s"},
				 {250000, "4 min 10 s"},
				 {3599999, "59 min 59 s"},
				 {7500000, "2 h 05 min"},
				 {86399999, "23 h 59 min"},
				 {273600000, "3 d 4 h"},
				 {8639999999999, "99999 d 23 h"},
				 {8640000000000, "over 99999 d"},
				 {INT64_MAX, "over 99999 d"}};
	for (size_t i = 0; i < BF_COUNT_OF(cases); i++) {
		char text[BF_DURATION_TEXT];
		assert_string_equal(bf_duration_human(cases[i].ms, text), cases[i].text);
	}
}

static void a_rate_is_the_time_between_two_starts(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		double ms;
	} cases[] = {{"20/minute", 3000}, {"5/second", 200},        {"100/hour", 36000},      {"1000/day", 86400},
				 {"1/day", 86400000}, {"3/second", 1000.0 / 3}, {"1000000/second", 0.001}};
	for (size_t i = 0; i < BF_COUNT_OF(cases); i++) {
		double ms = -1;
		assert_int_equal(bf_rate_parse(cases[i].text, &ms, NULL), 0);
		assert_true(fabs(ms - cases[i].ms) < 1e-9 * cases[i].ms);
	}
}

static void what_is_not_a_rate_is_refused_and_writes_nothing(void **state)
{
	(void)state;
	static const char *const bad[] = {"",
									  "20",
									  "/minute",
									  "0/minute",
									  "-1/minute",
									  "20/min",
									  "20 /minute",
									  "20/ms",
									  "20/",
									  "20/minutes",
									  "1.5/day",
									  "1000001/second",
									  "99999999999999999999/day"};
	for (size_t i = 0; i < BF_COUNT_OF(bad); i++) {
		double ms = 4711;
		struct bf_error err;
		assert_int_equal(bf_rate_parse(bad[i], &ms, &err), -BF_E_INPUT);
		assert_true(ms > 4710.5 && ms < 4711.5);
		assert_non_null(strstr(err.text, "expected"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_duration_is_a_whole_number_and_one_unit),
		cmocka_unit_test(what_is_not_a_duration_is_refused_and_writes_nothing),
		cmocka_unit_test(a_refused_duration_says_what_is_expected),
		cmocka_unit_test(a_duration_is_printed_in_its_largest_exact_unit),
		cmocka_unit_test(people_read_a_duration_in_two_units),
		cmocka_unit_test(a_rate_is_the_time_between_two_starts),
		cmocka_unit_test(what_is_not_a_rate_is_refused_and_writes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
