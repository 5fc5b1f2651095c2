/*
 * What can be known to be missing before anything of a pipeline runs: what its SQL names and the database does not have.
 *
 * The server is asked to prepare each statement, with the values of the first chunk, on a connection that cannot write: nothing is
 * executed. Counted are only tables, views, columns and functions that do not exist. What a step may make itself is left alone: what a
 * CREATE, ALTER or SELECT INTO of the pipeline names, columns where some statement may make a table anew, and whatever comes after a
 * program, a request, a DO, a CALL, a function of the user's that may write, or another search path or role. Nor is looked at what names a
 * schema that this user may not use: it is the workers' user who runs it.
 */
#ifndef BF_CORE_PREFLIGHT_H
#define BF_CORE_PREFLIGHT_H

#include "core/plan.h"

/* Appends a line for each: `step daily: sql/daily.sql: line 3: relation "x" does not exist`. -BF_E_UNAVAILABLE: the server went away.
 * ask->keys may be empty. */
int bf_preflight_sql(struct bf_pg *reader, const struct bf_plan_ask *ask, struct bf_buf *lines, struct bf_error *err);

/* Names of environment variables that templates of the steps need: {{env.X}} without a default. Each once, in the order of the file; ends
 * with NULL. The caller frees the texts and the array. */
char **bf_preflight_env(const struct bf_plan_ask *ask);

#endif
