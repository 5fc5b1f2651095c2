/* Completion for fish: a line for each command and each option. */
#include "base/buf.h"
#include "base/manual_generate.h"

/* Within single quotes, where only \ and ' mean something. */
static void add_text(struct bf_buf *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '\'' || *s == '\\')
			bf_buf_addch(out, '\\');
		bf_buf_addch(out, *s);
	}
}

static void add_values(const char *prefix, enum bf_values values, const struct bf_opt *o, struct bf_buf *out)
{
	switch (values) {
	case BF_VALUES_NONE:
		break;
	case BF_VALUES_CHOICES:
		bf_buf_addstr(out, " -a '");
		for (const char *const *c = o->choices; *c; c++)
			bf_buf_printf(out, "%s%s", c == o->choices ? "" : " ", *c);
		bf_buf_addch(out, '\'');
		break;
	case BF_VALUES_DAYS:
		bf_buf_addstr(out, " -a 'today yesterday -7d'");
		break;
	case BF_VALUES_PIPELINES:
		bf_buf_printf(out, " -a '(%s_pipelines)'", prefix);
		break;
	case BF_VALUES_RUNS:
		bf_buf_printf(out, " -a '(%s_runs)'", prefix);
		break;
	case BF_VALUES_FOLDERS:
		bf_buf_addstr(out, " -a '(__fish_complete_directories)'");
		break;
	}
}

/* complete -c PROGRAM -f -n CONDITION: where a command is typed, or after none. */
static void begin_line(const struct bf_manual *m, const struct bf_command *c, struct bf_buf *out)
{
	bf_buf_printf(out, "complete -c %s -f", m->program);
	if (!m->commands[1])
		return;
	if (bf_manual_is_own(m, c)) {
		bf_buf_addstr(out, " -n __fish_use_subcommand");
		return;
	}
	bf_buf_addstr(out, " -n '__fish_seen_subcommand_from ");
	bf_generate_names(m, c, " ", out);
	bf_buf_addch(out, '\'');
}

static void add_option(const struct bf_manual *m, const char *prefix, const struct bf_command *c, const struct bf_opt *o,
					   struct bf_buf *out)
{
	begin_line(m, c, out);
	bf_buf_printf(out, " -l %s%s -d '", o->name, o->type == BF_OPT_FLAG ? "" : " -x");
	add_text(out, o->help);
	bf_buf_addch(out, '\'');
	add_values(prefix, bf_values_of_option(o), o, out);
	bf_buf_addch(out, '\n');
}

static void add_command(const struct bf_manual *m, const char *prefix, const struct bf_command *c, struct bf_buf *out)
{
	enum bf_values argument = bf_values_of_argument(c, 0);
	if (!bf_manual_is_own(m, c)) {
		bf_buf_printf(out, "complete -c %s -f -n __fish_use_subcommand -a %s -d '", m->program, c->name);
		add_text(out, c->summary);
		bf_buf_addstr(out, "'\n");
	}
	for (const struct bf_opt *o = c->options; o->name; o++)
		add_option(m, prefix, c, o, out);
	begin_line(m, c, out);
	bf_buf_addstr(out, " -l help -d 'show help'\n");
	if (argument == BF_VALUES_NONE)
		return;
	begin_line(m, c, out);
	add_values(prefix, argument, NULL, out);
	bf_buf_addch(out, '\n');
}

static void add_lookups(const char *prefix, struct bf_buf *out)
{
	bf_buf_printf(out,
				  "function %s_pipelines\n"
				  "\tset -l folder deploy/pipelines\n"
				  "\tset -q BF_PIPELINES; and set folder $BF_PIPELINES\n"
				  "\tfor file in $folder/*/pipeline.json\n"
				  "\t\tbasename (dirname $file)\n"
				  "\tend\n"
				  "end\n"
				  "function %s_runs\n"
				  "\ttimeout 3 bfstat --limit=100 --json 2>/dev/null | grep -oE '\"run\": ?\"[a-z0-9.-]+\"' | "
				  "sed -E 's/.*\"([^\"]*)\"$/\\1/'\n"
				  "end\n\n",
				  prefix, prefix);
}

void bf_generate_fish(const struct bf_manual *m, struct bf_buf *out)
{
	BF_AUTOBUF struct bf_buf prefix;
	bf_buf_init(&prefix, 128);
	bf_buf_printf(&prefix, "__backfill_%s", m->program);
	bf_buf_printf(out, "# fish completion for %s, made by `%s --generate=fish`.\n\n", m->program, m->program);
	add_lookups(prefix.data, out);
	for (const struct bf_command *const *c = m->commands; *c; c++)
		add_command(m, prefix.data, *c, out);
}
