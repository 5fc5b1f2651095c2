#include "base/clock.h"
#include "base/duration.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/vars.h"
#include "steps/steps.h"
#include "worker.h"

static const char *const place_names[BF_PLACES] = {
	[BF_AT_DEFINE] = "define",   [BF_AT_CONNECT] = "connect",   [BF_AT_OPEN] = "open",   [BF_AT_ASK] = "ask",
	[BF_AT_SUSPECT] = "suspect", [BF_AT_OPENING] = "opening",   [BF_AT_READY] = "ready", [BF_AT_RUNNING] = "running",
	[BF_AT_SETTLE] = "settle",   [BF_AT_SETTLING] = "settling", [BF_AT_ACK] = "ack",     [BF_AT_ACKING] = "acking",
};

#define SHORT_MS     50     /* a job that takes less is short */
#define READY_MAX_US 500000 /* how long an opened job may wait for a slot */
#define AHEAD_MAX    12     /* jobs opened ahead for each slot, at most */
#define SMOOTHING    0.1    /* weight of the newest job in what is typical */

#define CROWDED_MAX_MS 2000 /* how long claimed jobs may wait for a lane while none is to be had */
#define ELSEWHERE_MS   1000 /* then another worker has the time to take them */

/* ---- lists ---- */

static void list_add(struct bf_job_list *l, struct bf_job *j)
{
	j->prev = l->last;
	j->next = NULL;
	if (l->last)
		l->last->next = j;
	else
		l->first = j;
	l->last = j;
	l->count++;
}

static void list_remove(struct bf_job_list *l, struct bf_job *j)
{
	if (j->prev)
		j->prev->next = j->next;
	else
		l->first = j->next;
	if (j->next)
		j->next->prev = j->prev;
	else
		l->last = j->prev;
	l->count--;
}

void bf_job_move(struct bf_job *j, enum bf_job_place to, const char *why)
{
	bf_debug("%s: %s -> %s (%s)", j->name, place_names[j->place], place_names[to], why);
	list_remove(&j->worker->at[j->place], j);
	j->place = to;
	list_add(&j->worker->at[to], j);
}

static int by_key(const void *a, const void *b)
{
	const struct bf_job *x = *(const struct bf_job *const *)a, *y = *(const struct bf_job *const *)b;
	int c = strcmp(x->run, y->run);
	if (c == 0)
		c = strcmp(x->step_name, y->step_name);
	return c ? c : (x->seq > y->seq) - (x->seq < y->seq);
}

void bf_job_sort(struct bf_job **jobs, size_t n)
{
	qsort(jobs, n, sizeof(struct bf_job *), by_key);
}

size_t bf_job_batch(struct bf_worker *w, enum bf_job_place from, enum bf_job_place to, size_t max, struct bf_job **out)
{
	size_t n = 0;
	while (w->at[from].first && n < max) {
		out[n] = w->at[from].first;
		bf_job_move(out[n++], to, "batch");
	}
	bf_job_sort(out, n);
	return n;
}

/* ---- birth and end ---- */

struct bf_job *bf_job_new(struct bf_worker *w, const char *name)
{
	struct bf_job_name parts;
	if (bf_job_name_parse(name, &parts) < 0)
		return NULL;
	struct bf_job *j = bf_alloc(sizeof(*j));
	j->worker = w;
	j->name = bf_strdup(name);
	snprintf(j->run, sizeof(j->run), "%.*s", parts.run_len, parts.run);
	snprintf(j->step_name, sizeof(j->step_name), "%.*s", parts.step_len, parts.step);
	j->chunk = bf_strndup(parts.chunk, (size_t)parts.chunk_len);
	j->seq = parts.seq;
	j->rows = j->progress_done = j->progress_total = -1;
	j->def = bf_run_def_get(w, j->run);
	j->def->held++;
	w->held++;
	j->place = BF_AT_DEFINE;
	list_add(&w->at[BF_AT_DEFINE], j);
	return j;
}

static void free_handle(uv_handle_t *h)
{
	free(h);
}

