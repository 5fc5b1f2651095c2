#include "worker.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/log.h"
#include "base/mem.h"
#include "connect.h"
#include "io/http.h"

#define TICK_MS       250
#define REST_EVERY_MS 5000
#define TERM_MS       5000  /* after the grace: how long programs that were told to end may take */
#define LAST_WORDS_MS 10000 /* after that: how long handed-back jobs may take to be settled */

/* ---- leaving ---- */

static void on_handle_closed(uv_handle_t *h)
{
	(void)h;
}

static void close_everything(struct bf_worker *w)
{
	if (w->left)
		return;
	w->left = true;
	bf_redisc_close(w->redis, NULL, NULL);
	bf_redisc_close(w->wake, NULL, NULL);
	bf_pgc_close(w->opener, NULL, NULL);
	bf_pgc_close(w->settler, NULL, NULL);
	bf_http_close(bf_steal(&w->http));
	bf_pool_close(w);
	uv_close((uv_handle_t *)&w->prepare, on_handle_closed);
	uv_close((uv_handle_t *)&w->tick, on_handle_closed);
	uv_close((uv_handle_t *)&w->due, on_handle_closed);
	uv_close((uv_handle_t *)&w->sigterm, on_handle_closed);
	uv_close((uv_handle_t *)&w->sigint, on_handle_closed);
	uv_close((uv_handle_t *)&w->sighup, on_handle_closed);
}

static void leave(struct bf_worker *w)
{
	if (w->leaving)
		return;
	w->leaving = true;
	bf_live_end();
	bf_info("worker %s leaves: %lld jobs done, %lld failed", w->id, (long long)w->n_done, (long long)w->n_failed);
	bf_exchange_goodbye(w, close_everything);
}

static void stop_jobs(struct bf_worker *w)
{
	for (int p = 0; p <= BF_AT_RUNNING; p++) {
		for (struct bf_job *j = w->at[p].first, *next; j; j = next) {
			next = j->next;
			bf_job_stop(j, false);
		}
	}
}

/* Jobs that were claimed but not started go back at once. */
static void return_unstarted(struct bf_worker *w)
{
	static const enum bf_job_place places[] = {BF_AT_DEFINE, BF_AT_CONNECT, BF_AT_OPEN, BF_AT_ASK, BF_AT_SUSPECT};
	for (size_t i = 0; i < BF_COUNT_OF(places); i++)
		while (w->at[places[i]].first)
			bf_job_put_down(w->at[places[i]].first, BF_ACK_RETURN, 0);
	while (w->at[BF_AT_READY].first)
		bf_job_returned(w->at[BF_AT_READY].first);
}

/* `why`: begins the sentence that is logged. */
static void drain(struct bf_worker *w, const char *why, bool now)
{
	char grace[BF_DURATION_TEXT];
	if (!w->draining) {
		w->draining = true;
		w->drain_deadline_ms = bf_mono_ms() + w->opt.grace_ms;
		bf_info("%sdraining: %zu running jobs may take %s more, nothing new is taken", why, w->at[BF_AT_RUNNING].count,
				bf_duration_human(w->opt.grace_ms, grace));
		return_unstarted(w);
	}
	if (now && !w->drain_now) {
		w->drain_now = true;
		w->drain_deadline_ms = bf_mono_ms();
		bf_info("handing back %zu running jobs at once", w->at[BF_AT_RUNNING].count);
		stop_jobs(w);
	}
}

/* The grace is over: what runs is told to end, and may leave a last checkpoint. */
static void hand_back(struct bf_worker *w)
{
	if (w->handing_back)
		return;
	w->handing_back = true;
	if (w->at[BF_AT_RUNNING].first)
		bf_info("handing back %zu running jobs: the grace time is over", w->at[BF_AT_RUNNING].count);
	stop_jobs(w);
}

static void on_signal(uv_signal_t *s, int signum)
{
	struct bf_worker *w = s->data;
	drain(w, signum == SIGINT ? "SIGINT: " : "SIGTERM: ", w->draining);
}

/* A terminal that is closed may send it more than once, and nobody asks for haste: only a second SIGTERM does. */
static void on_hangup(uv_signal_t *s, int signum)
{
	(void)signum;
	drain(s->data, "SIGHUP (the terminal was closed): ", false);
}

static bool has_finished(struct bf_worker *w)
{
	if (w->held > 0 || w->exchange_flying || w->exchange_unanswered)
		return false;
	if (w->opt.once && w->got_something)
		return true;
	return w->opt.drain && bf_steward_nothing_left(w);
}

static void drain_tick(struct bf_worker *w)
{
	int64_t now = bf_mono_ms();
	if (w->held == 0 && !w->exchange_flying && w->n_notes == 0) {
		leave(w);
		return;
	}
	return_unstarted(w);
	if (now >= w->drain_deadline_ms)
		hand_back(w);
	if (now >= w->drain_deadline_ms + TERM_MS)
		drain(w, "", true);
	if (w->drain_now && now >= w->drain_deadline_ms + LAST_WORDS_MS) {
		bf_warn("leaving %d jobs behind: a server does not answer. Their lease ends by itself", w->held);
		w->exit_code = 1;
		leave(w);
	}
}

/* ---- the loop ---- */

