/*
 * Progress bars: one cell a part of the whole, each kind of part with a character of its own, so that it reads without colour.
 * A part that is there has at least one cell, and a bar is full only when everything is settled.
 */
#ifndef BF_RENDER_BAR_H
#define BF_RENDER_BAR_H

#include <stdint.h>

#include "render/term.h"

struct bf_bar {
	int64_t planned, done, failed, running, skipped; /* skipped: also cancelled, undone: settled, but nothing to show for it */
};

/* Appends `width` columns: ████▚▒▒░░░, or in ASCII ####x>>.... */
void bf_bar_text(struct bf_buf *out, const struct bf_term *t, const struct bf_bar *bar, int width);

/* Appends `line` with the bars in it coloured. Bars are known by their characters, so this is for UTF-8 only; otherwise it copies. */
void bf_bar_paint(struct bf_buf *out, const struct bf_term *t, const char *line);

/* Appends "62 %", or "99.9 %" near the end: 100 % only when it is all. */
void bf_percent_text(struct bf_buf *out, int64_t part, int64_t whole);

#endif
