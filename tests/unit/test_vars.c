#include "base/mem.h"
#include "core/vars.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const names[] = {"season", "min_rows"};
static const char *const param_values[] = {"2021", "it's; \"x\"\n\\"};
static struct bf_vars vars = {
	.run = "weather.k3v9qa",
	.step = "daily",
	.chunk = "2024-01-01..2024-01-03",
	.since = "2024-01-01",
	.until = "2024-01-03",
	.lookback_since = "2023-12-02",
	.key = "",
	.param_names = names,
	.param_values = param_values,
	.n_params = 2,
};
static struct bf_error err;

static void assert_renders(const char *text, const char *expected)
{
	BF_AUTOBUF struct bf_buf out;

	bf_buf_init(&out, 1 << 12);
	if (bf_template_check(text, names, 2, "argv[1]", &err) < 0 || bf_template_render(text, &vars, BF_ESCAPE_NONE, &out, &err) < 0)
		fail_msg("%s\n%s", text, err.text);
	bf_buf_addch(&out, '.');
	out.data[out.len - 1] = '\0';
	assert_string_equal(out.data, expected);
}

static void assert_refused(const char *text, const char *part)
{
	assert_int_equal(bf_template_check(text, names, 2, "argv[1]", &err), -BF_E_INPUT);
	assert_ptr_equal(strstr(err.text, "argv[1]: "), err.text);
	if (!strstr(err.text, part))
		fail_msg("%s\ngave: %s\nnot:  %s", text, err.text, part);
}

static const char *sql(const char *name)
{
	return bf_vars_sql(&vars, name, strlen(name));
}

static void templates_name_the_job_and_its_parameters(void **state)
{
	(void)state;
	assert_renders("", "");
	assert_renders("plain } }} { text", "plain } }} { text");
	assert_renders("--from={{since}} --to={{until}}", "--from=2024-01-01 --to=2024-01-03");
	assert_renders("{{run}}/{{step}}/{{chunk}}{{key}}", "weather.k3v9qa/daily/2024-01-01..2024-01-03");
	assert_renders("{{param.season}}", "2021");
}

static void a_value_is_taken_as_it_is(void **state)
{
	(void)state;
	assert_renders("<{{param.min_rows}}>", "<it's; \"x\"\n\\>");
}

static void assert_escaped(const char *text, enum bf_escape escape, const char *expected)
{
	BF_AUTOBUF struct bf_buf out;

	bf_buf_init(&out, 1 << 12);
	assert_int_equal(bf_template_render(text, &vars, escape, &out, &err), 0);
	assert_string_equal(out.data, expected);
}

static void a_value_is_escaped_where_it_stands_and_the_text_around_it_is_not(void **state)
{
	(void)state;
	assert_int_equal(setenv("BF_TEST_SET", "http://h/a b?x=\"1\"", 1), 0);
	assert_escaped("/a b/{{param.min_rows}}/{{since}}", BF_ESCAPE_URL, "/a b/it%27s%3B%20%22x%22%0A%5C/2024-01-01");
	assert_escaped("{{env.BF_TEST_SET}}&{{env.BF_TEST_UNSET|a/b}}", BF_ESCAPE_URL, "http://h/a b?x=\"1\"&a/b");
	assert_escaped("{{env.BF_TEST_SET}}/{{param.season}}/{{env.BF_TEST_UNSET|a/b}}", BF_ESCAPE_URL_SHOWN,
				   "{{env.BF_TEST_SET}}/2021/{{env.BF_TEST_UNSET|a/b}}");
	assert_escaped("{\"a\":\"{{param.min_rows}}\",\"b\":\"{{env.BF_TEST_SET}}\"}", BF_ESCAPE_JSON,
				   "{\"a\":\"it's; \\\"x\\\"\\u000a\\\\\",\"b\":\"http://h/a b?x=\\\"1\\\"\"}");
}

