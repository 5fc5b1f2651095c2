/*
 * One program as data: its commands, other words for them, its environment and its exit codes. --help, "did you mean", manual
 * pages and shell completion are made from it, so that none of them can tell something else than the parser does.
 */
#ifndef BF_BASE_MANUAL_H
#define BF_BASE_MANUAL_H

#include "base/options.h"

/* A word that is plainly one of ours, and what it stands for here. */
struct bf_alias {
	const char *typed;   /* "undo" */
	const char *option;  /* "--all": has to be among what follows, and is taken out; or NULL */
	const char *means;   /* takes the word's place: "rollback", "jobs --state=running", "" */
	const char *of_one;  /* the same where an argument follows the word: "bfstat failed RUN"; NULL: as without */
	const char *choices; /* where several may be meant (means NULL): which, a line each, "  COMMAND  what it does" */
};

struct bf_item {
	const char *name, *what;
};

struct bf_manual {
	const char *program;                      /* "enqueue" */
	const char *summary;                      /* one line, without a full stop */
	const char *details;                      /* paragraphs, or NULL */
	const struct bf_command *const *commands; /* ends with NULL; one named as the program is what it does without a command */
	const struct bf_alias *aliases;           /* ends with .typed NULL; NULL: none */
	const struct bf_example *examples;        /* ends with .command NULL; NULL: those of the commands are enough */
	const struct bf_item *environment;        /* ends with .name NULL */
	const struct bf_item *exit_codes;         /* ends with .name NULL */
};

struct bf_buf;

/* --help of the program, in lines of at most `width` columns. */
void bf_manual_help(const struct bf_manual *m, int width, struct bf_buf *out);
void bf_manual_items(const char *title, const struct bf_item *items, int width, struct bf_buf *out);

const struct bf_command *bf_manual_command(const struct bf_manual *m, const char *name); /* NULL: none of that name */

/* The alias that the words argv[0..argc) begin with, or NULL. */
const struct bf_alias *bf_manual_alias(const struct bf_manual *m, int argc, char **argv);

/* The command or other word nearest to what was typed, or NULL. */
const char *bf_manual_nearest(const struct bf_manual *m, const char *word);

#endif
