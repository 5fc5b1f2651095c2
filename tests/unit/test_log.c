#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

/* What a test writes to stderr lands in an unnamed file; `written` gives it back. */
static int real_stderr, captured;

static int capture_stderr(void **state)
{
	(void)state;
	char path[] = "/tmp/bf-test-log-XXXXXX";
	captured = mkstemp(path);
	if (captured < 0 || unlink(path) || fcntl(captured, F_SETFL, O_APPEND))
		return -1;
	real_stderr = dup(STDERR_FILENO);
	if (real_stderr < 0 || dup2(captured, STDERR_FILENO) < 0)
		return -1;
	(void)unsetenv("BF_LOG");
	(void)unsetenv("BF_LOG_LEVEL");
	(void)unsetenv("NO_COLOR");
	return 0;
}

static int give_stderr_back(void **state)
{
	(void)state;
	bf_log_pop(NULL);
	int rc = dup2(real_stderr, STDERR_FILENO) < 0 ? -1 : 0;
	return close(real_stderr) || close(captured) ? -1 : rc;
}

static void start(const char *form, const char *level)
{
	struct bf_error err;
	assert_int_equal(setenv("BF_LOG", form, 1), 0);
	assert_int_equal(setenv("BF_LOG_LEVEL", level, 1), 0);
	assert_int_equal(bf_log_init("worker", &err), 0);
}

static char *written(void)
{
	struct bf_buf b;
	bf_buf_init(&b, 10 << 20);
	char part[4096];
	ssize_t n;
	off_t at = 0;
	while ((n = pread(captured, part, sizeof(part), at)) > 0) {
		assert_int_equal(bf_buf_add(&b, part, (size_t)n), 0);
		at += n;
	}
	assert_int_equal(ftruncate(captured, 0), 0);
	return bf_buf_detach(&b);
}

/* Checks the time in front, and compares what follows it. */
static void assert_line(const char *line, const char *expected)
{
	static const char shape[] = "0000-00-00T00:00:00.000Z ";
	for (size_t i = 0; shape[i]; i++) {
		if (shape[i] == '0')
			assert_in_range(line[i], '0', '9');
		else
			assert_int_equal(line[i], shape[i]);
	}
	assert_string_equal(line + sizeof(shape) - 1, expected);
}

static void a_text_line_has_time_level_and_message(void **state)
{
	(void)state;
	start("text", "info");
	bf_info("job %s", "started");
	BF_AUTOFREE char *line = written();
	assert_line(line, "info  job started\n");
	bf_err("no");
	BF_AUTOFREE char *second = written();
	assert_line(second, "error no\n");
}

static void a_line_inside_a_job_says_which_one(void **state)
{
	(void)state;
	start("text", "info");
	const struct bf_log_ctx run = {.run = "weather.k3v9qa"};
	const struct bf_log_ctx job = {.run = "weather.k3v9qa", .step = "daily", .chunk = "2012-01-01", .epoch = 1};
	const struct bf_log_ctx *outside = bf_log_push(&run);
	const struct bf_log_ctx *before = bf_log_push(&job);
	bf_info("job started");
	BF_AUTOFREE char *in_job = written();
	assert_line(in_job, "info  job started run=weather.k3v9qa step=daily chunk=2012-01-01 epoch=1\n");
	bf_log_pop(before);
	bf_warn("late");
	BF_AUTOFREE char *in_run = written();
	assert_line(in_run, "warn  late run=weather.k3v9qa\n");
	bf_log_pop(outside);
	bf_warn("idle");
	BF_AUTOFREE char *none = written();
	assert_line(none, "warn  idle\n");
}

static void a_level_silences_what_is_below_it(void **state)
{
	(void)state;
	start("text", "warn");
	assert_false(bf_log_on(BF_LOG_INFO));
	assert_true(bf_log_on(BF_LOG_WARN));
	bf_debug("no");
	bf_info("no");
	bf_warn("yes");
	BF_AUTOFREE char *line = written();
	assert_line(line, "warn  yes\n");
	start("text", "debug");
	bf_debug("yes");
	BF_AUTOFREE char *debug = written();
	assert_line(debug, "debug yes\n");
}

static void nothing_in_a_message_ends_the_line_or_moves_the_cursor(void **state)
{
	(void)state;
	start("text", "info");
	const struct bf_log_ctx job = {.chunk = "a key\nwith \"all\"\x1b[2J", .step = ""};
	bf_log_push(&job);
	bf_info("%s", "two\nlines\x1b[31m \xff \xc2\x9b é");
	BF_AUTOFREE char *line = written();
	assert_line(line, "info  two\\nlines\\x1b[31m \\xff \\u009b é step=\"\" chunk=\"a key\\nwith \\\"all\\\"\\x1b[2J\"\n");
}

