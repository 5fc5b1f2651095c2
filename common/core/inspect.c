/*
 * Looks for keys of ours that cannot be read, and throws them away if asked to (core/inspect.h). One call of a
 * function looks at the keys of one worker, queue or run, or at a page of a long one; the names come from Redis's
 * list of workers and from the ledger. Keeps R16 (docs/protocol.md).
 */
#include "core/inspect.h"

#include "base/mem.h"
#include "core/ledger.h"
#include "core/pipeline.h"
#include "core/queue.h"

#define RUNS_PAGE 100

struct inspector {
	struct bf_pg *pg;
	struct bf_redis *redis;
	int64_t lease_ms; /* 0: it only looks */
	enum bf_thoroughness how;
	struct bf_inspection *found;
};

bool bf_inspection_due(const struct bf_error *err)
{
	static const char *const beginnings[] = {"WRONGTYPE", "ERR ", "user_function"};
	if (err->code != BF_E_REDIS || bf_queue_needs_load(err))
		return false;
	for (size_t i = 0; i < BF_COUNT_OF(beginnings); i++)
		if (strncmp(err->text, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	return false;
}

void bf_inspection_release(struct bf_inspection *found)
{
	for (size_t i = 0; i < found->n; i++) {
		free(found->list[i].key);
		free(found->list[i].text);
	}
	free(found->list);
	*found = (struct bf_inspection){.n = 0};
}

static void note_unreadable(struct bf_inspection *f, const char *key, const char *text, bool whole)
{
	f->whole = f->whole || whole;
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->list[i].key, key) == 0 && strcmp(f->list[i].text, text) == 0)
			return; /* two workers serve the same queue */
	if (f->n == BF_UNREADABLE_MAX)
		return;
	if (f->n == f->cap) {
		f->cap = f->cap ? 2 * f->cap : 8;
		f->list = bf_realloc_array(f->list, f->cap, sizeof(*f->list));
	}
	f->list[f->n++] = (struct bf_unreadable){.key = bf_strdup(key), .text = bf_strdup(text)};
}

static void begin_look(const struct inspector *in, struct bf_redis_cmd *cmd, const char *from)
{
	bf_redis_cmd_init(cmd);
	bf_redis_arg(cmd, in->lease_ms ? "FCALL" : "FCALL_RO");
	bf_redis_arg(cmd, in->lease_ms ? "bf_v1_discard" : "bf_v1_inspect");
	bf_redis_arg(cmd, "0");
	if (in->lease_ms)
		bf_redis_arg_int(cmd, in->lease_ms);
	bf_redis_arg(cmd, in->how == BF_INSPECT_ALL ? "all" : "heads");
	bf_redis_arg(cmd, from);
}

/* Only whoever may change Redis loads the functions. */
static int ask(const struct inspector *in, const struct bf_redis_cmd *cmd, struct bf_redis_reply **out, struct bf_error *err)
{
	int rc = in->lease_ms ? bf_queue_call(in->redis, cmd, out, err) : bf_redis_exec(in->redis, cmd, out, err);
	return rc < 0 && !in->lease_ms && bf_queue_needs_load(err) ? 0 : rc;
}

/* `scope` is the scope's name and its arguments. */
static int look_at_scope(struct inspector *in, const struct bf_redis_cmd *scope, struct bf_error *err)
{
	char from[64] = "";
	do {
		BF_AUTOREPLY struct bf_redis_reply *reply = NULL;
		struct bf_redis_cmd cmd;
		begin_look(in, &cmd, from);
		bf_redis_cmd_append(&cmd, scope);
		int rc = ask(in, &cmd, &reply, err);
		bf_redis_cmd_release(&cmd);
		if (rc < 0 || !reply)
			return rc;
		const struct bf_redis_reply *list = bf_redis_at(reply, 2);
		for (size_t i = 0; i + 2 < bf_redis_count(list); i += 3)
			note_unreadable(in->found, bf_redis_text(bf_redis_at(list, i)), bf_redis_text(bf_redis_at(list, i + 1)),
							bf_redis_int(bf_redis_at(list, i + 2)) != 0);
		(void)snprintf(from, sizeof(from), "%s", bf_redis_text(bf_redis_at(reply, 1)));
	} while (*from);
	return 0;
}

