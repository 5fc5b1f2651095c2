/* What `bfstat health` finds, by asking both servers a little. Its thresholds are here. */
#include <inttypes.h>
#include <stdarg.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/mem.h"
#include "core/stat.h"
#include "look/drift.h"
#include "look/health.h"
#include "look/live.h"

#define SLOW_MS   1000        /* a server that takes longer to answer is a warning */
#define STALL_MS  (60 * 1000) /* a run that has ready jobs, and none running, for so long */
#define NAMED_MAX 3           /* runs that a finding names */

const char *bf_health_name(enum bf_health h)
{
	static const char *const names[] = {[BF_PASS] = "pass", [BF_WARN] = "warn", [BF_FAIL] = "fail"};
	return names[h];
}

__attribute__((format(printf, 7, 8))) static struct bf_finding *add(struct bf_health_report *r, const char *component, const char *name,
																	enum bf_health status, int64_t value, const char *unit, const char *fmt,
																	...)
{
	struct bf_finding *f = &r->list[r->n < BF_FINDINGS_MAX ? r->n++ : BF_FINDINGS_MAX - 1];
	va_list ap;
	*f = (struct bf_finding){.component = component, .status = status, .value = value, .unit = unit};
	(void)snprintf(f->name, sizeof(f->name), "%s", name);
	va_start(ap, fmt);
	(void)vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	if (status > r->status)
		r->status = status;
	return f;
}

/* ---- the servers ---- */

static void look_at_ledger(struct bf_look *l, struct bf_health_report *r, struct bf_pg_result **runs)
{
	struct bf_error err;
	int64_t begun = bf_mono_ms();
	if (!l->pg) {
		add(r, "postgresql", "", BF_FAIL, -1, "ms", "cannot be reached");
		return;
	}
	if (bf_stat_health(l->pg, runs, &err) < 0) {
		add(r, "postgresql", "", BF_FAIL, -1, "ms", "%s", err.text);
		return;
	}
	int64_t took = bf_mono_ms() - begun;
	int version = bf_pg_server_version(l->pg);
	add(r, "postgresql", "", took > SLOW_MS ? BF_WARN : BF_PASS, took, "ms", "PostgreSQL %d.%d, %s; it answered in %" PRId64 " ms",
		version / 10000, version % 10000, bf_pg_where(l->pg), took);
}

static void look_at_redis(struct bf_look *l, struct bf_health_report *r, struct bf_live *live)
{
	struct bf_error err;
	int64_t begun = bf_mono_ms();
	char warning[512] = "";
	if (!l->redis) {
		add(r, "redis", "", BF_FAIL, -1, "ms", "cannot be reached");
		return;
	}
	int rc = bf_live_load(l->redis, live, &err);
	int64_t took = bf_mono_ms() - begun;
	if (rc == 0)
		rc = bf_redis_check_server(l->redis, warning, sizeof(warning), &err);
	if (rc < 0)
		add(r, "redis", "", BF_FAIL, took, "ms", "%s", err.text);
	else if (warning[0] || took > SLOW_MS)
		add(r, "redis", "", BF_WARN, took, "ms", "%s%sit answered in %" PRId64 " ms", warning, warning[0] ? "; " : "", took);
	else
		add(r, "redis", "", BF_PASS, took, "ms", "%s; it answered in %" PRId64 " ms", bf_redis_where(l->redis), took);
}

/* ---- workers and queues ---- */

static void look_at_workers(struct bf_health_report *r, const struct bf_live *live, int64_t ready)
{
	r->workers = live->alive;
	r->slots = live->slots;
	r->busy = live->busy;
	if (!live->whole)
		add(r, "workers", "", BF_WARN, live->alive, "workers",
			"the queue in Redis waits to be rebuilt: a worker does it, or `bfstat verify --repair`");
	else if (live->alive == 0)
		add(r, "workers", "", ready > 0 ? BF_FAIL : BF_WARN, 0, "workers", "no worker is alive%s; `worker` starts one",
			ready > 0 ? ", and jobs wait for one" : "");
	else
		add(r, "workers", "", BF_PASS, live->alive, "workers", "%d alive, %" PRId64 " of %" PRId64 " slots busy", live->alive, live->busy,
			live->slots);
}

/* Of the runs of one queue, in the ledger's words. */
static void look_at_queue(struct bf_look *l, struct bf_health_report *r, const char *queue, const struct bf_pg_result *runs,
						  const struct bf_live *live)
{
	int64_t ready = 0, still = 0;
	char text[BF_DURATION_TEXT];
	for (int i = 0; i < bf_pg_rows(runs); i++) {
		if (strcmp(bf_pg_text(runs, i, BF_HEALTH_QUEUE), queue) != 0 || bf_pg_bool(runs, i, BF_HEALTH_HELD))
			continue;
		const char *state = bf_pg_text(runs, i, BF_HEALTH_STATE);
		if (strcmp(state, "queued") == 0 || strcmp(state, "running") == 0)
			ready += bf_pg_int(runs, i, BF_HEALTH_READY);
		still = bf_pg_int(runs, i, BF_HEALTH_STILL) > still ? bf_pg_int(runs, i, BF_HEALTH_STILL) : still;
	}
	int serving = l->redis && live->whole ? bf_live_serving(live, queue) : -1;
	r->ready += ready;
	if (serving == 0 && ready > 0)
		add(r, "queue", queue, BF_FAIL, ready, "jobs", "%" PRId64 " ready, and no worker takes from it: worker --queues=%s", ready, queue);
	else if (still > STALL_MS)
		add(r, "queue", queue, BF_FAIL, ready, "jobs", "%" PRId64 " ready; nothing has begun or ended for %s", ready,
			bf_duration_human(still, text));
	else if (serving < 0)
		add(r, "queue", queue, BF_PASS, ready, "jobs", "%" PRId64 " ready", ready);
	else
		add(r, "queue", queue, BF_PASS, ready, "jobs", "%" PRId64 " ready, %d %s", ready, serving, serving == 1 ? "worker" : "workers");
}