static void stop_timer(struct bf_job *j)
{
	if (j->timer)
		uv_close((uv_handle_t *)bf_steal(&j->timer), free_handle);
}

/* What one attempt knew; the next one, or nobody, starts afresh. */
static void forget_attempt(struct bf_job *j)
{
	stop_timer(j);
	free(bf_steal(&j->checkpoint));
	free(bf_steal(&j->checkpoint_new));
	free(bf_steal(&j->note));
	free(bf_steal(&j->key));
	free(bf_steal(&j->lookback_key));
	free(bf_steal(&j->error));
	free(bf_steal(&j->tail));
	j->category[0] = '\0';
	j->rows = j->progress_done = j->progress_total = -1;
	j->progress_number = 0;
	j->progress_dirty = j->fenced = j->handing_back = j->timed_out = false;
	j->delay_ms = j->not_within_ms = 0;
}

void bf_job_free(struct bf_job *j)
{
	struct bf_worker *w = j->worker;
	bf_lane_leave(j);
	forget_attempt(j);
	list_remove(&w->at[j->place], j);
	w->suspects -= j->alone;
	j->def->held--;
	w->held--;
	free(j->unopenable);
	free(j->chunk);
	free(j->name);
	free(j);
}

const struct bf_log_ctx *bf_job_log(const struct bf_job *j)
{
	static struct bf_log_ctx ctx;
	ctx = (struct bf_log_ctx){.run = j->run, .step = j->step_name, .chunk = j->chunk, .epoch = j->epoch};
	return &ctx;
}

void bf_job_vars(const struct bf_job *j, struct bf_vars *v)
{
	*v = (struct bf_vars){.run = j->run,
						  .step = j->step_name,
						  .chunk = j->chunk,
						  .since = j->since,
						  .until = j->until,
						  .lookback_since = j->lookback_since,
						  .key = j->key ? j->key : "",
						  .lookback_key = j->lookback_key,
						  .redone = j->redone,
						  .param_names = j->def->param_names,
						  .param_values = j->def->param_values,
						  .n_params = j->def->n_params};
}

/* ---- running ---- */

static void on_timeout(uv_timer_t *t)
{
	struct bf_job *j = t->data;
	j->timed_out = true;
	bf_step_kind(j->step->kind)->stop(j);
}

static void start_timer(struct bf_job *j)
{
	j->timer = bf_alloc(sizeof(*j->timer));
	uv_timer_init(j->worker->loop, j->timer);
	j->timer->data = j;
	uv_timer_start(j->timer, on_timeout, (uint64_t)j->step->timeout_ms, 1000); /* asked again each second until it ends */
}

static void start(struct bf_job *j)
{
	const struct bf_step_kind *kind = bf_step_kind(j->step->kind);
	struct bf_error err;
	if (bf_mono_ms() >= j->worker->lease_until_ms) { /* this process stood still since the ledger was asked: others may have it by now */
		bf_job_put_down(j, BF_ACK_RETURN, 0);
		return;
	}
	if (bf_lane_lost(j)) {
		bf_open_again(j, "its connection went away before it began");
		return;
	}
	if (j->lane)
		j->lane->running = j;
	bf_job_move(j, BF_AT_RUNNING, "started");
	j->started_us = bf_mono_us();
	if (j->step->kind != BF_KIND_NOOP) {
		const struct bf_log_ctx *before = bf_log_push(bf_job_log(j));
		if (bf_log_each_job(BF_LOG_INFO))
			bf_info("job started (attempt %d)", j->attempts + 1);
		bf_log_pop(before);
		start_timer(j);
	}
	if (kind->start(j, &err) < 0)
		bf_job_failed(j, "start", false, err.text, NULL, 0);
	else if (BF_FAILPOINT("mid_job"))
		bf_warn("fail point mid_job");
}

/*
 * Between two short jobs a slot would stand empty for as long as claiming and opening the next one takes. So where jobs take less than
 * SHORT_MS, about as many as the slots get done in that time are claimed and opened ahead, and wait at READY. One that waits for longer
 * than READY_MAX_US is handed back: jobs have become longer, and other workers may have a slot for it.
 */
