/*
 * The last gate of an operator's program: all that it prints passes here, and no byte that a
 * terminal obeys leaves it but newlines, tabs and, on a terminal, the sequences that these programs
 * draw with themselves. So a text of somebody else that a command forgot to pass through bf_show_*
 * cannot do anything either.
 */
#ifndef BF_SHARED_OUTPUT_H
#define BF_SHARED_OUTPUT_H

#include "base/buf.h"

/*
 * Puts the gate before stdout and stderr. Called once, before anything is printed; they keep their
 * buffering.
 */
void bf_output_guard(void);

/* Closes stdout. -1, and errno, where something of it could not be written. */
int bf_output_end(void);

/*
 * What the gate lets through of len bytes: appended to out. `own`: sequences of ours pass. Returns
 * how many of the bytes were taken: an unfinished character or sequence at the end is left for the
 * next time, unless `last`.
 */
size_t bf_output_pass(struct bf_buf *out, const char *s, size_t len, bool own, bool last);

#endif
