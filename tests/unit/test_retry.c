#include "base/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct bf_retry usual = {.attempts = 3, .first_ms = 30000, .factor = 2, .max_ms = 600000, .jitter = 0.2};

static void each_wait_is_longer_by_the_factor(void **state)
{
	(void)state;
	assert_int_equal(bf_retry_delay_ms(&usual, 1, 0.5), 30000);
	assert_int_equal(bf_retry_delay_ms(&usual, 2, 0.5), 60000);
	assert_int_equal(bf_retry_delay_ms(&usual, 3, 0.5), 120000);
}

static void no_wait_is_longer_than_the_maximum(void **state)
{
	(void)state;
	assert_int_equal(bf_retry_delay_ms(&usual, 6, 0.5), 600000);
	assert_int_equal(bf_retry_delay_ms(&usual, 1000, 0.5), 600000);
	assert_int_equal(bf_retry_delay_ms(&usual, INT32_MAX, 0.5), 600000);
}

static void jitter_spreads_a_wait_to_both_sides(void **state)
{
	(void)state;
	assert_int_equal(bf_retry_delay_ms(&usual, 1, 0.0), 24000);
	assert_int_equal(bf_retry_delay_ms(&usual, 1, 0.25), 27000);
	assert_int_equal(bf_retry_delay_ms(&usual, 1, 0.75), 33000);
	struct bf_retry full = usual;
	full.jitter = 1;
	assert_int_equal(bf_retry_delay_ms(&full, 1, 0.0), 0);
	assert_int_equal(bf_retry_delay_ms(&full, 1, 0.999999999999), 60000);
	struct bf_retry none = usual;
	none.jitter = 0;
	assert_int_equal(bf_retry_delay_ms(&none, 2, 0.0), 60000);
}

static void a_factor_of_one_waits_the_same_each_time(void **state)
{
	(void)state;
	struct bf_retry flat = usual;
	flat.factor = 1;
	assert_int_equal(bf_retry_delay_ms(&flat, 1, 0.5), 30000);
	assert_int_equal(bf_retry_delay_ms(&flat, 50, 0.5), 30000);
}

static void no_first_wait_means_no_wait_at_all(void **state)
{
	(void)state;
	struct bf_retry eager = usual;
	eager.first_ms = 0;
	assert_int_equal(bf_retry_delay_ms(&eager, 1, 0.9), 0);
	assert_int_equal(bf_retry_delay_ms(&eager, 100000, 0.9), 0);
}

static void random_units_fill_the_interval(void **state)
{
	(void)state;
	int seen[10] = {0};
	for (int i = 0; i < 10000; i++) {
		double u = bf_random_unit();
		assert_true(u >= 0.0 && u < 1.0);
		seen[(int)(u * 10)]++;
	}
	for (int i = 0; i < 10; i++)
		assert_true(seen[i] > 500); /* 1000 expected, with a deviation of 30 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_wait_is_longer_by_the_factor),   cmocka_unit_test(no_wait_is_longer_than_the_maximum),
		cmocka_unit_test(jitter_spreads_a_wait_to_both_sides), cmocka_unit_test(a_factor_of_one_waits_the_same_each_time),
		cmocka_unit_test(no_first_wait_means_no_wait_at_all),  cmocka_unit_test(random_units_fill_the_interval),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
