#include "core/json_doc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

#include <cmocka.h>

static void assert_written(const char *text, const char *expected)
{
	struct bf_json_doc doc;
	BF_AUTOBUF struct bf_buf out;
	json_error_t where;
	bf_buf_init(&out, 100000);
	if (bf_doc_load(text, strlen(text), JSON_DECODE_ANY, &doc, &where) < 0)
		fail_msg("%s: %s", text, where.text);
	bf_doc_write(&doc, doc.root, &out);
	assert_string_equal(out.data, expected);
	bf_doc_release(&doc);
}

static void numbers_are_written_as_they_were_read(void **state)
{
	(void)state;
	assert_written("19.99", "19.99");
	assert_written("[1e3, 1E+3, 1.50, -0, -0.0, 0, 12]", "[1e3,1E+3,1.50,-0,-0.0,0,12]");
	assert_written("[9223372036854775807, 9223372036854775808, 18446744073709551616]",
				   "[9223372036854775807,9223372036854775808,18446744073709551616]");
	assert_written("[1e999, -1e999, 1e-999, 0.12345678901234567890123456789]", "[1e999,-1e999,1e-999,0.12345678901234567890123456789]");
	assert_written("{\"b\": {\"y\": 0.1, \"x\": [0.2]}, \"a\": 0.3}", "{\"a\":0.3,\"b\":{\"x\":[0.2],\"y\":0.1}}");
}

static void texts_that_look_like_numbers_are_texts(void **state)
{
	(void)state;
	assert_written("[\"19.99\", \"a\\\"1.5\", \"\\\\\", 1.5, \"1e5\"]", "[\"19.99\",\"a\\\"1.5\",\"\\\\\",1.5,\"1e5\"]");
	assert_written("{\"1.5\": 1.5, \"0.0\": \"0.0\"}", "{\"0.0\":\"0.0\",\"1.5\":1.5}");
}

static void a_document_without_reals_is_written_as_jansson_writes_it(void **state)
{
	static const char text[] = "{\"z\":[true,false,null,{}],\"a\":{\"\\u00e9\\n\":\"\\u2028/\",\"B\":-5},\"aa\":[]}";
	json_error_t where;
	json_auto_t *root = json_loads(text, 0, &where);
	char *expected = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
	(void)state;
	assert_written(text, expected);
	free(expected);
}

static void many_numbers_keep_their_places(void **state)
{
	BF_AUTOBUF struct bf_buf text;
	(void)state;
	bf_buf_init(&text, 1000000);
	for (int i = 0; i < 5000; i++)
		bf_buf_printf(&text, "%c%d.%d", i ? ',' : '[', i, i % 7);
	bf_buf_addch(&text, ']');
	assert_written(text.data, text.data);
}

static void a_double_of_each_number_is_there_too(void **state)
{
	struct bf_json_doc doc;
	json_error_t where;
	(void)state;
	assert_int_equal(bf_doc_load("[2.5, 1e999]", 12, 0, &doc, &where), 0);
	assert_true(json_real_value(json_array_get(doc.root, 0)) > 2.4 && json_real_value(json_array_get(doc.root, 0)) < 2.6);
	assert_true(json_real_value(json_array_get(doc.root, 1)) > 1e307);
	bf_doc_release(&doc);
}

static void assert_refused(const char *text, int line, int column)
{
	struct bf_json_doc doc;
	json_error_t where;
	assert_int_equal(bf_doc_load(text, strlen(text), JSON_REJECT_DUPLICATES, &doc, &where), -BF_E_INPUT);
	if (where.line != line || (column && where.column != column))
		fail_msg("%s: refused at %d:%d (%s), expected %d:%d", text, where.line, where.column, where.text, line, column);
}

static void what_is_no_json_is_refused_where_it_stands(void **state)
{
	(void)state;
	assert_refused("[1.23456789, x]", 1, 14);
	assert_refused("[1.5,\n 01.5]", 2, 0);
	assert_refused("[1.]", 1, 0);
	assert_refused("[.5]", 1, 0);
	assert_refused("[1e]", 1, 0);
	assert_refused("[1.5", 1, 0);
	assert_refused("[\"1.5", 1, 0);
	assert_refused("[1e999, x]", 1, 0);
	assert_refused("{\"a\": 1.5, \"a\": 2.5}", 1, 0);
	assert_refused("[0x10]", 1, 0);
	assert_refused("[- 1.5]", 1, 0);
	assert_refused("[1.5, 1e5e5]", 1, 0);
	assert_refused("[1.5e5e99]", 1, 0);
	assert_refused("[e1.5]", 1, 0);
	assert_refused("[1.5-1.5]", 1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_written_as_they_were_read),
		cmocka_unit_test(texts_that_look_like_numbers_are_texts),
		cmocka_unit_test(a_document_without_reals_is_written_as_jansson_writes_it),
		cmocka_unit_test(many_numbers_keep_their_places),
		cmocka_unit_test(a_double_of_each_number_is_there_too),
		cmocka_unit_test(what_is_no_json_is_refused_where_it_stands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
