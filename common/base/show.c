/*
 * Makes text of others visible: see show.h for the notation and for who calls what.
 * Input: bytes of any kind. Output: valid UTF-8 that no terminal obeys.
 */
#include "base/show.h"

#include "base/buf.h"
#include "base/text.h"

#include <stdint.h>
#include <string.h>

/*
 * Controls, and the characters of Unicode's category Cf, Zl and Zp that are not needed to read a
 * script.
 */
static const struct {
	uint32_t first, last;
} hidden[] = {
	{0x00, 0x1F},     {0x7F, 0x9F},     {0xAD, 0xAD},     {0x61C, 0x61C},   {0x180E, 0x180E},   {0x200B, 0x200B},   {0x200E, 0x200F},
	{0x2028, 0x202E}, {0x2060, 0x206F}, {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0x1D173, 0x1D17A}, {0xE0000, 0xE007F},
};

static uint32_t code_point(const char *s, size_t n)
{
	static const unsigned char first_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
	uint32_t code = (unsigned char)s[0] & first_bits[n];
	for (size_t i = 1; i < n; i++)
		code = code << 6 | ((unsigned char)s[i] & 0x3F);
	return code;
}

bool bf_show_hides(const char *s, size_t n)
{
	uint32_t code = code_point(s, n);
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (code >= hidden[i].first && code <= hidden[i].last)
			return true;
	return false;
}

void bf_show_char(struct bf_buf *out, const char *s, size_t n)
{
	uint32_t code = n ? code_point(s, n) : 0;
	if (n && !bf_show_hides(s, n))
		(void)bf_buf_add(out, s, n);
	else if (code == '\n' || code == '\t' || code == '\r')
		(void)bf_buf_printf(out, "\\%c", code == '\n' ? 'n' : code == '\t' ? 't' : 'r');
	else if (n < 2)
		(void)bf_buf_printf(out, "\\x%02x", (unsigned)(unsigned char)*s);
	else
		(void)bf_buf_printf(out, code > 0xFFFF ? "\\U%08x" : "\\u%04x", (unsigned)code);
}

static size_t plain_length(const char *s, size_t len)
{
	size_t n = 0;
	while (n < len && s[n] >= ' ' && s[n] < 0x7F)
		n++;
	return n;
}

void bf_show_text(struct bf_buf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t plain = plain_length(s + i, len - i);
		(void)bf_buf_add(out, s + i, plain);
		i += plain;
		if (i == len)
			return;
		size_t n = bf_utf8_char(s + i, len - i);
		if (s[i] == '\n' || s[i] == '\t')
			(void)bf_buf_addch(out, s[i]);
		else if (s[i] != '\r' || i + 1 == len || s[i + 1] != '\n')
			bf_show_char(out, s + i, n);
		i += n ? n : 1;
	}
}

static void json_escape(struct bf_buf *out, uint32_t code)
{
	if (code > 0xFFFF)
		(void)bf_buf_printf(out, "\\u%04x\\u%04x", (unsigned)(0xD800 + ((code - 0x10000) >> 10)),
							(unsigned)(0xDC00 + ((code - 0x10000) & 0x3FF)));
	else
		(void)bf_buf_printf(out, "\\u%04x", (unsigned)code);
}

void bf_show_json(struct bf_buf *out, const char *json, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t plain = plain_length(json + i, len - i);
		(void)bf_buf_add(out, json + i, plain);
		i += plain;
		if (i == len)
			return;
		size_t n = bf_utf8_char(json + i, len - i);
		bool space = json[i] == '\n' || json[i] == '\t' || json[i] == '\r';
		if (n && !space && bf_show_hides(json + i, n))
			json_escape(out, code_point(json + i, n));
		else
			(void)bf_buf_add(out, json + i, n ? n : 1);
		i += n ? n : 1;
	}
}

/* ---- for a shell ---- */

static bool is_bare(const char *s)
{
	return *s && s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@%/+=,-")] == '\0';
}

static bool has_hidden(const char *s)
{
	for (size_t len = strlen(s), n; len > 0; s += n, len -= n) {
		n = bf_utf8_char(s, len);
		if (n == 0 || bf_show_hides(s, n))
			return true;
	}
	return false;
}

static void quote_plainly(struct bf_buf *out, const char *s)
{
	(void)bf_buf_addch(out, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			(void)bf_buf_addstr(out, "'\\''");
		else
			(void)bf_buf_addch(out, *s);
	}
	(void)bf_buf_addch(out, '\'');
}

/* Three octal digits, which every shell that has $'…' reads in the same way, whatever follows. */
static void quote_bytes(struct bf_buf *out, const char *s)
{
	(void)bf_buf_addstr(out, "$'");
	for (size_t len = strlen(s), n; len > 0; s += n, len -= n) {
		n = bf_utf8_char(s, len);
		bool shown = n && !bf_show_hides(s, n);
		n = n ? n : 1;
		if (shown && (*s == '\'' || *s == '\\'))
			(void)bf_buf_printf(out, "\\%c", *s);
		else if (shown)
			(void)bf_buf_add(out, s, n);
		for (size_t i = 0; !shown && i < n; i++)
			(void)bf_buf_printf(out, "\\%03o", (unsigned)(unsigned char)s[i]);
	}
	(void)bf_buf_addch(out, '\'');
}

void bf_show_word(struct bf_buf *out, const char *s)
{
	if (is_bare(s))
		(void)bf_buf_addstr(out, s);
	else if (has_hidden(s))
		quote_bytes(out, s);
	else
		quote_plainly(out, s);
}