int bf_job_ahead(const struct bf_worker *w)
{
	if (w->typical_ms <= 0 || w->typical_ms > SHORT_MS || w->claims_left >= 0)
		return 0;
	double each = SHORT_MS / w->typical_ms;
	return w->opt.slots * (each < AHEAD_MAX ? (int)each : AHEAD_MAX);
}

static bool slot_free(const struct bf_worker *w)
{
	return (int)w->at[BF_AT_RUNNING].count < w->opt.slots;
}

void bf_job_opened(struct bf_job *j)
{
	if (slot_free(j->worker) && bf_lane_free(j)) {
		start(j);
		return;
	}
	j->started_us = bf_mono_us();
	bf_job_move(j, BF_AT_READY, "no slot is free yet");
}

void bf_job_pump(struct bf_worker *w)
{
	for (struct bf_job *j = w->at[BF_AT_READY].first, *next; j && slot_free(w); j = next) {
		next = j->next;
		if (bf_lane_free(j))
			start(j);
	}
}

/* Claimed jobs that wait for a lane are kept from workers that have one. */
static void put_off_crowd(struct bf_worker *w)
{
	enum bf_pgc_state ledger = bf_pgc_state(w->opener);
	int64_t now = bf_mono_ms();
	if (!w->at[BF_AT_CONNECT].first || (ledger != BF_PGC_READY && ledger != BF_PGC_BUSY)) {
		w->crowded_since_ms = 0;
		return;
	}
	if (w->crowded_since_ms == 0)
		w->crowded_since_ms = now;
	if (now - w->crowded_since_ms < CROWDED_MAX_MS)
		return;
	bf_info("no connection to PostgreSQL is free for %zu jobs: put off, others may take them", w->at[BF_AT_CONNECT].count);
	while (w->at[BF_AT_CONNECT].first)
		if (!bf_open_ask_again(w->at[BF_AT_CONNECT].first, "no lane"))
			bf_job_put_down(w->at[BF_AT_CONNECT].first, BF_ACK_LATER, ELSEWHERE_MS);
	w->no_claims_before_ms = now + 2 * ELSEWHERE_MS; /* the others come first */
}

void bf_job_tick(struct bf_worker *w)
{
	int64_t now = bf_mono_us();
	put_off_crowd(w);
	while (w->at[BF_AT_READY].first && now - w->at[BF_AT_READY].first->started_us > READY_MAX_US) {
		w->typical_ms = 2 * SHORT_MS;
		bf_job_returned(w->at[BF_AT_READY].first);
	}
}

/* A job that no statement is under way for ends at once; one that executes is asked to end; the others are met when their answer comes. */
void bf_job_stop(struct bf_job *j, bool fenced)
{
	if (fenced)
		j->fenced = true;
	else
		j->handing_back = true;
	if (j->place == BF_AT_RUNNING)
		bf_step_kind(j->step->kind)->stop(j);
	else if (j->place == BF_AT_READY)
		bf_job_returned(j);
	else if (j->place < BF_AT_OPENING)
		bf_job_put_down(j, BF_ACK_RETURN, 0);
}

static void log_end(struct bf_job *j, enum bf_log_level level, const char *what)
{
	char took[BF_DURATION_TEXT];
	if (!bf_log_on(level) || !bf_log_each_job(level))
		return;
	const struct bf_log_ctx *before = bf_log_push(bf_job_log(j));
	if (j->error)
		bf_log_write(level, "job %s after %s: %s: %s", what, bf_duration_human((bf_mono_us() - j->started_us) / 1000, took), j->category,
					 j->error);
	else
		bf_log_write(level, "job %s after %s", what, bf_duration_human((bf_mono_us() - j->started_us) / 1000, took));
	bf_log_pop(before);
}

static void note_duration(struct bf_job *j)
{
	struct bf_worker *w = j->worker;
	double ms = (double)(bf_mono_us() - j->started_us) / 1000.0;
	if (j->place == BF_AT_RUNNING && j->step->kind != BF_KIND_NOOP)
		w->typical_ms = w->typical_ms > 0 ? w->typical_ms + SMOOTHING * (ms - w->typical_ms) : ms;
}

