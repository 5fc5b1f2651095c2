/* Completion for bash: one function a program, without the helpers of the package bash-completion. */
#include "base/buf.h"
#include "base/manual_generate.h"

/* What is offered for a value, as a command that prints it, a line each. */
static void add_values(const char *prefix, enum bf_values values, const struct bf_opt *o, struct bf_buf *out)
{
	switch (values) {
	case BF_VALUES_NONE:
		bf_buf_addstr(out, "return");
		break;
	case BF_VALUES_CHOICES:
		bf_buf_addstr(out, "values='");
		for (const char *const *c = o->choices; *c; c++)
			bf_buf_printf(out, "%s%s", c == o->choices ? "" : " ", *c);
		bf_buf_addstr(out, "'");
		break;
	case BF_VALUES_DAYS:
		bf_buf_addstr(out, "values='today yesterday -7d'");
		break;
	case BF_VALUES_PIPELINES:
		bf_buf_printf(out, "values=$(%s_pipelines)", prefix);
		break;
	case BF_VALUES_RUNS:
		bf_buf_printf(out, "values=$(%s_runs)", prefix);
		break;
	case BF_VALUES_FOLDERS:
		bf_buf_addstr(out, "mapfile -t COMPREPLY < <(compgen -d -- \"$cur\"); return");
		break;
	}
}

/* The values of options, by command and option. */
static void add_option_values(const struct bf_manual *m, const char *prefix, struct bf_buf *out)
{
	bf_buf_addstr(out, "\tcase \"$command $option\" in\n");
	for (const struct bf_command *const *c = m->commands; *c; c++)
		for (const struct bf_opt *o = (*c)->options; o->name; o++) {
			if (o->type == BF_OPT_FLAG)
				continue;
			bf_buf_printf(out, "\t'%s --%s'", (*c)->name, o->name);
			if (o->alias)
				bf_buf_printf(out, " | '%s --%s'", (*c)->name, o->alias);
			bf_buf_addstr(out, ") ");
			add_values(prefix, bf_values_of_option(o), o, out);
			bf_buf_addstr(out, " ;;\n");
		}
	bf_buf_addstr(out, "\t*) option='' ;;\n\tesac\n");
}

/* The options of a command, and what its arguments can be. */
static void add_words(const struct bf_manual *m, const char *prefix, struct bf_buf *out)
{
	bf_buf_addstr(out, "\tcase $command in\n");
	for (const struct bf_command *const *c = m->commands; *c; c++) {
		bf_buf_printf(out, "\t%s)\n\t\toptions='", (*c)->name);
		for (const struct bf_opt *o = (*c)->options; o->name; o++)
			bf_buf_printf(out, "--%s%s ", o->name, o->type == BF_OPT_FLAG ? "" : "=");
		bf_buf_addstr(out, BF_OPT_HELP "'\n");
		for (int i = 0; i < (*c)->max_args; i++) {
			enum bf_values values = bf_values_of_argument(*c, i);
			if (values == BF_VALUES_NONE)
				continue;
			bf_buf_printf(out, "\t\t[ \"$arguments\" != %d ] || ", i);
			add_values(prefix, values, NULL, out);
			bf_buf_addch(out, '\n');
		}
		bf_buf_addstr(out, "\t\t;;\n");
	}
	bf_buf_addstr(out, "\tesac\n");
}

static void add_commands(const struct bf_manual *m, struct bf_buf *out)
{
	bf_buf_addstr(out, "\tlocal commands='");
	for (const struct bf_command *const *c = m->commands; *c; c++)
		if (!bf_manual_is_own(m, *c))
			bf_buf_printf(out, "%s ", (*c)->name);
	bf_buf_addstr(out, m->commands[1] ? "help'\n" : "'\n");
}

/* Which command the line has, under its own name. */
static void add_command_of(const struct bf_manual *m, struct bf_buf *out)
{
	bf_buf_printf(out, "\tcommand=%s\n\tcase ${words[1]:-} in\n", m->program);
	for (const struct bf_command *const *c = m->commands; *c; c++) {
		if (bf_manual_is_own(m, *c))
			continue;
		bf_buf_addstr(out, "\t");
		bf_generate_names(m, *c, " | ", out);
		bf_buf_printf(out, ") command=%s ;;\n", (*c)->name);
	}
	bf_buf_addstr(out, "\tesac\n");
}

void bf_generate_bash(const struct bf_manual *m, struct bf_buf *out)
{
	BF_AUTOBUF struct bf_buf prefix;
	bf_buf_init(&prefix, 128);
	bf_buf_printf(&prefix, "_backfill_%s", m->program);
	bf_buf_printf(out, "# bash completion for %s, made by `%s --generate=bash`.\n\n", m->program, m->program);
	bf_generate_lookups(prefix.data, out);
	/* bash breaks words at = and :, so that an option and its value are put together again first. */
	bf_buf_printf(out,
				  "%s() {\n"
				  "\tlocal words=() cur='' option='' command='' values='' options='' arguments=0 i\n",
				  prefix.data);
	add_commands(m, out);
	bf_buf_addstr(out, "\tfor ((i = 0; i <= COMP_CWORD; i++)); do\n"
					   "\t\tcase ${COMP_WORDS[i]} in\n"
					   "\t\t= | :) words[${#words[@]} - 1]+=${COMP_WORDS[i]} ;;\n"
					   "\t\t*)\n"
					   "\t\t\tif ((i > 0)) && [[ ${COMP_WORDS[i - 1]} = [=:] ]]; then\n"
					   "\t\t\t\twords[${#words[@]} - 1]+=${COMP_WORDS[i]}\n"
					   "\t\t\telse\n"
					   "\t\t\t\twords+=(\"${COMP_WORDS[i]}\")\n"
					   "\t\t\tfi\n"
					   "\t\t\t;;\n"
					   "\t\tesac\n"
					   "\tdone\n"
					   "\tcur=${words[-1]}\n");
	add_command_of(m, out);
	bf_buf_printf(out,
				  "\tfor ((i = 1; i < ${#words[@]} - 1; i++)); do\n"
				  "\t\t[[ ${words[i]} = -* ]] || ((arguments++))\n"
				  "\tdone\n"
				  "\t[ \"$command\" = %s ] || ((arguments--))\n"
				  "\tif [[ $cur = --*=* ]]; then\n"
				  "\t\toption=${cur%%%%=*} cur=${cur#*=}\n"
				  "\telif [[ ${words[-2]:-} = --* && $cur != -* ]]; then\n"
				  "\t\toption=${words[-2]}\n"
				  "\tfi\n",
				  m->program);
	add_option_values(m, prefix.data, out);
	bf_buf_addstr(out, "\tif [ -z \"$option\" ]; then\n");
	add_words(m, prefix.data, out);
	bf_buf_addstr(out, "\t\tif [[ $cur = -* ]]; then\n"
					   "\t\t\tvalues=$options\n"
					   "\t\telif ((${#words[@]} == 2)); then\n"
					   "\t\t\tvalues=\"$commands $values\"\n"
					   "\t\telif [ \"${words[1]}\" = help ]; then\n"
					   "\t\t\tvalues=$commands\n"
					   "\t\tfi\n"
					   "\tfi\n"
					   "\tmapfile -t COMPREPLY < <(compgen -W \"$values\" -- \"$cur\")\n"
					   "\t[[ ${COMPREPLY[0]:-} != *= ]] || compopt -o nospace 2>/dev/null\n"
					   "\treturn 0\n"
					   "}\n");
	bf_buf_printf(out, "complete -F %s %s\n", prefix.data, m->program);
}
