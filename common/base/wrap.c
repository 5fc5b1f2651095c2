/* Breaks text into lines at blanks: help, messages with a hanging indent. */
#include "base/wrap.h"

#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"

#define WIDTH_DEFAULT 80
#define WIDTH_MAX     100
#define WIDTH_MIN     20 /* below it nothing can be read, however it is broken */

size_t bf_wrap_columns(const char *s, size_t len)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xC0) != 0x80;
	return n;
}

static void break_line(struct bf_buf *out, int indent)
{
	bf_buf_printf(out, "\n%*s", indent, "");
}

void bf_wrap_words(struct bf_buf *out, const char *text, size_t len, int width, int at, int indent)
{
	bool first = true;
	for (size_t i = 0; i < len;) {
		size_t blanks = strspn(text + i, " \n");
		i += blanks < len - i ? blanks : len - i;
		size_t word = 0;
		while (i + word < len && text[i + word] != ' ' && text[i + word] != '\n')
			word++;
		if (word == 0)
			return;
		int columns = (int)bf_wrap_columns(text + i, word);
		if (!first && width > 0 && at + 1 + columns > width) {
			break_line(out, indent);
			at = indent;
		} else if (!first) {
			bf_buf_addch(out, ' ');
			at++;
		}
		bf_buf_add(out, text + i, word);
		at += columns;
		i += word;
		first = false;
	}
}

/* Where the second column of "  NAME  what it is" begins: after the first two blanks behind a word; else where NAME does. */
static size_t hanging(const char *line, size_t len)
{
	size_t begin = strspn(line, " ");
	for (size_t i = begin; i + 2 < len; i++)
		if (line[i] == ' ' && line[i + 1] == ' ') {
			while (i < len && line[i] == ' ')
				i++;
			return i;
		}
	return begin;
}

static void add_entry(struct bf_buf *out, const char *line, size_t len, int width)
{
	size_t name = hanging(line, len);
	int column = (int)bf_wrap_columns(line, name);
	bf_buf_add(out, line, name);
	bf_wrap_words(out, line + name, len - name, width, column, column);
	bf_buf_addch(out, '\n');
}

/* Bytes of the paragraph at s: up to an empty line, or one that begins with a blank. */
static size_t paragraph(const char *s)
{
	size_t len = strcspn(s, "\n");
	while (len > 0 && s[len] && s[len + 1] && s[len + 1] != '\n' && s[len + 1] != ' ')
		len += 1 + strcspn(s + len + 1, "\n");
	return len;
}

void bf_wrap_text(struct bf_buf *out, const char *text, int width)
{
	while (*text) {
		bool entry = *text == ' ';
		size_t len = entry ? strcspn(text, "\n") : paragraph(text);
		if (entry) {
			add_entry(out, text, len, width);
		} else {
			bf_wrap_words(out, text, len, width, 0, 0);
			bf_buf_addch(out, '\n');
		}
		text += len + (text[len] == '\n');
	}
}

int bf_wrap_width(int fd)
{
	struct winsize size = {0};
	if (isatty(fd) != 1)
		return WIDTH_DEFAULT;
	if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return WIDTH_DEFAULT;
	return size.ws_col > WIDTH_MAX ? WIDTH_MAX : size.ws_col < WIDTH_MIN ? WIDTH_MIN : size.ws_col;
}
