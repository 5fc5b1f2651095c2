#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_name_is_lower_case_digits_and_dashes(void **state)
{
	(void)state;
	static const char *const good[] = {"a", "daily", "creator-daily", "a1-", "z---9"};
	static const char *const bad[] = {"", "1a", "-a", "A", "aB", "a b", "a/b", "a.b", "a_b", "../x", "é", "a\n", "a'b"};
	for (size_t i = 0; i < BF_COUNT_OF(good); i++)
		assert_true(bf_name_valid(good[i]));
	for (size_t i = 0; i < BF_COUNT_OF(bad); i++)
		assert_false(bf_name_valid(bad[i]));
	assert_false(bf_name_valid(NULL));
}

static void a_run_id_may_have_dots_and_begin_with_a_digit(void **state)
{
	(void)state;
	static const char *const good[] = {"creator-daily.k3v9qa", "2024.x", "0", "a..b"};
	static const char *const bad[] = {"", ".a", "-a", "A", "a/b", "a b", "a:b", "a\xff"};
	for (size_t i = 0; i < BF_COUNT_OF(good); i++)
		assert_true(bf_run_valid(good[i]));
	for (size_t i = 0; i < BF_COUNT_OF(bad); i++)
		assert_false(bf_run_valid(bad[i]));
}

static void names_and_run_ids_have_a_longest_length(void **state)
{
	(void)state;
	char text[301];
	memset(text, 'a', sizeof(text));
	text[300] = '\0';
	assert_false(bf_name_valid(text));
	assert_false(bf_run_valid(text));
	assert_true(bf_name_valid(text + 300 - BF_NAME_MAX));
	assert_false(bf_name_valid(text + 300 - BF_NAME_MAX - 1));
	assert_true(bf_run_valid(text + 300 - BF_RUN_MAX));
	assert_false(bf_run_valid(text + 300 - BF_RUN_MAX - 1));
}

/* The encoding of a code point, straight from its definition and without the checks. */
static size_t encode(uint32_t c, char out[static 4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3F));
	out[0] = (char)(lead[n] | c);
	return n;
}

static void every_character_of_unicode_is_valid_and_nothing_else_is(void **state)
{
	(void)state;
	char s[4];
	for (uint32_t c = 1; c < 0x1FFFFF; c++) {
		size_t n = encode(c, s);
		bool good = c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF);
		if (bf_utf8_valid(s, n) != good || bf_utf8_char(s, n) != (good ? n : 0))
			fail_msg("U+%04X", (unsigned)c);
		if (n > 1 && bf_utf8_valid(s, n - 1))
			fail_msg("U+%04X cut short", (unsigned)c);
	}
}

static void overlong_forms_and_stray_bytes_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF",      "\xF0\x8F\xBF\xBF",
									  "\xFE", "\xFF", "a\xC3",    "\xC3(",    "\xE2\x82(",    "ok\xF5\x80\x80\x80"};
	for (size_t i = 0; i < BF_COUNT_OF(bad); i++)
		assert_false(bf_utf8_valid(bad[i], strlen(bad[i])));
	assert_false(bf_utf8_valid("a\0b", 3));
	assert_true(bf_utf8_valid("", 0));
}

static void cleaning_replaces_each_bad_byte_and_keeps_the_rest(void **state)
{
	(void)state;
	BF_AUTOBUF struct bf_buf b;
	bf_buf_init(&b, 1000);
	bf_utf8_clean(&b, "aé\xff\xfe€b\0c\xe2\x82", 13);
	assert_string_equal(b.data, "aé\uFFFD\uFFFD€b\uFFFDc\uFFFD\uFFFD");
	bf_buf_clear(&b);
	bf_utf8_clean(&b, "", 0);
	assert_string_equal(b.data, "");
	bf_utf8_clean(&b, "plain é", 8);
	assert_string_equal(b.data, "plain é");
}