void bf_worker_pump(struct bf_worker *w)
{
	if (w->left)
		return;
	bf_exchange_pump(w);
	bf_run_def_pump(w);
	bf_pool_pump(w);
	bf_open_pump(w);
	bf_job_pump(w);
	bf_settle_pump(w);
	if (!w->exchange_flying)
		bf_exchange_pump(w); /* what was settled or could not be opened just now */
}

static void on_prepare(uv_prepare_t *p)
{
	bf_worker_pump(p->data);
	bf_log_flush();
}

/* What a worker needed while it was busy is not kept while it is not. */
static void rest_tick(struct bf_worker *w)
{
	int64_t now = bf_mono_ms();
	if (w->held > 0 || now - w->last_rest_ms < REST_EVERY_MS)
		return;
	w->last_rest_ms = now;
	bf_mem_return();
}

static void on_tick(uv_timer_t *t)
{
	struct bf_worker *w = t->data;
	bf_notify_tick(w);
	if (w->leaving)
		return;
	bf_live_tick(w);
	bf_exchange_tick(w);
	bf_steward_tick(w);
	bf_open_tick(w);
	bf_job_tick(w);
	bf_run_def_trim(w);
	rest_tick(w);
	if (w->draining)
		drain_tick(w);
	else if (has_finished(w))
		drain(w, "", false);
}

static void on_pg_lost(struct bf_pgc *c, const struct bf_error *err, void *data)
{
	struct bf_worker *w = data;
	(void)c;
	w->control_lost_ms = w->well_since_ms = bf_mono_ms();
	bf_warn("%s; nothing is opened or settled until it is back", err->text);
}

static int connect_control(struct bf_worker *w, struct bf_pgc **out, struct bf_error *err)
{
	struct bf_pgc_options o = {.application_name = "worker (control)",
							   .purpose = BF_PG_CONTROL,
							   .timeout_ms = BF_SILENCE_LEASES * w->opt.lease_ms,
							   .on_lost = on_pg_lost,
							   .data = w};
	return bf_pgc_open(w->loop, &o, out, err);
}

static void start_handles(struct bf_worker *w)
{
	uv_prepare_init(w->loop, &w->prepare);
	uv_timer_init(w->loop, &w->tick);
	uv_timer_init(w->loop, &w->due);
	uv_signal_init(w->loop, &w->sigterm);
	uv_signal_init(w->loop, &w->sigint);
	uv_signal_init(w->loop, &w->sighup);
	w->prepare.data = w->tick.data = w->sigterm.data = w->sigint.data = w->sighup.data = w;
	uv_prepare_start(&w->prepare, on_prepare);
	uv_timer_start(&w->tick, on_tick, TICK_MS, TICK_MS);
	uv_signal_start(&w->sigterm, on_signal, SIGTERM);
	uv_signal_start(&w->sigint, on_signal, SIGINT);
	if (!bf_hangup_ignored())
		uv_signal_start(&w->sighup, on_hangup, SIGHUP);
	bf_signals_release();
}

static int start(struct bf_worker *w, struct bf_upkeep *upkeep, struct bf_error *err)
{
	w->generation = upkeep->generation;
	w->settle_limit = w->open_limit = BF_BATCH_MAX;
	w->claims_left = w->opt.once ? 1 : -1;
	bf_pg_params_init(&w->params);
	bf_pool_new(w);
	int rc = bf_steward_new(w, upkeep, err);
	if (rc == 0)
		rc = connect_control(w, &w->opener, err);
	if (rc == 0)
		rc = connect_control(w, &w->settler, err);
	if (rc == 0)
		rc = bf_exchange_start(w, err);
	return rc;
}

static void log_start(const struct bf_worker *w)
{
	char lease[BF_DURATION_TEXT];
	BF_AUTOBUF struct bf_buf queues;
	bf_buf_init(&queues, 4096);
	for (int i = 0; i < w->opt.n_queues; i++)
		bf_buf_printf(&queues, "%s%s", i ? ", " : "", w->opt.queues[i].name);
	bf_info("worker %s: %d slots, queues %s, lease %s", w->id, w->opt.slots, queues.data, bf_duration_format(w->opt.lease_ms, lease));
}

int bf_worker_run(const struct bf_worker_options *opt, struct bf_upkeep *upkeep)
{
	uv_loop_t loop;
	struct bf_error err;
	struct bf_worker *w = bf_alloc(sizeof(*w));
	uv_loop_init(&loop);
	w->loop = &loop;
	w->opt = *opt;
	gethostname(w->host, sizeof(w->host) - 1);
	if (start(w, upkeep, &err) < 0) {
		bf_err("%s", err.text);
		return bf_error_exit_code(&err);
	}
	bf_notify_new(w);
	start_handles(w);
	log_start(w);
	bf_live_tick(w); /* before the first job, as its line stands for two of each */
	/* libuv makes its threads when they are first needed, and aborts where it gets none: here, before anything is claimed. */
	bf_steward_tick(w);
	bf_log_gather(true); /* on_prepare flushes, before the loop waits */
	uv_run(&loop, UV_RUN_DEFAULT);
	int code = w->exit_code;
	for (int p = 0; p < BF_PLACES; p++)
		while (w->at[p].first)
			bf_job_free(w->at[p].first);
	bf_run_def_free_all(w);
	bf_steward_free(w);
	bf_notify_free(w);
	bf_pg_params_release(&w->params);
	bf_redis_cmd_release(&w->exchange);
	free(w->notes);
	uv_loop_close(&loop);
	bf_log_gather(false);
	free(w);
	return code;
}
