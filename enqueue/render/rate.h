/*
 * How fast, and how long still: from samples of how many jobs are settled. The rate is that of the last seconds; older samples are
 * forgotten. Pure arithmetic; the caller brings the time.
 */
#ifndef BF_RENDER_RATE_H
#define BF_RENDER_RATE_H

#include <stddef.h>
#include <stdint.h>

#define BF_RATE_WINDOW_MS 10000
#define BF_RATE_SAMPLES   64

struct bf_rate {
	struct {
		int64_t at_ms, settled;
	} samples[BF_RATE_SAMPLES]; /* oldest first */
	size_t n;
};

/* A smaller number than before (jobs were opened again) begins anew. */
void bf_rate_add(struct bf_rate *r, int64_t at_ms, int64_t settled);
double bf_rate_per_second(const struct bf_rate *r); /* 0 with fewer than two samples */

/* Milliseconds until `remaining` jobs are settled at this rate; -1: not known. */
int64_t bf_eta_ms(int64_t remaining, double per_second);

/* "1,234 jobs/s", "12.3 jobs/s", "0.4 jobs/s", below that "9 jobs/min"; "" for 0. */
#define BF_RATE_TEXT 40
char *bf_rate_text(double per_second, char out[static BF_RATE_TEXT]);

#endif
