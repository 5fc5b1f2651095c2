#include "base/mem.h"
#include "render/bar.h"
#include "render/heat.h"
#include "render/json.h"
#include "render/keyboard.h"
#include "render/rate.h"
#include "render/table.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

static const struct bf_term ascii = {.tty = false};
static const struct bf_term utf8 = {.utf8 = true};
static const struct bf_term coloured = {.tty = true, .utf8 = true, .colour = true, .width = 80, .height = 24};

static int go_utf8(void **state)
{
	(void)state;
	return setlocale(LC_ALL, "C.UTF-8") ? 0 : -1;
}

/* ---- bars ---- */

static void check_bar(struct bf_bar bar, int width, const char *expected)
{
	BF_AUTOBUF struct bf_buf out;
	bf_buf_init(&out, 1024);
	bf_bar_text(&out, &ascii, &bar, width);
	assert_string_equal(out.data, expected);
}

static void a_bar_shows_each_part_with_a_character_of_its_own(void **state)
{
	(void)state;
	check_bar((struct bf_bar){.planned = 10, .done = 4, .failed = 1, .running = 2}, 10, "####x>>...");
	check_bar((struct bf_bar){.planned = 10, .done = 4, .failed = 1, .skipped = 5}, 10, "####x-----");
}

static void a_bar_is_full_only_when_everything_is_done(void **state)
{
	(void)state;
	check_bar((struct bf_bar){.planned = 1000, .done = 1000}, 10, "##########");
	check_bar((struct bf_bar){.planned = 1000, .done = 999}, 10, "#########.");
	check_bar((struct bf_bar){.planned = 1000000, .done = 999999}, 20, "###################.");
}

static void one_failure_in_a_million_has_a_cell(void **state)
{
	(void)state;
	check_bar((struct bf_bar){.planned = 1000000, .done = 999999, .failed = 1}, 10, "#########x");
	check_bar((struct bf_bar){.planned = 1000000, .failed = 1}, 10, "x.........");
}

static void a_bar_always_has_its_width(void **state)
{
	(void)state;
	for (int planned = 0; planned <= 40; planned++)
		for (int done = 0; done <= planned; done++)
			for (int failed = 0; done + failed <= planned; failed += 3)
				for (int width = 5; width <= 12; width++) {
					BF_AUTOBUF struct bf_buf out;
					struct bf_bar bar = {.planned = planned, .done = done, .failed = failed, .running = planned - done - failed > 1};
					bf_buf_init(&out, 64);
					bf_bar_text(&out, &ascii, &bar, width);
					assert_int_equal(out.len, width);
				}
}

static void a_bar_that_counts_more_than_was_planned_stays_in_its_width(void **state)
{
	(void)state;
	check_bar((struct bf_bar){.planned = 3, .done = 4, .failed = 4}, 8, "####xxxx");
}

static void a_bar_is_painted_by_its_characters_and_text_is_left_alone(void **state)
{
	BF_AUTOBUF struct bf_buf out;
	(void)state;
	bf_buf_init(&out, 1024);
	bf_bar_paint(&out, &coloured, "daily ██▚ 2");
	assert_string_equal(out.data, "daily \x1b[32m██\x1b[0m\x1b[31m▚\x1b[0m 2");
	bf_buf_clear(&out);
	bf_bar_paint(&out, &utf8, "daily ██▚ 2");
	assert_string_equal(out.data, "daily ██▚ 2");
}

static void check_percent(int64_t part, int64_t whole, const char *expected)
{
	BF_AUTOBUF struct bf_buf out;
	bf_buf_init(&out, 64);
	bf_percent_text(&out, part, whole);
	assert_string_equal(out.data, expected);
}

static void a_hundred_percent_means_all(void **state)
{
	(void)state;
	check_percent(5, 5, "100 %");
	check_percent(999999, 1000000, "99.9 %");
	check_percent(1, 1000, "0.1 %");
	check_percent(0, 1000, "0 %");
	check_percent(619, 1000, "62 %");
	check_percent(989, 1000, "99 %");
	check_percent(995, 1000, "99.5 %");
	check_percent(11, 1000, "1 %");
	check_percent(0, 0, "-");
}

/* ---- the keyboard ---- */

static void a_time_that_is_over_is_not_waited_for(void **state)
{
	struct bf_keyboard k = {.open = false};
	(void)state;
	alarm(10); /* a wait that does not end fails the program */
	assert_int_equal(bf_keyboard_wait(&k, 0), 0);
	assert_int_equal(bf_keyboard_wait(&k, -470), 0);
	assert_int_equal(bf_keyboard_wait(&k, INT64_MIN), 0);
	alarm(0);
}

/* ---- rate and time left ---- */

