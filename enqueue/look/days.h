/*
 * What became of each day of a pipeline, step by step: what `coverage` draws and `gaps` lists.
 *
 * The days that count are those that some run was asked for; with a range given, all days of that range, asked for or not. A day is
 * done when any run has done it.
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
};

struct bf_section {        /* one step; where a pipeline has identity parameters, one step with one set of their values */
	char *step, *identity; /* identity: JSON, "{}" when there is none */
	struct bf_days days;
};

struct bf_coverage {
	struct bf_section *sections;
	size_t n;
	bf_date since, until; /* of all of them; nothing when n is 0 */
};

/* The pipeline and step are looked for first; the range is checked. */
int bf_coverage_load(struct bf_look *l, const char *pipeline, const struct bf_days_options *o, struct bf_coverage *out,
					 struct bf_error *err);
void bf_coverage_release(struct bf_coverage *c);

/* "daily", or "daily {"season": "2021"}" */
void bf_section_name(struct bf_buf *out, const struct bf_section *s);

/* The options --since --until --step --json, for a struct bf_days_options. */
extern const struct bf_opt bf_days_opts[];

#endif
