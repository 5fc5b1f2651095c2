/*
 * What is done and stale: made before what it is made of was made anew. `coverage` shows it below the calendars; it is done, and counts as
 * that. `enqueue run … --reprocess=stale` makes it again.
 */
#ifndef BF_LOOK_STALE_H
#define BF_LOOK_STALE_H

#include "look/look.h"

struct bf_stale {
	struct bf_pg_result *rows; /* see stat_stale.sql */
};

int bf_stale_load(const struct bf_look *l, const char *pipeline, const char *step, struct bf_stale *out, struct bf_error *err);
void bf_stale_release(struct bf_stale *s);

void bf_stale_print(const struct bf_term *t, const char *pipeline, const struct bf_stale *s); /* nothing where nothing is stale */
void bf_stale_json(struct bf_json *j, const struct bf_stale *s); /* "stale": [{step, identity, since, until, count}] */

#endif