static void the_rate_is_that_of_the_last_seconds(void **state)
{
	struct bf_rate r = {.n = 0};
	(void)state;
	for (int second = 0; second <= 60; second++)
		bf_rate_add(&r, second * 1000, second <= 50 ? second * 100 : 5000 + (second - 50) * 7);
	assert_true(bf_rate_per_second(&r) > 6.99 && bf_rate_per_second(&r) < 7.01);
}

static void one_sample_gives_no_rate(void **state)
{
	struct bf_rate r = {.n = 0};
	(void)state;
	assert_true(bf_rate_per_second(&r) == 0);
	bf_rate_add(&r, 1000, 50);
	assert_true(bf_rate_per_second(&r) == 0);
	bf_rate_add(&r, 1000, 60);
	assert_true(bf_rate_per_second(&r) == 0);
}

static void jobs_that_are_opened_again_begin_the_rate_anew(void **state)
{
	struct bf_rate r = {.n = 0};
	(void)state;
	bf_rate_add(&r, 0, 100);
	bf_rate_add(&r, 1000, 200);
	bf_rate_add(&r, 2000, 50);
	assert_true(bf_rate_per_second(&r) == 0);
	bf_rate_add(&r, 3000, 60);
	assert_true(bf_rate_per_second(&r) == 10);
}

static void many_samples_are_kept_within_bounds(void **state)
{
	struct bf_rate r = {.n = 0};
	(void)state;
	for (int i = 0; i < 10000; i++)
		bf_rate_add(&r, i * 10, i);
	assert_true(r.n <= BF_RATE_SAMPLES);
	assert_true(bf_rate_per_second(&r) > 99 && bf_rate_per_second(&r) < 101);
}

static void the_time_left_is_known_only_with_a_rate(void **state)
{
	(void)state;
	assert_int_equal(bf_eta_ms(100, 10), 10000);
	assert_int_equal(bf_eta_ms(0, 0), 0);
	assert_int_equal(bf_eta_ms(100, 0), -1);
	assert_int_equal(bf_eta_ms(INT64_MAX, 0.0001), -1);
}

static void a_rate_is_written_with_the_digits_that_matter(void **state)
{
	char text[BF_RATE_TEXT];
	(void)state;
	assert_string_equal(bf_rate_text(12345.6, text), "12,346 jobs/s");
	assert_string_equal(bf_rate_text(12.34, text), "12.3 jobs/s");
	assert_string_equal(bf_rate_text(0.1, text), "6 jobs/min");
	assert_string_equal(bf_rate_text(0.001, text), "3.6 jobs/h");
	assert_string_equal(bf_rate_text(0, text), "");
}

/* ---- days ---- */

static bf_date day(int year, int month, int dom)
{
	return bf_date_make(year, month, dom);
}

static void a_done_day_outweighs_a_failed_one_in_either_order(void **state)
{
	struct bf_days d;
	(void)state;
	bf_days_init(&d, day(2024, 1, 1), day(2024, 1, 10));
	bf_days_mark(&d, day(2024, 1, 1), day(2024, 1, 4), BF_DAY_DONE);
	bf_days_mark(&d, day(2024, 1, 3), day(2024, 1, 6), BF_DAY_FAILED);
	bf_days_mark(&d, day(2023, 1, 1), day(2024, 12, 31), BF_DAY_MISSING);
	bf_days_mark(&d, day(2024, 1, 6), day(2024, 1, 6), BF_DAY_RUNNING);
	struct bf_day_counts n = bf_days_count(&d, day(2020, 1, 1), day(2030, 1, 1));
	assert_int_equal(n.asked, 10);
	assert_int_equal(n.done, 4);
	assert_int_equal(n.failed, 1);
	assert_int_equal(n.running, 1);
	assert_int_equal(n.missing, 4);
	bf_days_release(&d);
}

static char *heat(const struct bf_term *t, const struct bf_days *d)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bf_heat_print(out, t, d);
	fclose(out);
	return text;
}

static void without_a_terminal_the_calendar_has_a_row_a_month(void **state)
{
	struct bf_days d;
	(void)state;
	bf_days_init(&d, day(2023, 12, 30), day(2024, 2, 3));
	bf_days_mark(&d, day(2023, 12, 30), day(2024, 1, 2), BF_DAY_DONE);
	bf_days_mark(&d, day(2024, 1, 4), day(2024, 1, 4), BF_DAY_FAILED);
	bf_days_mark(&d, day(2024, 2, 1), day(2024, 2, 1), BF_DAY_RUNNING);
	bf_days_mark(&d, day(2024, 2, 2), day(2024, 2, 3), BF_DAY_MISSING);
	BF_AUTOFREE char *text = heat(&ascii, &d);
	assert_string_equal(text, "2023-12                               ##\n2024-01  ## x\n2024-02  >..\n");
	bf_days_release(&d);
}