static void a_json_line_holds_the_same_as_fields(void **state)
{
	(void)state;
	start("json", "info");
	const struct bf_log_ctx job = {.run = "w.1", .step = "daily", .chunk = "a\"b", .epoch = 7};
	bf_log_push(&job);
	bf_warn("said \"%s\"", "hé\n");
	BF_AUTOFREE char *line = written();
	json_t *o = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(o);
	static const char *const expected[][2] = {{"level", "warn"}, {"program", "worker"}, {"message", "said \"hé\n\""},
											  {"run", "w.1"},    {"step", "daily"},     {"chunk", "a\"b"}};
	for (size_t i = 0; i < BF_COUNT_OF(expected); i++)
		assert_string_equal(json_string_value(json_object_get(o, expected[i][0])), expected[i][1]);
	assert_int_equal(json_integer_value(json_object_get(o, "epoch")), 7);
	assert_int_equal(strlen(json_string_value(json_object_get(o, "time"))), 24);
	assert_int_equal(json_object_size(o), 8);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	json_decref(o);
}

static void a_json_line_is_json_whatever_the_bytes(void **state)
{
	(void)state;
	start("json", "info");
	uint32_t x = 4711;
	for (int round = 0; round < 500; round++) {
		char bytes[60], key[20];
		for (size_t i = 0; i < sizeof(bytes) + sizeof(key); i++) {
			x = x * 1664525U + 1013904223U;
			*(i < sizeof(bytes) ? &bytes[i] : &key[i - sizeof(bytes)]) = (char)(x >> 24);
		}
		bytes[sizeof(bytes) - 1] = key[sizeof(key) - 1] = '\0';
		const struct bf_log_ctx job = {.chunk = key};
		bf_log_push(&job);
		bf_info("%s", bytes);
		BF_AUTOFREE char *line = written();
		json_error_t why;
		json_t *o = json_loads(line, 0, &why);
		if (!o)
			fail_msg("%s: %s", why.text, line);
		json_decref(o);
	}
}

static void a_message_too_long_is_cut_at_a_whole_character(void **state)
{
	(void)state;
	char huge[20000];
	for (size_t shift = 0; shift < 3; shift++) {
		memset(huge, 'a', shift);
		for (size_t i = shift; i + 3 < sizeof(huge); i += 3)
			memcpy(huge + i, "€", 4);
		start("text", "info");
		bf_info("%s", huge);
		BF_AUTOFREE char *line = written();
		size_t len = strlen(line);
		assert_true(len < 5000);
		assert_true(bf_utf8_valid(line, len));
		assert_string_equal(line + len - strlen("…\n"), "…\n");
	}
}

static void control_bytes_never_make_a_json_line_too_long_to_be_json(void **state)
{
	(void)state;
	char message[4000], chunk[BF_CHUNK_MAX + 1];
	memset(message, 1, sizeof(message));
	memset(chunk, 2, sizeof(chunk));
	message[sizeof(message) - 1] = chunk[sizeof(chunk) - 1] = '\0';
	start("json", "info");
	const struct bf_log_ctx job = {.run = chunk, .step = chunk, .chunk = chunk, .epoch = INT64_MIN};
	bf_log_push(&job);
	bf_info("%s", message);
	BF_AUTOFREE char *line = written();
	json_t *o = json_loads(line, 0, NULL);
	assert_non_null(o);
	assert_string_equal(json_string_value(json_object_get(o, "message")), message);
	json_decref(o);
}

static void a_wrong_setting_lists_the_right_ones(void **state)
{
	(void)state;
	struct bf_error err;
	assert_int_equal(setenv("BF_LOG", "xml\n", 1), 0);
	assert_int_equal(bf_log_init("worker", &err), -BF_E_INPUT);
	assert_string_equal(err.text, "BF_LOG: found \"xml\\n\", expected text or json");
	assert_int_equal(setenv("BF_LOG", "", 1), 0);
	assert_int_equal(setenv("BF_LOG_LEVEL", "loud", 1), 0);
	assert_int_equal(bf_log_init("worker", &err), -BF_E_INPUT);
	assert_string_equal(err.text, "BF_LOG_LEVEL: found \"loud\", expected debug, info, warn or error");
}

static void logging_leaves_errno_alone(void **state)
{
	(void)state;
	start("text", "info");
	errno = EXDEV;
	bf_info("%s", "x");
	assert_int_equal(errno, EXDEV);
	assert_int_equal(dup2(real_stderr, STDERR_FILENO), STDERR_FILENO);
	(void)close(STDERR_FILENO);
	errno = EXDEV;
	bf_info("into nowhere");
	int after = errno;
	assert_int_equal(dup2(captured, STDERR_FILENO), STDERR_FILENO);
	assert_int_equal(after, EXDEV);
}

#define THREADS 4
#define LINES   500

static void *write_lines(void *arg)
{
	char name[8];
	(void)snprintf(name, sizeof(name), "t%d", *(const int *)arg);
	const struct bf_log_ctx job = {.run = name};
	bf_log_push(&job);
	for (int i = 0; i < LINES; i++)
		bf_info("%s line %d", name, i);
	return NULL;
}

