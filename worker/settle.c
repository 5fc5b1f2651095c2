#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/mem.h"
#include "worker.h"

#define TROUBLE_PAUSE_MS  1000
#define PROGRESS_EVERY_MS 1000
#define LOOK_EVERY_MS     5000
#define LOOK_ALONE_MS     1000 /* while Redis, which tells of decisions at each exchange, is away */
#define NOTES_EVERY_MS    200

struct batch {
	struct bf_worker *worker;
	size_t n;
	struct bf_job *jobs[];
};

/* ---- settling ---- */

/* What the ledger says the job now is decides what Redis is told (PROTOCOL L4, L7). */
static void follow(struct bf_job *j, const struct bf_settle_answer *a)
{
	bool mine = a->epoch == j->epoch;
	if ((strcmp(a->state, "failed") == 0 && j->step->max_failed_ratio >= 0) || (j->step->split && j->outcome == BF_OUT_FAILED))
		bf_steward_advance(j->worker, j->run); /* it may be one too many, or is to be split */
	if (strcmp(a->state, "done") == 0)
		bf_job_acknowledge(j, BF_ACK_DONE, 0);
	else if (strcmp(a->state, "failed") == 0)
		bf_job_acknowledge(j, BF_ACK_FAILED, 0);
	else if (strcmp(a->state, "skipped") == 0)
		bf_job_acknowledge(j, BF_ACK_SKIPPED, 0);
	else if (strcmp(a->state, "cancelled") == 0)
		bf_job_acknowledge(j, BF_ACK_CANCELLED, 0);
	else if (strcmp(a->state, "pending") == 0 && mine && j->outcome == BF_OUT_RETRY)
		bf_job_acknowledge(j, BF_ACK_RETRY, j->delay_ms);
	else if (strcmp(a->state, "pending") == 0 && mine && j->delay_ms > 0)
		bf_job_acknowledge(j, BF_ACK_LATER, j->delay_ms);
	else if (strcmp(a->state, "pending") == 0)
		bf_job_acknowledge(j, BF_ACK_RETURN, 0);
	else
		bf_job_acknowledge(j, BF_ACK_DROP, 0); /* another attempt has it, or it is gone */
}

/* A batch that the server refuses for one text is halved until that one is alone; then it goes without its texts. */
static void refused(struct batch *b, const struct bf_error *err)
{
	struct bf_worker *w = b->worker;
	w->well_since_ms = bf_mono_ms();
	if (strncmp(err->sqlstate, "22", 2) != 0) {
		bf_err("jobs cannot be settled: %s", err->text);
		w->settle_not_before_ms = bf_mono_ms() + TROUBLE_PAUSE_MS;
		return;
	}
	if (b->n > 1) {
		w->settle_limit = b->n / 2;
		return;
	}
	struct bf_job *j = b->jobs[0];
	bf_err("%s: the ledger refuses its texts (%s): settled without them", j->name, err->text);
	free(bf_steal(&j->tail));
	free(bf_steal(&j->checkpoint_new));
	free(bf_steal(&j->note));
	w->settle_not_before_ms = bf_mono_ms() + TROUBLE_PAUSE_MS; /* if it is not that either */
	free(j->error);
	j->error = bf_strdup("the error text could not be stored");
}

static void on_settled(struct bf_pgc *c, const struct bf_pg_result *r, const struct bf_error *err, void *data)
{
	struct batch *b = data;
	(void)c;
	if (!err && BF_FAILPOINT("after_settle"))
		bf_warn("fail point after_settle");
	if (err && err->code == BF_E_SQL)
		refused(b, err);
	else if (!err)
		b->worker->settle_limit = BF_BATCH_MAX;
	for (size_t i = 0; i < b->n; i++) {
		if (err) { /* the same settle again is safe: it is conditional on the epoch */
			bf_job_move(b->jobs[i], BF_AT_SETTLE, "not settled");
			continue;
		}
		struct bf_settle_answer a;
		bf_ledger_settle_read(r, (int)i, &a);
		follow(b->jobs[i], &a);
	}
	free(b);
}