static int look_at_named(struct inspector *in, const char *scope, const char *name, struct bf_error *err)
{
	struct bf_redis_cmd cmd;
	bf_redis_cmd_init(&cmd);
	bf_redis_arg(&cmd, scope);
	bf_redis_arg(&cmd, name);
	int rc = look_at_scope(in, &cmd, err);
	bf_redis_cmd_release(&cmd);
	return rc;
}

static int look_at_workers(struct inspector *in, struct bf_error *err)
{
	BF_AUTOREPLY struct bf_redis_reply *workers = NULL;
	struct bf_redis_cmd cmd;
	bf_redis_cmd_init(&cmd);
	bf_redis_arg(&cmd, "ZRANGE");
	bf_redis_arg(&cmd, "bf:workers");
	bf_redis_arg(&cmd, "0");
	bf_redis_arg(&cmd, "-1");
	int rc = bf_redis_exec(in->redis, &cmd, &workers, err);
	bf_redis_cmd_release(&cmd);
	if (rc == -BF_E_REDIS && in->found->whole) /* it was found to be no list of workers */
		return 0;
	for (size_t i = 0; rc == 0 && i < bf_redis_count(workers); i++)
		rc = look_at_named(in, "worker", bf_redis_text(bf_redis_at(workers, i)), err);
	return rc;
}

static int look_at_run(struct inspector *in, const char *run, struct bf_error *err)
{
	struct bf_step_row steps[BF_STEPS_MAX];
	struct bf_redis_cmd cmd;
	int n = 0;
	int rc = bf_ledger_run_steps(in->pg, run, steps, BF_STEPS_MAX, &n, err);
	if (rc < 0)
		return rc;
	bf_redis_cmd_init(&cmd);
	bf_redis_arg(&cmd, "run");
	bf_redis_arg(&cmd, run);
	for (int i = 0; i < n; i++)
		bf_redis_arg(&cmd, steps[i].step);
	rc = look_at_scope(in, &cmd, err);
	bf_redis_cmd_release(&cmd);
	return rc;
}

/* The unfinished runs, and the queues that they name. */
static int look_at_runs(struct inspector *in, struct bf_error *err)
{
	char after[BF_RUN_MAX + 1] = "", queue[BF_NAME_MAX + 1] = "";
	for (int rows = RUNS_PAGE; rows == RUNS_PAGE;) {
		BF_AUTORESULT struct bf_pg_result *page = NULL;
		int rc = bf_ledger_active_runs(in->pg, after, RUNS_PAGE, &page, err);
		rows = rc < 0 ? 0 : bf_pg_rows(page);
		for (int i = 0; rc == 0 && i < rows; i++) {
			rc = look_at_run(in, bf_pg_text(page, i, 0), err);
			if (rc == 0 && strcmp(queue, bf_pg_text(page, i, 2)) != 0)
				rc = look_at_named(in, "queue", bf_pg_text(page, i, 2), err);
			(void)snprintf(queue, sizeof(queue), "%s", bf_pg_text(page, i, 2));
			(void)snprintf(after, sizeof(after), "%s", bf_pg_text(page, i, 0));
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int inspect(struct inspector *in, struct bf_error *err)
{
	int rc = look_at_named(in, "shared", "", err);
	if (rc == 0)
		rc = look_at_workers(in, err);
	return rc < 0 ? rc : look_at_runs(in, err);
}

int bf_inspect(struct bf_pg *pg, struct bf_redis *redis, struct bf_inspection *found, struct bf_error *err)
{
	struct inspector in = {.pg = pg, .redis = redis, .how = BF_INSPECT_ALL, .found = found};
	return inspect(&in, err);
}

int bf_inspect_discard(struct bf_pg *pg, struct bf_redis *redis, int64_t lease_ms, enum bf_thoroughness how, struct bf_inspection *found,
					   struct bf_error *err)
{
	struct inspector in = {.pg = pg, .redis = redis, .lease_ms = lease_ms, .how = how, .found = found};
	return inspect(&in, err);
}
