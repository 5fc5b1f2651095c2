#include "base/error.h"
#include "base/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_failure_fills_the_error_and_returns_its_code(void **state)
{
	(void)state;
	struct bf_error err;
	memset(&err, 'x', sizeof(err));
	assert_int_equal(bf_fail(&err, BF_E_CONFLICT, "run %s is %s", "a.b", "done"), -BF_E_CONFLICT);
	assert_int_equal(err.code, BF_E_CONFLICT);
	assert_int_equal(err.sys_errno, 0);
	assert_string_equal(err.sqlstate, "");
	assert_string_equal(err.text, "run a.b is done");
}

static void a_caller_that_does_not_ask_gets_the_code_alone(void **state)
{
	(void)state;
	assert_int_equal(bf_fail(NULL, BF_E_INPUT, "x"), -BF_E_INPUT);
	assert_int_equal(bf_fail_errno(NULL, ENOENT, "x"), -BF_E_IO);
	assert_int_equal(bf_error_prefix(NULL, "x"), -BF_E_INTERNAL);
}

static void errno_is_said_in_words(void **state)
{
	(void)state;
	struct bf_error err;
	assert_int_equal(bf_fail_errno(&err, ENOENT, "open %s", "x.sql"), -BF_E_IO);
	assert_string_equal(err.text, "open x.sql: No such file or directory");
	assert_int_equal(err.sys_errno, ENOENT);
}

static void a_prefix_stands_before_the_text_and_keeps_the_rest(void **state)
{
	(void)state;
	struct bf_error err;
	bf_fail_errno(&err, EACCES, "open x.sql");
	memcpy(err.sqlstate, "40001", 6);
	assert_int_equal(bf_error_prefix(&err, "step %s", "daily"), -BF_E_IO);
	assert_string_equal(err.text, "step daily: open x.sql: Permission denied");
	assert_int_equal(err.sys_errno, EACCES);
	assert_string_equal(err.sqlstate, "40001");
}

static void the_error_itself_may_be_an_argument(void **state)
{
	(void)state;
	struct bf_error err;
	bf_fail(&err, BF_E_SQL, "inner");
	bf_fail(&err, BF_E_IO, "outer (%s)", err.text);
	assert_string_equal(err.text, "outer (inner)");
}

static void a_long_text_is_cut_at_a_whole_character(void **state)
{
	(void)state;
	char text[3 * BF_ERROR_TEXT_MAX + 1];
	/* All three alignments of a three-byte character against the end. */
	for (size_t shift = 0; shift < 3; shift++) {
		memset(text, 'a', shift);
		for (size_t i = shift; i + 3 < sizeof(text); i += 3)
			memcpy(text + i, "€", 4);
		struct bf_error err;
		bf_fail(&err, BF_E_SQL, "%s", text);
		size_t len = strlen(err.text);
		assert_true(len < BF_ERROR_TEXT_MAX && len > BF_ERROR_TEXT_MAX - 8);
		assert_true(bf_utf8_valid(err.text, len));
		assert_string_equal(err.text + len - strlen("…"), "…");
		bf_error_prefix(&err, "x");
		assert_true(bf_utf8_valid(err.text, strlen(err.text)));
		assert_memory_equal(err.text, "x: ", 3);
	}
}

static void bytes_that_are_not_text_never_reach_the_message(void **state)
{
	(void)state;
	struct bf_error err;
	bf_fail(&err, BF_E_SQL, "%s",
			"a\xff"
			"b\x1b[31m\r\xc2\x9b"
			"2J\x7f é\tx\ny");
	assert_string_equal(err.text, "a\\xffb\\x1b[31m\\r\\u009b2J\\x7f é\tx\ny");
}

static void a_text_has_no_newline_at_its_end(void **state)
{
	(void)state;
	struct bf_error err;
	bf_fail(&err, BF_E_UNAVAILABLE, "connection refused\n\tIs it running?\n\n");
	assert_string_equal(err.text, "connection refused\n\tIs it running?");
	bf_fail(&err, BF_E_UNAVAILABLE, "\n");
	assert_string_equal(err.text, "");
}

static void exit_codes_tell_wrong_input_from_a_server_that_is_away(void **state)
{
	(void)state;
	static const int expected[] = {
		[BF_E_INPUT] = 2, [BF_E_NOT_FOUND] = 2, [BF_E_CONFLICT] = 2, [BF_E_UNAVAILABLE] = 5, [BF_E_UNKNOWN_OUTCOME] = 5, [BF_E_FENCED] = 1,
		[BF_E_SQL] = 1,   [BF_E_REDIS] = 1,     [BF_E_IO] = 1,       [BF_E_LIMIT] = 1,       [BF_E_INTERNAL] = 1,
	};
	for (int code = BF_E_INPUT; code <= BF_E_INTERNAL; code++) {
		struct bf_error err;
		bf_fail(&err, (enum bf_errc)code, "x");
		assert_int_equal(bf_error_exit_code(&err), expected[code]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failure_fills_the_error_and_returns_its_code),
		cmocka_unit_test(a_caller_that_does_not_ask_gets_the_code_alone),
		cmocka_unit_test(errno_is_said_in_words),
		cmocka_unit_test(a_prefix_stands_before_the_text_and_keeps_the_rest),
		cmocka_unit_test(the_error_itself_may_be_an_argument),
		cmocka_unit_test(a_long_text_is_cut_at_a_whole_character),
		cmocka_unit_test(bytes_that_are_not_text_never_reach_the_message),
		cmocka_unit_test(a_text_has_no_newline_at_its_end),
		cmocka_unit_test(exit_codes_tell_wrong_input_from_a_server_that_is_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
