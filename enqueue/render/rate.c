#include "render/rate.h"

#include <stdio.h>

#include "base/text.h"

#define ETA_MAX_MS (1000LL * 86400 * 366) /* beyond a year it says nothing */

void bf_rate_add(struct bf_rate *r, int64_t at_ms, int64_t settled)
{
	if (r->n > 0 && (settled < r->samples[r->n - 1].settled || at_ms < r->samples[r->n - 1].at_ms))
		r->n = 0;
	size_t drop = 0; /* one sample at or before the window's begin is kept: it is where the window is measured from */
	while (drop + 1 < r->n && r->samples[drop + 1].at_ms <= at_ms - BF_RATE_WINDOW_MS)
		drop++;
	if (r->n - drop == BF_RATE_SAMPLES)
		drop++;
	for (size_t i = drop; i < r->n; i++)
		r->samples[i - drop] = r->samples[i];
	r->n -= drop;
	r->samples[r->n].at_ms = at_ms;
	r->samples[r->n].settled = settled;
	r->n++;
}

double bf_rate_per_second(const struct bf_rate *r)
{
	if (r->n < 2)
		return 0;
	int64_t ms = r->samples[r->n - 1].at_ms - r->samples[0].at_ms;
	int64_t jobs = r->samples[r->n - 1].settled - r->samples[0].settled;
	return ms > 0 ? (double)jobs * 1000.0 / (double)ms : 0;
}

int64_t bf_eta_ms(int64_t remaining, double per_second)
{
	if (remaining <= 0)
		return 0;
	if (per_second <= 0)
		return -1;
	double ms = (double)remaining / per_second * 1000.0;
	return ms < (double)ETA_MAX_MS ? (int64_t)ms : -1;
}

char *bf_rate_text(double per_second, char out[static BF_RATE_TEXT])
{
	char whole[28];
	out[0] = '\0';
	if (per_second >= 100)
		(void)snprintf(out, BF_RATE_TEXT, "%s jobs/s", bf_text_group((int64_t)(per_second + 0.5), whole));
	else if (per_second >= 0.35)
		(void)snprintf(out, BF_RATE_TEXT, "%.1f jobs/s", per_second);
	else if (per_second * 60 >= 0.95)
		(void)snprintf(out, BF_RATE_TEXT, "%.0f jobs/min", per_second * 60);
	else if (per_second > 0)
		(void)snprintf(out, BF_RATE_TEXT, "%.1f jobs/h", per_second * 3600);
	return out;
}