static bool seen_before(const struct bf_pg_result *runs, int row)
{
	for (int i = 0; i < row; i++)
		if (strcmp(bf_pg_text(runs, i, BF_HEALTH_QUEUE), bf_pg_text(runs, row, BF_HEALTH_QUEUE)) == 0)
			return true;
	return false;
}

static void look_at_queues(struct bf_look *l, struct bf_health_report *r, const struct bf_pg_result *runs, const struct bf_live *live)
{
	for (int i = 0; i < bf_pg_rows(runs); i++)
		if (strcmp(bf_pg_text(runs, i, BF_HEALTH_STATE), "failed") != 0 && !seen_before(runs, i))
			look_at_queue(l, r, bf_pg_text(runs, i, BF_HEALTH_QUEUE), runs, live);
}

/* ---- runs ---- */

struct kind_of_run {
	const char *state;   /* NULL: one that stands still */
	const char *what;    /* "failed within seven days" */
	const char *command; /* what to type next */
	enum bf_health status;
};

static bool is_like(const struct bf_pg_result *runs, int row, const struct kind_of_run *k)
{
	return k->state ? strcmp(bf_pg_text(runs, row, BF_HEALTH_STATE), k->state) == 0 : bf_pg_int(runs, row, BF_HEALTH_STILL) > STALL_MS;
}

/* How many; with a finding that names the first of them. */
static int64_t look_at_runs_like(struct bf_health_report *r, const struct bf_pg_result *runs, const struct kind_of_run *k)
{
	BF_AUTOBUF struct bf_buf names;
	int64_t n = 0;
	bf_buf_init(&names, 4096);
	for (int i = 0; i < bf_pg_rows(runs); i++) {
		if (!is_like(runs, i, k))
			continue;
		if (++n <= NAMED_MAX)
			bf_buf_printf(&names, "%s%s", n > 1 ? ", " : "", bf_pg_text(runs, i, BF_HEALTH_RUN));
	}
	if (n > 0)
		add(r, "runs", k->what, k->status, n, "runs", "%" PRId64 " %s: %s%s; %s", n, k->what, names.data, n > NAMED_MAX ? ", …" : "",
			k->command);
	return n;
}

static void look_at_runs(struct bf_health_report *r, const struct bf_pg_result *runs)
{
	static const struct kind_of_run failed = {"failed", "failed within seven days", "bfstat failures RUN", BF_WARN},
									waiting = {"waiting", "waiting for a person", "bfstat RUN", BF_WARN},
									stopped = {"stopped", "stopped", "enqueue resume RUN", BF_WARN},
									stalled = {NULL, "standing still", "bfstat RUN, bfstat workers", BF_FAIL};
	r->failed = look_at_runs_like(r, runs, &failed);
	r->waiting = look_at_runs_like(r, runs, &waiting);
	r->stopped = look_at_runs_like(r, runs, &stopped);
	r->stalled = look_at_runs_like(r, runs, &stalled);
	if (r->failed + r->waiting + r->stopped + r->stalled == 0)
		add(r, "runs", "", BF_PASS, bf_pg_rows(runs), "runs", "%d under way, none failed, stopped, waiting or standing still",
			bf_pg_rows(runs));
}

/* ---- do they agree ---- */

static void look_at_agreement(struct bf_look *l, struct bf_health_report *r)
{
	struct bf_drift drift = {.n = 0};
	struct bf_error err;
	if (!l->pg || !l->redis)
		return;
	if (bf_drift_until_agreed(l->pg, l->redis, &drift, &err) < 0) {
		add(r, "agreement", "", BF_FAIL, -1, "differences", "%s", err.text);
		return;
	}
	r->differences = (int64_t)drift.n;
	if (drift.n > 0)
		add(r, "agreement", "", BF_WARN, r->differences, "differences", "%s; `bfstat verify` lists all", drift.list[0].text);
	else
		add(r, "agreement", "", BF_PASS, 0, "differences", "Redis and the ledger agree on %" PRId64 " %s under way", drift.runs,
			drift.runs == 1 ? "run" : "runs");
	bf_drift_release(&drift);
}

void bf_health_look(struct bf_look *l, struct bf_health_report *out)
{
	BF_AUTORESULT struct bf_pg_result *runs = NULL;
	struct bf_live live = {.n = 0};
	out->n = 0;
	out->status = BF_PASS;
	out->workers = out->slots = out->busy = out->failed = out->waiting = out->stopped = out->stalled = out->differences = -1;
	out->ready = 0;
	look_at_ledger(l, out, &runs);
	look_at_redis(l, out, &live);
	if (runs)
		look_at_queues(l, out, runs, &live);
	if (l->redis)
		look_at_workers(out, &live, out->ready);
	if (runs)
		look_at_runs(out, runs);
	look_at_agreement(l, out);
	bf_live_release(&live);
}
