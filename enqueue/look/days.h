/*
 * What became of each day of a pipeline, step by step: what `coverage` draws and `gaps` lists.
 *
 * The days that count are those that some run was asked for; with a range given, all days of that range, asked for or not. A day is
 * done when any run has done it.
 *
 * Where the pipeline's file is at hand and a step says what is `expected` or `present`, its data is asked, too (core/gaps.h): then the days
 * that count are those that are expected, and a day may be there that nobody recorded, or be recorded and gone.
 */
#ifndef BF_LOOK_DAYS_H
#define BF_LOOK_DAYS_H

#include "base/options.h"
#include "look/look.h"
#include "render/heat.h"

struct bf_days_options {
	bool json;
	const char *step;
	struct bf_opt_date since, until;
	struct bf_opt_list param;
};

struct bf_section {        /* one step; where a pipeline has identity parameters, one step with one set of their values */
	char *step, *identity; /* identity: JSON, "{}" when there is none */
	struct bf_days days;
	bool data; /* what is there was asked */
};

struct bf_coverage {
	struct bf_section *sections;
	size_t n;
	bf_date since, until; /* of all of them; nothing when n is 0 */
	bool data;            /* of one of them what is there was asked */
};

/* The pipeline and step are looked for first; the range is checked. */
int bf_coverage_load(struct bf_look *l, const char *pipeline, const struct bf_days_options *o, struct bf_coverage *out,
					 struct bf_error *err);
void bf_coverage_release(struct bf_coverage *c);
/* The steps' data beside what the ledger says (days_data.c); for bf_coverage_load. known: the ledger has runs of this pipeline. What could
 * not be asked is said on stderr. */
int bf_coverage_add_data(struct bf_look *l, const char *pipeline, const struct bf_days_options *o, bool known, struct bf_coverage *c,
						 struct bf_error *err);

/* "daily", or "daily {"season": "2021"}" */
void bf_section_name(struct bf_buf *out, const struct bf_section *s);

/* The options --since --until --step --json, for a struct bf_days_options. */
extern const struct bf_opt bf_days_opts[];

#endif