static void threads_write_whole_lines_and_keep_their_own_context(void **state)
{
	(void)state;
	start("text", "info");
	pthread_t threads[THREADS];
	int ids[THREADS], next[THREADS] = {0};
	for (int i = 0; i < THREADS; i++) {
		ids[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &ids[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	BF_AUTOFREE char *all = written();
	char *rest = all, *line;
	while ((line = strsep(&rest, "\n")) && *line) {
		const char *name = strstr(line, " t");
		assert_non_null(name);
		int id = name[2] - '0';
		assert_in_range(id, 0, THREADS - 1);
		char expected[80];
		(void)snprintf(expected, sizeof(expected), "info  t%d line %d run=t%d", id, next[id]++, id);
		assert_line(line, expected);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(next[i], LINES);
}

/* Writes one line to a terminal and returns what the terminal got. */
static char *line_on_a_terminal(void)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY);
	if (terminal < 0 || grantpt(terminal) || unlockpt(terminal))
		skip();
	int side = open(ptsname(terminal), O_RDWR | O_NOCTTY);
	if (side < 0)
		skip();
	assert_int_equal(dup2(side, STDERR_FILENO), STDERR_FILENO);
	start("text", "info");
	bf_warn("x");
	assert_int_equal(dup2(captured, STDERR_FILENO), STDERR_FILENO);
	char *got = bf_alloc(200);
	assert_true(read(terminal, got, 199) > 0);
	assert_int_equal(close(side) | close(terminal), 0);
	return got;
}

static void levels_are_coloured_on_a_terminal_unless_no_color_is_set(void **state)
{
	(void)state;
	BF_AUTOFREE char *coloured = line_on_a_terminal();
	assert_non_null(strstr(coloured, "Z \x1b[33mwarn \x1b[0m x"));
	assert_int_equal(setenv("NO_COLOR", "1", 1), 0);
	BF_AUTOFREE char *plain = line_on_a_terminal();
	assert_non_null(strstr(plain, "Z warn  x"));
	assert_null(strchr(plain, '\x1b'));
}

static void gathered_lines_are_written_in_order_at_the_latest_with_a_warning(void **state)
{
	(void)state;
	start("text", "info");
	bf_log_gather(true);
	bf_info("one");
	BF_AUTOFREE char *nothing = written();
	bf_log_flush();
	BF_AUTOFREE char *one = written();
	bf_info("two");
	bf_warn("three");
	BF_AUTOFREE char *two_and_three = written();
	bf_info("four");
	bf_log_gather(false);
	BF_AUTOFREE char *four = written();
	bf_info("five");
	BF_AUTOFREE char *five = written();
	assert_string_equal(nothing, "");
	assert_line(one, "info  one\n");
	assert_non_null(strstr(two_and_three, "info  two\n"));
	assert_string_equal(strstr(two_and_three, "warn "), "warn  three\n");
	assert_line(four, "info  four\n");
	assert_line(five, "info  five\n");
}

static void more_than_can_be_gathered_is_written_and_whole(void **state)
{
	(void)state;
	enum { MANY = 2000 };
	start("text", "info");
	bf_log_gather(true);
	for (int i = 0; i < MANY; i++)
		bf_info("line %d of them", i);
	bf_log_gather(false);
	BF_AUTOFREE char *all = written();
	const char *at = all;
	for (int i = 0; i < MANY; i++) {
		char expected[64];
		snprintf(expected, sizeof(expected), "info  line %d of them\n", i);
		at = strstr(at, expected);
		assert_non_null(at);
		at += strlen(expected);
	}
	assert_string_equal(at, "");
}

#define log_test(name) cmocka_unit_test_setup_teardown(name, capture_stderr, give_stderr_back)

int main(void)
{
	const struct CMUnitTest tests[] = {
		log_test(a_text_line_has_time_level_and_message),
		log_test(a_line_inside_a_job_says_which_one),
		log_test(a_level_silences_what_is_below_it),
		log_test(nothing_in_a_message_ends_the_line_or_moves_the_cursor),
		log_test(a_json_line_holds_the_same_as_fields),
		log_test(a_json_line_is_json_whatever_the_bytes),
		log_test(a_message_too_long_is_cut_at_a_whole_character),
		log_test(control_bytes_never_make_a_json_line_too_long_to_be_json),
		log_test(a_wrong_setting_lists_the_right_ones),
		log_test(logging_leaves_errno_alone),
		log_test(threads_write_whole_lines_and_keep_their_own_context),
		log_test(levels_are_coloured_on_a_terminal_unless_no_color_is_set),
		log_test(gathered_lines_are_written_in_order_at_the_latest_with_a_warning),
		log_test(more_than_can_be_gathered_is_written_and_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
