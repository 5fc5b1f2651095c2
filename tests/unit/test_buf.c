#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void an_empty_buffer_is_an_empty_string(void **state)
{
	(void)state;
	struct bf_buf b;
	bf_buf_init(&b, 10);
	assert_string_equal(b.data, "");
	bf_buf_release(&b);
	bf_buf_release(&b);
	assert_string_equal(b.data, "");
}

static void what_is_added_is_there_with_a_nul_behind_it(void **state)
{
	(void)state;
	BF_AUTOBUF struct bf_buf b;
	bf_buf_init(&b, 100);
	assert_int_equal(bf_buf_addstr(&b, "ab"), 0);
	assert_int_equal(bf_buf_addch(&b, 'c'), 0);
	assert_int_equal(bf_buf_add(&b, "d\0e", 3), 0);
	assert_int_equal(bf_buf_printf(&b, "-%d-%s", 42, "x"), 0);
	assert_int_equal(b.len, 11);
	assert_memory_equal(b.data, "abcd\0e-42-x", 12);
}

static void a_buffer_holds_exactly_its_maximum(void **state)
{
	(void)state;
	BF_AUTOBUF struct bf_buf b;
	bf_buf_init(&b, 5);
	assert_int_equal(bf_buf_addstr(&b, "12345"), 0);
	assert_false(b.overflow);
	assert_int_equal(bf_buf_addch(&b, '6'), -BF_E_LIMIT);
	assert_true(b.overflow);
	assert_string_equal(b.data, "12345");
	assert_true(b.cap <= 6);
}

static void an_append_that_does_not_fit_appends_nothing(void **state)
{
	(void)state;
	BF_AUTOBUF struct bf_buf b;
	bf_buf_init(&b, 5);
	assert_int_equal(bf_buf_addstr(&b, "123"), 0);
	assert_int_equal(bf_buf_printf(&b, "%s", "456"), -BF_E_LIMIT);
	assert_string_equal(b.data, "123");
	assert_int_equal(b.len, 3);
	assert_true(b.overflow);
	bf_buf_clear(&b);
	assert_false(b.overflow);
	assert_string_equal(b.data, "");
}

static void a_buffer_of_size_zero_takes_nothing(void **state)
{
	(void)state;
	BF_AUTOBUF struct bf_buf b;
	bf_buf_init(&b, 0);
	assert_int_equal(bf_buf_add(&b, "", 0), 0);
	assert_int_equal(bf_buf_printf(&b, "%s", ""), 0);
	assert_int_equal(bf_buf_addch(&b, 'x'), -BF_E_LIMIT);
	assert_string_equal(b.data, "");
}

static void printing_grows_the_buffer_over_and_over(void **state)
{
	(void)state;
	BF_AUTOBUF struct bf_buf b;
	bf_buf_init(&b, 100000);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(bf_buf_printf(&b, "%05d\n", i), 0);
	assert_int_equal(b.len, 60000);
	assert_memory_equal(b.data + 6 * 777, "00777\n", 6);
	assert_memory_equal(b.data + 59994, "09999\n", 7);
}

static void a_detached_text_is_the_callers_and_the_buffer_starts_again(void **state)
{
	(void)state;
	BF_AUTOBUF struct bf_buf b;
	bf_buf_init(&b, 10);
	BF_AUTOFREE char *nothing = bf_buf_detach(&b);
	assert_string_equal(nothing, "");
	assert_int_equal(bf_buf_addstr(&b, "one"), 0);
	BF_AUTOFREE char *text = bf_buf_detach(&b);
	assert_string_equal(text, "one");
	assert_string_equal(b.data, "");
	assert_int_equal(bf_buf_addstr(&b, "two"), 0);
	assert_string_equal(b.data, "two");
}

static void dropping_the_front_keeps_the_tail(void **state)
{
	(void)state;
	BF_AUTOBUF struct bf_buf b;
	bf_buf_init(&b, 10);
	bf_buf_drop_front(&b, 3);
	assert_string_equal(b.data, "");
	assert_int_equal(bf_buf_addstr(&b, "0123456789"), 0);
	bf_buf_drop_front(&b, 4);
	assert_string_equal(b.data, "456789");
	assert_int_equal(bf_buf_addstr(&b, "abcd"), 0);
	assert_string_equal(b.data, "456789abcd");
	bf_buf_drop_front(&b, 99);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.data, "");
}

