/*
 * Finds the command that was typed, by its name, another word for it, or a slip of either; has it run; words what
 * is unknown; and prints the help of the program and of each command.
 */
#include "shared/program.h"

#include <errno.h>
#include <locale.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/manual_generate.h"
#include "base/mem.h"
#include "base/process.h"
#include "base/text.h"
#include "base/wrap.h"
#include "shared/output.h"

#define HELP_MAX      65536
#define GENERATED_MAX (1u << 20)
#define SHOWN_MAX     60
#define LISTED_MAX    30

static const struct bf_manual *this_program; /* set once, when the process begins */

int bf_program_fail(const struct bf_error *err)
{
	const char *program_name = this_program->program;
	size_t n = strlen(program_name);
	bool names_itself = strncmp(err->text, program_name, n) == 0 && (err->text[n] == ' ' || err->text[n] == ':');
	fflush(stdout);
	fprintf(stderr, "%s%s%s\n", names_itself ? "" : program_name, names_itself ? "" : ": ", err->text);
	return bf_error_exit_code(err);
}

const char *bf_program_near_command(const char *word)
{
	return bf_manual_nearest(this_program, word);
}

int bf_refuse_option(const char *option, const char *found, const char *expected, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf shown;
	bf_buf_init(&shown, 512);
	bf_text_quote(&shown, found, strlen(found), SHOWN_MAX);
	return bf_fail(err, BF_E_INPUT, "%s: found %s, expected %s", option, shown.data, expected);
}

int bf_unknown_word(const char *what, const char *word, const char *const *known, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf text;
	const char *near = bf_text_nearest(word, known);
	bf_buf_init(&text, BF_ERROR_TEXT_MAX);
	bf_text_quote(&text, word, strlen(word), SHOWN_MAX);
	if (near)
		bf_buf_printf(&text, "; did you mean %s?", near);
	for (size_t i = 0; !near && known[i] && i <= LISTED_MAX; i++)
		bf_buf_printf(&text, "%s%s", i ? ", " : "; expected one of: ", i < LISTED_MAX ? known[i] : "…");
	return bf_fail(err, BF_E_NOT_FOUND, "unknown %s %s", what, text.data);
}

static int print(const struct bf_buf *text)
{
	fputs(text->data, stdout);
	return 0;
}

/* ---- which command is meant ---- */

struct dispatch {
	struct bf_manual manual; /* with its commands */
	const struct bf_entry *entries;
};

static const struct bf_entry *entry_of(const struct dispatch *d, const char *name)
{
	for (const struct bf_entry *e = d->entries; e->command; e++)
		if (strcmp(e->command->name, name) == 0)
			return e;
	return NULL;
}

/* NULL where `word` is no command; the program's own entry is none. */
static const struct bf_entry *entry_of_word(const struct dispatch *d, const char *word)
{
	const struct bf_command *c = bf_manual_command(&d->manual, word);
	return c ? entry_of(d, c->name) : NULL;
}

static int run_own(const struct dispatch *d, int argc, char **argv)
{
	const struct bf_entry *own = entry_of(d, d->manual.program);
	return own->run(own->command, argc, argv);
}

/* What is said of a word that is no command here: NULL where it is one, or stands for one. */
static const char *choices_of(const struct dispatch *d, const char *word)
{
	for (const struct bf_alias *a = d->manual.aliases; a && a->typed; a++)
		if (!a->option && strcmp(a->typed, word) == 0)
			return a->means ? NULL : a->choices;
	return NULL;
}

static int unknown_command(const struct dispatch *d, const char *word)
{
	BF_AUTOBUF struct bf_buf shown;
	struct bf_error err;
	const char *near = bf_manual_nearest(&d->manual, word), *program = d->manual.program;
	bf_buf_init(&shown, 512);
	bf_text_quote(&shown, word, strlen(word), SHOWN_MAX);
	const char *what = word[0] == '-' ? "option" : entry_of(d, program) ? "command or run" : "command";
	const char *choices = near ? choices_of(d, near) : NULL;
	if (choices)
		(void)bf_fail(&err, BF_E_INPUT, "unknown %s %s; did you mean:\n%s", what, shown.data, choices);
	else if (near)
		(void)bf_fail(&err, BF_E_INPUT, "unknown %s %s; did you mean `%s %s`?", what, shown.data, program, near);
	else
		(void)bf_fail(&err, BF_E_INPUT, "unknown %s %s; `%s help` lists the commands", what, shown.data, program);
	return bf_program_fail(&err);
}

static int refuse_choices(const struct dispatch *d, const struct bf_alias *a)
{
	struct bf_error err;
	(void)bf_fail(&err, BF_E_INPUT, "%s: found %s, expected%s:\n%s", d->manual.program, a->typed, strchr(a->choices, '\n') ? " one of" : "",
				  a->choices);
	return bf_program_fail(&err);
}

static bool is_argument(const char *word)
{
	return word[0] != '-' || word[1] == '\0';
}

/* Runs words that stand in an alias's place, followed by what was given behind it. */
static int run_words(const struct dispatch *d, const struct bf_alias *a, const char *means, int argc, char **argv)
{
	BF_AUTOFREE char *copy = bf_strdup(means);
	BF_AUTOFREE char **words = bf_alloc(((size_t)argc + strlen(means) + 2) * sizeof(*words));
	char *rest = copy;
	int n = 0;
	for (char *word; (word = strsep(&rest, " "));)
		if (*word)
			words[n++] = word;
	for (int i = 1; i < argc; i++)
		if (!a->option || strcmp(a->option, argv[i]) != 0)
			words[n++] = argv[i];
	const struct bf_entry *entry = n > 0 ? entry_of_word(d, words[0]) : NULL;
	return entry ? entry->run(entry->command, n - 1, words + 1) : run_own(d, n, words);
}

