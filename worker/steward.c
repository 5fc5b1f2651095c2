/*
 * The queue's upkeep, in the thread pool: reconcile every few seconds, advance a run when Redis has nothing left of a step, rebuild when
 * the generation differs. It has connections of its own and shares nothing with the loop but the requests below, which are handed over
 * before the work starts and read back after it has ended.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/retry.h"
#include "core/reconcile.h"
#include "core/states.h"
#include "core/throttle.h"
#include "worker.h"

#define EVERY_MS        5000
#define DEEP_EVERY_MS   15000 /* a look job by job */
#define AWAY_MS         1000  /* until a server that was away is looked for again */
#define HINTS_MAX       64
#define CHUNKS_EVERY_MS 200 /* between two looks at runs in which chunks wait for chunks */

struct hints { /* runs, each once */
	char runs[HINTS_MAX][BF_RUN_MAX + 1];
	int n;
};

struct request {
	bool generation, all, deep, mend;
	struct hints hints;
};

struct bf_steward {
	struct bf_worker *worker;
	uv_work_t work;
	bool busy;
	struct request wanted; /* the loop's */
	struct hints later;    /* the same, to be wanted at the next tick */
	int64_t next_ms, next_deep_ms, next_chunks_ms;

	/* the thread's while busy */
	struct bf_upkeep upkeep;
	struct request doing;
	struct bf_error err, unfit;         /* unfit: why Redis must not be used as it is set now; code 0: it may be */
	bool failed, rebuilt, nothing_left; /* nothing_left: of this look, once it has come so far */
	int repaired;

	bool without_ledger; /* its last task ended so */
	bool left_nothing;   /* of the last look at all runs */
	bool complained;
	struct bf_error unfit_told;
};

/* A server that is silent is given up, by this thread too, for another one may be there by then. */
int bf_steward_connect(struct bf_upkeep *u, struct bf_error *err)
{
	struct bf_pg_options o = {
		.application_name = "worker (steward)", .purpose = BF_PG_STEWARD, .timeout_ms = BF_SILENCE_LEASES * u->lease_ms};
	int rc = 0;
	if (!u->redis) {
		rc = bf_redis_open(NULL, &u->redis, err);
		if (rc == 0)
			bf_redis_set_timeout(u->redis, u->lease_ms);
	}
	if (rc == 0 && !u->pg)
		rc = bf_pg_open(&o, &u->pg, err);
	return rc;
}

/* ---- in the thread ---- */

/* A session that began while the database was read-only stays so after it may be written to again. */
static int connect_both(struct bf_steward *s)
{
	if (s->upkeep.pg && (!bf_pg_alive(s->upkeep.pg) || bf_pg_is_read_only(s->upkeep.pg))) {
		bf_pg_close(s->upkeep.pg);
		s->upkeep.pg = NULL;
	}
	if (s->upkeep.redis && !bf_redis_alive(s->upkeep.redis)) {
		bf_redis_close(s->upkeep.redis);
		s->upkeep.redis = NULL;
	}
	return bf_steward_connect(&s->upkeep, &s->err);
}

static bool serves(const struct bf_worker_options *opt, const char *queue)
{
	for (int i = 0; i < opt->n_queues; i++)
		if (strcmp(opt->queues[i].name, queue) == 0)
			return true;
	return false;
}

/* Is there no run in this worker's queues that still moves? */
static int look_for_work(struct bf_steward *s)
{
	char after[BF_RUN_MAX + 1] = "";
	for (;;) {
		BF_AUTORESULT struct bf_pg_result *page = NULL;
		enum bf_run_state state;
		int rc = bf_ledger_active_runs(s->upkeep.pg, after, 100, &page, &s->err);
		if (rc < 0)
			return rc;
		for (int i = 0; i < bf_pg_rows(page); i++) {
			bool moves = bf_run_state_parse(bf_pg_text(page, i, 1), &state) && state != BF_RUN_STOPPED && state != BF_RUN_WAITING;
			if (moves && serves(&s->worker->opt, bf_pg_text(page, i, 2)))
				return 0;
			snprintf(after, sizeof(after), "%s", bf_pg_text(page, i, 0));
		}
		if (bf_pg_rows(page) < 100)
			break;
	}
	s->nothing_left = true;
	return 0;
}

