#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/plan.h"

static bf_date day(const char *text)
{
	struct bf_error err;
	bf_date d = 0;
	assert_int_equal(bf_date_parse(text, &d, &err), 0);
	return d;
}

/* The chunks of a cut as "a b c". */
static void assert_cut(struct bf_cut cut, const char *expected)
{
	BF_AUTOBUF struct bf_buf found;
	struct bf_span chunk;
	char text[BF_RANGE_TEXT];
	bf_buf_init(&found, 1u << 16);
	while (bf_cut_next(&cut, &chunk))
		bf_buf_printf(&found, "%s%s", found.len ? " " : "", bf_range_format(chunk.first, chunk.last, text));
	assert_false(bf_cut_next(&cut, &chunk));
	bf_cut_release(&cut);
	assert_string_equal(found.data, expected);
}

static struct bf_cut by_days(const struct bf_span *spans, size_t n, int size, enum bf_order order)
{
	return (struct bf_cut){.spans = spans, .n_spans = n, .unit = BF_UNIT_DAY, .size = size, .order = order};
}

static void a_range_is_cut_into_chunks_and_the_last_may_be_shorter(void **state)
{
	(void)state;
	struct bf_span span = {day("2024-02-27"), day("2024-03-05")};
	assert_cut(by_days(&span, 1, 3, BF_ORDER_ASC), "2024-02-27..2024-02-29 2024-03-01..2024-03-03 2024-03-04..2024-03-05");
}

static void descending_order_has_the_same_chunks_from_the_end(void **state)
{
	(void)state;
	struct bf_span span = {day("2024-02-27"), day("2024-03-05")};
	assert_cut(by_days(&span, 1, 3, BF_ORDER_DESC), "2024-03-04..2024-03-05 2024-03-01..2024-03-03 2024-02-27..2024-02-29");
}

static void each_interval_is_cut_for_itself(void **state)
{
	(void)state;
	struct bf_span spans[] = {
		{day("2024-01-01"), day("2024-01-04")}, {day("2024-01-07"), day("2024-01-07")}, {day("2024-01-09"), day("2024-01-12")}};
	assert_cut(by_days(spans, 3, 3, BF_ORDER_ASC), "2024-01-01..2024-01-03 2024-01-04 2024-01-07 2024-01-09..2024-01-11 2024-01-12");
	assert_cut(by_days(spans, 3, 3, BF_ORDER_DESC), "2024-01-12 2024-01-09..2024-01-11 2024-01-07 2024-01-04 2024-01-01..2024-01-03");
}

static void months_begin_on_their_first_day(void **state)
{
	(void)state;
	struct bf_span span = {day("2023-12-15"), day("2024-03-10")};
	struct bf_cut cut = {.spans = &span, .n_spans = 1, .unit = BF_UNIT_MONTH, .size = 1};
	assert_cut(cut, "2023-12-15..2023-12-31 2024-01-01..2024-01-31 2024-02-01..2024-02-29 2024-03-01..2024-03-10");
}

static void a_limit_takes_the_first_chunks_in_the_order(void **state)
{
	(void)state;
	struct bf_span spans[] = {{day("2024-01-01"), day("2024-01-02")}, {day("2024-01-05"), day("2024-01-06")}};
	struct bf_cut up = by_days(spans, 2, 1, BF_ORDER_ASC), down = by_days(spans, 2, 1, BF_ORDER_DESC);
	up.limit = down.limit = 3;
	assert_cut(up, "2024-01-01 2024-01-02 2024-01-05");
	assert_cut(down, "2024-01-06 2024-01-05 2024-01-02");
}

static void nothing_missing_gives_no_chunk(void **state)
{
	(void)state;
	assert_cut(by_days(NULL, 0, 3, BF_ORDER_ASC), "");
	assert_cut(by_days(NULL, 0, 3, BF_ORDER_DESC), "");
}

static void chunks_of_the_longest_range_cover_it_without_hole_or_overlap(void **state)
{
	(void)state;
	struct bf_span span = {day("1970-01-01"), day("1970-01-01") + BF_RANGE_MAX_DAYS - 1}, chunk;
	for (int size = 1; size <= 31; size++) {
		struct bf_cut cut = by_days(&span, 1, size, BF_ORDER_ASC);
		bf_date next = span.first;
		while (bf_cut_next(&cut, &chunk)) {
			assert_int_equal(chunk.first, next);
			assert_true(chunk.last >= chunk.first && chunk.last - chunk.first < size);
			next = chunk.last + 1;
		}
		bf_cut_release(&cut);
		assert_int_equal(next, span.last + 1);
	}
}