static void any_bytes_become_valid_utf8(void **state)
{
	(void)state;
	uint32_t x = 12345;
	for (int round = 0; round < 2000; round++) {
		char bytes[40];
		for (size_t i = 0; i < sizeof(bytes); i++) {
			x = x * 1664525U + 1013904223U;
			bytes[i] = (char)(x >> 24);
		}
		BF_AUTOBUF struct bf_buf b;
		bf_buf_init(&b, 1000);
		bf_utf8_clean(&b, bytes, sizeof(bytes));
		assert_true(bf_utf8_valid(b.data, b.len));
		bf_buf_clear(&b);
		bf_text_quote(&b, bytes, sizeof(bytes), 30);
		assert_true(bf_utf8_valid(b.data, b.len));
		for (size_t i = 0; i < b.len; i++)
			assert_true((unsigned char)b.data[i] >= 0x20);
	}
}

static void check_quote(const char *s, size_t len, size_t max, const char *expected)
{
	BF_AUTOBUF struct bf_buf b;
	bf_buf_init(&b, 1000);
	bf_text_quote(&b, s, len, max);
	assert_string_equal(b.data, expected);
}

static void a_quoted_text_shows_what_cannot_be_seen(void **state)
{
	(void)state;
	check_quote("abc", 3, 10, "\"abc\"");
	check_quote("", 0, 10, "\"\"");
	check_quote("a\nb\tc\rd", 7, 10, "\"a\\nb\\tc\\rd\"");
	check_quote("\x1b[31m", 5, 10, "\"\\x1b[31m\"");
	check_quote("a\"b\\c", 5, 10, "\"a\\\"b\\\\c\"");
	check_quote("\xff\xc3é", 4, 10, "\"\\xff\\xc3é\"");
	check_quote("a\0b", 3, 10, "\"a\\x00b\"");
	check_quote("\xc2\x9b", 2, 10, "\"\\u009b\"");
	check_quote("\u202e", 3, 10, "\"\\u202e\"");
}

static void a_quoted_text_is_cut_at_a_whole_character(void **state)
{
	(void)state;
	check_quote("abcdef", 6, 6, "\"abcdef\"");
	check_quote("abcdef", 6, 5, "\"abcde…\"");
	check_quote("ab€f", 6, 4, "\"ab…\"");
	check_quote("ab€f", 6, 5, "\"ab€…\"");
	check_quote("ab", 2, 0, "\"…\"");
}

static void the_nearest_word_is_what_was_meant(void **state)
{
	(void)state;
	static const char *const words[] = {"run", "stop", "resume", "cancel", "retry", "rollback", "batch-days", "batchDays", NULL};
	assert_string_equal(bf_text_nearest("batch-dayz", words), "batch-days");
	assert_string_equal(bf_text_nearest("batchDay", words), "batchDays");
	assert_string_equal(bf_text_nearest("rnu", words), "run");
	assert_string_equal(bf_text_nearest("cancle", words), "cancel");
	assert_string_equal(bf_text_nearest("rety", words), "retry");
	assert_string_equal(bf_text_nearest("stop", words), "stop");
	assert_string_equal(bf_text_nearest("rn", words), "run");
}

