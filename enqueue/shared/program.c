#include "shared/program.h"

#include <errno.h>
#include <locale.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/process.h"
#include "base/text.h"
#include "shared/output.h"

#define HELP_MAX   65536
#define SHOWN_MAX  60
#define LISTED_MAX 30
#define WORDS_MAX  64

static const char *program_name = "backfill"; /* of this process, for messages */

int bf_program_fail(const struct bf_error *err)
{
	size_t n = strlen(program_name);
	bool names_itself = strncmp(err->text, program_name, n) == 0 && (err->text[n] == ' ' || err->text[n] == ':');
	fflush(stdout);
	fprintf(stderr, "%s%s%s\n", names_itself ? "" : program_name, names_itself ? "" : ": ", err->text);
	return bf_error_exit_code(err);
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

static void print(struct bf_buf *text)
{
	fputs(text->data, stdout);
	bf_buf_release(text);
}

static void print_help(const struct bf_program *program)
{
	struct bf_buf out;
	int width = 0;
	for (const struct bf_entry *e = program->entries; e->command; e++)
		width = (int)strlen(e->command->name) > width ? (int)strlen(e->command->name) : width;
	bf_buf_init(&out, HELP_MAX);
	bf_buf_printf(&out, "%s: %s\n\n", program->name, program->summary);
	for (const struct bf_entry *e = program->entries; e->command; e++)
		bf_buf_printf(&out, "  %s %-*s  %s\n", program->name, width, e->command->name, e->command->summary);
	bf_buf_printf(&out, "\n%s COMMAND --help explains one of them; --version tells the version.\n", program->name);
	if (program->details)
		bf_buf_printf(&out, "\n%s\n", program->details);
	print(&out);
}

static const struct bf_entry *find(const struct bf_program *program, const char *word)
{
	for (const struct bf_entry *e = program->entries; e->command; e++)
		if (strcmp(e->command->name, word) == 0)
			return e;
	return NULL;
}

static int unknown_command(const struct bf_program *program, const char *word)
{
	const char *names[WORDS_MAX + 1];
	struct bf_error err;
	size_t n = 0;
	for (const struct bf_entry *e = program->entries; e->command && n < WORDS_MAX; e++)
		names[n++] = e->command->name;
	names[n] = NULL;
	(void)bf_unknown_word(word[0] == '-' ? "option" : "command", word, names, &err);
	return bf_program_fail(&err);
}

static int run_program(const struct bf_program *program, int argc, char **argv)
{
	struct bf_error err;
	const char *word = argc > 1 ? argv[1] : "";
	program_name = program->name;
	setlocale(LC_CTYPE, ""); /* which characters the terminal shows; numbers stay as SQL and JSON write them */
	if (bf_log_init(program->name, &err) < 0)
		return bf_program_fail(&err);
	if (strcmp(word, "--version") == 0) {
		printf("%s %s\n", program->name, BF_VERSION);
		return 0;
	}
	if (strcmp(word, "--help") == 0 || (strcmp(word, "help") == 0 && argc == 2)) {
		print_help(program);
		return 0;
	}
	const struct bf_entry *entry = find(program, word);
	if (entry)
		return entry->run(entry->command, argc - 2, argv + 2);
	if (program->otherwise)
		return program->otherwise->run(program->otherwise->command, argc - 1, argv + 1);
	if (argc > 1)
		return unknown_command(program, word);
	(void)bf_fail(&err, BF_E_INPUT, "a command is missing; `%s --help` lists them", program->name);
	return bf_program_fail(&err);
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
	struct bf_buf out;
	bf_buf_init(&out, HELP_MAX);
	bf_options_help(command, &out);
	print(&out);
	*exit_code = 0;
	return false;
}

/* What could not be written was not said: a full disk behind a pipe must not look like success. */
int bf_program_run(const struct bf_program *program, int argc, char **argv)
{
	bf_process_open_standard();
	bf_process_keep_private();
	bf_output_guard();
	int code = run_program(program, argc, argv);
	if (bf_output_end() == 0)
		return code;
	fprintf(stderr, "%s: the output could not be written: %s\n", program->name, strerror(errno));
	return code ? code : 1;
}