static void the_environment_is_read_with_a_default(void **state)
{
	BF_AUTOBUF struct bf_buf out;

	(void)state;
	bf_buf_init(&out, 100);
	assert_int_equal(setenv("BF_TEST_SET", "here", 1), 0);
	assert_int_equal(unsetenv("BF_TEST_UNSET"), 0);
	assert_renders("{{env.BF_TEST_SET}} {{env.BF_TEST_SET|no}} {{env.BF_TEST_UNSET|a|b c}} {{env.BF_TEST_UNSET|}}", "here here a|b c ");
	assert_int_equal(bf_template_render("{{env.BF_TEST_UNSET}}", &vars, BF_ESCAPE_NONE, &out, &err), -BF_E_INPUT);
	assert_non_null(strstr(err.text, "{{env.BF_TEST_UNSET}}"));
}

static void a_wrong_template_is_refused_with_what_would_be_right(void **state)
{
	(void)state;
	assert_refused("{{sinse}}", "found \"{{sinse}}\", expected {{since}}, {{until}}");
	assert_refused("{{ since }}", "expected {{since}}");
	assert_refused("{{}}", "expected {{since}}");
	assert_refused("a {{since", "found \"{{since\", expected a closing }}");
	assert_refused("{{param.seson}}", "expected a parameter of this pipeline: season, min_rows");
	assert_refused("{{param.}}", "expected {{since}}");
	assert_refused("{{env.1X}}", "expected {{since}}");
	assert_refused("{{env.}}", "expected {{since}}");
	assert_refused("{{since|2024}}", "expected {{since}}");
	assert_int_equal(bf_template_check("{{param.x}}", NULL, 0, "w", &err), -BF_E_INPUT);
	assert_non_null(strstr(err.text, "no parameters"));
}

static void a_template_that_grows_beyond_its_ceiling_is_an_error(void **state)
{
	BF_AUTOBUF struct bf_buf out;

	(void)state;
	bf_buf_init(&out, 8);
	assert_int_equal(bf_template_render("{{since}}{{until}}", &vars, BF_ESCAPE_NONE, &out, &err), -BF_E_LIMIT);
}

static void sql_sees_the_job_the_lookback_and_the_parameters(void **state)
{
	struct bf_vars none = vars;

	(void)state;
	assert_string_equal(sql("since"), "2024-01-01");
	assert_string_equal(sql("until"), "2024-01-03");
	assert_string_equal(sql("run"), "weather.k3v9qa");
	assert_string_equal(sql("step"), "daily");
	assert_string_equal(sql("chunk"), "2024-01-01..2024-01-03");
	assert_string_equal(sql("key"), "");
	assert_string_equal(sql("lookback_since"), "2023-12-02");
	assert_string_equal(sql("season"), "2021");
	assert_null(sql("seaso"));
	assert_null(sql("seasons"));
	assert_null(sql(""));
	assert_ptr_equal(bf_vars_sql(&vars, "season'", 6), param_values[0]);
	none.lookback_since = NULL;
	assert_null(bf_vars_sql(&none, "lookback_since", 14));
}

static void mutated_templates_are_rendered_or_refused_and_nothing_else(void **state)
{
	static const char seed_text[] = "{{since}}-{{param.season}}{{env.HOME|x}}{{run}}";
	static const char parts[] = "{}|.enviparam \xff";
	uint64_t random = 7;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		BF_AUTOFREE char *text = bf_strdup(seed_text);
		BF_AUTOBUF struct bf_buf out;

		bf_buf_init(&out, 1 << 12);
		for (int change = 0; change < 1 + round % 3; change++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			text[(random >> 33) % (sizeof(seed_text) - 1)] = parts[(random >> 20) % (sizeof(parts) - 1)];
		}
		if (bf_template_check(text, names, 2, "w", &err) < 0)
			assert_true(bf_template_render(text, &vars, BF_ESCAPE_NONE, &out, &err) < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(templates_name_the_job_and_its_parameters),
		cmocka_unit_test(a_value_is_taken_as_it_is),
		cmocka_unit_test(a_value_is_escaped_where_it_stands_and_the_text_around_it_is_not),
		cmocka_unit_test(the_environment_is_read_with_a_default),
		cmocka_unit_test(a_wrong_template_is_refused_with_what_would_be_right),
		cmocka_unit_test(a_template_that_grows_beyond_its_ceiling_is_an_error),
		cmocka_unit_test(sql_sees_the_job_the_lookback_and_the_parameters),
		cmocka_unit_test(mutated_templates_are_rendered_or_refused_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
