/* Text of others on its way to people: nothing that a terminal obeys is left, and nothing is lost. */
#include "base/show.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include <cmocka.h>

static void check_text(const char *s, const char *expected)
{
	BF_AUTOBUF struct bf_buf b;
	bf_buf_init(&b, 1000);
	bf_buf_addstr(&b, "");
	bf_show_text(&b, s, strlen(s));
	assert_string_equal(b.data, expected);
}

static void what_a_terminal_obeys_is_shown(void **state)
{
	(void)state;
	check_text("plain é € 𝄞", "plain é € 𝄞");
	check_text("\x1b]0;title\x07", "\\x1b]0;title\\x07");
	check_text("\xc2\x9b[2J \xc2\x85", "\\u009b[2J \\u0085");
	check_text("\x7f\b\r", "\\x7f\\x08\\r");
	check_text("one\r\ntwo\tthree", "one\ntwo\tthree");
	check_text("\xff\xc3", "\\xff\\xc3");
}

static void what_turns_or_hides_text_is_shown(void **state)
{
	(void)state;
	check_text("a\u202eb\u2066c\u200fd\u061ce", "a\\u202eb\\u2066c\\u200fd\\u061ce");
	check_text("\ufeff\u200b\u2028\u00ad", "\\ufeff\\u200b\\u2028\\u00ad");
	check_text("\U000e0041", "\\U000e0041");
	check_text("\u06a9\u200c\u0647 \U0001f468\u200d\U0001f469", "\u06a9\u200c\u0647 \U0001f468\u200d\U0001f469"); /* joiners are needed */
}

static void no_byte_of_any_text_is_left_that_a_terminal_obeys(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed < 3000; seed++) {
		char raw[40];
		uint32_t x = seed;
		for (size_t i = 0; i < sizeof(raw); i++) {
			x = x * 1664525 + 1013904223;
			raw[i] = (char)(x >> 24);
		}
		BF_AUTOBUF struct bf_buf b;
		bf_buf_init(&b, 1000);
		bf_show_text(&b, raw, sizeof(raw));
		assert_true(bf_utf8_valid(b.data, b.len));
		for (size_t i = 0, n; i < b.len; i += n) {
			n = bf_utf8_char(b.data + i, b.len - i);
			assert_true(b.data[i] == '\n' || b.data[i] == '\t' || !bf_show_hides(b.data + i, n));
		}
	}
}

static void json_means_the_same_and_hides_nothing(void **state)
{
	(void)state;
	static const char json[] = "{\"a\xc2\x9b\": \"\u202e\U000e0041\x7f é\",\n\t\"b\": 1}";
	BF_AUTOBUF struct bf_buf b;
	bf_buf_init(&b, 1000);
	bf_show_json(&b, json, strlen(json));
	assert_string_equal(b.data, "{\"a\\u009b\": \"\\u202e\\udb40\\udc41\\u007f é\",\n\t\"b\": 1}");
	json_t *before = json_loads(json, 0, NULL), *after = json_loads(b.data, 0, NULL);
	assert_true(before && json_equal(before, after));
	json_decref(before);
	json_decref(after);
}

static void check_word(const char *s, const char *expected)
{
	BF_AUTOBUF struct bf_buf b;
	bf_buf_init(&b, 1000);
	bf_show_word(&b, s);
	assert_string_equal(b.data, expected);
	/* and a shell reads it as it was */
	BF_AUTOFREE char *command = bf_asprintf("printf %%s %s", b.data);
	BF_AUTOFREE char *line = bf_asprintf("exec bash -c \"$BF_WORD\"");
	assert_int_equal(setenv("BF_WORD", command, 1), 0);
	FILE *shell = popen(line, "r");
	char read_back[200] = "";
	size_t n = fread(read_back, 1, sizeof(read_back) - 1, shell);
	assert_int_equal(pclose(shell), 0);
	assert_int_equal(n, strlen(s));
	assert_memory_equal(read_back, s, n);
}

static void a_word_for_a_shell_is_shown_and_can_be_pasted(void **state)
{
	(void)state;
	check_word("2024-01-01..2024-01-03", "2024-01-01..2024-01-03");
	check_word("", "''");
	check_word("a key; rm -rf ~", "'a key; rm -rf ~'");
	check_word("it's \\ $x", "'it'\\''s \\ $x'");
	check_word("a\x1b[31m1", "$'a\\033[31m1'");
	check_word("it's\\\u202e\n9", "$'it\\'s\\\\\\342\\200\\256\\0129'");
	check_word("\xc2\x9b", "$'\\302\\233'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_terminal_obeys_is_shown),
		cmocka_unit_test(what_turns_or_hides_text_is_shown),
		cmocka_unit_test(no_byte_of_any_text_is_left_that_a_terminal_obeys),
		cmocka_unit_test(json_means_the_same_and_hides_nothing),
		cmocka_unit_test(a_word_for_a_shell_is_shown_and_can_be_pasted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
