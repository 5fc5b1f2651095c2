#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/mem.h"
#include "steps/steps.h"
#include "worker.h"

#define LOST_MAX         3  /* lost connections of one job that count as a failed try */
#define LOST_ALL_MAX     30 /* the same, where it was not the only one to lose its connection */
#define SUSPECT_LATER_MS 1000
#define TOGETHER_MS      1000 /* connections that were lost within this time were lost together */
#define TROUBLE_PAUSE_MS 1000 /* after the server refused the statement */
#define SHARED_FROM      96   /* jobs held from which on they are opened in three batches */

struct batch {
	struct bf_worker *worker;
	size_t n;
	struct bf_job *jobs[];
};

static void dates_of(struct bf_job *j, const struct bf_open_answer *a)
{
	bf_date since;
	snprintf(j->since, sizeof(j->since), "%s", a->since);
	snprintf(j->until, sizeof(j->until), "%s", a->until);
	snprintf(j->lookback_since, sizeof(j->lookback_since), "%s", a->since);
	if (j->step->lookback > 0 && bf_date_parse(a->since, &since, NULL) == 0)
		bf_date_format(since - j->step->lookback, j->lookback_since);
}

/* It is open. False: it was taken away meanwhile, or the worker drains; then it is handed back. */
static bool may_start(struct bf_job *j)
{
	if (!j->worker->draining && !j->fenced)
		return true;
	j->started_us = bf_mono_us();
	bf_job_returned(j);
	return false;
}

static void on_stale_ended(struct bf_pgc *c, const struct bf_pg_result *r, const struct bf_error *err, void *data)
{
	struct bf_job *j = data;
	(void)c;
	(void)r;
	if (err && err->code != BF_E_SQL) {
		bf_open_again(j, err->text);
		return;
	}
	if (err)
		bf_warn("%s: the backend of its earlier attempt could not be ended: %s", j->name, err->text);
	j->stale_pid = 0;
	if (may_start(j))
		bf_job_opened(j);
}

/* The backend of an earlier attempt that has to be ended before this one starts. One that this worker knew of and could not end yet stays
 * it, if nobody else had the job since: the answer then names a lane of its own. */
static void note_stale(struct bf_job *j, const struct bf_open_answer *a, int epoch_before)
{
	bool nobody_since = j->stale_pid && a->epoch == epoch_before + 1;
	if (!a->stale_pid || nobody_since || bf_pool_has(j->worker, a->stale_pid)) /* its own lanes' jobs are known, and fenced, here */
		return;
	j->stale_pid = a->stale_pid;
	snprintf(j->stale_start, sizeof(j->stale_start), "%s", a->stale_start);
}

/* A job that ends its own connection, again and again, must fail in the end; one whose server went away must not. */
static void count_loss(struct bf_job *j)
{
	if (!j->lost_ms)
		return;
	bool alone = j->worker->control_lost_ms < j->lost_ms - TOGETHER_MS; /* both may have been lost, one after the other */
	*(alone ? &j->lost : &j->lost_all) += 1;
	j->lost_ms = 0;
}

static void opened(struct bf_job *j, const struct bf_open_answer *a)
{
	int epoch_before = j->epoch;
	j->epoch = a->epoch;
	j->attempts = a->attempts;
	j->redone = a->redone;
	j->waits = a->waits;
	j->waited_ms = a->waited_ms;
	j->checkpoint = bf_strdup(a->checkpoint);
	j->key = bf_strdup(a->key);
	j->lookback_key = bf_strdup(a->lookback_key);
	dates_of(j, a);
	if (bf_lane_lost(j)) {
		bf_open_again(j, "its connection went away while it was opened");
		return;
	}
	if (!may_start(j))
		return;
	j->asks_left = 0;
	count_loss(j);
	if (j->lost >= LOST_MAX || j->lost_all >= LOST_ALL_MAX) { /* not done, each time: it is the job that ends its connection */
		j->lost = j->lost_all = 0;
		j->started_us = bf_mono_us();
		bf_job_failed(j, "connection", false, "its connection to PostgreSQL was lost while it ran, several times in a row", NULL, 0);
		return;
	}
	note_stale(j, a, epoch_before);
	if (j->stale_pid) /* now, or of a try to open it whose answer was lost: bf_open_pump ends that backend first */
		return;       /* stays at OPENING */
	bf_job_opened(j);
}

static enum bf_ack ack_of_state(const char *state)
{
	if (strcmp(state, "failed") == 0)
		return BF_ACK_FAILED;
	if (strcmp(state, "skipped") == 0)
		return BF_ACK_SKIPPED;
	if (strcmp(state, "cancelled") == 0)
		return BF_ACK_CANCELLED;
	return BF_ACK_DONE;
}

/* A job that twice was open when its worker went away. This worker takes one of them and runs it alone (PROTOCOL L12); others may have the
 * rest. */
