#include "base/buf.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What `data` of every buffer without memory points to; never written, as such a buffer has cap 0. */
static char nothing[1];

void bf_buf_init(struct bf_buf *b, size_t max)
{
	*b = (struct bf_buf){.data = nothing, .max = max};
}

void bf_buf_release(struct bf_buf *b)
{
	if (b->cap)
		free(b->data);
	bf_buf_init(b, b->max);
}

void bf_buf_clear(struct bf_buf *b)
{
	b->len = 0;
	b->overflow = false;
	if (b->cap)
		b->data[0] = '\0';
}

/* Makes room for `more` bytes and the NUL. */
static int reserve(struct bf_buf *b, size_t more)
{
	if (more > b->max - b->len) {
		b->overflow = true;
		return -BF_E_LIMIT;
	}
	size_t need = b->len + more + 1;
	if (need <= b->cap)
		return 0;
	size_t cap = b->cap ? b->cap : 64;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	if (cap - 1 > b->max)
		cap = b->max + 1;
	b->data = bf_realloc_array(b->cap ? b->data : NULL, cap, 1);
	b->cap = cap;
	b->data[b->len] = '\0';
	return 0;
}

int bf_buf_add(struct bf_buf *b, const void *data, size_t len)
{
	if (len == 0)
		return 0;
	int rc = reserve(b, len);
	if (rc)
		return rc;
	memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

int bf_buf_addstr(struct bf_buf *b, const char *s)
{
	return bf_buf_add(b, s, strlen(s));
}

int bf_buf_addch(struct bf_buf *b, char c)
{
	return bf_buf_add(b, &c, 1);
}

int bf_buf_printf(struct bf_buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	size_t room = b->cap - b->len; /* 0 where there is no memory yet */
	int n = vsnprintf(b->data + b->len, room, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < room) {
		b->len += (size_t)n;
		return 0;
	}
	if (room)
		b->data[b->len] = '\0';
	if (n < 0)
		return -BF_E_INTERNAL;
	int rc = reserve(b, (size_t)n);
	if (rc)
		return rc;
	va_start(ap, fmt);
	(void)vsnprintf(b->data + b->len, b->cap - b->len, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return 0;
}

char *bf_buf_detach(struct bf_buf *b)
{
	char *data = b->cap ? b->data : bf_alloc(1);
	bf_buf_init(b, b->max);
	return data;
}

void bf_buf_drop_front(struct bf_buf *b, size_t n)
{
	if (n >= b->len)
		n = b->len;
	if (n == 0)
		return;
	memmove(b->data, b->data + n, b->len - n + 1);
	b->len -= n;
}

static int too_large(struct bf_buf *b, const char *path, struct bf_error *err)
{
	char most[28];
	b->overflow = true;
	return bf_fail(err, BF_E_LIMIT, "%s: the file is larger than the %s bytes that are allowed", path,
				   bf_text_group((int64_t)b->max, most));
}

/* Reads until the end, straight into the buffer's own memory. */
static int read_all(struct bf_buf *b, int fd, const char *path, struct bf_error *err)
{
	for (;;) {
		size_t left = b->max - b->len;
		size_t want = left < 65536 ? left : 65536;
		char probe;
		if (want && reserve(b, want))
			return too_large(b, path, err);
		/* With the buffer full, one more byte tells whether the file ends here. */
		ssize_t n = want ? read(fd, b->data + b->len, want) : read(fd, &probe, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return bf_fail_errno(err, errno, "read %s", path);
		if (n == 0)
			return 0;
		if (!want)
			return too_large(b, path, err);
		b->len += (size_t)n;
		b->data[b->len] = '\0';
	}
}

int bf_buf_read_file(struct bf_buf *b, const char *path, struct bf_error *err)
{
	int fd = bf_file_open(path, err);
	if (fd < 0)
		return fd;

	size_t before = b->len;
	struct stat st;
	int rc;
	if (fstat(fd, &st) == 0 && st.st_size > 0 && (uintmax_t)st.st_size > b->max - b->len)
		rc = too_large(b, path, err);
	else
		rc = read_all(b, fd, path, err);
	(void)close(fd);
	if (rc && b->cap) {
		b->len = before;
		b->data[before] = '\0';
	}
	return rc;
}
