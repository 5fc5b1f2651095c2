#include "io/http_redirect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

#include <cmocka.h>

static void a_redirect_changes_the_method_as_browsers_do(void **state)
{
	static const struct {
		const char *method;
		int status;
		const char *expected;
	} rows[] = {{"POST", 301, "GET"},  {"POST", 302, "GET"},   {"POST", 303, "GET"},     {"POST", 307, "POST"}, {"POST", 308, "POST"},
				{"PUT", 301, "PUT"},   {"PUT", 302, "PUT"},    {"PUT", 303, "GET"},      {"PUT", 307, "PUT"},   {"HEAD", 303, "HEAD"},
				{"HEAD", 302, "HEAD"}, {"DELETE", 303, "GET"}, {"DELETE", 302, "DELETE"}};
	(void)state;
	for (size_t i = 0; i < BF_COUNT_OF(rows); i++)
		assert_string_equal(bf_http_redirected_method(rows[i].method, rows[i].status), rows[i].expected);
	assert_false(bf_http_redirects(300));
	assert_false(bf_http_redirects(304));
	assert_true(bf_http_redirects(308));
}

static void an_origin_is_scheme_host_and_port(void **state)
{
	(void)state;
	assert_true(bf_http_same_origin("http://a/x?y", "http://A:80/z"));
	assert_true(bf_http_same_origin("https://a", "https://a:443/"));
	assert_false(bf_http_same_origin("http://a/", "https://a/"));
	assert_false(bf_http_same_origin("http://a/", "http://a:8080/"));
	assert_false(bf_http_same_origin("http://a/", "http://b/"));
	assert_false(bf_http_same_origin("http://a.b/", "http://a/"));
	assert_false(bf_http_same_origin("http://a@b/", "http://a/"));
	assert_true(bf_http_same_origin("http://user@a/", "http://a/"));
	assert_false(bf_http_same_origin("rubbish:", "rubbish:"));
}

static void assert_host(const char *url, const char *expected)
{
	BF_AUTOFREE char *host = bf_http_host(url);
	if (!expected)
		assert_null(host);
	else
		assert_string_equal(host, expected);
}

static void a_host_is_named_without_what_goes_without_saying(void **state)
{
	(void)state;
	assert_host("http://example.org/x", "example.org");
	assert_host("https://user:secret@example.org:8443/x?key=secret", "example.org:8443");
	assert_host("https://example.org:443", "example.org");
	assert_host("http://[::1]:80/", "[::1]");
	assert_host("", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_redirect_changes_the_method_as_browsers_do),
		cmocka_unit_test(an_origin_is_scheme_host_and_port),
		cmocka_unit_test(a_host_is_named_without_what_goes_without_saying),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
