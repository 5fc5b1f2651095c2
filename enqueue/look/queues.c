/* `bfstat queues`: how much is ready, delayed and pending, and who is idle. */
#include "base/mem.h"
#include "base/text.h"
#include "core/stat.h"
#include "look/live.h"
#include "look/look.h"
#include "look/view.h"

#define QUEUES_MAX 256

struct options {
	bool json;
};

struct queue {
	char name[BF_NAME_MAX + 1];
	int64_t runs, ready, delayed, pending, idle, workers;
};

struct queues {
	struct queue list[QUEUES_MAX];
	size_t n;
};

/* NULL: too many. */
static struct queue *named(struct queues *q, const char *name, size_t len)
{
	for (size_t i = 0; i < q->n; i++)
		if (strlen(q->list[i].name) == len && strncmp(q->list[i].name, name, len) == 0)
			return &q->list[i];
	if (q->n == QUEUES_MAX || len == 0 || len > BF_NAME_MAX)
		return NULL;
	struct queue *fresh = &q->list[q->n++];
	*fresh = (struct queue){.runs = 0};
	(void)snprintf(fresh->name, sizeof(fresh->name), "%.*s", (int)len, name);
	return fresh;
}

static int ask_ledger(struct bf_pg *pg, struct queues *q, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	int rc = bf_stat_queues(pg, &r, err);
	for (int i = 0; rc == 0 && i < bf_pg_rows(r); i++) {
		const char *name = bf_pg_text(r, i, BF_QUEUES_QUEUE);
		struct queue *queue = named(q, name, strlen(name));
		if (!queue)
			break;
		queue->runs = bf_pg_int(r, i, BF_QUEUES_RUNS);
		queue->pending = bf_pg_int(r, i, BF_QUEUES_PENDING);
	}
	return rc;
}

/* Without the ledger: the runs that Redis knows. */
static int ask_runs(struct bf_redis *redis, struct queues *q, struct bf_error *err)
{
	BF_AUTOREPLY struct bf_redis_reply *runs = NULL;
	int rc = bf_live_ask(redis, &runs, err, "SMEMBERS", "bf:runs", NULL);
	for (size_t i = 0; rc == 0 && i < bf_redis_count(runs); i++) {
		BF_AUTOREPLY struct bf_redis_reply *hash = NULL;
		BF_AUTOFREE char *key = bf_asprintf("bf:run:%s", bf_redis_text(bf_redis_at(runs, i)));
		rc = bf_live_ask(redis, &hash, err, "HGETALL", key, NULL);
		const char *name = bf_live_field(hash, "queue");
		struct queue *queue = rc == 0 ? named(q, name, strlen(name)) : NULL;
		if (!queue)
			continue;
		queue->runs++;
		queue->pending += bf_live_number(hash, "planned") - bf_live_number(hash, "done") - bf_live_number(hash, "failed") -
						  bf_live_number(hash, "skipped") - bf_live_number(hash, "cancelled") - bf_live_number(hash, "running");
	}
	return rc;
}

static int ask_queue(struct bf_redis *redis, struct queue *q, const struct bf_live *live, struct bf_error *err)
{
	BF_AUTOFREE char *ready = bf_asprintf("bf:queue:%s", q->name), *delayed = bf_asprintf("bf:delayed:%s", q->name);
	BF_AUTOFREE char *idle = bf_asprintf("bf:idle:%s", q->name);
	BF_AUTOREPLY struct bf_redis_reply *members = NULL;
	int rc = bf_live_count(redis, &q->ready, err, "LLEN", ready, NULL);
	if (rc == 0)
		rc = bf_live_count(redis, &q->delayed, err, "ZCARD", delayed, NULL);
	if (rc == 0)
		rc = bf_live_ask(redis, &members, err, "SMEMBERS", idle, NULL);
	for (size_t i = 0; rc == 0 && i < bf_redis_count(members); i++) {
		const struct bf_live_worker *w = bf_live_find(live, bf_redis_text(bf_redis_at(members, i)));
		q->idle += w && w->alive; /* a dead worker is not idle */
	}
	q->workers = bf_live_serving(live, q->name);
	return rc;
}

static int ask_live(struct bf_look *l, struct queues *q, struct bf_error *err)
{
	struct bf_live live;
	int rc = bf_live_load(l->redis, &live, err);
	if (rc < 0)
		return rc;
	if (!l->pg)
		rc = ask_runs(l->redis, q, err);
	for (size_t i = 0; rc == 0 && i < live.n; i++)
		for (const char *at = live.workers[i].queues; *at; at += strspn(at, " ")) {
			size_t len = strcspn(at, " ");
			(void)named(q, at, len);
			at += len;
		}
	for (size_t i = 0; rc == 0 && i < q->n; i++)
		rc = ask_queue(l->redis, &q->list[i], &live, err);
	bf_live_release(&live);
	return rc;
}