static void settle(struct bf_worker *w)
{
	struct batch *b = bf_alloc(sizeof(*b) + BF_BATCH_MAX * sizeof(struct bf_job *));
	struct bf_settle_ask asks[BF_BATCH_MAX];
	b->worker = w;
	b->n = bf_job_batch(w, BF_AT_SETTLE, BF_AT_SETTLING, w->settle_limit, b->jobs);
	for (size_t i = 0; i < b->n; i++) {
		struct bf_job *j = b->jobs[i];
		asks[i] = (struct bf_settle_ask){.run = j->run,
										 .step = j->step_name,
										 .seq = j->seq,
										 .epoch = j->epoch,
										 .outcome = j->outcome,
										 .delay_ms = j->delay_ms,
										 .rows = j->rows,
										 .category = j->category[0] ? j->category : NULL,
										 .error = j->error,
										 .tail = j->tail,
										 .checkpoint = j->checkpoint_new,
										 .note = j->note,
										 .progress_done = j->progress_done,
										 .progress_total = j->progress_total};
	}
	if (BF_FAILPOINT("before_commit"))
		bf_warn("fail point before_commit");
	bf_pg_params_clear(&w->params);
	bf_ledger_settle_bind(&w->params, asks, b->n);
	if (bf_pgc_exec(w->settler, &bf_sql_settle_jobs, &w->params, on_settled, b) < 0) {
		for (size_t i = 0; i < b->n; i++)
			bf_job_move(b->jobs[i], BF_AT_SETTLE, "not sent");
		free(b);
	}
}

/* ---- rows of sql jobs ---- */

static int by_note(const void *a, const void *b)
{
	const struct bf_rows_note *x = a, *y = b;
	int c = strcmp(x->run, y->run);
	if (c == 0)
		c = strcmp(x->step, y->step);
	return c ? c : (x->seq > y->seq) - (x->seq < y->seq);
}

static void on_noted(struct bf_pgc *c, const struct bf_pg_result *r, const struct bf_error *err, void *data)
{
	(void)c;
	(void)r;
	(void)data;
	if (err && err->code == BF_E_SQL)
		bf_warn("rows, progress: %s", err->text);
}

static void note_rows(struct bf_worker *w, int64_t now)
{
	struct bf_held held[BF_BATCH_MAX];
	size_t n = w->n_notes < BF_BATCH_MAX ? w->n_notes : BF_BATCH_MAX;
	struct bf_rows_note *from = w->notes + (w->n_notes - n);
	qsort(from, n, sizeof(*from), by_note);
	for (size_t i = 0; i < n; i++)
		held[i] =
			(struct bf_held){.run = from[i].run, .step = from[i].step, .seq = from[i].seq, .epoch = from[i].epoch, .rows = from[i].rows};
	bf_pg_params_clear(&w->params);
	bf_ledger_rows_bind(&w->params, held, n);
	if (bf_pgc_exec(w->settler, &bf_sql_note_rows, &w->params, on_noted, w) == 0)
		w->n_notes -= n;
	w->last_notes_ms = now;
}

/* ---- progress and checkpoints ---- */

static void on_progress(struct bf_pgc *c, const struct bf_pg_result *r, const struct bf_error *err, void *data)
{
	struct bf_worker *w = data;
	on_noted(c, r, err, data);
	for (struct bf_job *j = w->at[BF_AT_RUNNING].first; err && j; j = j->next)
		j->progress_dirty |= j->progress_number > 0; /* what may not have arrived is said again */
}