static void suspect(struct bf_job *j)
{
	if (j->worker->suspects > 0) {
		bf_job_acknowledge(j, BF_ACK_LATER, SUSPECT_LATER_MS);
		return;
	}
	bf_warn("%s: its worker was gone twice while it was open; it runs alone now", j->name);
	j->alone = true;
	j->worker->suspects++;
	bf_job_move(j, BF_AT_SUSPECT, "suspect");
}

/* The suspect's turn comes when nothing else is open here, nor on its way. */
static void open_suspect(struct bf_worker *w)
{
	struct bf_job *j = w->at[BF_AT_SUSPECT].first;
	size_t others = 0;
	for (int p = 0; p < BF_AT_ACK; p++)
		others += p == BF_AT_SUSPECT ? 0 : w->at[p].count;
	if (j && others == 0 && !w->exchange_flying && !w->exchange_unanswered)
		bf_job_move(j, j->lane ? BF_AT_CONNECT : BF_AT_OPEN, "alone now");
}

/* Its run or step is not to go on, which Redis does not know yet and hands it out again: from the second time on it waits. */
static void closed(struct bf_job *j)
{
	int64_t now = bf_mono_ms();
	bool again = j->def->closed_ms && now - j->def->closed_ms < BF_CLOSED_MS;
	j->def->closed_ms = now;
	bf_steward_advance(j->worker, j->run);
	bf_job_acknowledge(j, again ? BF_ACK_LATER : BF_ACK_RETURN, again ? BF_CLOSED_MS / 2 : 0);
}

/* ---- statements that were not answered ---- */

void bf_open_tick(struct bf_worker *w)
{
	int64_t now = bf_mono_ms();
	while (w->at[BF_AT_ASK].first && now >= w->at[BF_AT_ASK].first->ask_at_ms)
		bf_job_move(w->at[BF_AT_ASK].first, BF_AT_DEFINE, "asked again");
}

/* ---- answers ---- */

/* The table of PROTOCOL L2. */
static void follow(struct bf_job *j, const struct bf_open_answer *a)
{
	switch (a->verdict) {
	case BF_OPENED:
		opened(j, a);
		return;
	case BF_OPEN_SETTLED:
		bf_job_acknowledge(j, ack_of_state(a->state), 0);
		return;
	case BF_OPEN_LOCKED:
		if (!bf_open_ask_again(j, "locked"))
			bf_job_acknowledge(j, BF_ACK_LATER, j->worker->opt.lease_ms);
		return;
	case BF_OPEN_EARLY:
		if (a->early_ms > 0 || !bf_open_ask_again(j, "early"))
			bf_job_acknowledge(j, BF_ACK_LATER, a->early_ms > 0 ? a->early_ms : 0);
		return;
	case BF_OPEN_HELD:
		bf_job_acknowledge(j, BF_ACK_HELD, a->early_ms);
		return;
	case BF_OPEN_CLOSED:
		closed(j);
		return;
	case BF_OPEN_CANCELLED:
		bf_job_acknowledge(j, BF_ACK_CANCELLED, 0);
		return;
	case BF_OPEN_SUSPECT:
		suspect(j);
		return;
	case BF_OPEN_WAITING: /* it keeps no place from what it waits for, and is pushed, or found missing, when its turn comes */
		bf_steward_advance(j->worker, j->run);
		bf_job_acknowledge(j, BF_ACK_DROP, 0);
		return;
	case BF_OPEN_UNKNOWN:
		bf_err("%s is in the queue but not in the ledger: dropped", j->name);
		bf_job_acknowledge(j, BF_ACK_DROP, 0);
		return;
	}
}

/* Whether it happened or not: opening again finds out, if Redis says that the job is still this worker's. */
static void not_answered(struct bf_job *j, bool lost)
{
	if (j->fenced) {
		bf_job_put_down(j, BF_ACK_RETURN, 0);
		return;
	}
	if (lost)
		bf_open_unanswered(j);
	bf_job_move(j, j->lane ? BF_AT_CONNECT : BF_AT_OPEN, "not answered");
}

/* Is it about a value that a row has, and not about the session or the statement? */
static bool is_of_a_row(const struct bf_error *err)
{
	return strcmp(err->sqlstate, "22003") == 0 || strcmp(err->sqlstate, "22008") == 0 || strncmp(err->sqlstate, "23", 2) == 0;
}

/* A batch that the server refuses for a value is halved until the job whose row has it is alone; that one fails, and keeps no other. */
static void refused(struct batch *b, const struct bf_error *err)
{
	struct bf_worker *w = b->worker;
	if (!is_of_a_row(err)) {
		bf_err("jobs cannot be opened: %s", err->text);
		w->well_since_ms = bf_mono_ms();
		w->open_not_before_ms = bf_mono_ms() + TROUBLE_PAUSE_MS;
		return;
	}
	if (b->n > 1) {
		w->open_limit = b->n / 2;
		return;
	}
	struct bf_job *j = b->jobs[0];
	bf_err("%s: its row in the ledger cannot be worked with: %s", j->name, err->text);
	free(j->unopenable);
	j->unopenable = bf_asprintf("its row in the ledger cannot be worked with: %s", err->text);
}

