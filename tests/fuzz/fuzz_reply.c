/*
 * Replies of Redis. The input is what a connection reads: each reply answers the oldest question of the worker's exchange (the real
 * worker/exchange.c and job.c, with a connection and a ledger that are played here), and of the plain calls of core/queue.h. A NUL byte
 * between two replies is a lost connection. Whatever Redis says, the worker asks in valid RESP, keeps its lists in order,
 * holds only jobs with valid names, and repeats an exchange without an answer to the byte.
 */
#include <stdarg.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/queue.h"
#include "fuzz.h"
#include "io/redis_internal.h"
#include "steps/steps.h"
#include "worker.h"

#define ASKED_MAX 64
#define JOBS_MAX  5000

/* ---- a connection ---- */

struct bf_redisc {
	struct bf_redisc_options o;
	bool up;
	struct {
		bf_redisc_cb cb;
		void *data;
		bool exchange;
	} asked[ASKED_MAX];
	size_t n;
};

static struct bf_redisc connections[2]; /* that of the exchange, and that of the wake tokens */
static int opened;
static bool generation_wanted;
static struct bf_buf unanswered; /* the exchange that was sent, and is to be sent again after a loss; empty: none */

static int64_t number_at(const char **at, const char *end, char mark)
{
	int64_t n = 0;

	MUST(*at < end && **at == mark);
	for ((*at)++; *at < end && **at != '\r'; (*at)++) {
		MUST(**at >= '0' && **at <= '9');
		n = n * 10 + (**at - '0');
	}
	MUST(end - *at >= 2 && (*at)[1] == '\n');
	*at += 2;
	return n;
}

static void must_be_a_command(const struct bf_buf *b)
{
	const char *at = b->data, *end = at + b->len;

	MUST(!b->overflow);
	for (int64_t n = number_at(&at, end, '*'); n > 0; n--) {
		int64_t len = number_at(&at, end, '$');
		MUST(end - at >= len + 2 && memcmp(at + len, "\r\n", 2) == 0);
		at += len + 2;
	}
	MUST(at == end);
}

/* There is no loop: nothing is ever due. */
int uv_timer_start(uv_timer_t *timer, uv_timer_cb cb, uint64_t timeout, uint64_t repeat)
{
	(void)timer;
	(void)cb;
	(void)timeout;
	(void)repeat;
	return 0;
}

int bf_redisc_open(uv_loop_t *loop, const struct bf_redisc_options *o, struct bf_redisc **out, struct bf_error *err)
{
	(void)loop;
	(void)err;
	*out = &connections[opened++];
	(*out)->o = *o;
	return 0;
}

bool bf_redisc_ready(const struct bf_redisc *c)
{
	return c->up;
}

const char *bf_redisc_where(const struct bf_redisc *c)
{
	(void)c;
	return "nowhere";
}

int bf_redisc_exec(struct bf_redisc *c, const struct bf_redis_cmd *cmd, int64_t extra_timeout_ms, bf_redisc_cb cb, void *data)
{
	struct bf_buf bytes;
	struct bf_worker *w = data;
	bool exchange = cmd == &w->exchange;

	(void)extra_timeout_ms;
	if (!c->up)
		return -BF_E_UNAVAILABLE;
	bf_buf_init(&bytes, (size_t)64 << 20);
	bf_redis_cmd_encode(cmd, &bytes);
	must_be_a_command(&bytes);
	if (exchange) {
		MUST(unanswered.len == 0 || (unanswered.len == bytes.len && memcmp(unanswered.data, bytes.data, bytes.len) == 0));
		bf_buf_clear(&unanswered);
		bf_buf_add(&unanswered, bytes.data, bytes.len);
	}
	bf_buf_release(&bytes);
	MUST(c->n < ASKED_MAX);
	c->asked[c->n].cb = cb;
	c->asked[c->n].data = data;
	c->asked[c->n++].exchange = exchange;
	return 0;
}

static void answer(struct bf_redisc *c, const struct bf_redis_reply *r, const struct bf_error *err)
{
	bf_redisc_cb cb = c->asked[0].cb;
	void *data = c->asked[0].data;

	/* A refusal, and an answer that is not "ok", are no loss: the worker begins anew. */
	if (c->asked[0].exchange && (!err || err->code == BF_E_REDIS))
		bf_buf_clear(&unanswered);
	else if (r && bf_queue_answer(r) != BF_QUEUE_OK)
		bf_buf_clear(&unanswered);
	memmove(c->asked, c->asked + 1, --c->n * sizeof(c->asked[0]));
	cb(c, r, err, data);
}

static void lose(struct bf_redisc *c)
{
	struct bf_error err = {.code = BF_E_UNKNOWN_OUTCOME, .text = "lost"};

	c->up = false;
	while (c->n > 0)
		answer(c, NULL, &err);
	c->o.on_lost(c, &err, c->o.data);
	c->up = true;
	if (c->o.on_ready)
		c->o.on_ready(c, c->o.data);
}