/* Redis may be set otherwise than it was when the worker started. A connection that is lost meanwhile is for the next call to find. */
static void look_at_settings(struct bf_steward *s)
{
	struct bf_error err;
	int rc = bf_redis_check_server(s->upkeep.redis, NULL, 0, &err);
	if (rc == 0)
		s->unfit.code = 0;
	else if (rc == -BF_E_UNAVAILABLE && bf_redis_alive(s->upkeep.redis))
		s->unfit = err;
}

static int look_at_throttles(struct bf_steward *s)
{
	const struct bf_worker_options *o = &s->worker->opt;
	const char *queues[BF_QUEUES_MAX];
	for (int i = 0; i < o->n_queues; i++)
		queues[i] = o->queues[i].name;
	return bf_throttle_look(s->upkeep.pg, queues, o->n_queues, &s->err);
}

static int serve(struct bf_steward *s)
{
	struct request *r = &s->doing;
	struct bf_error of_a_run = {.code = 0};
	s->nothing_left = false;
	int rc = connect_both(s);
	if (rc == 0 && r->all)
		look_at_settings(s);
	if (rc == 0 && (r->mend || r->deep))
		rc = bf_reconcile_mend(&s->upkeep, r->mend ? BF_INSPECT_ALL : BF_INSPECT_HEADS, &s->err);
	if (rc == 0)
		rc = bf_reconcile_generation(&s->upkeep, &s->rebuilt, &s->err);
	r->all = r->all || s->rebuilt; /* it has pushed no more than the first page of each step */
	if (rc == 0)
		rc = bf_reconcile_runs(&s->upkeep, r->hints.runs, r->hints.n, &of_a_run, &s->err);
	if (rc == 0 && r->all)
		rc = bf_reconcile_all(&s->upkeep, r->deep ? BF_DEPTH_JOBS : BF_DEPTH_STATE, &s->repaired, &of_a_run, &s->err);
	if (rc == 0 && r->all)
		rc = look_for_work(s);
	if (rc == 0 && r->all)
		rc = look_at_throttles(s);
	if (rc == 0 && of_a_run.code) {
		s->err = of_a_run;
		rc = -(int)of_a_run.code;
	}
	return rc;
}

static void in_thread(uv_work_t *work)
{
	struct bf_steward *s = work->data;
	s->failed = serve(s) < 0;
}

/* ---- on the loop ---- */

static void start(struct bf_steward *s);

static void report_settings(struct bf_steward *s)
{
	const struct bf_error *now = &s->unfit, *told = &s->unfit_told;
	if (now->code && (!told->code || strcmp(now->text, told->text) != 0))
		bf_err("%s", now->text);
	else if (!now->code && told->code)
		bf_info("the settings of Redis are right again");
	s->unfit_told = s->unfit;
}

static void report_discarded(struct bf_inspection *discarded)
{
	for (size_t i = 0; i < discarded->n; i++)
		bf_warn("%s in Redis %s: that is thrown away, and what belongs there brought back from the ledger", discarded->list[i].key,
				discarded->list[i].text);
	bf_inspection_release(discarded);
}

static void report(struct bf_steward *s)
{
	report_settings(s);
	report_discarded(&s->upkeep.discarded);
	if (s->rebuilt)
		bf_warn("the queue in Redis was rebuilt from the ledger: generation %lld", (long long)s->upkeep.generation);
	if (s->repaired > 0)
		bf_warn("reconcile put %d jobs right that Redis had lost", s->repaired);
	if (s->failed && !s->complained)
		bf_warn("reconcile: %s; tried again every few seconds", s->err.text);
	else if (!s->failed && s->complained)
		bf_info("reconcile works again");
	s->complained = s->failed;
}

