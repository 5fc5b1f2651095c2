/*
 * A growing byte buffer with a ceiling. `data` is always NUL-terminated (the
 * NUL is not counted in `len`), so it can be used as a C string when its content has no NUL.
 *
 * bf_buf_init(&b, max) … bf_buf_release(&b). Appending past `max` appends nothing,
 * sets `overflow` and returns -BF_E_LIMIT; a caller may check once, at the end.
 */
#ifndef BF_BASE_BUF_H
#define BF_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct bf_buf {
	char *data;
	size_t len;
	size_t cap;
	size_t max;
	bool overflow;
};

void bf_buf_init(struct bf_buf *b, size_t max);
void bf_buf_release(struct bf_buf *b); /* may be called twice */
void bf_buf_clear(struct bf_buf *b);   /* keeps the memory */
int bf_buf_add(struct bf_buf *b, const void *data, size_t len);
int bf_buf_addstr(struct bf_buf *b, const char *s);
int bf_buf_addch(struct bf_buf *b, char c);
int bf_buf_printf(struct bf_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *bf_buf_detach(struct bf_buf *b); /* the caller frees; the buffer is empty again */
void bf_buf_drop_front(struct bf_buf *b, size_t n);

#define BF_AUTOBUF __attribute__((cleanup(bf_buf_release)))

/* Reads a whole regular file of at most `max` bytes: see base/file.h. -BF_E_NOT_FOUND, -BF_E_INPUT, -BF_E_LIMIT, -BF_E_IO. */
struct bf_error;
int bf_buf_read_file(struct bf_buf *b, const char *path, struct bf_error *err);

#endif
