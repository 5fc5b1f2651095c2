/*
 * The worker's side of the queue: hello, hold lists, the numbered exchange, wake tokens (core/queue.h tells what they mean).
 *
 * Phases after each (re)connection:  GENERATION ─steward─> HELLO ──> HOLD ──> READY. Whatever Redis answers that is not "ok" leads back to
 * the phase that mends it. An exchange whose answer was lost is asked again with the same number and the same content.
 */
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/retry.h"
#include "worker.h"

#define IDLE_MS       1000 /* between two exchanges of an idle worker */
#define HOLD_EVERY_MS 5000
#define EXCHANGE_MAX  300 /* jobs acknowledged in one exchange, and claimed: Redis has others to serve, too */
#define LAST_BACK_MS  800 /* Redis is there again: by then the other workers have found it, too (io/redis_loop.c) */

static void answered(struct bf_worker *w, const struct bf_redis_reply *r, const struct bf_error *err,
					 void (*ok)(struct bf_worker *, const struct bf_redis_reply *));

/* Redis takes a silence of half a lease for its own absence (PROTOCOL R8): an idle worker speaks well before that. */
static int64_t idle_ms(const struct bf_worker *w)
{
	return w->opt.lease_ms / 5 < IDLE_MS ? w->opt.lease_ms / 5 : IDLE_MS;
}

static void enter(struct bf_worker *w, enum bf_redis_phase phase)
{
	static const char *const names[] = {"away", "generation", "hello", "hold", "ready"};
	bf_debug("redis: %s", names[phase]);
	w->phase = phase;
	if (phase == BF_REDIS_GENERATION)
		bf_steward_generation(w);
}

/* ---- hello ---- */

static void nonsense(struct bf_worker *w)
{
	bf_err("Redis answered something that this program does not understand");
	w->redis_pause_until_ms = bf_mono_ms() + idle_ms(w);
}

/* The number of an exchange, as Redis tells it. It is counted on from there, so the last one that fits is not one. */
static bool read_number(const struct bf_redis_reply *r, int64_t *number)
{
	*number = bf_redis_int(bf_redis_at(r, 1));
	return *number >= 0 && *number < INT64_MAX - 1;
}

static void on_hello_ok(struct bf_worker *w, const struct bf_redis_reply *r)
{
	int64_t number;
	if (!read_number(r, &number)) {
		nonsense(w);
		return;
	}
	if (w->exchange_unanswered && number == w->number + 1)
		w->number = number - 1; /* it was executed: asking again brings its reply */
	else
		w->number = number;
	enter(w, BF_REDIS_HOLD);
}

static void on_hello(struct bf_redisc *c, const struct bf_redis_reply *r, const struct bf_error *err, void *data)
{
	(void)c;
	answered(data, r, err, on_hello_ok);
}

static void add_field(struct bf_redis_cmd *cmd, const char *name, const char *value)
{
	bf_redis_arg(cmd, name);
	bf_redis_arg(cmd, value);
}

static void send_hello(struct bf_worker *w)
{
	struct bf_redis_cmd cmd;
	char text[32], now[BF_TIME_TEXT];
	BF_AUTOBUF struct bf_buf queues;
	bf_buf_init(&queues, 4096);
	for (int i = 0; i < w->opt.n_queues; i++)
		bf_buf_printf(&queues, "%s%s", i ? " " : "", w->opt.queues[i].name);
	bf_redis_cmd_init(&cmd);
	bf_queue_fcall(&cmd, "hello", w->generation);
	bf_redis_arg(&cmd, w->id);
	bf_redis_arg_int(&cmd, w->opt.lease_ms);
	add_field(&cmd, "host", w->host);
	snprintf(text, sizeof(text), "%d", (int)getpid());
	add_field(&cmd, "pid", text);
	snprintf(text, sizeof(text), "%lld", (long long)w->opt.lease_ms);
	add_field(&cmd, "lease_ms", text);
	snprintf(text, sizeof(text), "%d", w->opt.slots);
	add_field(&cmd, "slots", text);
	add_field(&cmd, "queues", queues.data);
	add_field(&cmd, "started_at", bf_time_format(bf_wall_ms(), now));
	add_field(&cmd, "version", BF_VERSION);
	if (bf_redisc_exec(w->redis, &cmd, 0, on_hello, w) == 0)
		w->exchange_flying = true;
	bf_redis_cmd_release(&cmd);
}

