/*
 * Civil dates of the proleptic Gregorian calendar, as days since 1970-01-01.
 * No time zone, no library: the algorithms are Howard Hinnant's
 * (http://howardhinnant.github.io/date_algorithms.html).
 */
#ifndef BF_BASE_DATES_H
#define BF_BASE_DATES_H

#include <stdbool.h>
#include <stdint.h>

typedef int32_t bf_date; /* days since 1970-01-01 */

#define BF_DATE_TEXT      11    /* "2012-02-29" and NUL */
#define BF_RANGE_TEXT     23    /* "2012-01-01..2012-01-03" and NUL */
#define BF_RANGE_MAX_DAYS 20000 /* the longest range one run may have: about 54 years */

struct bf_error;

/* Exactly YYYY-MM-DD, years 1900 to 2999, an existing day. The error says which of these is broken. */
int bf_date_parse(const char *s, bf_date *out, struct bf_error *err);
char *bf_date_format(bf_date d, char out[static BF_DATE_TEXT]); /* returns out */

/*
 * A date as above, or one that moves with the calendar: today, yesterday, -7d, -2w (so many days or weeks ago). Of those,
 * *relative is set and *out is the days from today, 0 or below: which day today is, only somebody with a clock and a time zone
 * can say.
 */
int bf_day_parse(const char *s, bf_date *out, bool *relative, struct bf_error *err);

bf_date bf_date_make(int year, int month, int day);
void bf_date_split(bf_date d, int *year, int *month, int *day);
int bf_date_weekday(bf_date d);       /* 0 = Monday … 6 = Sunday */
bf_date bf_date_month_end(bf_date d); /* the last day of d's month */

/* "2012-01-01..2012-01-03", or "2012-01-01" where both are the same day. */
char *bf_range_format(bf_date since, bf_date until, char out[static BF_RANGE_TEXT]);
int bf_range_parse(const char *s, bf_date *since, bf_date *until, struct bf_error *err);

/* How a range is cut into chunks. */
enum bf_unit { BF_UNIT_DAY, BF_UNIT_MONTH };

/*
 * The first chunk of [since, until]: `size` days, or `size` calendar months (which begin on a month's first day, so
 * the first may be shorter), clipped to `until`. Returns its last day. Call again from the day after.
 */
bf_date bf_chunk_end(bf_date since, bf_date until, enum bf_unit unit, int size);

#endif
