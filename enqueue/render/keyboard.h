/*
 * Single keys of a terminal, for a page that is drawn again and again.
 *
 * bf_keyboard_open, bf_keyboard_wait instead of sleeping, bf_keyboard_close. In between keys arrive without Enter and are not
 * echoed; Ctrl-C and Ctrl-Z still are signals. What is not a terminal, or belongs to another process group (a job in the
 * background), is left alone: then there are no keys, and waiting is only waiting.
 * The terminal is set back by bf_keyboard_close, and by a handler of its own when the process dies of a fault.
 */
#ifndef BF_RENDER_KEYBOARD_H
#define BF_RENDER_KEYBOARD_H

#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

struct bf_keyboard {
	int fd;
	bool open; /* keys arrive one by one */
	struct termios before;
};

/* `restore`: what else a fault has to write to stdout before the process dies ("" for nothing); a string literal. */
void bf_keyboard_open(struct bf_keyboard *k, int fd, const char *restore);
void bf_keyboard_close(struct bf_keyboard *k); /* may be called twice */

/* Waits for a key, a signal, or so many ms, a minute at most; not at all for none or less. The key, or 0. */
int bf_keyboard_wait(struct bf_keyboard *k, int64_t ms);

#endif