/* The character at a line and column, both from 0. */
static char at(const char *text, int line, int column)
{
	while (line-- > 0)
		text = strchr(text, '\n') + 1;
	for (int i = 0; i < column; i++)
		if (text[i] == '\n' || text[i] == '\0')
			return '\0';
	return text[column];
}

static void on_a_terminal_the_calendar_has_a_row_a_day_of_the_week(void **state)
{
	struct bf_term t = {.tty = true, .width = 80, .height = 24};
	struct bf_days d;
	(void)state;
	bf_days_init(&d, day(2024, 1, 1), day(2024, 12, 31)); /* begins on a Monday */
	bf_days_mark(&d, day(2024, 1, 1), day(2024, 12, 31), BF_DAY_MISSING);
	bf_days_mark(&d, day(2024, 1, 1), day(2024, 1, 1), BF_DAY_DONE);
	bf_days_mark(&d, day(2024, 1, 9), day(2024, 1, 9), BF_DAY_FAILED);
	BF_AUTOFREE char *text = heat(&t, &d);
	assert_memory_equal(text, "2024\n    Jan", 12);
	assert_int_equal(at(text, 2, 4), '#'); /* Monday, first week */
	assert_int_equal(at(text, 2, 5), '.');
	assert_int_equal(at(text, 3, 5), 'x');      /* Tuesday, second week */
	assert_int_equal(at(text, 3, 4 + 52), '.'); /* Tuesday, the 31st of December */
	assert_int_equal(at(text, 4, 4 + 52), ' ');
	bf_days_release(&d);
}

static void a_wide_terminal_has_years_side_by_side(void **state)
{
	struct bf_term narrow = {.tty = true, .width = 80}, wide = {.tty = true, .width = 130};
	struct bf_days d;
	(void)state;
	bf_days_init(&d, day(2023, 1, 1), day(2024, 12, 31));
	BF_AUTOFREE char *one = heat(&narrow, &d);
	BF_AUTOFREE char *two = heat(&wide, &d);
	int lines_one = 0, lines_two = 0;
	for (const char *c = one; *c; c++)
		lines_one += *c == '\n';
	for (const char *c = two; *c; c++)
		lines_two += *c == '\n';
	assert_int_equal(lines_one, 9 + 1 + 9);
	assert_int_equal(lines_two, 9);
	bf_days_release(&d);
}

/* ---- text on a terminal ---- */

static void check_cut(const struct bf_term *t, const char *text, int width, const char *expected)
{
	BF_AUTOBUF struct bf_buf out;
	bf_buf_init(&out, 1024);
	bf_term_cut(&out, t, text, width);
	assert_string_equal(out.data, expected);
}

static void a_cut_text_ends_with_dots_and_switches_its_colours_off(void **state)
{
	(void)state;
	check_cut(&utf8, "abcdef", 6, "abcdef");
	check_cut(&utf8, "abcdef", 5, "abcd…");
	check_cut(&ascii, "abcdef", 5, "ab...");
	check_cut(&utf8, "größer", 4, "grö…");
	check_cut(&utf8, "\x1b[31mabcdef\x1b[0m", 4, "\x1b[31mabc…\x1b[0m");
	check_cut(&utf8, "abcdef", 0, "abcdef");
}

static void text_of_others_becomes_one_line_that_a_terminal_cannot_obey(void **state)
{
	BF_AUTOBUF struct bf_buf out;
	(void)state;
	bf_buf_init(&out, 1024);
	bf_term_one_line(&out, "  one\ttwo\n\x1b[31mthree\x07 \xff ");
	assert_string_equal(out.data, "one two \\x1b[31mthree\\x07 \\xff");
}

/* ---- tables ---- */

static const struct bf_column columns[] = {
	{.title = "NAME", .elastic = true}, {.title = "N", .right = true}, {.title = "MORE", .rank = 2}, {.title = "LESS", .rank = 1}};

static char *print_table(const struct bf_term *t, int portions)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	BF_AUTOTABLE struct bf_table *table = bf_table_new(t, columns, BF_COUNT_OF(columns));
	bf_table_row(table);
	bf_table_cell(table, BF_PLAIN, "a-long-name");
	bf_table_number(table, BF_PLAIN, 1234567);
	bf_table_cell(table, BF_PLAIN, "more");
	bf_table_cell(table, BF_PLAIN, "less");
	if (portions > 1)
		bf_table_print(table, out);
	bf_table_row(table);
	bf_table_cell(table, BF_PLAIN, "b");
	bf_table_number(table, BF_PLAIN, 0);
	bf_table_print(table, out);
	fclose(out);
	return text;
}

