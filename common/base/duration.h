/*
 * Durations as people write them: "500ms", "30s", "10m", "1h", "72h", "2d". A whole number and one unit.
 */
#ifndef BF_BASE_DURATION_H
#define BF_BASE_DURATION_H

#include <stdint.h>

struct bf_error;

#define BF_DURATION_MAX_MS (366LL * 24 * 3600 * 1000)
#define BF_DURATION_TEXT   16

int bf_duration_parse(const char *s, int64_t *ms, struct bf_error *err);

/* The largest unit that is exact: "90s", "1h". */
char *bf_duration_format(int64_t ms, char out[static BF_DURATION_TEXT]);

/* For people: "850 ms", "12.3 s", "4 min 10 s", "2 h 05 min", "3 d 4 h". */
char *bf_duration_human(int64_t ms, char out[static BF_DURATION_TEXT]);

/* A rate as "20/minute", "5/second", "100/hour", "1000/day": gives the milliseconds between two starts (a fraction is kept). */
int bf_rate_parse(const char *s, double *interval_ms, struct bf_error *err);

#endif
