/*
 * The frame of an operator's program: its manual gives the dispatch, --help, --version, other words for commands and "did you
 * mean". Errors go to stderr as "<program>: text", and the exit codes are the same everywhere: 0 fine, 1 failed, 2 bad input,
 * 3 waiting for a person, 4 stopped or cancelled, 5 a server cannot be reached.
 */
#ifndef BF_SHARED_PROGRAM_H
#define BF_SHARED_PROGRAM_H

#include "base/error.h"
#include "base/manual.h"

struct bf_entry {
	const struct bf_command *command;
	int (*run)(const struct bf_command *command, int argc, char **argv); /* argv after the command's name; returns the exit code */
};

struct bf_program {
	struct bf_manual manual; /* its commands are those of `entries`, and come from there */
	/* Ends with .command = NULL. One that is named as the program takes what begins with no command (or nothing at all): bfstat
	 * takes it as a run. Without one that is an error. */
	const struct bf_entry *entries;
};

int bf_program_run(const struct bf_program *program, int argc, char **argv);

/* Parses a command's arguments. True: go on. False: end with *exit_code (--help was printed, or the error). `args` holds argc entries. */
bool bf_command_parse(const struct bf_command *command, int argc, char **argv, void *into, const char **args, int *n_args, int *exit_code);

/* Prints the error and gives its exit code. */
int bf_program_fail(const struct bf_error *err);

/* The command of this program that is nearest to a word, or NULL. */
const char *bf_program_near_command(const char *word);

/* `--queue: found "X", expected a name`; -BF_E_INPUT. */
int bf_refuse_option(const char *option, const char *found, const char *expected, struct bf_error *err);

/* An error's text for a word that is not one of `known` (ends with NULL): `unknown step "dayly"; did you mean daily?`, else lists them. */
int bf_unknown_word(const char *what, const char *word, const char *const *known, struct bf_error *err);

#endif