/* Every way for an execution to end goes through here: the attempt is over, its outcome waits to be settled. */
static void finish(struct bf_job *j, enum bf_outcome outcome, const char *why)
{
	note_duration(j);
	stop_timer(j);
	bf_lane_leave(j);
	j->outcome = outcome;
	bf_job_move(j, BF_AT_SETTLE, why);
}

void bf_job_done(struct bf_job *j, int64_t rows)
{
	if (j->fenced) {
		bf_job_returned(j);
		return;
	}
	j->rows = rows;
	j->worker->n_done++;
	if (j->step->kind != BF_KIND_NOOP)
		log_end(j, BF_LOG_INFO, "done");
	finish(j, BF_OUT_DONE, "done");
}

void bf_job_settled_here(struct bf_job *j, int64_t rows)
{
	struct bf_worker *w = j->worker;
	w->n_done++;
	log_end(j, BF_LOG_INFO, "done");
	note_duration(j);
	stop_timer(j);
	bf_lane_leave(j);
	if (rows > 0) {
		if (w->n_notes == w->cap_notes) {
			w->cap_notes = w->cap_notes ? w->cap_notes * 2 : 64;
			w->notes = bf_realloc_array(w->notes, w->cap_notes, sizeof(*w->notes));
		}
		struct bf_rows_note *n = &w->notes[w->n_notes++];
		*n = (struct bf_rows_note){.seq = j->seq, .epoch = j->epoch, .rows = rows};
		snprintf(n->run, sizeof(n->run), "%s", j->run);
		snprintf(n->step, sizeof(n->step), "%s", j->step_name);
	}
	bf_job_acknowledge(j, BF_ACK_DONE, 0);
}

static char *bounded_text(const char *s, size_t len, size_t max)
{
	struct bf_buf clean;
	size_t from = len > max ? len - max : 0;
	bf_buf_init(&clean, max * 3 + 1);
	bf_utf8_clean(&clean, s + from, len - from);
	return bf_buf_detach(&clean);
}

void bf_job_failed(struct bf_job *j, const char *category, bool never_again, const char *error, const char *tail, size_t tail_len)
{
	if (j->fenced) {
		bf_job_returned(j);
		return;
	}
	snprintf(j->category, sizeof(j->category), "%s", category);
	j->error = bounded_text(error, strnlen(error, BF_ERROR_MAX), BF_ERROR_MAX);
	j->tail = tail && tail_len > 0 ? bounded_text(tail, tail_len, BF_TAIL_MAX) : NULL;
	const struct bf_retry *retry = &j->step->retry;
	bool again = !never_again && j->attempts + 1 < retry->attempts;
	j->delay_ms = again ? bf_retry_delay_ms(retry, j->attempts + 1, bf_random_unit()) : 0;
	if (again && j->delay_ms < j->not_within_ms)
		j->delay_ms = j->not_within_ms;
	if (again) {
		char wait[BF_DURATION_TEXT], what[64];
		snprintf(what, sizeof(what), "failed, next try in %s,", bf_duration_human(j->delay_ms, wait));
		log_end(j, BF_LOG_WARN, what);
	} else {
		j->worker->n_failed++;
		log_end(j, BF_LOG_ERROR, "failed for good");
	}
	finish(j, again ? BF_OUT_RETRY : BF_OUT_FAILED, category);
}

void bf_job_again(struct bf_job *j, int64_t delay_ms, const char *why)
{
	const struct bf_log_ctx *before = bf_log_push(bf_job_log(j));
	bf_info("job put off by %lld ms, not counted as a try: %s", (long long)delay_ms, why);
	bf_log_pop(before);
	j->delay_ms = j->fenced ? 0 : delay_ms;
	finish(j, BF_OUT_RETURN, "again");
}

static bool out_of_patience(const struct bf_job *j, enum bf_blame blame)
{
	int64_t patience = j->step->retry.patience_ms;
	if (blame == BF_BLAME_NOBODY || j->waits == 0 || j->waited_ms < patience)
		return false;
	return blame == BF_BLAME_STEP || bf_mono_ms() - j->worker->well_since_ms >= patience;
}

