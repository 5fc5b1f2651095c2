#include "steps/progress_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"

/* ---- lines ---- */

struct seen {
	int n, cut;
	size_t longest;
	char text[256]; /* the lines, each followed by '|' */
};

static void see(void *data, const char *line, size_t len, bool cut)
{
	struct seen *s = data;
	size_t at = strlen(s->text);

	s->n++;
	s->cut += cut;
	if (len > s->longest)
		s->longest = len;
	if (at + len + 2 < sizeof(s->text))
		snprintf(s->text + at, sizeof(s->text) - at, "%.*s|", (int)len, line);
}

static void feed(struct bf_lines *l, const char *text, struct seen *s)
{
	bf_lines_feed(l, text, strlen(text), see, s);
}

static void lines_are_told_however_the_bytes_are_cut(void **state)
{
	static const char text[] = "progress 1 2\n\nrows 3\nhalf";

	(void)state;
	for (size_t step = 1; step <= sizeof(text); step++) {
		struct bf_lines l = {.returns = false};
		struct seen s = {.n = 0};
		for (size_t at = 0; at < sizeof(text) - 1; at += step)
			bf_lines_feed(&l, text + at, sizeof(text) - 1 - at < step ? sizeof(text) - 1 - at : step, see, &s);
		assert_string_equal(s.text, "progress 1 2|rows 3|");
		assert_int_equal(l.len, 4);
	}
}

static void a_carriage_return_ends_a_line_only_where_asked(void **state)
{
	struct bf_lines plain = {.returns = false}, bar = {.returns = true};
	struct seen s = {.n = 0}, t = {.n = 0};

	(void)state;
	feed(&plain, "1/3\r2/3\r\n", &s);
	assert_int_equal(s.n, 1);
	feed(&bar, "1/3\r2/3\r\n", &t);
	assert_string_equal(t.text, "1/3|2/3|");
}

static void a_line_that_is_too_long_is_cut_and_says_so(void **state)
{
	struct bf_lines l = {.returns = false};
	struct seen s = {.n = 0};
	char most[BF_LINE_MAX];

	(void)state;
	memset(most, 'x', sizeof(most));
	bf_lines_feed(&l, most, sizeof(most), see, &s);
	feed(&l, "\n", &s);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.cut, 0);
	for (int i = 0; i < 1000; i++)
		bf_lines_feed(&l, most, sizeof(most), see, &s);
	feed(&l, "\nshort\n", &s);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.cut, 1);
	assert_int_equal(s.longest, BF_LINE_MAX);
}

/* ---- what is said on the progress descriptor ---- */

static struct bf_progress_line parsed(const char *line)
{
	struct bf_progress_line p;

	bool understood = bf_progress_line_parse(line, strlen(line), &p);

	assert_int_equal(understood, p.kind != BF_PROGRESS_NONE);
	return p;
}

static void assert_text(const char *line, enum bf_progress_kind kind, const char *text)
{
	struct bf_progress_line p = parsed(line);

	assert_int_equal(p.kind, kind);
	assert_int_equal(p.text_len, strlen(text));
	assert_memory_equal(p.text, text, strlen(text));
}

static void progress_is_done_and_a_total_if_known(void **state)
{
	struct bf_progress_line p = parsed("progress 500 5000");

	(void)state;
	assert_int_equal(p.kind, BF_PROGRESS_DONE);
	assert_int_equal(p.done, 500);
	assert_int_equal(p.total, 5000);
	p = parsed("progress\t7 \r");
	assert_int_equal(p.kind, BF_PROGRESS_DONE);
	assert_int_equal(p.done, 7);
	assert_int_equal(p.total, -1);
}

static void rows_are_one_number(void **state)
{
	(void)state;
	assert_int_equal(parsed("rows 9223372036854775807").rows, INT64_MAX);
	assert_int_equal(parsed("rows 9223372036854775808").kind, BF_PROGRESS_NONE);
	assert_int_equal(parsed("rows").kind, BF_PROGRESS_NONE);
	assert_int_equal(parsed("rows 1 2").kind, BF_PROGRESS_NONE);
	assert_int_equal(parsed("rows 1.5").kind, BF_PROGRESS_NONE);
}

static void a_checkpoint_and_a_note_are_the_rest_of_the_line(void **state)
{
	(void)state;
	assert_text("checkpoint {\"after\": 17}", BF_PROGRESS_CHECKPOINT, "{\"after\": 17}");
	assert_text("checkpoint   a  b ", BF_PROGRESS_CHECKPOINT, "a  b");
	assert_text("note note", BF_PROGRESS_NOTE, "note");
	assert_text("note \xff\xfe", BF_PROGRESS_NOTE, "\xff\xfe");
}

