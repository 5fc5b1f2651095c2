#include "core/json_figure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/decimal.h"

#include <cmocka.h>

static const char text[] =
	"{\"data\": [{\"n\": \"3120\"}, 7, -1.5e3], \"a/b\": {\"m~n\": 2.5, \"\": 4}, \"no\": \"x1\", \"nul\": null, \"yes\": true, \"0\": 9}";
static struct bf_error err;

static void assert_figure_of(const char *json, const char *pointer, const char *expected)
{
	BF_AUTOBUF struct bf_buf found;

	bf_buf_init(&found, BF_DECIMAL_MAX);
	if (bf_json_figure(json, strlen(json), pointer, &found, &err) < 0)
		fail_msg("%s: %s", pointer, err.text);
	assert_string_equal(found.data, expected);
}

static void assert_figure(const char *pointer, const char *expected)
{
	assert_figure_of(text, pointer, expected);
}

static void assert_refused(const char *json, const char *pointer, const char *expected)
{
	BF_AUTOBUF struct bf_buf found;

	bf_buf_init(&found, BF_DECIMAL_MAX);
	assert_int_equal(bf_json_figure(json, strlen(json), pointer, &found, &err), -BF_E_INPUT);
	if (strcmp(err.text, expected) != 0)
		fail_msg("%s\nexpected: %s", err.text, expected);
	assert_int_equal(found.len, 0);
}

static void a_pointer_leads_to_a_number_a_text_that_is_one_or_something_that_is_counted(void **state)
{
	(void)state;
	assert_figure("/data/0/n", "3120");
	assert_figure("/data/1", "7");
	assert_figure("/data/2", "-1.5e3");
	assert_figure("/data", "3");
	assert_figure("/a~1b", "2");
	assert_figure("/a~1b/m~0n", "2.5");
	assert_figure("/a~1b/", "4");
	assert_figure("/0", "9");
	assert_figure("/yes", "1");
	assert_figure("", "6");
}

static void a_number_of_any_length_is_taken_as_it_is_written(void **state)
{
	(void)state;
	assert_figure_of("[18446744073709551615]", "/0", "18446744073709551615");
	assert_figure_of("{\"a\": \"12345678901234567890.13\"}", "/a", "12345678901234567890.13");
	assert_figure_of("[19.99, 1e999]", "/0", "19.99");
	assert_figure_of("[19.99, 1e999]", "/1", "1e999");
}

static void what_is_no_number_is_named(void **state)
{
	(void)state;
	assert_refused(text, "/data/3", "found nothing at /data/3, expected a number");
	assert_refused(text, "/data/n/x", "found nothing at /data/n, expected a number");
	assert_refused(text, "/data/1/x", "found nothing at /data/1/x, expected a number");
	assert_refused(text, "/no", "found \"x1\" at /no, expected a number, or an array or object that is counted");
	assert_refused(text, "/nul", "found null at /nul, expected a number");
	assert_refused("\"\"", "", "found \"\" at the top, expected a number, or an array or object that is counted");
	assert_refused("\"0x10 \"", "", "found \"0x10 \" at the top, expected a number, or an array or object that is counted");
	assert_refused("\"0x10\"", "", "found \"0x10\" at the top, expected a number, or an array or object that is counted");
	assert_refused("\" 1\"", "", "found \" 1\" at the top, expected a number, or an array or object that is counted");
	assert_refused("\"true\"", "", "found \"true\" at the top, expected a number, or an array or object that is counted");
	assert_refused("\"1e99999\"", "", "found \"1e99999\" at the top, expected a number, or an array or object that is counted");
	assert_refused("1e99999", "", "found a number of 7 bytes at the top, expected one of up to 16000 digits");
	assert_refused("{\"a\": ", "/a", "not valid JSON: line 1, column 6: unexpected token near end of file");
	assert_refused("", "", "not valid JSON: line 1, column 0: unexpected token near end of file");
}

static void a_pointer_has_the_form_of_rfc_6901(void **state)
{
	(void)state;
	assert_true(bf_json_pointer_valid(""));
	assert_true(bf_json_pointer_valid("/"));
	assert_true(bf_json_pointer_valid("/a/~0~1/0"));
	assert_false(bf_json_pointer_valid("a"));
	assert_false(bf_json_pointer_valid("/a~"));
	assert_false(bf_json_pointer_valid("/~2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pointer_leads_to_a_number_a_text_that_is_one_or_something_that_is_counted),
		cmocka_unit_test(a_number_of_any_length_is_taken_as_it_is_written),
		cmocka_unit_test(what_is_no_number_is_named),
		cmocka_unit_test(a_pointer_has_the_form_of_rfc_6901),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
