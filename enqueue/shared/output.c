/*
 * Filters what goes to stdout and stderr: see output.h. Input: what was printed; output: what a
 * terminal may have.
 */
#include "shared/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/show.h"
#include "base/text.h"

#define PIECE_MAX ((size_t)1 << 24) /* bytes of one write of stdio, as they are shown */
#define BUFFER    ((size_t)1 << 16)
#define CARRY_MAX 16 /* of a character or sequence whose end has not come */

struct gate {
	int fd;
	bool own;
	size_t carried;
	char carry[CARRY_MAX];
};

/*
 * The sequences that render/term.c, change/follow.c and look/watch.c use; '#' stands for a number.
 */
static const char *const sequences[] = {"\x1b[#m", "\x1b[#A",     "\x1b[#;1H",   "\x1b[H",    "\x1b[J",   "\x1b[K",
										"\r\n",    "\x1b[?1049h", "\x1b[?1049l", "\x1b[?25h", "\x1b[?25l"};

/* Bytes of the sequence at s; 0: it is none; *begun: it may become one. */
static size_t match(const char *sequence, const char *s, size_t len, bool *begun)
{
	size_t n = 0;
	for (; *sequence; sequence++) {
		bool number = *sequence == '#';
		size_t digits = 0;
		while (number && n + digits < len && digits < 4 && s[n + digits] >= '0' && s[n + digits] <= '9')
			digits++;
		if (n + digits == len && (number || digits == 0)) {
			*begun = true;
			return 0;
		}
		if (number ? digits == 0 : s[n] != *sequence)
			return 0;
		n += number ? digits : 1;
	}
	return n;
}

static size_t own_sequence(const char *s, size_t len, bool *begun)
{
	size_t n = 0;
	*begun = false;
	for (size_t i = 0; n == 0 && i < BF_COUNT_OF(sequences); i++)
		n = match(sequences[i], s, len, begun);
	return n;
}

/* Whether s ends in the middle of a character: its first byte promises more than there are. */
static bool is_unfinished(const char *s, size_t len)
{
	unsigned char first = (unsigned char)s[0];
	size_t whole = first > 0xF4 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 1;
	for (size_t i = 1; i < len; i++)
		if (((unsigned char)s[i] & 0xC0) != 0x80)
			return false;
	return len < whole;
}

static size_t plain_length(const char *s, size_t len)
{
	size_t n = 0;
	while (n < len && ((s[n] >= ' ' && s[n] < 0x7F) || s[n] == '\n' || s[n] == '\t'))
		n++;
	return n;
}

size_t bf_output_pass(struct bf_buf *out, const char *s, size_t len, bool own, bool last)
{
	size_t at = 0;
	while (at < len) {
		size_t plain = plain_length(s + at, len - at);
		(void)bf_buf_add(out, s + at, plain);
		at += plain;
		if (at == len)
			break;
		bool begun = false;
		bool led = own && (s[at] == '\x1b' || s[at] == '\r');
		size_t n = led ? own_sequence(s + at, len - at, &begun) : 0;
		if (n > 0) {
			(void)bf_buf_add(out, s + at, n);
			at += n;
			continue;
		}
		n = bf_utf8_char(s + at, len - at);
		if (!last && ((begun && len - at < CARRY_MAX) || (n == 0 && is_unfinished(s + at, len - at))))
			return at;
		bf_show_char(out, s + at, n);
		at += n ? n : 1;
	}
	return at;
}

static int write_all(int fd, const char *s, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, s + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		done += (size_t)n;
	}
	return 0;
}

static ssize_t pass_on(void *cookie, const char *s, size_t len)
{
	struct gate *g = cookie;
	BF_AUTOBUF struct bf_buf in;
	BF_AUTOBUF struct bf_buf out;
	bf_buf_init(&in, PIECE_MAX);
	bf_buf_init(&out, PIECE_MAX);
	(void)bf_buf_add(&in, g->carry, g->carried);
	(void)bf_buf_add(&in, s, len);
	size_t taken = bf_output_pass(&out, in.data, in.len, g->own, false);
	g->carried = in.len - taken;
	memcpy(g->carry, in.data + taken, g->carried);
	return write_all(g->fd, out.data, out.len) < 0 ? 0 : (ssize_t)len;
}

static int finish(void *cookie)
{
	struct gate *g = cookie;
	BF_AUTOBUF struct bf_buf out;
	bf_buf_init(&out, PIECE_MAX);
	(void)bf_output_pass(&out, g->carry, g->carried, g->own, true);
	return write_all(g->fd, out.data, out.len);
}

static FILE *guard(int fd, struct gate *g, int buffering)
{
	*g = (struct gate){.fd = fd, .own = isatty(fd) == 1};
	FILE *f = fopencookie(g, "w", (cookie_io_functions_t){.write = pass_on, .close = finish});
	if (!f)
		abort();
	setvbuf(f, NULL, buffering, BUFFER);
	return f;
}

void bf_output_guard(void)
{
	static struct gate gates[2]; /* as long as the streams, which the process has once */
	fflush(stdout);
	stdout = guard(STDOUT_FILENO, &gates[0], isatty(STDOUT_FILENO) == 1 ? _IOLBF : _IOFBF);
	stderr = guard(STDERR_FILENO, &gates[1], _IONBF);
}

int bf_output_end(void)
{
	bool bad = ferror(stdout);
	return fclose(stdout) != 0 || bad ? -1 : 0;
}
