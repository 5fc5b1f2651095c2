/*
 * Exponential backoff with jitter. Attempt n (from 1) that failed waits
 * min(max, first * factor^(n-1)), spread by ± jitter (a fraction in [0,1]).
 */
#ifndef BF_BASE_RETRY_H
#define BF_BASE_RETRY_H

#include <stdint.h>

struct bf_retry {
	int attempts; /* tries in all, at least 1 */
	int64_t first_ms;
	double factor; /* at least 1 */
	int64_t max_ms;
	double jitter;
	int64_t patience_ms; /* how long what counts as no try may go on before it does; of steps only */
};

/* unit_random in [0,1); passed in so that tests decide it. */
int64_t bf_retry_delay_ms(const struct bf_retry *r, int attempt, double unit_random);

double bf_random_unit(void); /* [0,1), not for secrets */

#endif