static void a_word_near_to_nothing_gets_no_suggestion(void **state)
{
	(void)state;
	static const char *const words[] = {"run", "stop", NULL}, *const none[] = {NULL};
	assert_null(bf_text_nearest("frobnicate", words));
	assert_null(bf_text_nearest("", words));
	assert_null(bf_text_nearest("ab", words));
	assert_null(bf_text_nearest("run", none));
	char huge[1000];
	memset(huge, 'r', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	assert_null(bf_text_nearest(huge, words));
	const char *const long_words[] = {huge, NULL};
	assert_null(bf_text_nearest("rrr", long_words));
}

static void whole_numbers_are_read_to_the_last_one(void **state)
{
	(void)state;
	int64_t n = 0;
	assert_int_equal(bf_text_int("30", 1, 30, &n), 0);
	assert_int_equal(n, 30);
	assert_int_equal(bf_text_int("-7", -10, 10, &n), 0);
	assert_int_equal(n, -7);
	assert_int_equal(bf_text_int("007", 0, 10, &n), 0);
	assert_int_equal(n, 7);
	assert_int_equal(bf_text_int("9223372036854775807", INT64_MIN, INT64_MAX, &n), 0);
	assert_true(n == INT64_MAX);
	assert_int_equal(bf_text_int("-9223372036854775808", INT64_MIN, INT64_MAX, &n), 0);
	assert_true(n == INT64_MIN);
}

static void what_is_not_a_number_in_range_writes_nothing(void **state)
{
	(void)state;
	static const char *const bad[] = {"",
									  "-",
									  "abc",
									  "1a",
									  " 1",
									  "1 ",
									  "+1",
									  "1.0",
									  "0x10",
									  "1e3",
									  "--1",
									  "0",
									  "31",
									  "-1",
									  "99999999999999999999",
									  "9223372036854775808",
									  "-9223372036854775809",
									  "18446744073709551617"};
	for (size_t i = 0; i < BF_COUNT_OF(bad); i++) {
		int64_t n = 4711;
		assert_int_equal(bf_text_int(bad[i], 1, 30, &n), -BF_E_INPUT);
		assert_int_equal(n, 4711);
	}
	int64_t n;
	assert_int_equal(bf_text_int("9223372036854775808", INT64_MIN, INT64_MAX, &n), -BF_E_INPUT);
}

static void random_text_has_its_length_and_all_its_letters(void **state)
{
	(void)state;
	char text[2001];
	bf_text_random(text, 2000);
	assert_int_equal(strlen(text), 2000);
	assert_int_equal(strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789"), 2000);
	for (const char *c = "abcdefghijklmnopqrstuvwxyz0123456789"; *c; c++)
		assert_non_null(strchr(text, *c));
	bf_text_random(text, 0);
	assert_string_equal(text, "");
}

static void numbers_are_grouped_by_thousands(void **state)
{
	(void)state;
	char out[28];
	assert_string_equal(bf_text_group(0, out), "0");
	assert_string_equal(bf_text_group(999, out), "999");
	assert_string_equal(bf_text_group(1000, out), "1,000");
	assert_string_equal(bf_text_group(1234567, out), "1,234,567");
	assert_string_equal(bf_text_group(-123456, out), "-123,456");
	assert_string_equal(bf_text_group(INT64_MAX, out), "9,223,372,036,854,775,807");
	assert_string_equal(bf_text_group(INT64_MIN, out), "-9,223,372,036,854,775,808");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_lower_case_digits_and_dashes),
		cmocka_unit_test(a_run_id_may_have_dots_and_begin_with_a_digit),
		cmocka_unit_test(names_and_run_ids_have_a_longest_length),
		cmocka_unit_test(every_character_of_unicode_is_valid_and_nothing_else_is),
		cmocka_unit_test(overlong_forms_and_stray_bytes_are_refused),
		cmocka_unit_test(cleaning_replaces_each_bad_byte_and_keeps_the_rest),
		cmocka_unit_test(any_bytes_become_valid_utf8),
		cmocka_unit_test(a_quoted_text_shows_what_cannot_be_seen),
		cmocka_unit_test(a_quoted_text_is_cut_at_a_whole_character),
		cmocka_unit_test(the_nearest_word_is_what_was_meant),
		cmocka_unit_test(a_word_near_to_nothing_gets_no_suggestion),
		cmocka_unit_test(whole_numbers_are_read_to_the_last_one),
		cmocka_unit_test(what_is_not_a_number_in_range_writes_nothing),
		cmocka_unit_test(random_text_has_its_length_and_all_its_letters),
		cmocka_unit_test(numbers_are_grouped_by_thousands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
