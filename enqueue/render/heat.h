/*
 * A calendar of days in the terminal, like a contribution graph: one row a day of the week, one column a week, a block a year, several
 * years side by side where there is room. On a narrow terminal, and where there is none: one row a month. What became of a day has a
 * character of its own, so that it reads without colour.
 */
#ifndef BF_RENDER_HEAT_H
#define BF_RENDER_HEAT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/dates.h"
#include "render/term.h"

enum bf_day { /* a larger one outweighs */
			  BF_DAY_NONE,
			  BF_DAY_MISSING,
			  BF_DAY_FAILED,
			  BF_DAY_RUNNING,
			  BF_DAY_DONE,
			  BF_DAY_UNRECORDED, /* the data is there, and no run has recorded it */
			  BF_DAY_GONE,       /* done by a run, and the data is not there */
			  BF_DAYS
};

struct bf_days {
	bf_date since, until;
	unsigned char *state; /* until - since + 1 of enum bf_day */
};

void bf_days_init(struct bf_days *d, bf_date since, bf_date until);
void bf_days_release(struct bf_days *d);
/* Marks the part of [first, last] that is inside, except days that have an outweighing state. */
void bf_days_mark(struct bf_days *d, bf_date first, bf_date last, enum bf_day state);
enum bf_day bf_days_at(const struct bf_days *d, bf_date day); /* none outside */

struct bf_day_counts {
	int64_t asked, done, running, failed, missing, unrecorded, gone; /* asked: the sum of the others */
};
/* Of the part of [first, last] that is inside. */
struct bf_day_counts bf_days_count(const struct bf_days *d, bf_date first, bf_date last);

void bf_heat_print(FILE *out, const struct bf_term *t, const struct bf_days *d);
void bf_heat_legend(FILE *out, const struct bf_term *t, bool data); /* data: with the last two */
const char *bf_day_name(enum bf_day day);                           /* "done", "missing", …; "" for none */

#endif
