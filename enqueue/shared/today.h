/*
 * Days that an option names from today: --since=-7d, --until=yesterday. Which day today is, PostgreSQL's clock says, in the
 * pipeline's time zone, so that two hosts with different clocks or time zones mean the same days.
 */
#ifndef BF_SHARED_TODAY_H
#define BF_SHARED_TODAY_H

#include "base/dates.h"
#include "base/error.h"
#include "base/options.h"
#include "io/pg.h"

#define BF_ZONE_MAX 64

struct bf_today {
	bf_date day;
	char zone[BF_ZONE_MAX + 1]; /* "": nothing was relative, and nothing was asked */
};

/*
 * Makes days of the calendar of *since and *until, where they are relative. zone NULL: that of the pipeline's latest run, else
 * UTC. -BF_E_INPUT: PostgreSQL does not know this time zone, or the range ends before it begins.
 */
int bf_today_resolve(struct bf_pg *pg, const char *zone, const char *pipeline, struct bf_opt_date *since, struct bf_opt_date *until,
					 struct bf_today *out, struct bf_error *err);

/* One or both are relative. */
bool bf_today_is_needed(const struct bf_opt_date *since, const struct bf_opt_date *until);

#endif
