/* Completion for zsh: _arguments does the work, from the same tables. */
#include "base/buf.h"
#include "base/manual_generate.h"

/* Text within single quotes, and within [ ] or behind : of _arguments. */
static void add_text(struct bf_buf *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '\'')
			bf_buf_addstr(out, "'\\''");
		else if (*s == '[' || *s == ']' || *s == ':' || *s == '\\')
			bf_buf_printf(out, "\\%c", *s);
		else
			bf_buf_addch(out, *s);
	}
}

static void add_values(const char *prefix, enum bf_values values, const struct bf_opt *o, struct bf_buf *out)
{
	switch (values) {
	case BF_VALUES_NONE:
		break;
	case BF_VALUES_CHOICES:
		bf_buf_addch(out, '(');
		for (const char *const *c = o->choices; *c; c++)
			bf_buf_printf(out, "%s%s", c == o->choices ? "" : " ", *c);
		bf_buf_addch(out, ')');
		break;
	case BF_VALUES_DAYS:
		bf_buf_addstr(out, "(today yesterday -7d)");
		break;
	case BF_VALUES_PIPELINES:
		bf_buf_printf(out, "{compadd -- ${(f)\"$(%s_pipelines)\"}}", prefix);
		break;
	case BF_VALUES_RUNS:
		bf_buf_printf(out, "{compadd -- ${(f)\"$(%s_runs)\"}}", prefix);
		break;
	case BF_VALUES_FOLDERS:
		bf_buf_addstr(out, "_directories");
		break;
	}
}

static void add_option(const char *prefix, const struct bf_opt *o, struct bf_buf *out)
{
	bf_buf_printf(out, " \\\n\t\t\t'%s--%s%s[", o->type == BF_OPT_LIST ? "*" : "", o->name, o->type == BF_OPT_FLAG ? "" : "=");
	add_text(out, o->help);
	bf_buf_addch(out, ']');
	if (o->type != BF_OPT_FLAG) {
		bf_buf_printf(out, ":%s:", o->name);
		add_values(prefix, bf_values_of_option(o), o, out);
	}
	bf_buf_addch(out, '\'');
}

/* first: the place of the first argument, behind the command's name. */
static void add_command(const struct bf_manual *m, const char *prefix, const struct bf_command *c, int first, struct bf_buf *out)
{
	bf_buf_addstr(out, "\t");
	if (bf_manual_is_own(m, c))
		bf_buf_addch(out, '*');
	else
		bf_generate_names(m, c, "|", out);
	bf_buf_addstr(out, ")\n\t\t_arguments -S");
	for (const struct bf_opt *o = c->options; o->name; o++)
		add_option(prefix, o, out);
	bf_buf_addstr(out, " \\\n\t\t\t'" BF_OPT_HELP "[show help]'");
	if (first > 1)
		bf_buf_addstr(out, " \\\n\t\t\t'1: :'");
	for (int i = 0; i < c->max_args; i++) {
		bf_buf_printf(out, " \\\n\t\t\t'%d::argument:", first + i);
		add_values(prefix, bf_values_of_argument(c, i), NULL, out);
		bf_buf_addch(out, '\'');
	}
	bf_buf_addstr(out, "\n\t\t;;\n");
}

static void add_commands(const struct bf_manual *m, struct bf_buf *out)
{
	bf_buf_addstr(out, "\tlocal -a commands\n\tcommands=(\n");
	for (const struct bf_command *const *c = m->commands; *c; c++) {
		if (bf_manual_is_own(m, *c))
			continue;
		bf_buf_printf(out, "\t\t'%s:", (*c)->name);
		add_text(out, (*c)->summary);
		bf_buf_addstr(out, "'\n");
	}
	bf_buf_addstr(out, "\t\t'help:explain a command'\n\t)\n"
					   "\tif (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
					   "\t\t_describe command commands\n");
}

void bf_generate_zsh(const struct bf_manual *m, struct bf_buf *out)
{
	BF_AUTOBUF struct bf_buf prefix;
	const struct bf_command *own = NULL;
	bf_buf_init(&prefix, 128);
	bf_buf_printf(&prefix, "_backfill_%s", m->program);
	bf_buf_printf(out, "#compdef %s\n# zsh completion for %s, made by `%s --generate=zsh`.\n\n", m->program, m->program, m->program);
	bf_generate_lookups(prefix.data, out);
	bf_buf_printf(out, "%s() {\n", prefix.data);
	for (const struct bf_command *const *c = m->commands; *c; c++)
		own = bf_manual_is_own(m, *c) ? *c : own;
	if (m->commands[1]) {
		add_commands(m, out);
		if (own && bf_values_of_argument(own, 0) == BF_VALUES_RUNS)
			bf_buf_printf(out, "\t\tcompadd -- ${(f)\"$(%s_runs)\"}\n", prefix.data);
		bf_buf_addstr(out, "\t\treturn\n\tfi\n");
	}
	bf_buf_addstr(out, "\tcase $words[2] in\n");
	for (const struct bf_command *const *c = m->commands; *c; c++)
		if (*c != own)
			add_command(m, prefix.data, *c, 2, out);
	if (m->commands[1])
		bf_buf_addstr(out, "\thelp) (( CURRENT > 3 )) || _describe command commands ;;\n");
	if (own)
		add_command(m, prefix.data, own, 1, out);
	bf_buf_printf(out, "\tesac\n}\n\n%s \"$@\"\n", prefix.data);
}