/* ---- hold list ---- */

static struct bf_job *find_job(struct bf_worker *w, const char *name)
{
	for (int p = 0; p < BF_PLACES; p++)
		for (struct bf_job *j = w->at[p].first; j; j = j->next)
			if (strcmp(j->name, name) == 0)
				return j;
	return NULL;
}

static void on_hold_ok(struct bf_worker *w, const struct bf_redis_reply *r)
{
	const struct bf_redis_reply *lost = bf_redis_at(r, 1);
	for (size_t i = 0; i < bf_redis_count(lost); i++) {
		struct bf_job *j = find_job(w, bf_redis_text(bf_redis_at(lost, i)));
		if (j && j->place < BF_AT_SETTLE) {
			bf_warn("%s: another worker has it by now", j->name);
			bf_job_stop(j, true);
		}
	}
	if (bf_redis_int(bf_redis_at(r, 2)) > 0 && bf_redis_count(lost) == 0)
		return; /* one answer settles so many jobs: it is said again at once */
	w->last_hold_ms = bf_mono_ms();
	enter(w, BF_REDIS_READY);
}

static void on_hold(struct bf_redisc *c, const struct bf_redis_reply *r, const struct bf_error *err, void *data)
{
	(void)c;
	answered(data, r, err, on_hold_ok);
}

static void send_hold(struct bf_worker *w)
{
	struct bf_redis_cmd cmd;
	bf_redis_cmd_init(&cmd);
	bf_queue_fcall(&cmd, "hold", w->generation);
	bf_redis_arg(&cmd, w->id);
	bf_redis_arg_int(&cmd, w->number);
	for (int p = 0; p < BF_PLACES; p++)
		for (struct bf_job *j = w->at[p].first; j; j = j->next)
			bf_redis_arg(&cmd, j->name);
	if (bf_redisc_exec(w->redis, &cmd, 0, on_hold, w) == 0) {
		w->exchange_flying = true;
		w->hold_wanted = false;
	}
	bf_redis_cmd_release(&cmd);
}

/* ---- the exchange ---- */

static int in_slots(const struct bf_worker *w)
{
	return w->held - (int)w->at[BF_AT_ACK].count - (int)w->at[BF_AT_ACKING].count;
}

static int wanted(const struct bf_worker *w)
{
	int free = w->opt.slots + bf_job_ahead(w) - in_slots(w);
	enum bf_pgc_state ledger = bf_pgc_state(w->opener);
	if (w->draining || free < 0 || w->suspects > 0 || ledger == BF_PGC_WAITING || ledger == BF_PGC_CONNECTING)
		return 0;
	if (w->at[BF_AT_CONNECT].first || bf_mono_ms() < w->no_claims_before_ms)
		return 0;
	if (w->claims_left >= 0 && free > w->claims_left)
		free = w->claims_left;
	return free < EXCHANGE_MAX ? free : EXCHANGE_MAX;
}

/* One group for each verb and delay; only retries and postponements differ in their delay. */
static size_t add_acks(struct bf_worker *w, struct bf_redis_cmd *body)
{
	size_t groups = 0, taken = 0;
	for (int verb = 0; verb < BF_ACKS; verb++) {
		bool alone = verb == BF_ACK_RETRY || verb == BF_ACK_LATER || verb == BF_ACK_HELD;
		struct bf_job *batch[EXCHANGE_MAX];
		size_t n = 0;
		for (struct bf_job *j = w->at[BF_AT_ACK].first, *next; j && taken < EXCHANGE_MAX; j = next) {
			next = j->next;
			if (j->ack != (enum bf_ack)verb)
				continue;
			bf_job_move(j, BF_AT_ACKING, "exchange");
			batch[n++] = j;
			taken++;
		}
		for (size_t i = 0; i < n;) {
			size_t count = alone ? 1 : n;
			bf_redis_arg(body, bf_ack_name((enum bf_ack)verb));
			bf_redis_arg_int(body, batch[i]->ack_delay_ms);
			bf_redis_arg_int(body, (int64_t)count);
			for (size_t k = 0; k < count; k++)
				bf_redis_arg(body, batch[i + k]->name);
			i += count;
			groups++;
		}
	}
	return groups;
}

