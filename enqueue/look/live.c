#include "look/live.h"

#include <stdarg.h>

#include "base/mem.h"
#include "core/inspect.h"

static int ask(struct bf_redis *r, struct bf_redis_reply **out, struct bf_error *err, va_list words)
{
	struct bf_redis_cmd cmd;
	bf_redis_cmd_init(&cmd);
	for (const char *word; (word = va_arg(words, const char *));)
		bf_redis_arg(&cmd, word);
	int rc = bf_redis_exec(r, &cmd, out, err);
	bf_redis_cmd_release(&cmd);
	return rc;
}

int bf_live_ask(struct bf_redis *r, struct bf_redis_reply **out, struct bf_error *err, ...)
{
	va_list words;
	va_start(words, err);
	int rc = ask(r, out, err, words);
	va_end(words);
	return rc;
}

int bf_live_count(struct bf_redis *r, int64_t *out, struct bf_error *err, ...)
{
	BF_AUTOREPLY struct bf_redis_reply *reply = NULL;
	va_list words;
	va_start(words, err);
	int rc = ask(r, &reply, err, words);
	va_end(words);
	*out = rc == 0 ? bf_redis_int(reply) : 0;
	return rc;
}

const char *bf_live_field(const struct bf_redis_reply *hash, const char *field)
{
	for (size_t i = 0; i + 1 < bf_redis_count(hash); i += 2)
		if (strcmp(bf_redis_text(bf_redis_at(hash, i)), field) == 0)
			return bf_redis_text(bf_redis_at(hash, i + 1));
	return "";
}

int64_t bf_live_number(const struct bf_redis_reply *hash, const char *field)
{
	return strtoll(bf_live_field(hash, field), NULL, 10);
}

static int load_worker(struct bf_redis *r, struct bf_live *live, const char *id, double lease_end, struct bf_error *err)
{
	BF_AUTOREPLY struct bf_redis_reply *hash = NULL;
	BF_AUTOFREE char *key = bf_asprintf("bf:worker:%s", id), *jobs = bf_asprintf("bf:worker:%s:jobs", id);
	struct bf_live_worker w = {.lease_ms = (int64_t)lease_end - live->now_ms};
	int rc = bf_live_ask(r, &hash, err, "HGETALL", key, NULL);
	if (rc == 0)
		rc = bf_live_count(r, &w.held, err, "HLEN", jobs, NULL);
	if (rc < 0)
		return rc;
	w.id = bf_strdup(id);
	w.host = bf_strdup(bf_live_field(hash, "host"));
	w.queues = bf_strdup(bf_live_field(hash, "queues"));
	w.version = bf_strdup(bf_live_field(hash, "version"));
	w.started_at = bf_strdup(bf_live_field(hash, "started_at"));
	w.pid = bf_live_number(hash, "pid");
	w.slots = bf_live_number(hash, "slots");
	w.condemned = *bf_live_field(hash, "condemned") != '\0';
	w.alive = w.lease_ms > 0 && !w.condemned;
	int64_t whole_ms = bf_live_number(hash, "lease_ms");
	w.silent_ms = whole_ms > 0 ? whole_ms - w.lease_ms : -1;
	live->alive += w.alive;
	live->slots += w.alive ? w.slots : 0;
	live->busy += w.alive ? w.held : 0;
	live->workers[live->n++] = w;
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct bf_live_worker *left = a, *right = b;
	return strcmp(left->id, right->id);
}

static int load_live(struct bf_redis *r, struct bf_live *out, struct bf_error *err)
{
	BF_AUTOREPLY struct bf_redis_reply *workers = NULL;
	BF_AUTOREPLY struct bf_redis_reply *time = NULL;
	int64_t generation, clock = 0;
	*out = (struct bf_live){.n = 0};
	int rc = bf_live_count(r, &generation, err, "GET", "bf:generation", NULL);
	if (rc == 0)
		rc = bf_live_ask(r, &workers, err, "ZRANGE", "bf:workers", "0", "-1", "WITHSCORES", NULL);
	if (rc == 0)
		rc = bf_live_ask(r, &time, err, "TIME", NULL);
	if (rc == 0)
		rc = bf_live_count(r, &clock, err, "GET", "bf:clock", NULL); /* the queue's own clock has not jumped with Redis's */
	if (rc < 0)
		return rc;
	out->whole = generation > 0;
	out->now_ms = bf_redis_int(bf_redis_at(time, 0)) * 1000 + bf_redis_int(bf_redis_at(time, 1)) / 1000 + clock;
	out->workers = bf_alloc((bf_redis_count(workers) / 2 + 1) * sizeof(*out->workers));
	for (size_t i = 0; rc == 0 && i + 1 < bf_redis_count(workers); i += 2)
		rc = load_worker(r, out, bf_redis_text(bf_redis_at(workers, i)), strtod(bf_redis_text(bf_redis_at(workers, i + 1)), NULL), err);
	if (rc < 0)
		bf_live_release(out);
	else if (out->n > 0)
		qsort(out->workers, out->n, sizeof(*out->workers), by_id);
	return rc;
}

int bf_live_load(struct bf_redis *r, struct bf_live *out, struct bf_error *err)
{
	int rc = load_live(r, out, err);
	if (rc < 0 && bf_inspection_due(err))
		(void)bf_error_prefix(err, "Redis cannot say what it holds (`bfstat verify` names the key, and --repair mends it)");
	return rc;
}

void bf_live_release(struct bf_live *live)
{
	for (size_t i = 0; i < live->n; i++) {
		struct bf_live_worker *w = &live->workers[i];
		free(w->id);
		free(w->host);
		free(w->queues);
		free(w->version);
		free(w->started_at);
	}
	free(live->workers);
	*live = (struct bf_live){.n = 0};
}

const struct bf_live_worker *bf_live_find(const struct bf_live *live, const char *id)
{
	for (size_t i = 0; i < live->n; i++)
		if (strcmp(live->workers[i].id, id) == 0)
			return &live->workers[i];
	return NULL;
}

bool bf_live_names_queue(const struct bf_live_worker *w, const char *queue)
{
	size_t len = strlen(queue);
	for (const char *at = w->queues; *at; at += strspn(at, " ")) {
		size_t word = strcspn(at, " ");
		if (word == len && strncmp(at, queue, len) == 0)
			return true;
		at += word;
	}
	return false;
}

int bf_live_serving(const struct bf_live *live, const char *queue)
{
	int serving = 0;
	for (size_t i = 0; i < live->n; i++)
		serving += live->workers[i].alive && bf_live_names_queue(&live->workers[i], queue);
	return serving;
}
