/* The live line of a worker in the foreground of a terminal: what it is doing, instead of two log lines a job. */
#include <string.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/pg_loop.h"
#include "worker.h"

#define SAMPLE_MS 1000

static void sample(struct bf_worker *w)
{
	struct bf_live_rate *r = &w->rate;
	int64_t now = bf_mono_ms();
	if (r->n > 0 && now - r->last_ms < SAMPLE_MS)
		return;
	if (r->n == BF_LIVE_SAMPLES)
		memmove(r->done, r->done + 1, (size_t)--r->n * sizeof(*r->done));
	r->done[r->n++] = w->n_done;
	r->last_ms = now;
}

/* Jobs a second, over the last ten seconds. */
static double per_second(const struct bf_live_rate *r)
{
	return r->n > 1 ? (double)(r->done[r->n - 1] - r->done[0]) / (r->n - 1) : 0;
}

static bool is_there(const struct bf_pgc *c)
{
	enum bf_pgc_state state = bf_pgc_state(c);
	return state == BF_PGC_READY || state == BF_PGC_BUSY;
}

/* The server that it waits for, or NULL. */
static const char *missing(const struct bf_worker *w)
{
	if (w->phase != BF_REDIS_HOLD && w->phase != BF_REDIS_READY)
		return "Redis";
	return is_there(w->opener) && is_there(w->settler) ? NULL : "PostgreSQL";
}

static void add_running(const struct bf_worker *w, struct bf_buf *out)
{
	const struct bf_job *j = w->at[BF_AT_RUNNING].first;
	char time[BF_DURATION_TEXT];
	size_t n = w->at[BF_AT_RUNNING].count;
	if (!j)
		return;
	bf_buf_printf(out, "; %s %s for %s", j->step_name, j->chunk, bf_duration_human((bf_mono_us() - j->started_us) / 1000, time));
	if (n > 1)
		bf_buf_printf(out, ", and %zu more", n - 1);
}

static void describe(const struct bf_worker *w, struct bf_buf *out)
{
	size_t running = w->at[BF_AT_RUNNING].count;
	const char *away = missing(w);
	double rate = per_second(&w->rate);
	if (w->draining)
		bf_buf_printf(out, "draining, ");
	else if (away)
		bf_buf_printf(out, "waiting for %s, ", away);
	else if (running == 0)
		bf_buf_printf(out, "waiting for jobs, ");
	bf_buf_printf(out, "%zu of %d slots busy, %lld done, %lld failed", running, w->opt.slots, (long long)w->n_done, (long long)w->n_failed);
	if (rate > 0)
		bf_buf_printf(out, ", %.*f/s", rate < 10 ? 1 : 0, rate);
	add_running(w, out);
}

void bf_live_tick(struct bf_worker *w)
{
	if (!bf_log_live_wanted()) {
		bf_live_end();
		return;
	}
	BF_AUTOBUF struct bf_buf text;
	bf_buf_init(&text, 4096);
	sample(w);
	describe(w, &text);
	bf_log_live(text.data);
}

void bf_live_end(void)
{
	bf_log_live(NULL);
}