static void add_queues(struct bf_worker *w, int want)
{
	int total = w->opt.queues[0].weight, given = 0, lucky = 0;
	for (int i = 1; i < w->opt.n_queues; i++)
		total += w->opt.queues[i].weight;
	for (int i = 0; i < w->opt.n_queues; i++)
		given += want * w->opt.queues[i].weight / total;
	/* What is left over goes to one queue, drawn by weight: so each has its turn also where only one slot is free. */
	int at = (int)(bf_random_unit() * total);
	while (lucky < w->opt.n_queues - 1 && (at -= w->opt.queues[lucky].weight) >= 0)
		lucky++;
	bf_redis_arg_int(&w->exchange, w->opt.n_queues);
	for (int i = 0; i < w->opt.n_queues; i++) {
		int share = want * w->opt.queues[i].weight / total + (i == lucky ? want - given : 0);
		bf_redis_arg(&w->exchange, w->opt.queues[i].name);
		bf_redis_arg_int(&w->exchange, share);
	}
}

static void build_exchange(struct bf_worker *w)
{
	struct bf_redis_cmd acks;
	bf_redis_cmd_init(&acks);
	size_t groups = add_acks(w, &acks);
	bf_redis_cmd_clear(&w->exchange);
	bf_queue_fcall(&w->exchange, "exchange", w->generation);
	bf_redis_arg(&w->exchange, w->id);
	bf_redis_arg_int(&w->exchange, w->number + 1);
	bf_redis_arg_int(&w->exchange, w->opt.lease_ms);
	bf_redis_arg_int(&w->exchange, (int64_t)groups);
	bf_redis_cmd_append(&w->exchange, &acks);
	bf_redis_cmd_release(&acks);
	int runs = 0;
	for (struct bf_run_def *d = w->runs; d; d = d->next)
		runs += d->held > 0;
	bf_redis_arg_int(&w->exchange, runs);
	for (struct bf_run_def *d = w->runs; d; d = d->next)
		if (d->held > 0)
			bf_redis_arg(&w->exchange, d->run);
	w->asked_for = wanted(w);
	add_queues(w, w->asked_for);
}

static void read_notices(struct bf_worker *w, const struct bf_redis_reply *notices)
{
	for (size_t i = 0; i + 2 < bf_redis_count(notices); i += 3) {
		struct bf_run_def *d = bf_run_def_get(w, bf_redis_text(bf_redis_at(notices, i)));
		int64_t version = bf_redis_int(bf_redis_at(notices, i + 2));
		bool stops = strcmp(bf_redis_text(bf_redis_at(notices, i + 1)), "stopping") == 0;
		if (stops && d->held == 0) /* its last job of a run that is only waited for: the ledger may say now that it has stopped */
			bf_steward_advance(w, d->run);
		if (!d->version_known || d->version != version) /* the first one known may be that of a decision taken since the claim */
			w->look_wanted = true;
		d->version = version;
		d->version_known = true;
	}
}

/* The loop turns, and bf_exchange_pump sees that it is time. */
static void on_due(uv_timer_t *due)
{
	(void)due;
}