/* ---- what else the exchange calls ---- */

void bf_steward_generation(struct bf_worker *w)
{
	(void)w;
	generation_wanted = true;
}

void bf_steward_advance(struct bf_worker *w, const char *run)
{
	(void)w;
	MUST(strlen(run) < (size_t)64 << 20);
}

void bf_steward_chunk_settled(struct bf_worker *w, const char *run)
{
	(void)w;
	(void)run;
}

void bf_steward_soon(struct bf_worker *w)
{
	(void)w;
}

void bf_steward_mend(struct bf_worker *w)
{
	(void)w;
}

void bf_fail_unopened(struct bf_worker *w, struct bf_job **jobs, size_t n, const char *category, const char *error)
{
	(void)w;
	(void)jobs;
	MUST(n > 0 && category && error);
}

enum bf_pgc_state bf_pgc_state(const struct bf_pgc *c)
{
	(void)c;
	return BF_PGC_READY;
}

int bf_pgc_exec(struct bf_pgc *c, const struct bf_pg_stmt *stmt, const struct bf_pg_params *params, bf_pgc_cb cb, void *data)
{
	(void)c;
	(void)stmt;
	(void)params;
	(void)cb;
	(void)data;
	return -BF_E_UNAVAILABLE;
}

bool bf_lane_lost(const struct bf_job *j)
{
	(void)j;
	return false;
}

bool bf_lane_free(const struct bf_job *j)
{
	(void)j;
	return true;
}

void bf_lane_leave(struct bf_job *j)
{
	(void)j;
}

const struct bf_step_kind *bf_step_kind(enum bf_kind kind)
{
	static const struct bf_step_kind none = {0};

	(void)kind;
	return &none;
}

/* ---- a log that formats and forgets ---- */

bool bf_log_on(enum bf_log_level level)
{
	(void)level;
	return true;
}

bool bf_log_each_job(enum bf_log_level level)
{
	(void)level;
	return true;
}

void bf_log_write(enum bf_log_level level, const char *fmt, ...)
{
	char line[256];
	va_list ap;

	(void)level;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
}

const struct bf_log_ctx *bf_log_push(const struct bf_log_ctx *ctx)
{
	(void)ctx;
	return NULL;
}

void bf_log_pop(const struct bf_log_ctx *before)
{
	(void)before;
}

void bf_log_flush(void)
{
}

/* ---- plain calls, which are answered by the next reply, too ---- */

static redisReader *reader;

static redisReply *next_reply(void)
{
	void *reply = NULL;

	return redisReaderGetReply(reader, &reply) == REDIS_OK ? reply : NULL;
}

int bf_redis_send(struct bf_redis *r, const struct bf_redis_cmd *cmd, struct bf_error *err)
{
	struct bf_buf bytes;

	(void)r;
	(void)err;
	bf_buf_init(&bytes, (size_t)64 << 20);
	bf_redis_cmd_encode(cmd, &bytes);
	must_be_a_command(&bytes);
	bf_buf_release(&bytes);
	return 0;
}

int bf_redis_receive(struct bf_redis *r, struct bf_redis_reply **out, struct bf_error *err)
{
	redisReply *reply = next_reply();

	(void)r;
	if (!reply)
		return bf_fail(err, BF_E_UNKNOWN_OUTCOME, "lost");
	if (reply->type == REDIS_REPLY_ERROR) {
		int rc = bf_redis_fail_reply(bf_redis_wrap(reply), err);
		freeReplyObject(reply);
		return rc;
	}
	*out = bf_redis_wrap(reply);
	return 0;
}

int bf_redis_exec(struct bf_redis *r, const struct bf_redis_cmd *cmd, struct bf_redis_reply **out, struct bf_error *err)
{
	int rc = bf_redis_send(r, cmd, err);
	return rc < 0 ? rc : bf_redis_receive(r, out, err);
}

static void plain_calls(const uint8_t *bytes, size_t size)
{
	struct bf_error err = {0};
	struct bf_redis_cmd cmd;
	struct bf_redis_reply *reply = NULL;
	int64_t generation;

	reader = redisReaderCreate();
	bf_redis_bound(reader);
	redisReaderFeed(reader, (const char *)bytes, size);
	bf_redis_cmd_init(&cmd);
	bf_queue_fcall(&cmd, "sync_run", 1);
	(void)bf_queue_generation(NULL, &generation, &err);
	(void)bf_queue_load(NULL, &err);
	if (bf_queue_call(NULL, &cmd, &reply, &err) == 0) {
		MUST(bf_queue_answer(reply) == BF_QUEUE_OK);
		bf_redis_reply_free(reply);
	}
	bf_redis_cmd_release(&cmd);
	redisReaderFree(reader);
}