static int run_alias(const struct dispatch *d, const struct bf_alias *a, int argc, char **argv)
{
	bool of_one = a->of_one && argc > 1 && is_argument(argv[1]);
	const char *means = of_one ? a->of_one : a->means;
	return means ? run_words(d, a, means, argc, argv) : refuse_choices(d, a);
}

/* argv[0]: the first word behind the program's name. */
static int run_command(const struct dispatch *d, int argc, char **argv)
{
	const struct bf_alias *alias = bf_manual_alias(&d->manual, argc, argv);
	const struct bf_entry *entry = argc > 0 ? entry_of_word(d, argv[0]) : NULL;
	bool own = entry_of(d, d->manual.program) != NULL;
	struct bf_error err;
	if (alias)
		return run_alias(d, alias, argc, argv);
	if (entry)
		return entry->run(entry->command, argc - 1, argv + 1);
	if (argc > 1 && is_argument(argv[0]) && is_argument(argv[1]) && bf_manual_nearest(&d->manual, argv[0]))
		return unknown_command(d, argv[0]); /* a run takes no second word */
	if (own)
		return run_own(d, argc, argv);
	if (argc > 0)
		return unknown_command(d, argv[0]);
	(void)bf_fail(&err, BF_E_INPUT, "a command is missing; `%s help` lists them", d->manual.program);
	return bf_program_fail(&err);
}

/* ---- help ---- */

static int print_help(const struct dispatch *d)
{
	BF_AUTOBUF struct bf_buf out;
	bf_buf_init(&out, HELP_MAX);
	bf_manual_help(&d->manual, bf_wrap_width(STDOUT_FILENO), &out);
	return print(&out);
}

/* `help undo` is `undo --help`. */
static int help_of(const struct dispatch *d, int argc, char **argv)
{
	char help[] = BF_OPT_HELP, *words[3] = {argc > 0 ? argv[0] : NULL, argc > 1 ? argv[1] : help, help};
	if (argc == 0)
		return print_help(d);
	if (!entry_of_word(d, words[0]) && !bf_manual_alias(&d->manual, argc, words))
		return unknown_command(d, words[0]);
	return run_command(d, argc > 1 ? 3 : 2, words);
}

static bool asks_for_help(const char *word)
{
	return strcmp(word, BF_OPT_HELP) == 0 || strcmp(word, "-h") == 0;
}

static int generate(const struct dispatch *d, const char *what)
{
	BF_AUTOBUF struct bf_buf out;
	struct bf_error err;
	bf_buf_init(&out, GENERATED_MAX);
	return bf_manual_generate(&d->manual, what, &out, &err) < 0 ? bf_program_fail(&err) : print(&out);
}

static int run_program(const struct dispatch *d, int argc, char **argv)
{
	struct bf_error err;
	const char *word = argc > 1 ? argv[1] : "";
	if (strncmp(word, BF_GENERATE_OPTION, sizeof(BF_GENERATE_OPTION) - 1) == 0)
		return generate(d, word + sizeof(BF_GENERATE_OPTION) - 1);
	const char *program_name = d->manual.program;
	setlocale(LC_CTYPE, ""); /* which characters the terminal shows; numbers stay as SQL and JSON write them */
	if (bf_log_init(program_name, &err) < 0)
		return bf_program_fail(&err);
	if (strcmp(word, "--version") == 0) {
		printf("%s %s\n", program_name, BF_VERSION);
		return 0;
	}
	if (asks_for_help(word))
		return print_help(d);
	if (strcmp(word, "help") == 0)
		return help_of(d, argc - 2, argv + 2);
	return run_command(d, argc - 1, argv + 1);
}

bool bf_command_parse(const struct bf_command *command, int argc, char **argv, void *into, const char **args, int *n_args, int *exit_code)
{
	struct bf_error err;
	bool help = false;
	if (bf_options_parse(command, argc, argv, into, args, n_args, &help, &err) < 0) {
		*exit_code = bf_program_fail(&err);
		return false;
	}
	if (!help)
		return true;
	BF_AUTOBUF struct bf_buf out;
	bf_buf_init(&out, HELP_MAX);
	bf_options_help(command, bf_wrap_width(STDOUT_FILENO), &out);
	*exit_code = print(&out);
	return false;
}

/* The manual with the commands of the table. */
static const struct bf_command **commands_of(const struct bf_entry *entries)
{
	size_t n = 0;
	while (entries[n].command)
		n++;
	const struct bf_command **commands = bf_realloc_array(NULL, n + 1, sizeof(*commands));
	for (size_t i = 0; i <= n; i++)
		commands[i] = entries[i].command;
	return commands;
}

/* What could not be written was not said: a full disk behind a pipe must not look like success. */
int bf_program_run(const struct bf_program *program, int argc, char **argv)
{
	bf_process_open_standard();
	BF_AUTOFREE const struct bf_command **commands = commands_of(program->entries);
	struct dispatch d = {.manual = program->manual, .entries = program->entries};
	d.manual.commands = commands;
	this_program = &d.manual;
	bf_process_keep_private();
	bf_output_guard();
	int code = run_program(&d, argc, argv);
	if (bf_output_end() == 0)
		return code;
	fprintf(stderr, "%s: the output could not be written: %s\n", d.manual.program, strerror(errno));
	return code ? code : 1;
}