static bool note_progress(struct bf_worker *w, int64_t now)
{
	struct bf_job *dirty[BF_BATCH_MAX];
	struct bf_progress_ask asks[BF_BATCH_MAX];
	size_t n = 0;
	w->last_progress_ms = now;
	for (struct bf_job *j = w->at[BF_AT_RUNNING].first; j && n < BF_BATCH_MAX; j = j->next)
		if (j->progress_dirty)
			dirty[n++] = j;
	if (n == 0)
		return false;
	bf_job_sort(dirty, n);
	for (size_t i = 0; i < n; i++) {
		struct bf_job *j = dirty[i];
		asks[i] = (struct bf_progress_ask){.run = j->run,
										   .step = j->step_name,
										   .seq = j->seq,
										   .epoch = j->epoch,
										   .number = ++j->progress_number,
										   .done = j->progress_done,
										   .total = j->progress_total,
										   .checkpoint = j->checkpoint_new,
										   .note = j->note};
	}
	bf_pg_params_clear(&w->params);
	bf_ledger_progress_bind(&w->params, asks, n);
	bool sent = bf_pgc_exec(w->settler, &bf_sql_note_progress, &w->params, on_progress, w) == 0;
	for (size_t i = 0; i < n; i++)
		dirty[i]->progress_dirty = !sent;
	return sent;
}

/* ---- are the jobs still ours? ---- */

struct looked {
	struct bf_worker *worker;
	size_t n;
	struct {
		char *name;
		int epoch;
	} jobs[];
};

static void free_looked(struct looked *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->jobs[i].name);
	free(l);
}

static void on_looked(struct bf_pgc *c, const struct bf_pg_result *r, const struct bf_error *err, void *data)
{
	struct looked *l = data;
	(void)c;
	for (int row = 0; !err && row < bf_pg_rows(r); row++) {
		size_t i = (size_t)bf_pg_int(r, row, 0) - 1;
		for (struct bf_job *j = l->worker->at[BF_AT_RUNNING].first, *next; j && i < l->n; j = next) {
			next = j->next;
			if (j->epoch == l->jobs[i].epoch && strcmp(j->name, l->jobs[i].name) == 0)
				bf_job_stop(j, true);
		}
	}
	free_looked(l);
}

static bool look(struct bf_worker *w, int64_t now)
{
	w->last_look_ms = now;
	w->look_wanted = false;
	if (!w->at[BF_AT_RUNNING].first)
		return false;
	size_t running = w->at[BF_AT_RUNNING].count;
	struct looked *l = bf_alloc(sizeof(*l) + running * sizeof(l->jobs[0]));
	BF_AUTOFREE struct bf_held *held = bf_alloc(running * sizeof(*held));
	l->worker = w;
	for (struct bf_job *j = w->at[BF_AT_RUNNING].first; j; j = j->next) {
		held[l->n] = (struct bf_held){.run = j->run, .step = j->step_name, .seq = j->seq, .epoch = j->epoch};
		l->jobs[l->n].name = bf_strdup(j->name);
		l->jobs[l->n++].epoch = j->epoch;
	}
	bf_pg_params_clear(&w->params);
	bf_ledger_look_bind(&w->params, held, l->n);
	if (bf_pgc_exec(w->settler, &bf_sql_look, &w->params, on_looked, l) == 0)
		return true;
	free_looked(l);
	return false;
}

void bf_settle_pump(struct bf_worker *w)
{
	int64_t now = bf_mono_ms();
	if (bf_pgc_state(w->settler) != BF_PGC_READY)
		return;
	if (now - w->last_progress_ms >= PROGRESS_EVERY_MS && note_progress(w, now))
		return;
	int64_t look_every = w->phase == BF_REDIS_READY || w->phase == BF_REDIS_HOLD ? LOOK_EVERY_MS : LOOK_ALONE_MS;
	if ((w->look_wanted || now - w->last_look_ms >= look_every) && look(w, now))
		return;
	if (w->n_notes > 0 && (now - w->last_notes_ms >= NOTES_EVERY_MS || w->n_notes >= BF_BATCH_MAX)) {
		note_rows(w, now);
		return;
	}
	if (w->at[BF_AT_SETTLE].first && now >= w->settle_not_before_ms)
		settle(w);
}
