/*
 * Text that others wrote (keys, notes, names, errors, output of programs) on its way to people. A
 * terminal obeys some characters and does not show others; here both are made visible, in one
 * notation, so that what is read is what was written:
 *
 *   \n \t \r   by their names           \u202e   any other character that is obeyed or not shown
 *   \x1b       C0, DEL, and each byte that is not UTF-8
 *
 * Whatever prints such text goes through one of these: messages and logs (bf_text_quote,
 * bf_show_text), tables and lines (bf_term_one_line, which calls bf_show_char), JSON
 * (bf_show_json), commands for a shell (bf_show_word).
 */
#ifndef BF_BASE_SHOW_H
#define BF_BASE_SHOW_H

#include <stdbool.h>
#include <stddef.h>

struct bf_buf;

/*
 * Of the valid character of n bytes at s: whether a terminal obeys it or does not show it. These
 * are C0, DEL, C1, what turns the direction of writing, what has no width (the joiners, which
 * several scripts need, excepted), tags, and line separators.
 */
bool bf_show_hides(const char *s, size_t n);

/*
 * Appends the n bytes at s, one character (n as of bf_utf8_char; 0: one byte that is none),
 * visibly.
 */
void bf_show_char(struct bf_buf *out, const char *s, size_t n);

/* Appends s; newlines and tabs stay what they are. "\r\n" becomes a newline. */
void bf_show_text(struct bf_buf *out, const char *s, size_t len);

/*
 * Appends valid JSON with each hidden character inside it as \uXXXX: it means the same. C0 cannot
 * stand in JSON but as white space.
 */
void bf_show_json(struct bf_buf *out, const char *json, size_t len);

/*
 * Appends s as one word of a shell: bare, in '…', or, where it has hidden characters, in $'…' with
 * octal bytes.
 */
void bf_show_word(struct bf_buf *out, const char *s);

#endif