void bf_job_wait(struct bf_job *j, const struct bf_retry *pace, enum bf_blame blame, const char *why)
{
	char waited[BF_DURATION_TEXT];
	if (out_of_patience(j, blame)) {
		BF_AUTOFREE char *text = bf_asprintf("%s (put off %d times for this, for %s: it counts as a try)", why, j->waits,
											 bf_duration_human(j->waited_ms, waited));
		bf_job_failed(j, "patience", false, text, NULL, 0);
		return;
	}
	if (!j->fenced)
		j->error = bounded_text(why, strnlen(why, BF_ERROR_MAX), BF_ERROR_MAX);
	bf_job_again(j, bf_retry_delay_ms(pace, j->waits + 1, bf_random_unit()), why);
}

void bf_job_returned(struct bf_job *j)
{
	log_end(j, BF_LOG_INFO, j->fenced ? "fenced off, its work is dropped," : "handed back");
	j->delay_ms = 0;
	finish(j, BF_OUT_RETURN, "returned");
}

static bool is_settled(enum bf_ack ack)
{
	return ack == BF_ACK_DONE || ack == BF_ACK_FAILED || ack == BF_ACK_SKIPPED || ack == BF_ACK_CANCELLED;
}

void bf_job_acknowledge(struct bf_job *j, enum bf_ack ack, int64_t delay_ms)
{
	bf_lane_leave(j);
	stop_timer(j);
	j->ack = ack;
	j->ack_delay_ms = delay_ms;
	/* Redis does not know of chunks that are skipped before it gets them, so it cannot say that nothing is left, either. */
	if (j->step && (j->step->feeds_chunks || j->step->wait_for_chunk) && is_settled(ack))
		bf_steward_chunk_settled(j->worker, j->run);
	bf_job_move(j, BF_AT_ACK, bf_ack_name(ack));
}

void bf_job_put_down(struct bf_job *j, enum bf_ack ack, int64_t delay_ms)
{
	if (j->epoch == 0) {
		bf_job_acknowledge(j, ack, delay_ms);
		return;
	}
	if (j->place < BF_AT_READY)
		j->started_us = bf_mono_us();
	bf_job_returned(j);
}

void bf_open_unanswered(struct bf_job *j)
{
	j->asks_left = (int)(j->worker->opt.lease_ms / BF_ASK_EVERY_MS);
	j->worker->hold_wanted = true;
}

bool bf_open_ask_again(struct bf_job *j, const char *why)
{
	if (j->asks_left <= 0)
		return false;
	j->asks_left--;
	j->ask_at_ms = bf_mono_ms() + BF_ASK_EVERY_MS;
	bf_lane_leave(j);
	bf_job_move(j, BF_AT_ASK, why);
	return true;
}

void bf_open_again(struct bf_job *j, const char *why)
{
	if (j->fenced || j->worker->draining) {
		bf_job_put_down(j, BF_ACK_RETURN, 0);
		return;
	}
	bf_open_unanswered(j);
	const struct bf_log_ctx *before = bf_log_push(bf_job_log(j));
	bf_warn("outcome not known (%s): the ledger is asked by opening the job again", why);
	bf_log_pop(before);
	bf_lane_leave(j);
	forget_attempt(j);
	bf_job_move(j, BF_AT_DEFINE, "open again");
}

void bf_open_again_lost(struct bf_job *j, const char *why)
{
	j->lost_ms = bf_mono_ms();
	bf_open_again(j, why);
}

void bf_job_progress(struct bf_job *j, int64_t done, int64_t total, const char *checkpoint, const char *note)
{
	if (done >= 0)
		j->progress_done = done;
	if (total >= 0)
		j->progress_total = total;
	if (checkpoint) {
		free(j->checkpoint_new);
		j->checkpoint_new = bounded_text(checkpoint, strlen(checkpoint), BF_TAIL_MAX);
	}
	if (note) {
		free(j->note);
		j->note = bounded_text(note, strlen(note), BF_ERROR_MAX);
	}
	j->progress_dirty = true;
}