static void on_exchange_ok(struct bf_worker *w, const struct bf_redis_reply *r)
{
	int64_t now = bf_mono_ms(), next_due = bf_redis_int(bf_redis_at(r, 2));
	const struct bf_redis_reply *jobs = bf_redis_at(r, 3), *hints = bf_redis_at(r, 4);
	w->number++;
	w->exchange_unanswered = false;
	w->lease_until_ms = w->exchange_sent_ms + w->opt.lease_ms;
	while (w->at[BF_AT_ACKING].first)
		bf_job_free(w->at[BF_AT_ACKING].first);
	if (BF_FAILPOINT("after_ack"))
		bf_warn("fail point after_ack");
	for (size_t i = 0; i < bf_redis_count(jobs); i++) {
		const char *name = bf_redis_text(bf_redis_at(jobs, i));
		if (!bf_job_new(w, name))
			bf_err("the queue handed out %s, which is not a job of this program", name);
		w->got_something = true;
		if (w->claims_left > 0)
			w->claims_left--;
	}
	if (bf_redis_count(jobs) > 0 && BF_FAILPOINT("after_claim"))
		bf_warn("fail point after_claim");
	for (size_t i = 0; i < bf_redis_count(hints); i++)
		bf_steward_advance(w, bf_redis_text(bf_redis_at(hints, i)));
	read_notices(w, bf_redis_at(r, 5));
	if (w->asked_for > 0)
		w->more_to_claim = bf_redis_count(jobs) >= (size_t)w->asked_for;
	w->next_exchange_ms = now + (next_due >= 0 && next_due < idle_ms(w) ? next_due : idle_ms(w));
	if (!w->left)
		uv_timer_start(&w->due, on_due, (uint64_t)(w->next_exchange_ms - now) + 1, 0);
}

static void on_exchange(struct bf_redisc *c, const struct bf_redis_reply *r, const struct bf_error *err, void *data)
{
	(void)c;
	answered(data, r, err, on_exchange_ok);
}

static void send_exchange(struct bf_worker *w)
{
	if (!w->exchange_unanswered)
		build_exchange(w);
	w->exchange_sent_ms = bf_mono_ms();
	if (w->at[BF_AT_ACKING].first && BF_FAILPOINT("before_ack"))
		bf_warn("fail point before_ack");
	if (bf_redisc_exec(w->redis, &w->exchange, 0, on_exchange, w) == 0)
		w->exchange_flying = w->exchange_unanswered = true;
}

/* The exchange under way will not be asked again: what it would have acknowledged waits for the next one. */
static void give_up_exchange(struct bf_worker *w)
{
	w->exchange_unanswered = false;
	while (w->at[BF_AT_ACKING].first)
		bf_job_move(w->at[BF_AT_ACKING].first, BF_AT_ACK, "not answered");
}

static void new_identity(struct bf_worker *w)
{
	char boot[7];
	bf_text_random(boot, 6);
	snprintf(w->id, sizeof(w->id), "%s-%d-%s", w->host, (int)getpid(), boot);
	w->number = 0;
}

/* Swept: this worker was thought dead. Nothing it holds is its own any more. */
static void condemned(struct bf_worker *w)
{
	bf_warn("worker %s was given up for dead: it stops what it holds (%d jobs) and begins anew", w->id, w->held);
	give_up_exchange(w);
	for (int p = 0; p < BF_PLACES; p++) {
		for (struct bf_job *j = w->at[p].first, *next; j; j = next) {
			next = j->next;
			if (p < BF_AT_SETTLE)
				bf_job_stop(j, true);
		}
	}
	while (w->at[BF_AT_ACK].first)
		bf_job_free(w->at[BF_AT_ACK].first);
	w->lease_until_ms = 0;
	new_identity(w);
	enter(w, BF_REDIS_HELLO);
}

/* Redis met a key that cannot be read: the steward finds out which, and throws it away. */
static void mend_if_due(struct bf_worker *w, const struct bf_error *err)
{
	if (bf_inspection_due(err))
		bf_steward_mend(w);
}