/* ---- keys ---- */

static int add(struct bf_keys *k, const char *key, struct bf_error *err)
{
	return bf_keys_add(k, key, strlen(key), err);
}

static void keys_keep_their_order_and_are_found(void **state)
{
	(void)state;
	struct bf_keys k;
	struct bf_error err;
	char key[32];
	size_t place;
	bf_keys_init(&k);
	for (int i = 0; i < 5000; i++) {
		snprintf(key, sizeof(key), "key %d", (i * 7919) % 5000);
		assert_int_equal(add(&k, key, &err), 0);
	}
	assert_int_equal(k.count, 5000);
	assert_string_equal(bf_keys_at(&k, 1), "key 2919");
	assert_true(bf_keys_find(&k, "key 2919", &place));
	assert_int_equal(place, 1);
	assert_false(bf_keys_find(&k, "key 5000", &place));
	bf_keys_release(&k);
}

static void a_key_that_cannot_be_a_chunk_is_refused_by_number(void **state)
{
	(void)state;
	struct bf_keys k;
	struct bf_error err;
	char longest[BF_CHUNK_MAX + 2];
	memset(longest, 'x', sizeof(longest));
	longest[BF_CHUNK_MAX + 1] = '\0';
	bf_keys_init(&k);
	assert_int_equal(add(&k, "a'; drop table x; --\n\\", &err), 0);
	assert_int_equal(add(&k, "", &err), -BF_E_INPUT);
	assert_non_null(strstr(err.text, "key number 2: found \"\""));
	assert_int_equal(add(&k, longest, &err), -BF_E_INPUT);
	longest[BF_CHUNK_MAX] = '\0';
	assert_int_equal(add(&k, longest, &err), 0);
	assert_int_equal(add(&k, "\xff", &err), -BF_E_INPUT);
	assert_non_null(strstr(err.text, "UTF-8"));
	assert_int_equal(add(&k, longest, &err), -BF_E_INPUT);
	assert_non_null(strstr(err.text, "twice"));
	assert_int_equal(k.count, 2);
	bf_keys_release(&k);
}

static void picking_keeps_the_list_s_order_and_suggests_the_near_key(void **state)
{
	(void)state;
	const char *const wanted[] = {"gamma", "alpha"}, *const wrong[] = {"gama"};
	struct bf_keys k, picked;
	struct bf_error err;
	bf_keys_init(&k);
	bf_keys_init(&picked);
	assert_int_equal(add(&k, "alpha", &err) | add(&k, "beta", &err) | add(&k, "gamma", &err), 0);
	assert_int_equal(bf_keys_pick(&k, wrong, 1, &picked, &err), -BF_E_NOT_FOUND);
	assert_non_null(strstr(err.text, "did you mean \"gamma\"?"));
	assert_int_equal(bf_keys_pick(&k, wanted, 2, &picked, &err), 0);
	assert_int_equal(picked.count, 2);
	assert_string_equal(bf_keys_at(&picked, 0), "alpha");
	assert_string_equal(bf_keys_at(&picked, 1), "gamma");
	bf_keys_release(&picked);
	bf_keys_release(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_range_is_cut_into_chunks_and_the_last_may_be_shorter),
		cmocka_unit_test(descending_order_has_the_same_chunks_from_the_end),
		cmocka_unit_test(each_interval_is_cut_for_itself),
		cmocka_unit_test(months_begin_on_their_first_day),
		cmocka_unit_test(a_limit_takes_the_first_chunks_in_the_order),
		cmocka_unit_test(nothing_missing_gives_no_chunk),
		cmocka_unit_test(chunks_of_the_longest_range_cover_it_without_hole_or_overlap),
		cmocka_unit_test(keys_keep_their_order_and_are_found),
		cmocka_unit_test(a_key_that_cannot_be_a_chunk_is_refused_by_number),
		cmocka_unit_test(picking_keeps_the_list_s_order_and_suggests_the_near_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
