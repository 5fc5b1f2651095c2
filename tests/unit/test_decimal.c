#include "base/decimal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

#include <cmocka.h>

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void assert_order(const char *a, int order, const char *b)
{
	if (sign(bf_decimal_cmp(a, b)) != order || sign(bf_decimal_cmp(b, a)) != -order)
		fail_msg("%s and %s: %d, expected %d", a, b, bf_decimal_cmp(a, b), order);
}

static void numbers_that_are_one_in_doubles_differ(void **state)
{
	(void)state;
	assert_order("9007199254740992", -1, "9007199254740993");
	assert_order("12345678901234567890.12", -1, "12345678901234567890.13");
	assert_order("18446744073709551614", -1, "18446744073709551615");
	assert_order("-9223372036854775808", -1, "-9223372036854775807");
	assert_order("0.1000000000000000000000000000000000000001", 1, "0.1");
	assert_order("1e15000", -1, "1.0000000000000000000000001e15000");
	assert_order("1e-15000", 1, "0");
}

static void what_is_written_otherwise_is_the_same_number(void **state)
{
	(void)state;
	assert_order("1.50", 0, "1.5");
	assert_order("15e-1", 0, "1.5");
	assert_order("0.0015E+3", 0, "1.5");
	assert_order("-0", 0, "0.000");
	assert_order("1e3", 0, "1000");
	assert_order("100000000000000000000", 0, "1e20");
	assert_order("0e15000", 0, "0e-15000");
}

static void numbers_are_in_order_across_signs_and_sizes(void **state)
{
	static const char *const rising[] = {"-1e30", "-123.5", "-123.4", "-1", "-1e-30", "0", "1e-30", "0.5", "1", "9", "10", "1e30"};
	(void)state;
	for (size_t i = 0; i < BF_COUNT_OF(rising); i++)
		for (size_t j = 0; j < BF_COUNT_OF(rising); j++)
			assert_order(rising[i], (i > j) - (i < j), rising[j]);
}

static void a_tolerance_is_as_exact_as_the_numbers(void **state)
{
	(void)state;
	assert_true(bf_decimal_within("0.3", "0.1", "0.2")); /* in doubles 0.3 - 0.1 < 0.2, and 0.7 - 0.5 > 0.2 is not within */
	assert_true(bf_decimal_within("0.7", "0.5", "0.2"));
	assert_true(bf_decimal_within("0.5", "0.7", "0.2"));
	assert_false(bf_decimal_within("0.70000000000000000001", "0.5", "0.2"));
	assert_true(bf_decimal_within("9007199254740993", "9007199254740992", "1"));
	assert_false(bf_decimal_within("9007199254740993", "9007199254740992", "0"));
	assert_false(bf_decimal_within("-1", "1", "1.999"));
	assert_true(bf_decimal_within("-1", "1", "2"));
}

static void only_jsons_grammar_makes_a_number(void **state)
{
	static const char *const numbers[] = {"0", "-0", "10", "1.0", "1e5", "1E+05", "1.25e-3", "-12.5"};
	static const char *const others[] = {"",    " 1",  "1 ", "0x10", "true", "+1",       ".5",      "1.", "01",  "1e",   "1e+",
										 "--1", "1,0", "∞",  "NaN",  "inf",  "Infinity", "1e16001", "-",  "1_0", "1.2.3"};
	(void)state;
	for (size_t i = 0; i < BF_COUNT_OF(numbers); i++)
		assert_true(bf_decimal_valid(numbers[i]));
	for (size_t i = 0; i < BF_COUNT_OF(others); i++)
		if (bf_decimal_valid(others[i]))
			fail_msg("%s was taken for a number", others[i]);
	assert_int_equal(bf_decimal_len("1.5e3,", 6), 5);
	assert_int_equal(bf_decimal_len("1.e3", 4), 1);
	assert_int_equal(bf_decimal_len("1.55", 3), 3);
	assert_int_equal(bf_decimal_len("-", 1), 0);
}

static void a_number_has_an_end_to_its_length(void **state)
{
	BF_AUTOFREE char *longest = bf_alloc(BF_DECIMAL_MAX + 2);
	(void)state;
	memset(longest, '9', BF_DECIMAL_MAX);
	assert_true(bf_decimal_valid(longest));
	assert_order(longest, -1, "1e16000");
	longest[BF_DECIMAL_MAX] = '9';
	assert_false(bf_decimal_valid(longest));
	assert_false(bf_decimal_valid("1e99999999999999999999"));
	assert_false(bf_decimal_valid("1e-99999999999999999999"));
}

static void assert_shown(const char *x, const char *other, const char *expected)
{
	BF_AUTOBUF struct bf_buf out;
	bf_buf_init(&out, 1000);
	bf_decimal_show(&out, x, other);
	assert_string_equal(out.data, expected);
}

static void a_number_is_shown_with_the_digits_that_differ(void **state)
{
	static const char a[] = "11111111112222222222333333333344444444445555555555666666666677777777770";
	static const char b[] = "11111111112222222222333333333344444444445555555555666666666677777777771";
	(void)state;
	assert_shown("9007199254740993", NULL, "9,007,199,254,740,993");
	assert_shown("-1234", NULL, "-1,234");
	assert_shown("-123", NULL, "-123");
	assert_shown("12345.6700", NULL, "12,345.67");
	assert_shown("5.000", NULL, "5");
	assert_shown("1e-05", NULL, "1e-05");
	assert_shown(a, b, "…222222222333333333344444444445555555555666666666677777777770 (71 digits)");
	assert_shown(b, a, "…222222222333333333344444444445555555555666666666677777777771 (71 digits)");
	assert_shown(a, NULL, "111111111122222222223333333333444444444455555555556666666666… (71 digits)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_that_are_one_in_doubles_differ),
		cmocka_unit_test(what_is_written_otherwise_is_the_same_number),
		cmocka_unit_test(numbers_are_in_order_across_signs_and_sizes),
		cmocka_unit_test(a_tolerance_is_as_exact_as_the_numbers),
		cmocka_unit_test(only_jsons_grammar_makes_a_number),
		cmocka_unit_test(a_number_has_an_end_to_its_length),
		cmocka_unit_test(a_number_is_shown_with_the_digits_that_differ),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
