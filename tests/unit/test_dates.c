#include "base/clock.h"
#include "base/dates.h"
#include "base/error.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return days[month - 1] + (month == 2 && is_leap(year));
}

static bf_date parse(const char *s)
{
	bf_date d = -1;
	struct bf_error err = {0};
	if (bf_date_parse(s, &d, &err))
		fail_msg("%s: %s", s, err.text);
	return d;
}

static void every_day_from_1900_to_2999_makes_the_round_trip(void **state)
{
	(void)state;
	bf_date expected = -25567; /* 1900-01-01 */
	int weekday = 0;           /* a Monday */
	for (int y = 1900; y <= 2999; y++) {
		for (int m = 1; m <= 12; m++) {
			bf_date month_end = expected + days_in(y, m) - 1;
			for (int d = 1; d <= days_in(y, m); d++, expected++, weekday = (weekday + 1) % 7) {
				int y2, m2, d2;
				char text[BF_DATE_TEXT], text2[40];
				bf_date_split(expected, &y2, &m2, &d2);
				(void)snprintf(text2, sizeof(text2), "%04d-%02d-%02d", y, m, d);
				if (bf_date_make(y, m, d) != expected || y2 != y || m2 != m || d2 != d || bf_date_weekday(expected) != weekday ||
					bf_date_month_end(expected) != month_end || strcmp(bf_date_format(expected, text), text2) != 0 ||
					parse(text2) != expected)
					fail_msg("%s", text2);
			}
		}
	}
}

static void the_epoch_is_day_zero_and_a_thursday(void **state)
{
	(void)state;
	assert_int_equal(bf_date_make(1970, 1, 1), 0);
	assert_int_equal(bf_date_weekday(0), 3);
	assert_int_equal(bf_date_weekday(-1), 2);
	assert_int_equal(bf_date_make(2012, 1, 1), 15340);
}

static void february_has_29_days_in_leap_years_only(void **state)
{
	(void)state;
	bf_date d;
	for (int y = 1900; y <= 2999; y++) {
		char text[40];
		(void)snprintf(text, sizeof(text), "%04d-02-29", y);
		assert_int_equal(bf_date_parse(text, &d, NULL), is_leap(y) ? 0 : -BF_E_INPUT);
	}
}

static void what_is_not_a_date_is_refused_with_the_reason(void **state)
{
	(void)state;
	static const struct {
		const char *given, *text;
	} cases[] = {
		{"24-1-1", "found \"24-1-1\", expected YYYY-MM-DD"},
		{"", "found \"\", expected YYYY-MM-DD"},
		{"2024-01-1", "found \"2024-01-1\", expected YYYY-MM-DD"},
		{"2024-01-011", "found \"2024-01-011\", expected YYYY-MM-DD"},
		{"2024/01/01", "found \"2024/01/01\", expected YYYY-MM-DD"},
		{" 2024-01-1", "found \" 2024-01-1\", expected YYYY-MM-DD"},
		{"2024-01-+1", "found \"2024-01-+1\", expected YYYY-MM-DD"},
		{"2024-1a-01", "found \"2024-1a-01\", expected YYYY-MM-DD"},
		{"today\xff", "found \"today\\xff\", expected YYYY-MM-DD"},
		{"1899-12-31", "found \"1899-12-31\", expected YYYY-MM-DD with a year from 1900 to 2999"},
		{"3000-01-01", "found \"3000-01-01\", expected YYYY-MM-DD with a year from 1900 to 2999"},
		{"2024-00-01", "found \"2024-00-01\", expected YYYY-MM-DD with a month from 01 to 12"},
		{"2024-13-01", "found \"2024-13-01\", expected YYYY-MM-DD with a month from 01 to 12"},
		{"2024-02-30", "found \"2024-02-30\", but February 2024 has 29 days, 01 to 29"},
		{"2023-02-29", "found \"2023-02-29\", but February 2023 has 28 days, 01 to 28"},
		{"2024-09-31", "found \"2024-09-31\", but September 2024 has 30 days, 01 to 30"},
		{"2024-01-00", "found \"2024-01-00\", but January 2024 has 31 days, 01 to 31"},
	};
	for (size_t i = 0; i < BF_COUNT_OF(cases); i++) {
		bf_date d = 4711;
		struct bf_error err;
		assert_int_equal(bf_date_parse(cases[i].given, &d, &err), -BF_E_INPUT);
		assert_string_equal(err.text, cases[i].text);
		assert_int_equal(d, 4711);
	}
}

