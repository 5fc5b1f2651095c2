/*
 * Decimal numbers of any length, compared digit by digit: a sum of money or a 64-bit checksum that goes through a double comes out
 * as another one.
 *
 * A number is its text, in JSON's grammar: an optional '-', digits without a leading zero, a fraction, an exponent. No text is
 * changed; the functions take what bf_decimal_valid has accepted, and abort at anything else.
 */
#ifndef BF_BASE_DECIMAL_H
#define BF_BASE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define BF_DECIMAL_MAX 16000 /* bytes of a text, and the largest exponent: what PostgreSQL's numeric holds on both sides of the point */

/* How many bytes at the beginning of s are a number by JSON's grammar, taken as far as it goes; 0: none. s ends at `len`. */
size_t bf_decimal_len(const char *s, size_t len);
/* Whether all of s is one, and no larger than BF_DECIMAL_MAX allows. " 1", "0x10", "1.", "true" and "NaN" are none. */
bool bf_decimal_valid(const char *s);

int bf_decimal_cmp(const char *a, const char *b); /* below, at or above 0 */
/* |a - b| <= tolerance */
bool bf_decimal_within(const char *a, const char *b, const char *tolerance);

/* Appends x for people: whole numbers with thousands separated, no zeros at the end of a fraction. Of a long number only what is
 * around the first digit that is not `other`'s (NULL: the beginning), and how many digits it has. */
void bf_decimal_show(struct bf_buf *out, const char *x, const char *other);

#endif
