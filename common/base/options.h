/*
 * Command-line options as data: one table gives parsing, --help and the "did you mean".
 *
 * Long options with `=` or a space, a lone `--` ends them, everything else is positional. A flag given twice is an
 * error unless BF_OPT_LIST. A value that begins with "--" needs the `=`. TEXT and LIST values must be UTF-8. --help
 * and -h belong to every table (the caller prints bf_options_help to stdout, exit 0); --version is for the programs' mains.
 */
#ifndef BF_BASE_OPTIONS_H
#define BF_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Their fields: bool, const char *, int64_t, struct bf_opt_date, int64_t (ms), const char * (one of choices), struct bf_opt_list. */
enum bf_opt_type { BF_OPT_FLAG, BF_OPT_TEXT, BF_OPT_INT, BF_OPT_DATE, BF_OPT_DURATION, BF_OPT_CHOICE, BF_OPT_LIST };

struct bf_opt_list {
	const char **items; /* borrowed: the texts are argv's, the array lies in bf_options_parse's `args` and lives as long */
	size_t count;
};

struct bf_opt {
	const char *name;  /* "batch-days" */
	const char *alias; /* "batchDays", or NULL */
	enum bf_opt_type type;
	size_t offset;              /* of the field in the caller's struct, of the type named above */
	const char *value;          /* how help names the value: "DATE" */
	const char *help;           /* one line */
	int64_t min, max;           /* BF_OPT_INT */
	const char *const *choices; /* BF_OPT_CHOICE, ends with NULL */
};

struct bf_opt_date {
	int32_t day; /* a bf_date; where it is relative: days from today, 0 or below (base/dates.h) */
	bool given, relative;
};

struct bf_example {
	const char *command; /* as it is typed; one line of at most 78 columns, for help never breaks it */
	const char *what;    /* what it does, one line */
};

struct bf_command {
	const char *name;                  /* "run" */
	const char *synopsis;              /* "enqueue run PIPELINE --since=DATE --until=DATE [OPTION…]" */
	const char *summary;               /* one line */
	const char *details;               /* more text for --help, or NULL */
	const struct bf_opt *options;      /* ends with .name = NULL */
	int min_args, max_args;            /* positional; max_args -1: any number */
	const struct bf_example *examples; /* ends with .command = NULL; at least one */
};

struct bf_error;

/*
 * Parses argv[0..argc) (without the program's and the command's name) into *into (zeroed or with defaults by the caller).
 * Positional arguments are stored in args (argc entries), their number in *n_args. Sets *help when --help was
 * given (nothing else is checked then). -BF_E_INPUT with a full message (what was found, what was expected) otherwise.
 */
int bf_options_parse(const struct bf_command *cmd, int argc, char **argv, void *into, const char **args, int *n_args, bool *help,
					 struct bf_error *err);

struct bf_buf;
/* --help, in lines of at most `width` columns (0: not broken). */
void bf_options_help(const struct bf_command *cmd, int width, struct bf_buf *out);
void bf_options_examples(const struct bf_example *examples, int width, struct bf_buf *out); /* NULL: nothing */

#define BF_OPT_HELP "--help"

/* What help and messages call the value of an option: the table's word, or one that fits the type. Appends; "" of a switch. */
void bf_options_value(struct bf_buf *out, const struct bf_opt *o);

/* "--since=DATE", as help and manual pages show an option; and its text with bounds and alias. They append. */
void bf_options_label(struct bf_buf *out, const struct bf_opt *o);
void bf_options_what(struct bf_buf *out, const struct bf_opt *o);

#endif
