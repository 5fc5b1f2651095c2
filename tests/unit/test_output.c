/* The gate that everything passes which `enqueue` and `bfstat` print. */
#include "shared/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *s, size_t len, bool own, bool last, size_t taken, const char *expected)
{
	BF_AUTOBUF struct bf_buf b;
	bf_buf_init(&b, 1000);
	bf_buf_addstr(&b, "");
	assert_int_equal(bf_output_pass(&b, s, len, own, last), taken);
	assert_string_equal(b.data, expected);
}
#define CHECK(s, own, expected) check(s, sizeof(s) - 1, own, false, sizeof(s) - 1, expected)

static void to_a_file_or_a_pipe_nothing_passes_that_a_terminal_obeys(void **state)
{
	(void)state;
	CHECK("a\tb\né\n", false, "a\tb\né\n");
	CHECK("\x1b[31mred\x1b[0m\r\n", false, "\\x1b[31mred\\x1b[0m\\r\n");
	CHECK("\x07\xc2\x9b\u202e\xff", false, "\\x07\\u009b\\u202e\\xff");
}

static void to_a_terminal_only_what_the_programs_draw_with_passes(void **state)
{
	(void)state;
	CHECK("\x1b[32mdone\x1b[0m\x1b[12A\x1b[H\x1b[J\x1b[K\r\n\x1b[?1049h", true,
		  "\x1b[32mdone\x1b[0m\x1b[12A\x1b[H\x1b[J\x1b[K\r\n\x1b[?1049h");
	CHECK("\x1b]0;title\x07", true, "\\x1b]0;title\\x07");
	CHECK("\x1b[2J\x1b[6n\x1b[31;1m\x1bM.", true, "\\x1b[2J\\x1b[6n\\x1b[31;1m\\x1bM.");
	CHECK("a\rb", true, "a\\rb");
	CHECK("\xc2\x9b[H", true, "\\u009b[H");
}

static void what_is_cut_in_two_by_a_buffer_is_judged_as_a_whole(void **state)
{
	(void)state;
	check("ab\xe2\x80", 4, false, false, 2, "ab");
	check("ab\xe2\x80", 4, false, true, 4, "ab\\xe2\\x80");
	check("ab\x1b[3", 5, true, false, 2, "ab");
	check("ab\x1b[3", 5, true, true, 5, "ab\\x1b[3");
	check("ab\x1b[3", 5, false, false, 5, "ab\\x1b[3");
	check("ab\r", 3, true, false, 2, "ab");
	check("ab\xe2z", 4, false, false, 4, "ab\\xe2z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(to_a_file_or_a_pipe_nothing_passes_that_a_terminal_obeys),
		cmocka_unit_test(to_a_terminal_only_what_the_programs_draw_with_passes),
		cmocka_unit_test(what_is_cut_in_two_by_a_buffer_is_judged_as_a_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
