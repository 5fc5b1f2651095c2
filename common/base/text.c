#include "base/text.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool bf_name_valid(const char *s)
{
	if (!s || !is_lower(s[0]))
		return false;
	size_t n = 1;
	for (; s[n]; n++)
		if (n >= BF_NAME_MAX || !(is_lower(s[n]) || is_digit(s[n]) || s[n] == '-'))
			return false;
	return true;
}

bool bf_run_valid(const char *s)
{
	if (!s || !(is_lower(s[0]) || is_digit(s[0])))
		return false;
	size_t n = 1;
	for (; s[n]; n++)
		if (n >= BF_RUN_MAX || !(is_lower(s[n]) || is_digit(s[n]) || s[n] == '-' || s[n] == '.'))
			return false;
	return true;
}

/*
 * The well-formed sequences of the Unicode standard's table 3-7. Where the first byte leaves overlong forms, surrogates or
 * numbers past U+10FFFF possible, the second byte's range is narrower.
 */
size_t bf_utf8_char(const char *s, size_t len)
{
	const unsigned char *u = (const unsigned char *)s;
	if (len == 0 || u[0] == 0)
		return 0;
	if (u[0] < 0x80)
		return 1;
	size_t n = u[0] >= 0xC2 && u[0] <= 0xDF ? 2 : (u[0] & 0xF0) == 0xE0 ? 3 : u[0] >= 0xF0 && u[0] <= 0xF4 ? 4 : 0;
	if (n == 0 || n > len)
		return 0;
	unsigned low = u[0] == 0xE0 ? 0xA0 : u[0] == 0xF0 ? 0x90 : 0x80;
	unsigned high = u[0] == 0xED ? 0x9F : u[0] == 0xF4 ? 0x8F : 0xBF;
	if (u[1] < low || u[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((u[i] & 0xC0) != 0x80)
			return 0;
	return n;
}

bool bf_utf8_valid(const char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = bf_utf8_char(s + i, len - i);
		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

void bf_utf8_clean(struct bf_buf *out, const char *s, size_t len)
{
	size_t good = 0; /* the valid bytes before i that are not in `out` yet */
	for (size_t i = 0; i < len;) {
		size_t n = bf_utf8_char(s + i, len - i);
		if (n == 0) {
			(void)bf_buf_add(out, s + i - good, good);
			(void)bf_buf_addstr(out, "\xEF\xBF\xBD");
			good = 0;
			i++;
		} else {
			good += n;
			i += n;
		}
	}
	if (good)
		(void)bf_buf_add(out, s + len - good, good);
}

static void quote_char(struct bf_buf *out, const char *s, size_t n)
{
	if (n == 1 && (*s == '"' || *s == '\\'))
		(void)bf_buf_printf(out, "\\%c", *s);
	else
		bf_show_char(out, s, n);
}

void bf_text_quote(struct bf_buf *out, const char *s, size_t len, size_t max)
{
	(void)bf_buf_addch(out, '"');
	for (size_t i = 0; i < len;) {
		size_t n = bf_utf8_char(s + i, len - i);
		if (i + (n ? n : 1) > max) {
			(void)bf_buf_addstr(out, "…");
			break;
		}
		quote_char(out, s + i, n);
		i += n ? n : 1;
	}
	(void)bf_buf_addch(out, '"');
}

#define NEAREST_MAX 64

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;
	return m < c ? m : c;
}

/* Edits (insert, delete, replace, swap two neighbours) between two words of at most NEAREST_MAX bytes. */
static size_t distance(const char *a, size_t na, const char *b, size_t nb)
{
	size_t rows[3][NEAREST_MAX + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];
	for (size_t j = 0; j <= nb; j++)
		above[j] = before[j] = j;
	for (size_t i = 1; i <= na; i++) {
		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t replace = above[j - 1] + (a[i - 1] != b[j - 1]);
			row[j] = min3(above[j] + 1, row[j - 1] + 1, replace);
			bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
			if (swapped && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		size_t *oldest = before;
		before = above;
		above = row;
		row = oldest;
	}
	return above[nb];
}

const char *bf_text_nearest(const char *word, const char *const *candidates)
{
	size_t len = strlen(word);
	if (len > NEAREST_MAX)
		return NULL;
	size_t best = len / 3 + 1;
	const char *nearest = NULL;
	for (; *candidates; candidates++) {
		size_t n = strlen(*candidates);
		if (n > NEAREST_MAX)
			continue;
		size_t d = distance(word, len, *candidates, n);
		bool letter_left_out = len == 2 && n == 3 && d == 1 && !nearest; /* "rn" for "run" */
		if (d < best || letter_left_out) {
			best = d;
			nearest = *candidates;
		}
	}
	return nearest;
}

int bf_text_int(const char *s, int64_t min, int64_t max, int64_t *out)
{
	bool negative = *s == '-';
	s += negative;
	if (!*s)
		return -BF_E_INPUT;
	int64_t n = 0; /* kept negative, as INT64_MIN has no positive counterpart */
	for (; *s; s++) {
		if (!is_digit(*s) || __builtin_mul_overflow(n, 10, &n) || __builtin_sub_overflow(n, *s - '0', &n))
			return -BF_E_INPUT;
	}
	if (!negative && __builtin_sub_overflow((int64_t)0, n, &n))
		return -BF_E_INPUT;
	if (n < min || n > max)
		return -BF_E_INPUT;
	*out = n;
	return 0;
}

void bf_text_random(char *out, size_t n)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	size_t done = 0;
	while (done < n) {
		unsigned char bytes[64];
		ssize_t got = getrandom(bytes, sizeof(bytes), 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			perror("getrandom");
			abort();
		}
		for (ssize_t i = 0; i < got && done < n; i++)
			if (bytes[i] < 252) /* 7 * 36: what is above would favour the first letters */
				out[done++] = letters[bytes[i] % 36];
	}
	out[n] = '\0';
}

char *bf_text_group(int64_t n, char *out)
{
	char digits[24];
	uint64_t size = n < 0 ? -(uint64_t)n : (uint64_t)n;
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, size);
	char *to = out;
	if (n < 0)
		*to++ = '-';
	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return out;
}
