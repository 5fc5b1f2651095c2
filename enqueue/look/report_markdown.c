/*
 * Text of others in Markdown pages: what they wrote is shown, and means nothing to Markdown or
 * HTML.
 */
#include <ctype.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/show.h"
#include "base/text.h"
#include "look/report_page.h"

#define CHAR_MAX_SHOWN 16

static void put_shown(FILE *out, const char *s, size_t n)
{
	BF_AUTOBUF struct bf_buf shown;
	bf_buf_init(&shown, CHAR_MAX_SHOWN);
	bf_show_char(&shown, s, n);
	if (shown.len > 1 && *shown.data == '\\')
		fputc('\\', out);
	fwrite(shown.data, 1, shown.len, out);
}

/* An underscore inside a word is none of Markdown's. */
static bool is_active(const char *text, const char *at)
{
	if (*at == '_')
		return at == text || !isalnum((unsigned char)at[-1]) || !isalnum((unsigned char)at[1]);
	return strchr("\\`*[]|~", *at) != NULL;
}

/* What begins a tag or an entity; a '<' before a space, as in a condition, is none. */
static const char *html_of(const char *s)
{
	if (*s == '<' && (isalpha((unsigned char)s[1]) || (s[1] && strchr("/!?", s[1]))))
		return "&lt;";
	if (*s == '&' && (isalnum((unsigned char)s[1]) || s[1] == '#'))
		return "&amp;";
	return *s == '\n' ? "<br>" : *s == '\t' ? " " : NULL;
}

void bf_page_text(FILE *out, const char *text)
{
	for (const char *s = text; *s;) {
		size_t n = bf_utf8_char(s, strlen(s));
		const char *html = html_of(s);
		if (html)
			fputs(html, out);
		else if (is_active(text, s))
			fprintf(out, "\\%c", *s);
		else if (*s != '\r' || s[1] != '\n')
			put_shown(out, s, n);
		s += n ? n : 1;
	}
}

/* Inside of code only its own end is active, and, in a table, '|'. */
void bf_page_code(FILE *out, const char *text)
{
	size_t longest = 0;
	for (const char *s = text; *s; s++) {
		size_t run = strspn(s, "`");
		longest = run > longest ? run : longest;
	}
	bool spaced = longest > 0;
	for (size_t i = 0; i <= longest; i++)
		fputc('`', out);
	fputs(spaced ? " " : "", out);
	for (const char *s = text; *s; s++)
		fprintf(out, *s == '|' ? "\\%c" : "%c", *s);
	fputs(spaced ? " " : "", out);
	for (size_t i = 0; i <= longest; i++)
		fputc('`', out);
}

/* ---- tables ---- */

void bf_page_own_cell(FILE *out, const char *markdown)
{
	fprintf(out, " %s |", markdown);
}

void bf_page_cell(FILE *out, const char *text)
{
	fputc(' ', out);
	bf_page_text(out, text);
	fputs(" |", out);
}

void bf_page_command(FILE *out, const char *command)
{
	fputc(' ', out);
	bf_page_code(out, command);
	fputs(" |", out);
}

void bf_page_number(FILE *out, int64_t n)
{
	char text[28];
	bf_page_cell(out, bf_text_group(n, text));
}

void bf_page_header(FILE *out, const char *const *titles, size_t n)
{
	fputc('|', out);
	for (size_t i = 0; i < n; i++)
		bf_page_cell(out, titles[i]);
	fputs("\n|", out);
	for (size_t i = 0; i < n; i++)
		fputs("---|", out);
	fputc('\n', out);
}

void bf_page_row(FILE *out)
{
	fputc('|', out);
}

void bf_page_row_end(FILE *out)
{
	fputc('\n', out);
}

const char *bf_page_time(int64_t ms, char out[static BF_TIME_TEXT])
{
	if (ms == 0)
		return "";
	bf_time_format(ms, out);
	out[10] = ' ';
	out[19] = '\0';
	return out;
}