static void answered(struct bf_worker *w, const struct bf_redis_reply *r, const struct bf_error *err,
					 void (*ok)(struct bf_worker *, const struct bf_redis_reply *))
{
	int64_t number;
	w->exchange_flying = false;
	if (err) {
		if (bf_queue_needs_load(err)) {
			enter(w, BF_REDIS_GENERATION);
		} else if (err->code == BF_E_REDIS) {
			bf_err("Redis refuses: %s", err->text);
			mend_if_due(w, err);
			w->next_exchange_ms = bf_mono_ms() + idle_ms(w);
			w->redis_pause_until_ms = w->next_exchange_ms;
		}
		return; /* a lost connection is followed by on_lost and on_ready */
	}
	switch (bf_queue_answer(r)) {
	case BF_QUEUE_OK:
		ok(w, r);
		return;
	case BF_QUEUE_GENERATION:
		give_up_exchange(w);
		enter(w, BF_REDIS_GENERATION);
		return;
	case BF_QUEUE_UNKNOWN:
		give_up_exchange(w);
		enter(w, BF_REDIS_HELLO);
		return;
	case BF_QUEUE_CONDEMNED:
		condemned(w);
		return;
	case BF_QUEUE_RESYNC:
		give_up_exchange(w);
		if (read_number(r, &number)) {
			w->number = number;
			enter(w, BF_REDIS_HOLD);
			return;
		}
		nonsense(w);
		return;
	case BF_QUEUE_NONSENSE:
		nonsense(w);
		return;
	}
}

/* ---- waking ---- */

static void on_wake(struct bf_redisc *c, const struct bf_redis_reply *r, const struct bf_error *err, void *data)
{
	struct bf_worker *w = data;
	(void)c;
	w->wake_flying = false;
	if (err && err->code == BF_E_REDIS) { /* asked again at once it would be asked for ever */
		w->wake_pause_until_ms = bf_mono_ms() + idle_ms(w);
		mend_if_due(w, err);
	}
	if (!err && bf_redis_type(r) == BF_REDIS_ARRAY)
		w->more_to_claim = true;
}

static void wait_for_token(struct bf_worker *w)
{
	struct bf_redis_cmd cmd;
	bf_redis_cmd_init(&cmd);
	bf_redis_arg(&cmd, "BLPOP");
	for (int i = 0; i < w->opt.n_queues; i++)
		bf_redis_argf(&cmd, "bf:wake:%s", w->opt.queues[i].name);
	bf_redis_arg(&cmd, "1");
	if (bf_redisc_exec(w->wake, &cmd, 1000, on_wake, w) == 0)
		w->wake_flying = true;
	bf_redis_cmd_release(&cmd);
}

/* ---- upkeep that the loop does itself ---- */

static void on_swept(struct bf_redisc *c, const struct bf_redis_reply *r, const struct bf_error *err, void *data)
{
	(void)c;
	if (err)
		mend_if_due(data, err);
	const struct bf_redis_reply *swept = err ? NULL : bf_redis_at(r, 1);
	for (size_t i = 0; swept && i < bf_redis_count(swept); i++)
		bf_warn("worker %s is dead: its jobs go to others", bf_redis_text(bf_redis_at(swept, i)));
}

static void sweep(struct bf_worker *w)
{
	struct bf_redis_cmd cmd;
	bf_redis_cmd_init(&cmd);
	bf_queue_fcall(&cmd, "sweep", w->generation);
	bf_redis_arg_int(&cmd, w->opt.lease_ms);
	(void)bf_redisc_exec(w->redis, &cmd, 0, on_swept, w);
	bf_redis_cmd_release(&cmd);
}

void bf_exchange_tick(struct bf_worker *w)
{
	int64_t now = bf_mono_ms();
	if (w->phase != BF_REDIS_READY)
		return;
	if (now - w->last_sweep_ms >= idle_ms(w)) {
		w->last_sweep_ms = now;
		sweep(w);
	}
	if (!w->exchange_flying && !w->exchange_unanswered && now - w->last_hold_ms >= HOLD_EVERY_MS)
		enter(w, BF_REDIS_HOLD);
}

/* The slots have enough opened jobs for now, or the next ones are on their way to be opened: what is to be claimed and acknowledged may
 * wait and become a larger batch. Nothing is opened ahead for longer than jobs wait at READY (job.c), so nothing waits here for longer. */
static bool others_at_hand(const struct bf_worker *w)
{
	size_t ready = w->at[BF_AT_READY].count, coming = 0;
	for (int p = BF_AT_DEFINE; p <= BF_AT_OPENING; p++)
		coming += w->at[p].count;
	return ready > 0 && (coming > 0 || 2 * ready > (size_t)bf_job_ahead(w));
}