static void days_from_today_are_read_as_such(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bf_date days;
	} good[] = {{"today", 0}, {"yesterday", -1}, {"-1d", -1}, {"-7d", -7}, {"-2w", -14}, {"-20000d", -20000}, {"-2857w", -19999}};
	static const char *const bad[] = {"",     "-",    "-d",   "-7",      "7d",    "-0d",      "--7d",         "-7m",
									  "-+7d", "- 7d", "-7 d", "-20001d", "Today", "tomorrow", "-99999999999d"};
	bf_date day = 4711;
	bool relative;
	struct bf_error err = {0};
	for (size_t i = 0; i < BF_COUNT_OF(good); i++) {
		assert_int_equal(bf_day_parse(good[i].text, &day, &relative, &err), 0);
		assert_int_equal(day, good[i].days);
		assert_true(relative);
	}
	assert_int_equal(bf_day_parse("2024-02-29", &day, &relative, &err), 0);
	assert_int_equal(day, bf_date_make(2024, 2, 29));
	assert_false(relative);
	for (size_t i = 0; i < BF_COUNT_OF(bad); i++) {
		assert_int_equal(bf_day_parse(bad[i], &day, &relative, &err), -BF_E_INPUT);
		assert_non_null(strstr(err.text, "expected YYYY-MM-DD, today, yesterday"));
	}
}

static void a_range_of_one_day_is_printed_as_a_date(void **state)
{
	(void)state;
	char text[BF_RANGE_TEXT];
	assert_string_equal(bf_range_format(parse("2012-01-01"), parse("2012-01-01"), text), "2012-01-01");
	assert_string_equal(bf_range_format(parse("2012-01-01"), parse("2012-01-03"), text), "2012-01-01..2012-01-03");
}

static void a_range_is_read_as_it_is_printed(void **state)
{
	(void)state;
	bf_date since, until;
	assert_int_equal(bf_range_parse("2012-02-29", &since, &until, NULL), 0);
	assert_int_equal(since, parse("2012-02-29"));
	assert_int_equal(until, since);
	assert_int_equal(bf_range_parse("2012-01-01..2012-01-03", &since, &until, NULL), 0);
	assert_int_equal(since, parse("2012-01-01"));
	assert_int_equal(until, parse("2012-01-03"));
	assert_int_equal(bf_range_parse("2012-01-01..2012-01-01", &since, &until, NULL), 0);
	assert_int_equal(until, since);
}

static void a_wrong_range_is_refused_and_writes_nothing(void **state)
{
	(void)state;
	static const char *const bad[] = {"",
									  "..",
									  "2012-01-01..",
									  "..2012-01-01",
									  "2012-01-01...2012-01-02",
									  "2012-01-01..2012-01-02..2012-01-03",
									  "2012-01-03..2012-01-01",
									  "2012-01-01-2012-01-02",
									  "2012-02-30..2012-03-01"};
	for (size_t i = 0; i < BF_COUNT_OF(bad); i++) {
		bf_date since = 1, until = 2;
		assert_int_equal(bf_range_parse(bad[i], &since, &until, NULL), -BF_E_INPUT);
		assert_int_equal(since, 1);
		assert_int_equal(until, 2);
	}
	struct bf_error err;
	bf_date since, until;
	bf_range_parse("2012-01-03..2012-01-01", &since, &until, &err);
	assert_string_equal(err.text, "found \"2012-01-03..2012-01-01\", expected a last day that is not before the first");
}

/* Cuts [since, until] and joins the chunks' names by spaces. */
static void check_chunks(const char *since, const char *until, enum bf_unit unit, int size, const char *expected)
{
	char all[1000] = "";
	size_t len = 0;
	bf_date end = parse(until);
	for (bf_date at = parse(since); at <= end;) {
		bf_date last = bf_chunk_end(at, end, unit, size);
		assert_true(last >= at && last <= end);
		char text[BF_RANGE_TEXT];
		int n = snprintf(all + len, sizeof(all) - len, "%s%s", len ? " " : "", bf_range_format(at, last, text));
		len += (size_t)n;
		at = last + 1;
	}
	assert_string_equal(all, expected);
}

