/*
 * Text for people, broken into lines at blanks. A column is one character: what is wrapped here is our own text, which has no
 * wide characters. A word that is wider than the line stays whole and sticks out: a command can then still be pasted.
 */
#ifndef BF_BASE_WRAP_H
#define BF_BASE_WRAP_H

#include <stddef.h>

struct bf_buf;

size_t bf_wrap_columns(const char *s, size_t len); /* characters of UTF-8 */

/* Appends the words of text[0..len), beginning in column `at`; lines that follow begin in column `indent`. No newline at the
 * end. width 0: one line. */
void bf_wrap_words(struct bf_buf *out, const char *text, size_t len, int width, int at, int indent);

/*
 * Appends paragraphs, with a newline at the end: lines that follow one another are joined and broken anew. A line that begins
 * with blanks is an entry of its own, "  NAME  what it is", whose rest stands below "what". Empty lines stay.
 */
void bf_wrap_text(struct bf_buf *out, const char *text, int width);

/* Columns of help on descriptor fd: the terminal's, at most 100, for longer lines are hard to read; 80 without a terminal. */
int bf_wrap_width(int fd);

#endif
