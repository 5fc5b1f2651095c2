/* --help of one command, made from its table: usage, what it does, options, examples. */
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/options.h"
#include "base/wrap.h"

#define COLUMN_MAX 30 /* options wider than this have their help on the next line */
#define USAGE      "Usage: "

void bf_options_label(struct bf_buf *out, const struct bf_opt *o)
{
	bf_buf_printf(out, "--%s%s", o->name, o->type == BF_OPT_FLAG ? "" : "=");
	bf_options_value(out, o);
}

void bf_options_what(struct bf_buf *out, const struct bf_opt *o)
{
	bool bounded = o->type == BF_OPT_INT && o->max < INT32_MAX;
	bf_buf_addstr(out, o->help);
	if (bounded)
		bf_buf_printf(out, " (%" PRId64 " to %" PRId64 "%s", o->min, o->max, o->alias ? "; " : ")");
	if (o->alias)
		bf_buf_printf(out, "%salso --%s)", bounded ? "" : " (", o->alias);
}

static size_t columns(const char *s)
{
	return bf_wrap_columns(s, strlen(s));
}

static size_t label_width(const struct bf_command *cmd)
{
	size_t width = sizeof(BF_OPT_HELP) - 1;
	for (const struct bf_opt *o = cmd->options; o->name; o++) {
		BF_AUTOBUF struct bf_buf label;
		bf_buf_init(&label, 512);
		bf_options_label(&label, o);
		size_t n = columns(label.data);
		if (n > width && n <= COLUMN_MAX)
			width = n;
	}
	return width;
}

static void add_line(struct bf_buf *out, const char *label, size_t label_columns, const char *text, int width)
{
	int used = (int)columns(label), at = (int)label_columns + 4;
	bf_buf_printf(out, "  %s", label);
	if (used > (int)label_columns)
		bf_buf_printf(out, "\n%*s", at, "");
	else
		bf_buf_printf(out, "%*s", at - 2 - used, "");
	bf_wrap_words(out, text, strlen(text), width, at, at);
	bf_buf_addch(out, '\n');
}

static void add_options(const struct bf_command *cmd, int width, struct bf_buf *out)
{
	size_t label_columns = label_width(cmd);
	bf_buf_addstr(out, "\nOptions:\n");
	for (const struct bf_opt *o = cmd->options; o->name; o++) {
		BF_AUTOBUF struct bf_buf label, what;
		bf_buf_init(&label, 512);
		bf_buf_init(&what, 4096);
		bf_options_label(&label, o);
		bf_options_what(&what, o);
		add_line(out, label.data, label_columns, what.data, width);
	}
	add_line(out, BF_OPT_HELP, label_columns, "show this help and exit", width);
}

void bf_options_examples(const struct bf_example *e, int width, struct bf_buf *out)
{
	bf_buf_addstr(out, e && e->command ? "\nExamples:\n" : "");
	for (; e && e->command; e++) {
		bf_buf_printf(out, "  %s\n      ", e->command);
		bf_wrap_words(out, e->what, strlen(e->what), width, 6, 6);
		bf_buf_addch(out, '\n');
	}
}

void bf_options_help(const struct bf_command *cmd, int width, struct bf_buf *out)
{
	int at = (int)sizeof(USAGE) - 1;
	bf_buf_addstr(out, USAGE);
	bf_wrap_words(out, cmd->synopsis, strlen(cmd->synopsis), width, at, at);
	bf_buf_addstr(out, "\n\n");
	bf_wrap_text(out, cmd->summary, width);
	if (cmd->details) {
		bf_buf_addch(out, '\n');
		bf_wrap_text(out, cmd->details, width);
	}
	add_options(cmd, width, out);
	bf_options_examples(cmd->examples, width, out);
}