/* ---- the worker ---- */

static void check_job(const struct bf_job *j)
{
	struct bf_job_name parts;
	char again[1024];
	int n = snprintf(again, sizeof(again), "%s/%s/%s#", j->run, j->step_name, j->chunk);

	MUST(bf_job_name_parse(j->name, &parts) == 0 && parts.seq == j->seq && j->seq > 0);
	MUST(n > 0 && (size_t)n < sizeof(again) && strncmp(again, j->name, (size_t)n) == 0);
	MUST(strlen(j->run) <= BF_RUN_MAX && strlen(j->step_name) <= BF_NAME_MAX && strlen(j->chunk) <= BF_CHUNK_MAX);
	MUST(strcmp(j->def->run, j->run) == 0 && j->def->held > 0);
}

static void check_worker(const struct bf_worker *w)
{
	size_t held = 0;

	for (int p = 0; p < BF_PLACES; p++) {
		size_t count = 0;
		for (const struct bf_job *j = w->at[p].first; j; j = j->next) {
			MUST((int)j->place == p && (j->next ? j->next->prev == j : w->at[p].last == j));
			check_job(j);
			count++;
		}
		MUST(count == w->at[p].count);
		held += count;
	}
	MUST((int)held == w->held);
	MUST(!w->exchange_flying || connections[0].n > 0);
	MUST(w->at[BF_AT_ACKING].count == 0 || w->exchange_unanswered);
}

/* Jobs go on as their numbers say: some are acknowledged in each way, some run on. */
static void move_jobs(struct bf_worker *w)
{
	for (struct bf_job *j = w->at[BF_AT_DEFINE].first, *next; j; j = next) {
		next = j->next;
		if (j->seq % 9 < BF_ACKS)
			bf_job_acknowledge(j, (enum bf_ack)(j->seq % 9), j->seq % 100);
		else
			bf_job_move(j, BF_AT_SETTLE, "fuzz");
	}
}

static void turn(struct bf_worker *w)
{
	if (generation_wanted) {
		generation_wanted = false;
		bf_exchange_generation_ready(w, 7);
	}
	w->next_exchange_ms = w->redis_pause_until_ms = 0;
	w->last_sweep_ms = bf_mono_ms(); /* its answers are read like the others, but there may be any number of them */
	bf_exchange_pump(w);
	check_worker(w);
}

static void play(struct bf_worker *w, struct bf_redisc *c, redisReply *reply)
{
	struct bf_error err;

	if (c->n == 0)
		return;
	if (reply->type == REDIS_REPLY_ERROR) {
		bf_redis_fail_reply(bf_redis_wrap(reply), &err);
		answer(c, NULL, &err);
	} else {
		answer(c, bf_redis_wrap(reply), NULL);
	}
	check_worker(w);
}

static void talk(struct bf_worker *w, const uint8_t *bytes, size_t size)
{
	const char *at = (const char *)bytes, *end = at + size;

	while (at < end && w->held < JOBS_MAX) {
		const char *stop = memchr(at, '\0', (size_t)(end - at));
		redisReply *reply;

		stop = stop ? stop : end;
		reader = redisReaderCreate();
		bf_redis_bound(reader);
		redisReaderFeed(reader, at, (size_t)(stop - at));
		while ((reply = next_reply())) {
			turn(w);
			play(w, &connections[connections[0].n == 0], reply);
			freeReplyObject(reply);
			move_jobs(w);
		}
		redisReaderFree(reader);
		turn(w);
		lose(&connections[0]);
		lose(&connections[1]);
		check_worker(w);
		at = stop + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct bf_error err;
	struct bf_worker *w = bf_alloc(sizeof(*w));

	plain_calls(bytes, size);
	memset(connections, 0, sizeof(connections));
	opened = 0;
	generation_wanted = false;
	bf_buf_init(&unanswered, (size_t)64 << 20);
	w->opt = (struct bf_worker_options){.queues = {{"first", 2}, {"second", 1}}, .n_queues = 2, .slots = 4, .lease_ms = 15000};
	w->claims_left = -1;
	snprintf(w->host, sizeof(w->host), "host");
	MUST(bf_exchange_start(w, &err) == 0);
	for (int i = 0; i < opened; i++) {
		connections[i].up = true;
		if (connections[i].o.on_ready)
			connections[i].o.on_ready(&connections[i], w);
	}
	talk(w, bytes, size);
	for (int p = 0; p < BF_PLACES; p++)
		while (w->at[p].first)
			bf_job_free(w->at[p].first);
	bf_run_def_free_all(w);
	bf_redis_cmd_release(&w->exchange);
	bf_buf_release(&unanswered);
	free(w);
	return 0;
}