static void print_text(const struct bf_look *l, const struct queues *q)
{
	static const struct bf_column columns[] = {
		{.title = "QUEUE", .elastic = true}, {.title = "READY", .right = true},           {.title = "DELAYED", .right = true},
		{.title = "PENDING", .right = true}, {.title = "RUNS", .right = true, .rank = 1}, {.title = "WORKERS", .right = true},
		{.title = "IDLE", .right = true}};
	BF_AUTOTABLE struct bf_table *table = bf_table_new(&l->term, columns, BF_COUNT_OF(columns));
	for (size_t i = 0; i < q->n; i++) {
		const struct queue *queue = &q->list[i];
		const int64_t live[] = {queue->ready, queue->delayed}, workers[] = {queue->workers, queue->idle};
		bf_table_row(table);
		bf_table_cell(table, BF_PLAIN, queue->name);
		for (int k = 0; k < 2; k++) {
			if (l->redis)
				bf_table_number(table, BF_PLAIN, live[k]);
			else
				bf_table_cell(table, BF_DIM, "?");
		}
		bf_table_number(table, BF_PLAIN, queue->pending);
		bf_table_number(table, BF_PLAIN, queue->runs);
		for (int k = 0; k < 2; k++) {
			if (l->redis)
				bf_table_number(table, k == 0 && workers[0] == 0 && queue->pending > 0 ? BF_BAD : BF_PLAIN, workers[k]);
			else
				bf_table_cell(table, BF_DIM, "?");
		}
	}
	if (q->n == 0)
		puts("No run is under way and no worker is there, so there is no queue to show.");
	else
		bf_table_print(table, stdout);
}

static void live_int(const struct bf_look *l, struct bf_json *j, const char *key, int64_t n)
{
	if (l->redis)
		bf_json_int(j, key, n);
	else
		bf_json_null(j, key);
}

static void print_json(const struct bf_look *l, const struct queues *q)
{
	struct bf_json j;
	bf_json_begin(&j, stdout);
	bf_json_array(&j, "queues");
	for (size_t i = 0; i < q->n; i++) {
		const struct queue *queue = &q->list[i];
		bf_json_object(&j, NULL);
		bf_json_text(&j, "queue", queue->name);
		live_int(l, &j, "ready", queue->ready);
		live_int(l, &j, "delayed", queue->delayed);
		bf_json_int(&j, "pending", queue->pending);
		bf_json_int(&j, "runs", queue->runs);
		live_int(l, &j, "workers", queue->workers);
		live_int(l, &j, "idle", queue->idle);
		bf_json_close(&j);
	}
	bf_json_close(&j);
	bf_look_json_end(l, &j);
}

static int run_queues(const struct bf_command *command, int argc, char **argv)
{
	struct options o = {.json = false};
	struct bf_look look = {.pg = NULL};
	struct bf_error err;
	BF_AUTOFREE const char **args = bf_alloc((size_t)(argc + 1) * sizeof(*args));
	BF_AUTOFREE struct queues *q = bf_alloc(sizeof(*q));
	int n_args, exit_code = 0, rc = 0;
	if (!bf_command_parse(command, argc, argv, &o, args, &n_args, &exit_code) || !bf_look_open(&look, BF_LEDGER | BF_QUEUE, &exit_code))
		return exit_code;
	do {
		*q = (struct queues){.n = 0};
		rc = look.pg ? ask_ledger(look.pg, q, &err) : 0;
		if (rc == 0 && look.redis)
			rc = ask_live(&look, q, &err);
	} while (rc < 0 && bf_look_lost(&look, &err));
	if (rc == 0 && o.json)
		print_json(&look, q);
	else if (rc == 0)
		print_text(&look, q);
	bf_look_close(&look);
	return rc < 0 ? bf_program_fail(&err) : 0;
}

static const struct bf_opt options[] = {
	{.name = "json", .type = BF_OPT_FLAG, .offset = offsetof(struct options, json), .help = "print JSON (docs/bfstat-json.md)"},
	{.name = NULL}};

static const struct bf_example examples[] = {
	{"bfstat queues", "what is ready, and whether somebody takes it"},
	{NULL, NULL},
};

static const struct bf_command command_queues = {.name = "queues",
												 .synopsis = "bfstat queues",
												 .summary = "what is ready, delayed and pending, and who is idle",
												 .examples = examples,
												 .options = options};

const struct bf_entry bf_look_queues = {&command_queues, run_queues};