static void on_opened(struct bf_pgc *c, const struct bf_pg_result *r, const struct bf_error *err, void *data)
{
	struct batch *b = data;
	(void)c;
	if (err) {
		if (err->code == BF_E_SQL)
			refused(b, err);
		for (size_t i = 0; i < b->n; i++)
			not_answered(b->jobs[i], err->code != BF_E_SQL);
	} else {
		b->worker->open_limit = BF_BATCH_MAX;
		if (BF_FAILPOINT("after_open"))
			bf_warn("fail point after_open");
		for (size_t i = 0; i < b->n; i++) {
			struct bf_open_answer a;
			bf_ledger_open_read(r, (int)i, &a);
			follow(b->jobs[i], &a);
		}
	}
	free(b);
}

static bool end_stale_backends(struct bf_worker *w)
{
	for (struct bf_job *j = w->at[BF_AT_OPENING].first; j; j = j->next) {
		if (!j->stale_pid)
			continue;
		bf_pg_params_clear(&w->params);
		bf_pg_add_int(&w->params, j->stale_pid);
		bf_pg_add_text(&w->params, j->stale_start);
		(void)bf_pgc_exec(w->opener, &bf_sql_end_backend, &w->params, on_stale_ended, j);
		return true;
	}
	return false;
}

/* A connection that broke meanwhile has another backend now: such a job waits for a lane again. */
static void return_broken(struct bf_worker *w)
{
	for (struct bf_job *j = w->at[BF_AT_OPEN].first, *next; j; j = next) {
		next = j->next;
		if (bf_lane_lost(j))
			bf_job_move(j, BF_AT_CONNECT, "connection lost");
	}
}

/* A job that was handed out twice (an older image of Redis) is asked about once; the batch is sorted. */
static void drop_doubles(struct batch *b)
{
	size_t kept = 0;
	for (size_t i = 0; i < b->n; i++) {
		if (kept > 0 && strcmp(b->jobs[i]->name, b->jobs[kept - 1]->name) == 0)
			bf_job_free(b->jobs[i]);
		else
			b->jobs[kept++] = b->jobs[i];
	}
	b->n = kept;
}

/* Three stations work at once, each on a third of what is held: while one third is opened, another is settled, and the last is on its way
 * through Redis (docs/decisions/0029). Of a few jobs, each batch is as large as it gets, for each has a commit of its own. */
static size_t batch_max(const struct bf_worker *w)
{
	size_t third = w->held >= SHARED_FROM ? ((size_t)w->held + 2) / 3 : BF_BATCH_MAX;
	return third < w->open_limit ? third : w->open_limit;
}

/* One whose row was refused while it was alone. */
static bool fail_unopenable(struct bf_worker *w)
{
	for (int p = BF_AT_CONNECT; p <= BF_AT_OPEN; p++)
		for (struct bf_job *j = w->at[p].first; j; j = j->next)
			if (j->unopenable) {
				bf_fail_unopened(w, &j, 1, "ledger", j->unopenable);
				return true;
			}
	return false;
}

void bf_open_pump(struct bf_worker *w)
{
	int64_t now = bf_mono_ms();
	if (bf_pgc_state(w->opener) != BF_PGC_READY || end_stale_backends(w))
		return;
	return_broken(w);
	open_suspect(w);
	if (fail_unopenable(w) || !w->at[BF_AT_OPEN].first || now < w->open_not_before_ms || now >= w->lease_until_ms)
		return;
	if (w->phase != BF_REDIS_READY || w->hold_wanted) /* it may have given the claims to others */
		return;
	struct batch *b = bf_alloc(sizeof(*b) + BF_BATCH_MAX * sizeof(struct bf_job *));
	struct bf_open_ask asks[BF_BATCH_MAX];
	b->worker = w;
	b->n = bf_job_batch(w, BF_AT_OPEN, BF_AT_OPENING, batch_max(w), b->jobs);
	drop_doubles(b);
	for (size_t i = 0; i < b->n; i++) {
		struct bf_job *j = b->jobs[i];
		asks[i] = (struct bf_open_ask){.run = j->run, .step = j->step_name, .seq = j->seq, .alone = j->alone};
		if (j->lane) {
			asks[i].backend_pid = bf_pgc_backend_pid(j->lane->conn);
			asks[i].backend_start = bf_pgc_backend_start(j->lane->conn);
		}
	}
	bf_pg_params_clear(&w->params);
	bf_ledger_open_bind(&w->params, asks, b->n, w->id);
	if (bf_pgc_exec(w->opener, &bf_sql_open_jobs, &w->params, on_opened, b) < 0) {
		for (size_t i = 0; i < b->n; i++)
			bf_job_move(b->jobs[i], BF_AT_OPEN, "not sent");
		free(b);
	}
}
