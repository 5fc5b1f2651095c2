#include "base/clock.h"

#include "base/dates.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_MS (24 * 60 * 60 * 1000LL)

static int64_t now_us(clockid_t id)
{
	struct timespec ts;
	(void)clock_gettime(id, &ts); /* cannot fail for these two clocks */
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t bf_mono_us(void)
{
	return now_us(CLOCK_MONOTONIC);
}

int64_t bf_mono_ms(void)
{
	return now_us(CLOCK_MONOTONIC) / 1000;
}

int64_t bf_wall_ms(void)
{
	return now_us(CLOCK_REALTIME) / 1000;
}

char *bf_time_format(int64_t wall_ms, char out[static BF_TIME_TEXT])
{
	int64_t day = wall_ms / DAY_MS, rest = wall_ms % DAY_MS;
	if (rest < 0) {
		rest += DAY_MS;
		day--;
	}
	unsigned ms = (unsigned)rest, s = ms / 1000;
	bf_date_format((bf_date)day, out);
	(void)snprintf(out + BF_DATE_TEXT - 1, BF_TIME_TEXT - (BF_DATE_TEXT - 1), "T%02u:%02u:%02u.%03uZ", s / 3600 % 24U, s / 60 % 60U,
				   s % 60U, ms % 1000U);
	return out;
}
