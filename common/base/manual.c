/* A program's --help, and which of its words was meant. */
#include "base/manual.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/wrap.h"

static bool is_program(const struct bf_manual *m, const struct bf_command *c)
{
	return strcmp(c->name, m->program) == 0;
}

const struct bf_command *bf_manual_command(const struct bf_manual *m, const char *name)
{
	for (const struct bf_command *const *c = m->commands; *c; c++)
		if (!is_program(m, *c) && strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

static bool has_word(int argc, char **argv, const char *word)
{
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], word) == 0)
			return true;
	return false;
}

const struct bf_alias *bf_manual_alias(const struct bf_manual *m, int argc, char **argv)
{
	for (const struct bf_alias *a = m->aliases; argc > 0 && a && a->typed; a++)
		if (strcmp(a->typed, argv[0]) == 0 && (!a->option || has_word(argc - 1, argv + 1, a->option)))
			return a;
	return NULL;
}

const char *bf_manual_nearest(const struct bf_manual *m, const char *word)
{
	size_t n = 0, room = 2; /* "help", and the end */
	for (const struct bf_command *const *c = m->commands; *c; c++)
		room++;
	for (const struct bf_alias *a = m->aliases; a && a->typed; a++)
		room++;
	BF_AUTOFREE const char **words = bf_realloc_array(NULL, room, sizeof(*words));
	for (const struct bf_command *const *c = m->commands; *c; c++)
		if (!is_program(m, *c))
			words[n++] = (*c)->name;
	for (const struct bf_alias *a = m->aliases; a && a->typed; a++)
		words[n++] = a->typed;
	words[n++] = "help";
	words[n] = NULL;
	return bf_text_nearest(word, words);
}

/* ---- help ---- */

static void add_item(struct bf_buf *out, const char *name, size_t name_columns, const char *what, int width)
{
	int used = (int)bf_wrap_columns(name, strlen(name)), at = (int)name_columns + 4;
	bf_buf_printf(out, "  %s%*s", name, at - 2 - used, "");
	bf_wrap_words(out, what, strlen(what), width, at, at);
	bf_buf_addch(out, '\n');
}

void bf_manual_items(const char *title, const struct bf_item *items, int width, struct bf_buf *out)
{
	size_t widest = 0;
	for (const struct bf_item *i = items; i->name; i++)
		widest = strlen(i->name) > widest ? strlen(i->name) : widest;
	bf_buf_printf(out, "\n%s:\n", title);
	for (const struct bf_item *i = items; i->name; i++)
		add_item(out, i->name, widest, i->what, width);
}

static void add_commands(const struct bf_manual *m, int width, struct bf_buf *out)
{
	size_t widest = 0;
	for (const struct bf_command *const *c = m->commands; *c; c++)
		widest = !is_program(m, *c) && strlen((*c)->name) > widest ? strlen((*c)->name) : widest;
	bf_buf_addstr(out, "\nCommands:\n");
	for (const struct bf_command *const *c = m->commands; *c; c++)
		if (!is_program(m, *c))
			add_item(out, (*c)->name, widest, (*c)->summary, width);
}

static void add_aliases(const struct bf_alias *a, int width, struct bf_buf *out)
{
	BF_AUTOBUF struct bf_buf text;
	bf_buf_init(&text, 8192);
	for (; a && a->typed; a++)
		if (a->means && *a->means && strcmp(a->means, a->typed) != 0)
			bf_buf_printf(&text, "%s%s%s%s (%s)", text.len ? ", " : "Other words for them: ", a->typed, a->option ? " " : "",
						  a->option ? a->option : "", a->means);
	if (text.len == 0)
		return;
	bf_buf_addstr(&text, ".");
	bf_buf_addch(out, '\n');
	bf_wrap_text(out, text.data, width);
}

static const struct bf_command *own_command(const struct bf_manual *m)
{
	for (const struct bf_command *const *c = m->commands; *c; c++)
		if (is_program(m, *c))
			return *c;
	return NULL;
}

static void add_usage(const struct bf_manual *m, int width, struct bf_buf *out)
{
	const struct bf_command *own = own_command(m);
	if (own && !m->commands[1]) {
		bf_options_help(own, width, out);
		return;
	}
	bf_buf_printf(out, "%s: ", m->program);
	bf_wrap_words(out, m->summary, strlen(m->summary), width, (int)strlen(m->program) + 2, 0);
	bf_buf_printf(out, "\n\nUsage: %s COMMAND [ARGUMENT…] [OPTION…]\n", m->program);
	if (own)
		bf_buf_printf(out, "       %s\n", own->synopsis);
	add_commands(m, width, out); /* on the first screen */
	if (m->details) {
		bf_buf_addch(out, '\n');
		bf_wrap_text(out, m->details, width);
	}
	bf_buf_printf(out, "\n`%s help COMMAND` explains one of them.\n", m->program);
}

void bf_manual_help(const struct bf_manual *m, int width, struct bf_buf *out)
{
	add_usage(m, width, out);
	add_aliases(m->aliases, width, out);
	bf_options_examples(m->examples, width, out);
	bf_manual_items("Environment", m->environment, width, out);
	bf_manual_items("Exit codes", m->exit_codes, width, out);
}
