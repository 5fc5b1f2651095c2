/*
 * Time. Leases, timeouts and rates use the monotonic clock, or the servers' own; the wall clock is for logs only.
 */
#ifndef BF_BASE_CLOCK_H
#define BF_BASE_CLOCK_H

#include <stdint.h>

int64_t bf_mono_ms(void);
int64_t bf_mono_us(void);
int64_t bf_wall_ms(void); /* since the Unix epoch */

#define BF_TIME_TEXT 25
/* "2024-01-15T10:30:00.123Z" */
char *bf_time_format(int64_t wall_ms, char out[static BF_TIME_TEXT]);

#endif