static void after(uv_work_t *work, int status)
{
	struct bf_steward *s = work->data;
	(void)status;
	s->busy = false;
	s->without_ledger = !s->upkeep.pg || !bf_pg_alive(s->upkeep.pg);
	report(s);
	if (s->doing.all)
		s->left_nothing = s->nothing_left;
	if (s->failed && (s->err.code == BF_E_UNAVAILABLE || s->err.code == BF_E_UNKNOWN_OUTCOME))
		s->next_ms = bf_mono_ms() + AWAY_MS;
	if (!s->failed) {
		bf_exchange_generation_ready(s->worker, s->upkeep.generation);
		if (s->doing.hints.n > 0 || s->repaired > 0)
			s->worker->more_to_claim = true;
	} else if (s->doing.generation) {
		s->wanted.generation = true; /* the tick tries again */
		s->next_ms = bf_mono_ms() + 500;
		return;
	}
	if (s->wanted.generation || s->wanted.all || s->wanted.mend || s->wanted.hints.n > 0)
		start(s);
}

static void start(struct bf_steward *s)
{
	if (s->busy)
		return;
	s->doing = s->wanted;
	memset(&s->wanted, 0, sizeof(s->wanted));
	s->failed = s->rebuilt = false;
	s->repaired = 0;
	s->work.data = s;
	s->busy = uv_queue_work(s->worker->loop, &s->work, in_thread, after) == 0;
}

int bf_steward_new(struct bf_worker *w, struct bf_upkeep *first, struct bf_error *err)
{
	(void)err;
	struct bf_steward *s = bf_alloc(sizeof(*s));
	s->worker = w;
	s->upkeep = *first;
	s->next_ms = bf_mono_ms();
	w->steward = s;
	return 0;
}

static void add_hint(struct hints *h, const char *run)
{
	for (int i = 0; i < h->n; i++)
		if (strcmp(h->runs[i], run) == 0)
			return;
	if (h->n < HINTS_MAX)
		snprintf(h->runs[h->n++], sizeof(h->runs[0]), "%s", run);
}

/* Looks at those whose look was put off. */
static void look_later(struct bf_steward *s, int64_t now)
{
	if (s->later.n == 0 || now < s->next_chunks_ms)
		return;
	for (int i = 0; i < s->later.n; i++)
		add_hint(&s->wanted.hints, s->later.runs[i]);
	s->later.n = 0;
	s->next_chunks_ms = now + CHUNKS_EVERY_MS;
	start(s);
}

void bf_steward_tick(struct bf_worker *w)
{
	struct bf_steward *s = w->steward;
	int64_t now = bf_mono_ms();
	look_later(s, now);
	if (now < s->next_ms)
		return;
	s->wanted.all = true; /* if it is busy: for when it is done, so that requests that never end do not keep it out */
	if (now >= s->next_deep_ms) {
		s->wanted.deep = true;
		s->next_deep_ms = now + DEEP_EVERY_MS;
	}
	s->next_ms = now + (w->opt.drain ? 500 : (int64_t)(EVERY_MS * (0.75 + 0.5 * bf_random_unit())));
	start(s);
}

void bf_steward_advance(struct bf_worker *w, const char *run)
{
	add_hint(&w->steward->wanted.hints, run);
	start(w->steward);
}

void bf_steward_chunk_settled(struct bf_worker *w, const char *run)
{
	add_hint(&w->steward->later, run);
	look_later(w->steward, bf_mono_ms());
}

void bf_steward_soon(struct bf_worker *w)
{
	w->steward->next_ms = bf_mono_ms();
}

void bf_steward_generation(struct bf_worker *w)
{
	w->steward->wanted.generation = true;
	start(w->steward);
}

void bf_steward_mend(struct bf_worker *w)
{
	w->steward->wanted.mend = true;
	start(w->steward);
}

bool bf_steward_without_ledger(const struct bf_worker *w)
{
	return w->steward->without_ledger;
}

bool bf_steward_nothing_left(const struct bf_worker *w)
{
	return w->steward->left_nothing;
}

void bf_steward_free(struct bf_worker *w)
{
	bf_inspection_release(&w->steward->upkeep.discarded);
	bf_pg_close(w->steward->upkeep.pg);
	bf_redis_close(w->steward->upkeep.redis);
	bf_free_ptr(&w->steward);
}
