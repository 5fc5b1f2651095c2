/* Decimal numbers of any length, compared as GMP's integers that are brought to the same power of ten. */
#include "base/decimal.h"

#include <gmp.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define SHOWN_MAX    60 /* digits that are shown of a number */
#define SHOWN_BEFORE 20 /* of them, before the first that differs */

/* ---- JSON's grammar ---- */

static size_t digits_len(const char *s, const char *end)
{
	size_t n = 0;
	while (s + n < end && s[n] >= '0' && s[n] <= '9')
		n++;
	return n;
}

static const char *skip_fraction(const char *s, const char *end)
{
	size_t n = s < end && *s == '.' ? digits_len(s + 1, end) : 0;
	return n ? s + 1 + n : s;
}

static const char *skip_exponent(const char *s, const char *end)
{
	if (s >= end || (*s != 'e' && *s != 'E'))
		return s;
	const char *digits = s + 1 + (s + 1 < end && (s[1] == '+' || s[1] == '-'));
	size_t n = digits_len(digits, end);
	return n ? digits + n : s;
}

size_t bf_decimal_len(const char *s, size_t len)
{
	const char *end = s + len, *at = s + (len > 0 && *s == '-');
	size_t whole = at < end && *at == '0' ? 1 : digits_len(at, end);
	return whole ? (size_t)(skip_exponent(skip_fraction(at + whole, end), end) - s) : 0;
}

static long exponent_of(const char *s)
{
	const char *e = s + strcspn(s, "eE");
	return *e ? strtol(e + 1, NULL, 10) : 0; /* one that is too long comes out as LONG_MAX or LONG_MIN */
}

static size_t fraction_len(const char *s)
{
	const char *point = strchr(s, '.');
	return point ? strcspn(point + 1, "eE") : 0;
}

bool bf_decimal_valid(const char *s)
{
	size_t len = strlen(s);
	if (len == 0 || len > BF_DECIMAL_MAX || bf_decimal_len(s, len) != len)
		return false;
	long exponent = exponent_of(s);
	return exponent <= BF_DECIMAL_MAX && exponent >= (long)fraction_len(s) - BF_DECIMAL_MAX;
}

/* ---- comparing ---- */

struct number { /* digits times ten to the exponent */
	mpz_t digits;
	long exponent;
};

static void read_number(struct number *n, const char *s)
{
	size_t len = strcspn(s, "eE"), whole = strcspn(s, ".eE");
	if (!bf_decimal_valid(s))
		abort();
	char *text = bf_strndup(s, len);
	if (whole < len) /* without its point */
		memmove(text + whole, text + whole + 1, len - whole);
	mpz_init(n->digits);
	if (mpz_set_str(n->digits, text, 10) < 0)
		abort();
	n->exponent = exponent_of(s) - (long)fraction_len(s);
	free(text);
}

static void scale(struct number *n, long exponent)
{
	mpz_t power;
	mpz_init(power);
	mpz_ui_pow_ui(power, 10, (unsigned long)(n->exponent - exponent));
	mpz_mul(n->digits, n->digits, power);
	mpz_clear(power);
	n->exponent = exponent;
}

/* Reads them all, to the same exponent. */
static void read_numbers(struct number *n, const char *const *s, size_t count)
{
	for (size_t i = 0; i < count; i++)
		read_number(&n[i], s[i]);
	long least = n[0].exponent;
	for (size_t i = 1; i < count; i++)
		least = n[i].exponent < least ? n[i].exponent : least;
	for (size_t i = 0; i < count; i++)
		scale(&n[i], least);
}

int bf_decimal_cmp(const char *a, const char *b)
{
	struct number n[2];
	read_numbers(n, (const char *const[]){a, b}, 2);
	int order = mpz_cmp(n[0].digits, n[1].digits);
	mpz_clears(n[0].digits, n[1].digits, NULL);
	return order;
}

bool bf_decimal_within(const char *a, const char *b, const char *tolerance)
{
	struct number n[3];
	read_numbers(n, (const char *const[]){a, b, tolerance}, 3);
	mpz_sub(n[0].digits, n[0].digits, n[1].digits);
	bool within = mpz_cmpabs(n[0].digits, n[2].digits) <= 0;
	mpz_clears(n[0].digits, n[1].digits, n[2].digits, NULL);
	return within;
}

/* ---- showing ---- */

static void add_grouped(struct bf_buf *out, const char *x, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (i > 0 && x[i - 1] != '-' && (len - i) % 3 == 0)
			bf_buf_addch(out, ',');
		bf_buf_addch(out, x[i]);
	}
}

static void add_part(struct bf_buf *out, const char *x, size_t len, const char *other)
{
	size_t same = 0, digits = 0;
	while (other && same < len && x[same] == other[same])
		same++;
	for (size_t i = 0; i < len; i++)
		digits += x[i] >= '0' && x[i] <= '9';
	size_t from = same < SHOWN_BEFORE ? 0 : same - SHOWN_BEFORE;
	if (len - from < SHOWN_MAX)
		from = len - SHOWN_MAX;
	bf_buf_printf(out, "%s%.*s%s (%zu digits)", from ? "…" : "", SHOWN_MAX, x + from, from + SHOWN_MAX < len ? "…" : "", digits);
}

void bf_decimal_show(struct bf_buf *out, const char *x, const char *other)
{
	size_t len = strlen(x), whole = strspn(x, "-0123456789");
	if (len > SHOWN_MAX) {
		add_part(out, x, len, other);
	} else if (whole == len) {
		add_grouped(out, x, len);
	} else if (x[whole] == '.' && !strpbrk(x, "eE")) {
		while (x[len - 1] == '0')
			len--;
		add_grouped(out, x, whole);
		if (len > whole + 1)
			bf_buf_add(out, x + whole, len - whole);
	} else {
		bf_buf_addstr(out, x);
	}
}
