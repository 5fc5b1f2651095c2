/*
 * What a check asks the database: its SQL file, or several, inside one of this program's queries, which counts rows and takes the figure in
 * the server. Whatever the files yield, one row comes back.
 */
#ifndef BF_WORKER_CHECK_QUESTION_H
#define BF_WORKER_CHECK_QUESTION_H

#include "worker.h"

/* The columns of the answer. */
enum bf_check_column {
	BF_ANSWER_ROWS,          /* how many rows the file yielded (1 is right), or -1: it yielded NULL among what it must not */
	BF_ANSWER_FIGURE,        /* the figure, or what stood in its place */
	BF_ANSWER_EXPECTED_ROWS, /* the same of the query that yields what is expected; coverage: how many are missing */
	BF_ANSWER_EXPECTED,      /* equals: the expected figure; rows: all rows; coverage, success_rate: of how many */
	BF_ANSWER_VIOLATIONS,    /* a JSON array of the first rows that should not be there, or days or keys that are missing; or null */
	BF_ANSWER_FIRST,         /* coverage: the first few that are missing, as text; and, by date, their range */
	BF_ANSWER_SINCE,
	BF_ANSWER_UNTIL
};

/* Appends the query, with psql's variables in it, to sql. */
void bf_check_question(const struct bf_job *j, const struct bf_check *c, struct bf_buf *sql);

#endif
