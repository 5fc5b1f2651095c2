/*
 * What became of each key of a pipeline of keys, step by step: what `coverage` counts and `gaps` lists.
 *
 * The keys that count are those of the pipeline's own list as it is now, which is what a run would take; where that cannot be read, those
 * that runs were asked for. A key is done when any run has done it that was no trial. Steps that say what is `expected` or `present` are
 * compared with their data, as days are (look/days.h).
 */
#ifndef BF_LOOK_KEYS_H
#define BF_LOOK_KEYS_H

#include "core/keys.h"
#include "look/subject.h"
#include "render/heat.h"

struct bf_key_list { /* the keys of one identity */
	char *identity;
	struct bf_keys keys;
	bool listed; /* by the pipeline; otherwise they are those that runs were asked for */
};

struct bf_key_section {
	char *step;
	const struct bf_key_list *list;
	unsigned char *state; /* of each of its keys, an enum bf_day */
	bool data;            /* what is there was asked */
};

struct bf_key_coverage {
	struct bf_key_list *lists;
	size_t n_lists;
	struct bf_key_section *sections;
	size_t n;
	bool data;   /* of one of them what is there was asked */
	bool listed; /* all lists are the pipeline's */
};

int bf_key_coverage_load(const struct bf_subject *s, struct bf_key_coverage *out, struct bf_error *err);
void bf_key_coverage_release(struct bf_key_coverage *c);

struct bf_day_counts bf_key_section_count(const struct bf_key_section *s);
int64_t bf_key_section_gaps(const struct bf_key_section *s); /* how many keys are missing, in whatever way */

/* The place of the first gap at or behind `place`, or the number of keys. */
size_t bf_key_section_next(const struct bf_key_section *s, size_t place);

/* "the keys of sql/keys.sql" or "the keys that runs were asked for" */
void bf_key_coverage_of(struct bf_buf *out, const struct bf_subject *s, const struct bf_key_coverage *c);

#endif
