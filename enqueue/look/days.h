/*
 * What became of each day of a pipeline, step by step: what `coverage` draws and `gaps` lists.
 *
 * The days that count are those that some run was asked for, planned or left for later by --limit; with a range given, all days of that
 * range, asked for or not, in each step of the file. Of an identity that was asked about by name and never ran, all days are missing. A day
 * is done when any run has done it that was no trial.
 *
 * Where the pipeline's file is at hand and a step says what is `expected` or `present`, its data is asked, too (core/gaps.h): then the days
 * that count are those that are expected, and a day may be there that nobody recorded, or be recorded and gone.
 */
#ifndef BF_LOOK_DAYS_H
#define BF_LOOK_DAYS_H

#include "look/subject.h"
#include "render/heat.h"

struct bf_section {        /* one step; where a pipeline has identity parameters, one step with one set of their values */
	char *step, *identity; /* identity: JSON, "{}" when there is none */
	struct bf_days days;
	bool data;    /* what is there was asked */
	bool checked; /* of a check that no step's days are judged by: data that comes from elsewhere */
};

struct bf_coverage {
	struct bf_section *sections;
	size_t n;
	bf_date since, until; /* of all of them; nothing when n is 0 */
	bool given;           /* the command's options say this range; otherwise it is that of the days that runs were asked for */
	bool data;            /* of one of them what is there was asked */
};

/* The range is checked. with_checked: also what coverage checks look at by queries of their own, such as the raw data of a first stage; no
 * run fills it. */
int bf_coverage_load(const struct bf_subject *s, bool with_checked, struct bf_coverage *out, struct bf_error *err);
void bf_coverage_release(struct bf_coverage *c);
/* The steps' data beside what the ledger says (days_data.c); for bf_coverage_load. What could not be asked is said on stderr. */
int bf_coverage_add_data(const struct bf_subject *s, struct bf_coverage *c, struct bf_error *err);

/* "2024-01-01..2024-03-31 (91 days), the days that runs were asked for" */
void bf_coverage_range(struct bf_buf *out, const struct bf_coverage *c);
/* The members "by", "since", "until" and "range": "given" or "asked". */
void bf_coverage_json_range(struct bf_json *j, const struct bf_coverage *c);

#endif
