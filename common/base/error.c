#include "base/error.h"

#include "base/buf.h"
#include "base/show.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ELLIPSIS      "…"
#define SHOWN_AT_MOST 4 /* bytes that one byte becomes when it is shown */

/* Ends a text that did not fit with "…", at the end of a whole character. */
static void cut(char text[static BF_ERROR_TEXT_MAX])
{
	size_t at = BF_ERROR_TEXT_MAX - sizeof(ELLIPSIS);
	while (at > 0 && ((unsigned char)text[at] & 0xC0) == 0x80)
		at--;
	memcpy(text + at, ELLIPSIS, sizeof(ELLIPSIS));
}

/* Error texts go to terminals and into text columns, and carry what others sent. */
static void make_showable(char text[static BF_ERROR_TEXT_MAX])
{
	BF_AUTOBUF struct bf_buf shown;
	bf_buf_init(&shown, BF_ERROR_TEXT_MAX * SHOWN_AT_MOST);
	bf_show_text(&shown, text, strlen(text));
	size_t len = shown.len < BF_ERROR_TEXT_MAX ? shown.len : BF_ERROR_TEXT_MAX - 1;
	if (len > 0)
		memcpy(text, shown.data, len);
	text[len] = '\0';
	if (shown.len > len)
		cut(text);
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == ' '))
		text[--len] = '\0';
}

/* Formats beside the error first: an argument may be the error's own text. */
__attribute__((format(printf, 3, 0))) static void set_text(struct bf_error *err, const char *end, const char *fmt, va_list ap)
{
	char text[BF_ERROR_TEXT_MAX];
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	if (n < 0) {
		text[0] = '\0';
		n = 0;
	}
	if (end && (size_t)n < sizeof(text)) {
		int more = snprintf(text + n, sizeof(text) - (size_t)n, ": %s", end);
		n += more > 0 ? more : 0;
	}
	if ((size_t)n >= sizeof(text))
		cut(text);
	make_showable(text);
	memcpy(err->text, text, strlen(text) + 1);
}

int bf_fail(struct bf_error *err, enum bf_errc code, const char *fmt, ...)
{
	if (!err)
		return -(int)code;
	va_list ap;
	va_start(ap, fmt);
	set_text(err, NULL, fmt, ap);
	va_end(ap);
	err->code = code;
	err->sys_errno = 0;
	err->sqlstate[0] = '\0';
	err->sql_position = 0;
	return -(int)code;
}

int bf_fail_errno(struct bf_error *err, int sys_errno, const char *fmt, ...)
{
	if (!err)
		return -BF_E_IO;
	char scratch[128];
	const char *meaning = strerror_r(sys_errno, scratch, sizeof(scratch));
	va_list ap;
	va_start(ap, fmt);
	set_text(err, meaning, fmt, ap);
	va_end(ap);
	err->code = BF_E_IO;
	err->sys_errno = sys_errno;
	err->sqlstate[0] = '\0';
	err->sql_position = 0;
	return -BF_E_IO;
}

int bf_error_prefix(struct bf_error *err, const char *fmt, ...)
{
	if (!err)
		return -BF_E_INTERNAL;
	char before[BF_ERROR_TEXT_MAX];
	memcpy(before, err->text, sizeof(before));
	va_list ap;
	va_start(ap, fmt);
	set_text(err, before, fmt, ap);
	va_end(ap);
	return -(int)err->code;
}

__attribute__((format(printf, 2, 3))) static void change_text(struct bf_error *err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	set_text(err, NULL, fmt, ap);
	va_end(ap);
}

void bf_error_add_lines(struct bf_error *err, const char *lines)
{
	if (err)
		change_text(err, "%s\n%s", err->text, lines);
}

int bf_error_exit_code(const struct bf_error *err)
{
	switch (err->code) {
	case BF_E_INPUT:
	case BF_E_NOT_FOUND:
	case BF_E_CONFLICT:
		return 2;
	case BF_E_UNAVAILABLE:
	case BF_E_UNKNOWN_OUTCOME:
		return 5;
	case BF_E_FENCED:
	case BF_E_SQL:
	case BF_E_REDIS:
	case BF_E_IO:
	case BF_E_LIMIT:
	case BF_E_INTERNAL:
		break;
	}
	return 1;
}
