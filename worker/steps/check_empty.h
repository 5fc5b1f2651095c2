/*
 * Checks on nothing: a figure that says nothing because there was nothing to judge. 2025 without source rows is 0 of 0, and whole; a
 * query that aggregates no row yields NULL; a time that has not come yet has no age. It is said, and `on_empty` decides what it is.
 */
#ifndef BF_WORKER_CHECK_EMPTY_H
#define BF_WORKER_CHECK_EMPTY_H

#include "steps/check_judge.h"

/* The question, with how many rows were looked at as its last column, where the check asks that. */
void bf_check_ask_count(const struct bf_check *c, struct bf_buf *sql);

/* Appends why the answer is about nothing. False: it is about something. */
bool bf_check_is_empty(const struct bf_check *c, const struct bf_pg_result *answer, struct bf_buf *why);

/* What that makes of a judgement that was made as usual. */
enum bf_judgement bf_check_judge_empty(const struct bf_check *c, enum bf_judgement usual);

/* No figure came, and the file says what that means: on_empty is given, and the query has yielded NULL or no row. */
bool bf_check_allows_null(const struct bf_check *c, const struct bf_pg_result *answer);

/* Nothing of what a success rate is of had to be tried in this run: it is met. */
bool bf_check_had_nothing_to_try(const struct bf_check *c, const struct bf_pg_result *answer);

#endif
