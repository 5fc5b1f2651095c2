#include "base/retry.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

int64_t bf_retry_delay_ms(const struct bf_retry *r, int attempt, double unit_random)
{
	if (r->first_ms <= 0)
		return 0;
	double delay = (double)r->first_ms * pow(r->factor, attempt > 1 ? attempt - 1 : 0);
	if (!(delay < (double)r->max_ms)) /* also where pow() overflowed */
		delay = (double)r->max_ms;
	delay *= 1.0 + r->jitter * (2.0 * unit_random - 1.0);
	return delay > 0 ? (int64_t)llround(delay) : 0;
}

static uint64_t seed(void)
{
	uint64_t s = 0;
	while (s == 0) { /* zero is the one state that xorshift never leaves */
		ssize_t n = getrandom(&s, sizeof(s), 0);
		if (n < 0 && errno != EINTR) {
			perror("getrandom");
			abort();
		}
	}
	return s;
}

/* xorshift64*, one state a thread. */
double bf_random_unit(void)
{
	static _Thread_local uint64_t state;
	if (state == 0)
		state = seed();
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (double)((state * UINT64_C(0x2545F4914F6CDD1D)) >> 11) * 0x1.0p-53;
}
