/* A program's manual page, in the macros of man(7). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/dates.h"
#include "base/manual_generate.h"
#include "base/mem.h"
#include "base/text.h"

#define DAY_MS (86400 * (int64_t)1000)

/* ---- text, so that nothing in it is taken as a macro ---- */

static uint32_t code_point(const char *s, size_t n)
{
	uint32_t c = (unsigned char)s[0] & (0xFFu >> (n + 1));
	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)s[i] & 0x3F);
	return c;
}

static void add_character(struct bf_buf *out, const char *s, size_t n)
{
	static const struct {
		char c;
		const char *as;
	} special[] = {{'\\', "\\e"}, {'-', "\\-"}, {'`', "\\(ga"}, {'\'', "\\(aq"}, {'^', "\\(ha"}, {'~', "\\(ti"}};
	for (size_t i = 0; i < BF_COUNT_OF(special); i++)
		if (n == 1 && *s == special[i].c) {
			bf_buf_addstr(out, special[i].as);
			return;
		}
	if (n == 1)
		bf_buf_addch(out, *s);
	else
		bf_buf_printf(out, "\\[u%04" PRIX32 "]", code_point(s, n));
}

/* One line of text; a dot at its beginning would be a macro. */
static void add_text(struct bf_buf *out, const char *s, size_t len)
{
	if (len > 0 && (*s == '.' || *s == '\''))
		bf_buf_addstr(out, "\\&");
	for (size_t i = 0; i < len;) {
		size_t n = bf_utf8_char(s + i, len - i);
		n = n ? n : 1;
		add_character(out, s + i, n);
		i += n;
	}
}

static void add_line(struct bf_buf *out, const char *s)
{
	add_text(out, s, strlen(s));
	bf_buf_addch(out, '\n');
}

/* ---- parts ---- */

/* Paragraphs, as base/wrap.h reads them: an empty line divides them. */
static void add_paragraphs(struct bf_buf *out, const char *text)
{
	while (text && *text) {
		size_t len = strcspn(text, "\n");
		if (len == 0) {
			bf_buf_addstr(out, ".PP\n");
		} else {
			add_text(out, text + strspn(text, " "), len - strspn(text, " "));
			bf_buf_addch(out, '\n');
		}
		text += len + (text[len] == '\n');
	}
}

static void add_option(struct bf_buf *out, const struct bf_opt *o)
{
	BF_AUTOBUF struct bf_buf value, what;
	bf_buf_init(&value, 1024);
	bf_buf_init(&what, 4096);
	bf_buf_addstr(&value, "");
	bf_options_value(&value, o);
	bf_options_what(&what, o);
	bf_buf_addstr(out, ".TP\n\\fB\\-\\-");
	add_text(out, o->name, strlen(o->name));
	bf_buf_printf(out, "\\fR%s", value.len ? "=\\fI" : "");
	add_text(out, value.data, value.len);
	bf_buf_addstr(out, value.len ? "\\fR\n" : "\n");
	add_line(out, what.data);
}

static void add_examples(struct bf_buf *out, const struct bf_example *e)
{
	for (; e && e->command; e++) {
		bf_buf_addstr(out, ".TP\n\\fB");
		add_text(out, e->command, strlen(e->command));
		bf_buf_addstr(out, "\\fR\n");
		add_line(out, e->what);
	}
}

static void add_command(const struct bf_manual *m, const struct bf_command *c, struct bf_buf *out)
{
	bf_buf_addstr(out, ".SS \"");
	add_text(out, c->synopsis, strlen(c->synopsis));
	bf_buf_addstr(out, "\"\n");
	add_line(out, c->summary);
	if (c->details) {
		bf_buf_addstr(out, ".PP\n");
		add_paragraphs(out, c->details);
	}
	for (const struct bf_opt *o = c->options; o->name; o++)
		add_option(out, o);
	if (!bf_manual_is_own(m, c) || !m->examples) {
		bf_buf_addstr(out, ".PP\nExamples:\n");
		add_examples(out, c->examples);
	}
}

static void add_items(const char *title, const struct bf_item *items, struct bf_buf *out)
{
	bf_buf_printf(out, ".SH %s\n", title);
	for (; items->name; items++) {
		bf_buf_addstr(out, ".TP\n\\fB");
		add_text(out, items->name, strlen(items->name));
		bf_buf_addstr(out, "\\fR\n");
		add_line(out, items->what);
	}
}

static void add_aliases(const struct bf_alias *a, struct bf_buf *out)
{
	bf_buf_addstr(out, a ? ".SH OTHER WORDS\nThese words are understood, too:\n" : "");
	for (; a && a->typed; a++) {
		if (!a->means || !*a->means || strcmp(a->means, a->typed) == 0)
			continue;
		bf_buf_addstr(out, ".TP\n\\fB");
		add_text(out, a->typed, strlen(a->typed));
		bf_buf_addstr(out, a->option ? " " : "");
		add_text(out, a->option ? a->option : "", a->option ? strlen(a->option) : 0);
		bf_buf_addstr(out, "\\fR\n");
		add_line(out, a->means);
	}
}

/* ---- the page ---- */

/* The day of the build, or the one that a reproducible build is told. */
static void add_title(const struct bf_manual *m, struct bf_buf *out)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	char day[BF_DATE_TEXT];
	int64_t seconds;
	if (!epoch || bf_text_int(epoch, 0, (int64_t)1 << 40, &seconds) < 0)
		seconds = bf_wall_ms() / 1000;
	bf_date_format((bf_date)(seconds * 1000 / DAY_MS), day);
	bf_buf_addstr(out, ".TH ");
	for (const char *c = m->program; *c; c++)
		bf_buf_addch(out, *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c);
	bf_buf_printf(out, " 1 %s \"backfill " BF_VERSION "\" \"backfill\"\n", day);
}

static void add_synopsis(const struct bf_manual *m, struct bf_buf *out)
{
	bf_buf_addstr(out, ".SH SYNOPSIS\n");
	for (const struct bf_command *const *c = m->commands; *c; c++) {
		bf_buf_addstr(out, c == m->commands ? "" : ".br\n");
		add_line(out, (*c)->synopsis);
	}
}

void bf_generate_man(const struct bf_manual *m, struct bf_buf *out)
{
	static const char *const programs[] = {"bfstat", "enqueue", "worker"};
	add_title(m, out);
	bf_buf_printf(out, ".SH NAME\n%s \\- ", m->program);
	add_line(out, m->summary);
	add_synopsis(m, out);
	bf_buf_addstr(out, ".SH DESCRIPTION\n");
	add_paragraphs(out, m->details ? m->details : m->commands[0]->summary);
	bf_buf_addstr(out, m->commands[1] ? ".SH COMMANDS\n" : ".SH USE\n");
	for (const struct bf_command *const *c = m->commands; *c; c++)
		add_command(m, *c, out);
	add_aliases(m->aliases, out);
	if (m->examples) {
		bf_buf_addstr(out, ".SH EXAMPLES\n");
		add_examples(out, m->examples);
	}
	add_items("ENVIRONMENT", m->environment, out);
	add_items("EXIT STATUS", m->exit_codes, out);
	bf_buf_addstr(out, ".SH SEE ALSO\n");
	const char *between = "";
	for (size_t i = 0; i < BF_COUNT_OF(programs); i++)
		if (strcmp(programs[i], m->program) != 0) {
			bf_buf_printf(out, "%s.BR %s (1)", between, programs[i]);
			between = " ,\n";
		}
	bf_buf_addch(out, '\n');
}