/* A file in a folder of its own; returns its path. */
static char *make_file(const char *content, size_t len)
{
	char folder[] = "/tmp/bf-test-buf-XXXXXX";
	assert_non_null(mkdtemp(folder));
	char *path = bf_asprintf("%s/file", folder);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(content, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	return path;
}

static void remove_file(char *path)
{
	assert_int_equal(unlink(path), 0);
	*strrchr(path, '/') = '\0';
	assert_int_equal(rmdir(path), 0);
}

static void a_file_is_read_whole_up_to_the_maximum(void **state)
{
	(void)state;
	BF_AUTOFREE char *path = make_file("ab\0cd", 5);
	struct bf_error err;
	for (size_t max = 3; max < 7; max++) {
		BF_AUTOBUF struct bf_buf b;
		bf_buf_init(&b, max);
		int rc = bf_buf_read_file(&b, path, &err);
		if (max < 5) {
			assert_int_equal(rc, -BF_E_LIMIT);
			assert_int_equal(b.len, 0);
			assert_true(b.overflow);
			assert_non_null(strstr(err.text, path));
		} else {
			assert_int_equal(rc, 0);
			assert_int_equal(b.len, 5);
			assert_memory_equal(b.data, "ab\0cd", 6);
		}
	}
	remove_file(path);
}

static void only_a_regular_file_is_read_and_the_error_says_what_else_was_there(void **state)
{
	(void)state;
	BF_AUTOFREE char *file = make_file("", 0), *pipe = bf_asprintf("%s.pipe", file), *said = NULL;
	BF_AUTOBUF struct bf_buf b;
	struct bf_error err;
	bf_buf_init(&b, 200000);
	assert_int_equal(bf_buf_addstr(&b, "kept"), 0);
	assert_int_equal(bf_buf_read_file(&b, "/dev/zero", &err), -BF_E_INPUT);
	assert_string_equal(err.text, "/dev/zero: found a device, expected a regular file");
	assert_int_equal(bf_buf_read_file(&b, "/", &err), -BF_E_INPUT);
	assert_string_equal(err.text, "/: found a directory, expected a regular file");
	assert_int_equal(mkfifo(pipe, 0600), 0);
	alarm(10); /* opening it would wait for a writer */
	assert_int_equal(bf_buf_read_file(&b, pipe, &err), -BF_E_INPUT);
	alarm(0);
	said = bf_asprintf("%s: found a named pipe, expected a regular file", pipe);
	assert_string_equal(err.text, said);
	free(said);
	said = NULL;
	assert_string_equal(b.data, "kept");
	assert_int_equal(unlink(pipe), 0);
	remove_file(file);
}

static void a_file_of_two_gigabytes_is_refused_without_reading_it(void **state)
{
	(void)state;
	BF_AUTOFREE char *path = make_file("", 0);
	assert_int_equal(truncate(path, (off_t)2 << 30), 0);
	BF_AUTOBUF struct bf_buf b;
	bf_buf_init(&b, 1000);
	struct bf_error err;
	assert_int_equal(bf_buf_read_file(&b, path, &err), -BF_E_LIMIT);
	assert_int_equal(b.cap, 0);
	remove_file(path);
}

static void a_file_that_cannot_be_read_is_named_in_the_error(void **state)
{
	(void)state;
	BF_AUTOBUF struct bf_buf b;
	bf_buf_init(&b, 1000);
	struct bf_error err;
	assert_int_equal(bf_buf_read_file(&b, "/nowhere/at-all.json", &err), -BF_E_NOT_FOUND);
	assert_string_equal(err.text, "/nowhere/at-all.json: there is no such file");
	assert_int_equal(bf_buf_read_file(&b, "/dev/null/x", &err), -BF_E_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_buffer_is_an_empty_string),
		cmocka_unit_test(what_is_added_is_there_with_a_nul_behind_it),
		cmocka_unit_test(a_buffer_holds_exactly_its_maximum),
		cmocka_unit_test(an_append_that_does_not_fit_appends_nothing),
		cmocka_unit_test(a_buffer_of_size_zero_takes_nothing),
		cmocka_unit_test(printing_grows_the_buffer_over_and_over),
		cmocka_unit_test(a_detached_text_is_the_callers_and_the_buffer_starts_again),
		cmocka_unit_test(dropping_the_front_keeps_the_tail),
		cmocka_unit_test(a_file_is_read_whole_up_to_the_maximum),
		cmocka_unit_test(only_a_regular_file_is_read_and_the_error_says_what_else_was_there),
		cmocka_unit_test(a_file_of_two_gigabytes_is_refused_without_reading_it),
		cmocka_unit_test(a_file_that_cannot_be_read_is_named_in_the_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
