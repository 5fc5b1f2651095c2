#include "render/term.h"

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/mem.h"
#include "base/show.h"
#include "base/text.h"

#define ESCAPE    '\x1b'
#define SHOWN_MAX ((size_t)1 << 20)

void bf_term_measure(struct bf_term *t, int fd)
{
	struct winsize size = {0};
	t->width = t->height = 0;
	if (!t->tty)
		return;
	bool known = ioctl(fd, TIOCGWINSZ, &size) == 0;
	t->width = known && size.ws_col > 0 ? size.ws_col : 80;
	t->height = known && size.ws_row > 0 ? size.ws_row : 24;
}

void bf_term_init(struct bf_term *t, int fd)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	t->tty = isatty(fd) == 1;
	t->colour = t->tty && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
	t->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	bf_term_measure(t, fd);
}

const char *bf_tone_on(const struct bf_term *t, enum bf_tone tone)
{
	static const char *const codes[BF_TONES] = {
		[BF_PLAIN] = "",       [BF_STRONG] = "\x1b[1m", [BF_DIM] = "\x1b[2m",  [BF_GOOD] = "\x1b[32m",
		[BF_BAD] = "\x1b[31m", [BF_BUSY] = "\x1b[36m",  [BF_CARE] = "\x1b[33m"};
	return t->colour ? codes[tone] : "";
}

const char *bf_tone_off(const struct bf_term *t, enum bf_tone tone)
{
	return t->colour && tone != BF_PLAIN ? "\x1b[0m" : "";
}

enum bf_tone bf_tone_of_state(const char *state)
{
	static const struct {
		const char *state;
		enum bf_tone tone;
	} tones[] = {
		{"done", BF_GOOD},     {"alive", BF_GOOD},     {"running", BF_BUSY},  {"released", BF_BUSY}, {"failed", BF_BAD},
		{"expired", BF_BAD},   {"lost", BF_BAD},       {"stopping", BF_CARE}, {"stopped", BF_CARE},  {"waiting", BF_CARE},
		{"condemned", BF_BAD}, {"cancelled", BF_CARE}, {"skipped", BF_DIM},   {"undone", BF_CARE},   {"pending", BF_DIM},
	};
	for (size_t i = 0; i < BF_COUNT_OF(tones); i++)
		if (strcmp(state, tones[i].state) == 0)
			return tones[i].tone;
	return BF_PLAIN;
}

/* Bytes of the escape sequence at s ("ESC [ … letter"), or 0. */
static size_t escape_length(const char *s)
{
	size_t n = 2;
	if (s[0] != ESCAPE || s[1] != '[')
		return 0;
	while (s[n] && (s[n] < '@' || s[n] > '~'))
		n++;
	return s[n] ? n + 1 : n;
}

/* Bytes of the character at s, and the columns it takes. What is no character of the locale is one byte and one column. */
static size_t character(const char *s, int *columns)
{
	wchar_t wide;
	mbstate_t state = {0};
	size_t n = mbrtowc(&wide, s, strlen(s), &state);
	if (n == 0 || n == (size_t)-1 || n == (size_t)-2) {
		*columns = 1;
		return 1;
	}
	int w = wcwidth(wide);
	*columns = w > 0 ? w : 0;
	return n;
}

int bf_term_columns(const char *s)
{
	int total = 0, columns;
	while (*s) {
		size_t n = escape_length(s);
		if (n == 0) {
			n = character(s, &columns);
			total += columns;
		}
		s += n;
	}
	return total;
}

void bf_term_cut(struct bf_buf *out, const struct bf_term *t, const char *s, int width)
{
	const char *more = t->utf8 ? "…" : "...";
	int room = width - (t->utf8 ? 1 : 3), used = 0, columns;
	if (width <= 0 || bf_term_columns(s) <= width) {
		bf_buf_addstr(out, s);
		return;
	}
	bool ended = false;
	while (*s) {
		size_t n = escape_length(s);
		if (n > 0) {
			bf_buf_add(out, s, n); /* a colour that was switched on is switched off again */
			s += n;
			continue;
		}
		n = character(s, &columns);
		if (!ended && used + columns > room) {
			ended = true;
			if (room >= 0)
				bf_buf_addstr(out, more);
		}
		if (!ended) {
			bf_buf_add(out, s, n);
			used += columns;
		}
		s += n;
	}
}

void bf_term_one_line(struct bf_buf *out, const char *s)
{
	bool space = false;
	while (*s) {
		size_t n = bf_utf8_char(s, strlen(s));
		if (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\r') {
			space = out->len > 0;
			s++;
		} else {
			if (space)
				bf_buf_addch(out, ' ');
			space = false;
			bf_show_char(out, s, n);
			s += n ? n : 1;
		}
	}
}

char *bf_term_shown(const char *s)
{
	struct bf_buf out;
	bf_buf_init(&out, SHOWN_MAX);
	bf_buf_addstr(&out, "");
	bf_term_one_line(&out, s);
	return bf_buf_detach(&out);
}