void bf_exchange_pump(struct bf_worker *w)
{
	int64_t now = bf_mono_ms();
	if (!bf_redisc_ready(w->redis) || w->exchange_flying || w->leaving || now < w->redis_pause_until_ms)
		return;
	switch (w->phase) {
	case BF_REDIS_AWAY:
	case BF_REDIS_GENERATION:
		return;
	case BF_REDIS_HELLO:
		send_hello(w);
		return;
	case BF_REDIS_HOLD:
		if (w->exchange_unanswered)
			send_exchange(w); /* first: its reply may hold new jobs */
		else
			send_hold(w);
		return;
	case BF_REDIS_READY:
		break;
	}
	if (w->hold_wanted && !w->exchange_unanswered) {
		enter(w, BF_REDIS_HOLD);
		send_hold(w);
		return;
	}
	int want = wanted(w);
	bool something = w->at[BF_AT_ACK].first || (want > 0 && w->more_to_claim);
	if (w->exchange_unanswered || (something && !others_at_hand(w)) || now >= w->next_exchange_ms)
		send_exchange(w);
	if (want > 0 && !w->more_to_claim && !w->wake_flying && now >= w->wake_pause_until_ms && bf_redisc_ready(w->wake))
		wait_for_token(w);
}

/* ---- connections ---- */

static void on_ready(struct bf_redisc *c, void *data)
{
	struct bf_worker *w = data;
	(void)c;
	if (w->last_hold_ms) { /* an older image of Redis may hand out what others run: their hold lists come first (PROTOCOL R9) */
		w->no_claims_before_ms = bf_mono_ms() + LAST_BACK_MS;
		bf_steward_soon(w); /* what was decided meanwhile is only in the ledger */
	}
	enter(w, w->generation ? BF_REDIS_HELLO : BF_REDIS_GENERATION);
}

static void on_lost(struct bf_redisc *c, const struct bf_error *err, void *data)
{
	struct bf_worker *w = data;
	bf_warn("%s; running jobs go on, claims stop until it is back (%s)", err->text, bf_redisc_where(c));
	w->exchange_flying = false;
	enter(w, BF_REDIS_AWAY);
}

static void on_wake_lost(struct bf_redisc *c, const struct bf_error *err, void *data)
{
	struct bf_worker *w = data;
	(void)c;
	(void)err;
	w->wake_flying = false;
}

void bf_exchange_generation_ready(struct bf_worker *w, int64_t generation)
{
	w->generation = generation;
	if (w->phase == BF_REDIS_GENERATION)
		enter(w, BF_REDIS_HELLO);
}

int bf_exchange_start(struct bf_worker *w, struct bf_error *err)
{
	new_identity(w);
	w->phase = BF_REDIS_AWAY;
	w->more_to_claim = true;
	bf_redis_cmd_init(&w->exchange);
	struct bf_redisc_options o = {
		.client_name = w->id, .timeout_ms = w->opt.lease_ms / 3, .on_ready = on_ready, .on_lost = on_lost, .data = w};
	int rc = bf_redisc_open(w->loop, &o, &w->redis, err);
	if (rc < 0)
		return rc;
	o.on_ready = NULL;
	o.on_lost = on_wake_lost;
	return bf_redisc_open(w->loop, &o, &w->wake, err);
}

/* ---- leaving ---- */

static void on_goodbye(struct bf_redisc *c, const struct bf_redis_reply *r, const struct bf_error *err, void *data)
{
	struct bf_worker *w = data;
	(void)c;
	(void)r;
	(void)err; /* without it the lease ends by itself */
	w->then(w);
}

void bf_exchange_goodbye(struct bf_worker *w, void (*then)(struct bf_worker *w))
{
	struct bf_redis_cmd cmd;
	w->then = then;
	bf_redis_cmd_init(&cmd);
	bf_queue_fcall(&cmd, "goodbye", w->generation);
	bf_redis_arg(&cmd, w->id);
	for (int i = 0; i < w->opt.n_queues; i++)
		bf_redis_arg(&cmd, w->opt.queues[i].name);
	if (!bf_redisc_ready(w->redis) || bf_redisc_exec(w->redis, &cmd, 0, on_goodbye, w) < 0)
		then(w);
	bf_redis_cmd_release(&cmd);
}