static void a_range_is_cut_by_days_and_the_last_chunk_is_what_is_left(void **state)
{
	(void)state;
	check_chunks("2012-02-27", "2012-03-02", BF_UNIT_DAY, 1, "2012-02-27 2012-02-28 2012-02-29 2012-03-01 2012-03-02");
	check_chunks("2012-02-27", "2012-03-04", BF_UNIT_DAY, 3, "2012-02-27..2012-02-29 2012-03-01..2012-03-03 2012-03-04");
	check_chunks("2012-01-01", "2012-01-06", BF_UNIT_DAY, 3, "2012-01-01..2012-01-03 2012-01-04..2012-01-06");
	check_chunks("2012-01-01", "2012-01-02", BF_UNIT_DAY, INT32_MAX, "2012-01-01..2012-01-02");
}

static void chunks_of_months_begin_on_the_first(void **state)
{
	(void)state;
	check_chunks("2011-12-30", "2012-03-02", BF_UNIT_MONTH, 1,
				 "2011-12-30..2011-12-31 2012-01-01..2012-01-31 2012-02-01..2012-02-29 2012-03-01..2012-03-02");
	check_chunks("2011-11-15", "2012-05-31", BF_UNIT_MONTH, 3, "2011-11-15..2012-01-31 2012-02-01..2012-04-30 2012-05-01..2012-05-31");
	check_chunks("2012-01-31", "2012-02-01", BF_UNIT_MONTH, 1, "2012-01-31 2012-02-01");
	check_chunks("2012-01-31", "2012-02-01", BF_UNIT_MONTH, INT32_MAX, "2012-01-31..2012-02-01");
}

static void chunks_cover_the_range_once(void **state)
{
	(void)state;
	bf_date since = parse("2012-01-01"), until = parse("2015-12-31");
	for (int size = 1; size <= 40; size++) {
		for (int unit = BF_UNIT_DAY; unit <= BF_UNIT_MONTH; unit++) {
			bf_date at = since;
			while (at <= until) {
				bf_date last = bf_chunk_end(at, until, (enum bf_unit)unit, size);
				assert_true(last >= at);
				if (unit == BF_UNIT_DAY && last != until)
					assert_int_equal(last - at + 1, size);
				if (unit == BF_UNIT_MONTH)
					assert_int_equal(last, bf_date_month_end(last));
				at = last + 1;
			}
			assert_int_equal(at, until + 1);
		}
	}
}

static void a_moment_is_printed_in_utc_with_milliseconds(void **state)
{
	(void)state;
	char text[BF_TIME_TEXT];
	assert_string_equal(bf_time_format(0, text), "1970-01-01T00:00:00.000Z");
	assert_string_equal(bf_time_format(1705314600123, text), "2024-01-15T10:30:00.123Z");
	assert_string_equal(bf_time_format(-1, text), "1969-12-31T23:59:59.999Z");
	assert_string_equal(bf_time_format(951868799999, text), "2000-02-29T23:59:59.999Z");
}

static void the_monotonic_clock_does_not_go_back(void **state)
{
	(void)state;
	int64_t ms = bf_mono_ms(), us = bf_mono_us();
	assert_true(us / 1000 >= ms);
	assert_true(bf_mono_us() >= us);
	assert_true(bf_wall_ms() > 1700000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_day_from_1900_to_2999_makes_the_round_trip),
		cmocka_unit_test(days_from_today_are_read_as_such),
		cmocka_unit_test(the_epoch_is_day_zero_and_a_thursday),
		cmocka_unit_test(february_has_29_days_in_leap_years_only),
		cmocka_unit_test(what_is_not_a_date_is_refused_with_the_reason),
		cmocka_unit_test(a_range_of_one_day_is_printed_as_a_date),
		cmocka_unit_test(a_range_is_read_as_it_is_printed),
		cmocka_unit_test(a_wrong_range_is_refused_and_writes_nothing),
		cmocka_unit_test(a_range_is_cut_by_days_and_the_last_chunk_is_what_is_left),
		cmocka_unit_test(chunks_of_months_begin_on_the_first),
		cmocka_unit_test(chunks_cover_the_range_once),
		cmocka_unit_test(a_moment_is_printed_in_utc_with_milliseconds),
		cmocka_unit_test(the_monotonic_clock_does_not_go_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