static void a_table_is_aligned_and_has_no_spaces_at_the_ends(void **state)
{
	(void)state;
	BF_AUTOFREE char *text = print_table(&utf8, 1);
	assert_string_equal(text, "NAME                 N  MORE  LESS\n"
							  "a-long-name  1,234,567  more  less\n"
							  "b                    0\n");
}

static void a_table_in_portions_keeps_its_columns(void **state)
{
	(void)state;
	BF_AUTOFREE char *once = print_table(&utf8, 1);
	BF_AUTOFREE char *twice = print_table(&utf8, 2);
	assert_string_equal(once, twice);
}

static void a_narrow_table_leaves_columns_out_before_it_cuts(void **state)
{
	struct bf_term t = {.tty = true, .utf8 = true, .width = 28};
	(void)state;
	BF_AUTOFREE char *without_more = print_table(&t, 1);
	assert_string_equal(without_more, "NAME                 N  LESS\n"
									  "a-long-name  1,234,567  less\n"
									  "b                    0\n");
	t.width = 20;
	BF_AUTOFREE char *cut = print_table(&t, 1);
	assert_string_equal(cut, "NAME               N\n"
							 "a-long-n…  1,234,567\n"
							 "b                  0\n");
}

/* ---- JSON ---- */

static void json_is_valid_whatever_the_texts_are(void **state)
{
	struct bf_json j;
	char *text = NULL;
	size_t size = 0;
	(void)state;
	FILE *out = open_memstream(&text, &size);
	bf_json_begin(&j, out);
	bf_json_text(&j, "bad", "a\"\n\x01\xff");
	bf_json_text(&j, "none", NULL);
	bf_json_array(&j, "list");
	bf_json_int(&j, NULL, -5);
	bf_json_number(&j, NULL, -0.04);
	bf_json_number(&j, NULL, 99.96);
	bf_json_object(&j, NULL);
	bf_json_close(&j);
	bf_json_close(&j);
	bf_json_time(&j, "at", 0);
	bf_json_raw(&j, "raw", "");
	bf_json_end(&j);
	fclose(out);
	json_error_t why;
	json_t *root = json_loads(text, 0, &why);
	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "bad")), "a\"\n\x01\xef\xbf\xbd");
	assert_true(json_is_null(json_object_get(root, "none")));
	assert_true(json_is_null(json_object_get(root, "at")));
	assert_int_equal(json_array_size(json_object_get(root, "list")), 4);
	assert_true(json_number_value(json_array_get(json_object_get(root, "list"), 1)) == 0);
	assert_true(json_number_value(json_array_get(json_object_get(root, "list"), 2)) == 100);
	json_decref(root);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bar_shows_each_part_with_a_character_of_its_own),
		cmocka_unit_test(a_bar_is_full_only_when_everything_is_done),
		cmocka_unit_test(one_failure_in_a_million_has_a_cell),
		cmocka_unit_test(a_bar_always_has_its_width),
		cmocka_unit_test(a_bar_that_counts_more_than_was_planned_stays_in_its_width),
		cmocka_unit_test(a_bar_is_painted_by_its_characters_and_text_is_left_alone),
		cmocka_unit_test(a_hundred_percent_means_all),
		cmocka_unit_test(a_time_that_is_over_is_not_waited_for),
		cmocka_unit_test(the_rate_is_that_of_the_last_seconds),
		cmocka_unit_test(one_sample_gives_no_rate),
		cmocka_unit_test(jobs_that_are_opened_again_begin_the_rate_anew),
		cmocka_unit_test(many_samples_are_kept_within_bounds),
		cmocka_unit_test(the_time_left_is_known_only_with_a_rate),
		cmocka_unit_test(a_rate_is_written_with_the_digits_that_matter),
		cmocka_unit_test(a_done_day_outweighs_a_failed_one_in_either_order),
		cmocka_unit_test(without_a_terminal_the_calendar_has_a_row_a_month),
		cmocka_unit_test(on_a_terminal_the_calendar_has_a_row_a_day_of_the_week),
		cmocka_unit_test(a_wide_terminal_has_years_side_by_side),
		cmocka_unit_test(a_cut_text_ends_with_dots_and_switches_its_colours_off),
		cmocka_unit_test(text_of_others_becomes_one_line_that_a_terminal_cannot_obey),
		cmocka_unit_test(a_table_is_aligned_and_has_no_spaces_at_the_ends),
		cmocka_unit_test(a_table_in_portions_keeps_its_columns),
		cmocka_unit_test(a_narrow_table_leaves_columns_out_before_it_cuts),
		cmocka_unit_test(json_is_valid_whatever_the_texts_are),
	};
	return cmocka_run_group_tests(tests, go_utf8, NULL);
}
