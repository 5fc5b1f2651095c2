/*
 * What is made of a program's manual at build time: a manual page in man(7)'s macros, and completion for three shells. All of
 * it comes from the tables that the parser reads (base/manual.h), by `PROGRAM --generate=man|bash|zsh|fish`, a mode for builds
 * and packagers that --help does not list.
 */
#ifndef BF_BASE_MANUAL_GENERATE_H
#define BF_BASE_MANUAL_GENERATE_H

#include "base/error.h"
#include "base/manual.h"

#define BF_GENERATE_OPTION "--generate="

/* Appends it. -BF_E_INPUT: `what` is none of man, bash, zsh and fish. */
int bf_manual_generate(const struct bf_manual *m, const char *what, struct bf_buf *out, struct bf_error *err);

void bf_generate_man(const struct bf_manual *m, struct bf_buf *out);
void bf_generate_bash(const struct bf_manual *m, struct bf_buf *out);
void bf_generate_zsh(const struct bf_manual *m, struct bf_buf *out);
void bf_generate_fish(const struct bf_manual *m, struct bf_buf *out);

/* What can be offered for a value: words that are known, or what a shell looks for. */
enum bf_values { BF_VALUES_NONE, BF_VALUES_CHOICES, BF_VALUES_DAYS, BF_VALUES_PIPELINES, BF_VALUES_RUNS, BF_VALUES_FOLDERS };
enum bf_values bf_values_of_option(const struct bf_opt *o);

/* Of the positional arguments, as the synopsis names them: PIPELINE, RUN, STEP. `index` from 0. */
enum bf_values bf_values_of_argument(const struct bf_command *c, int index);

/* "rollback|undo|revert": a command and the other words for it, as a pattern of bash and zsh; those with an option are none. */
void bf_generate_names(const struct bf_manual *m, const struct bf_command *c, const char *between, struct bf_buf *out);

bool bf_manual_is_own(const struct bf_manual *m, const struct bf_command *c); /* what the program does without a command */

/* Functions of bash and zsh alike that print the names of pipelines and of runs, a line each; prefix: "_enqueue". */
void bf_generate_lookups(const char *prefix, struct bf_buf *out);

#endif
