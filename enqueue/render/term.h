/*
 * The terminal, or what stands in for it: how wide it is, whether it has colours, which characters it can show.
 *
 * Colour and redrawing only on a terminal; NO_COLOR (with any content) and TERM=dumb switch colour off. Characters beyond
 * ASCII only where the locale has UTF-8: the program calls setlocale(LC_ALL, "") first. Without a terminal width is 0,
 * which means that nothing is cut.
 */
#ifndef BF_RENDER_TERM_H
#define BF_RENDER_TERM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct bf_term {
	bool tty, colour, utf8;
	int width, height; /* 0: no limit */
};

void bf_term_init(struct bf_term *t, int fd);
void bf_term_measure(struct bf_term *t, int fd); /* width and height again, after a resize */

/* What a text means, which decides its colour. */
enum bf_tone { BF_PLAIN, BF_STRONG, BF_DIM, BF_GOOD, BF_BAD, BF_BUSY, BF_CARE, BF_TONES };

const char *bf_tone_on(const struct bf_term *t, enum bf_tone tone); /* an escape sequence, or "" */
const char *bf_tone_off(const struct bf_term *t, enum bf_tone tone);
enum bf_tone bf_tone_of_state(const char *state); /* of a run, step, job or worker */

/* Columns that s takes on the screen; escape sequences take none. */
int bf_term_columns(const char *s);

/* Appends s, cut to `width` columns with "…" (or "..." in ASCII) where it is longer; escape sequences stay whole. 0: not cut. */
void bf_term_cut(struct bf_buf *out, const struct bf_term *t, const char *s, int width);

/* Appends text of somebody else as one line: white space becomes a space, what is not seen is shown as base/show.h says. */
void bf_term_one_line(struct bf_buf *out, const char *s);

/* The same, as a string for printf. The caller frees; never NULL. */
char *bf_term_shown(const char *s);

#endif
