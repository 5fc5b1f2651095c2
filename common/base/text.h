/*
 * Text from outside: is it valid, is it a name, how is it shown, what did the person mean.
 */
#ifndef BF_BASE_TEXT_H
#define BF_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bf_buf;

#define BF_NAME_MAX   40  /* pipelines, steps: [a-z][a-z0-9-]{0,39} */
#define BF_RUN_MAX    64  /* [a-z0-9][a-z0-9.-]{0,63} */
#define BF_CHUNK_MAX  200 /* a key as given, or a range of dates, in bytes */
#define BF_WORKER_MAX 96

bool bf_name_valid(const char *s); /* of a pipeline, step, queue or parameter */
bool bf_run_valid(const char *s);
bool bf_utf8_valid(const char *s, size_t len);  /* also refuses NUL */
size_t bf_utf8_char(const char *s, size_t len); /* bytes of the valid character that s begins with; 0 where there is none, or NUL */

/* Appends s as valid UTF-8 without NUL: each bad byte becomes U+FFFD. */
void bf_utf8_clean(struct bf_buf *out, const char *s, size_t len);

/* Appends s in double quotes for a message: what is not seen as show.h says, cut after `max` bytes with "…". */
void bf_text_quote(struct bf_buf *out, const char *s, size_t len, size_t max);

/* The candidate nearest to `word` (edit distance at most a third of its length; of two letters, one may be left out), or NULL. `candidates`
 * ends with NULL. */
const char *bf_text_nearest(const char *word, const char *const *candidates);

/* Whole of `s` as a decimal integer within [min, max]. 0, or -BF_E_INPUT (nothing written). No sign but '-', no spaces. */
int bf_text_int(const char *s, int64_t min, int64_t max, int64_t *out);

/* Random text of [a-z0-9] from the kernel, n characters and a NUL. */
void bf_text_random(char *out, size_t n);

/* "1,234,567" into out (at least 28 bytes); returns out. */
char *bf_text_group(int64_t n, char *out);

#endif