static void anything_else_is_not_understood(void **state)
{
	static const char *const lines[] = {
		"",
		" ",
		"progress",
		"progress ",
		"progress -1 5",
		"progress 1 x",
		"progress 1 2 3",
		"progress 1/2",
		"progress 99999999999999999999 1",
		"progression 1 2",
		"Progress 1 2",
		" progress 1 2",
		"checkpoint",
		"checkpoint \t",
		"note",
		"rows x",
		"rows -1",
		"hello",
	};

	(void)state;
	for (size_t i = 0; i < BF_COUNT_OF(lines); i++)
		assert_int_equal(parsed(lines[i]).kind, BF_PROGRESS_NONE);
}

/* ---- what ordinary programs print ---- */

static void assert_ratio(const char *line, int64_t done, int64_t total)
{
	int64_t d = -1, t = -1;

	if (!bf_ratio_parse(line, strlen(line), &d, &t))
		fail_msg("no progress found in: %s", line);
	assert_int_equal(d, done);
	assert_int_equal(t, total);
}

static void a_ratio_in_a_printed_line_is_progress(void **state)
{
	(void)state;
	assert_ratio("Processing 500/5000 positions", 500, 5000);
	assert_ratio("5/5", 5, 5);
	assert_ratio("0/10", 0, 10);
	assert_ratio(" 10%|#         | 51/510 [00:01<00:09, 50.1it/s]", 51, 510);
	assert_ratio("[3/12] building", 3, 12);
	assert_ratio("at 5/10.", 5, 10);
	assert_ratio("batch 2/4, of 2024/01/15", 2, 4);
	assert_ratio("a/b c/d 7/8", 7, 8);
	assert_ratio("2024/01/15: 7/8", 7, 8);
}

static void dates_paths_fractions_and_versions_are_no_progress(void **state)
{
	static const char *const lines[] = {
		"",
		"/",
		"//",
		"1/",
		"/1",
		"2024/01/15",
		"24/7",
		"/data/12/34/x",
		"12/34/",
		"HTTP/1.1",
		"v1/2",
		"1/2v",
		"0/0",
		"1/0",
		"1.1/2",
		"1/2.5",
		"-1/2",
		"1,500/5,000",
		"1/5,000",
		"3/4GB",
		"x3/4",
		"a_1/2",
		"99999999999999999999/99999999999999999999",
		"1 / 2",
		"1//2",
		"\303\2511/2", /* é */
	};
	int64_t d, t;

	(void)state;
	for (size_t i = 0; i < BF_COUNT_OF(lines); i++)
		if (bf_ratio_parse(lines[i], strlen(lines[i]), &d, &t))
			fail_msg("took for progress: %s", lines[i]);
}

/* ---- whatever comes ---- */

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Mostly pieces of valid lines, so that the parsers get far. */
static size_t make_bytes(uint32_t *seed, char *out, size_t max)
{
	static const char *const pieces[] = {"progress", "checkpoint", "rows", "note", " ", "\t", "\r", "\n", "0", "17", "/", ".", "-", ","};
	size_t n = 0;

	while (n + 12 < max && next_random(seed) % 16) {
		const char *piece = pieces[next_random(seed) % BF_COUNT_OF(pieces)];
		if (next_random(seed) % 4 == 0) {
			out[n++] = (char)next_random(seed);
		} else {
			for (; *piece; piece++)
				out[n++] = *piece;
		}
	}
	return n;
}

static void check_line(void *data, const char *line, size_t len, bool cut)
{
	struct bf_progress_line p;
	int64_t done, total;
	BF_AUTOFREE char *exact = bf_alloc(len); /* so that a sanitizer sees a read past the end */

	(void)data;
	(void)cut;
	memcpy(exact, line, len);
	if (bf_progress_line_parse(exact, len, &p) && p.text)
		assert_true(p.text >= exact && p.text_len > 0 && p.text + p.text_len <= exact + len);
	if (p.kind == BF_PROGRESS_DONE)
		assert_true(p.done >= 0 && p.total >= -1);
	if (bf_ratio_parse(exact, len, &done, &total))
		assert_true(done >= 0 && done <= total && total > 0);
}

static void no_bytes_confuse_the_parsers(void **state)
{
	struct bf_lines l = {.returns = true};
	uint32_t seed = 7;
	char bytes[512];

	(void)state;
	for (int i = 0; i < 50000; i++) {
		size_t n = make_bytes(&seed, bytes, sizeof(bytes));
		check_line(NULL, bytes, n, false);
		bf_lines_feed(&l, bytes, n, check_line, NULL);
		assert_true(l.len <= BF_LINE_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_told_however_the_bytes_are_cut),
		cmocka_unit_test(a_carriage_return_ends_a_line_only_where_asked),
		cmocka_unit_test(a_line_that_is_too_long_is_cut_and_says_so),
		cmocka_unit_test(progress_is_done_and_a_total_if_known),
		cmocka_unit_test(rows_are_one_number),
		cmocka_unit_test(a_checkpoint_and_a_note_are_the_rest_of_the_line),
		cmocka_unit_test(anything_else_is_not_understood),
		cmocka_unit_test(a_ratio_in_a_printed_line_is_progress),
		cmocka_unit_test(dates_paths_fractions_and_versions_are_no_progress),
		cmocka_unit_test(no_bytes_confuse_the_parsers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
