#include "look/look.h"

#include <unistd.h>

#include "base/duration.h"
#include "base/mem.h"
#include "core/stat.h"
#include "shared/find.h"
#include "shared/servers.h"

#define REDIS_MS 3000 /* to connect, and to answer */

static void say(const struct bf_look *l, const struct bf_error *err)
{
	if (!l->quiet)
		fprintf(stderr, "bfstat: not read: %s\n", err->text);
}

/* Looking asks less of a Redis than using it: one that evicts, say, is looked at all the same. */
static int open_missing(struct bf_look *l, struct bf_error *err)
{
	int failed = 0;
	if ((l->uses & BF_LEDGER) && !l->pg && bf_open_ledger_impatiently("bfstat", &l->pg, err) < 0) {
		say(l, err);
		failed = -(int)err->code;
	}
	if ((l->uses & BF_QUEUE) && !l->redis && bf_redis_open_within(NULL, REDIS_MS, &l->redis, err) < 0) {
		say(l, err);
		failed = -(int)err->code;
	}
	return failed;
}

bool bf_look_open(struct bf_look *l, unsigned uses, int *exit_code)
{
	struct bf_error err;
	l->uses = uses;
	bf_term_init(&l->term, STDOUT_FILENO);
	int rc = open_missing(l, &err);
	if (l->pg || l->redis)
		return true;
	*exit_code = rc < 0 && err.code == BF_E_INPUT ? 2 : 5;
	return false;
}

static void lose_ledger(struct bf_look *l, const struct bf_error *err)
{
	say(l, err);
	bf_pg_close(l->pg);
	l->pg = NULL;
}

static void lose_queue(struct bf_look *l, const struct bf_error *err)
{
	say(l, err);
	bf_redis_close(l->redis);
	l->redis = NULL;
}

bool bf_look_lost(struct bf_look *l, const struct bf_error *err)
{
	bool ledger = l->pg && !bf_pg_alive(l->pg), queue = l->redis && !bf_redis_alive(l->redis);
	if (ledger && l->redis)
		lose_ledger(l, err);
	else if (queue && l->pg)
		lose_queue(l, err);
	else
		return false; /* it was the last one, or something else: the command ends with this error */
	return true;
}

void bf_look_close(struct bf_look *l)
{
	bf_pg_close(l->pg);
	bf_redis_close(l->redis);
	l->pg = NULL;
	l->redis = NULL;
}

bool bf_look_again(struct bf_look *l, struct bf_error *err)
{
	if (l->pg && !bf_pg_alive(l->pg)) {
		bf_pg_close(l->pg);
		l->pg = NULL;
	}
	if (l->redis && !bf_redis_alive(l->redis)) {
		bf_redis_close(l->redis);
		l->redis = NULL;
	}
	(void)open_missing(l, err);
	return l->pg || l->redis;
}

void bf_look_json_end(const struct bf_look *l, struct bf_json *j)
{
	bf_json_array(j, "not_read");
	if ((l->uses & BF_LEDGER) && !l->pg)
		bf_json_text(j, NULL, "postgresql");
	if ((l->uses & BF_QUEUE) && !l->redis)
		bf_json_text(j, NULL, "redis");
	bf_json_close(j);
	bf_json_end(j);
}

int bf_look_find_run(struct bf_look *l, const char **run, struct bf_error *err)
{
	int rc = l->pg ? bf_find_run_or_latest(l->pg, *run, l->run, err) : 0;
	if (rc == 0 && l->pg)
		*run = l->run;
	return rc;
}

int bf_look_find_run_and_say(struct bf_look *l, const char **run, struct bf_error *err)
{
	const char *named = *run;
	int rc = bf_look_find_run(l, run, err);
	if (rc == 0 && strcmp(named, *run) != 0)
		fprintf(stderr, "bfstat: %s is the latest run of %s\n", *run, named);
	return rc;
}

static int find_in(const struct bf_pg_result *names, const char *what, const char *name, struct bf_error *err)
{
	int n = bf_pg_rows(names);
	BF_AUTOFREE const char **known = bf_alloc(((size_t)n + 1) * sizeof(*known));
	for (int i = 0; i < n; i++) {
		known[i] = bf_pg_text(names, i, 0);
		if (strcmp(known[i], name) == 0)
			return 0;
	}
	if (n == 0)
		return bf_fail(err, BF_E_NOT_FOUND, "unknown %s %s; the ledger has no run yet", what, name);
	return bf_unknown_word(what, name, known, err);
}

int bf_look_find_pipeline(const struct bf_look *l, const char *pipeline, const char *step, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *pipelines = NULL;
	BF_AUTORESULT struct bf_pg_result *steps = NULL;
	char what[BF_NAME_MAX + 32];
	int rc = bf_stat_pipelines(l->pg, &pipelines, err);
	if (rc == 0)
		rc = find_in(pipelines, "pipeline", pipeline, err);
	if (rc < 0 || !step)
		return rc;
	rc = bf_stat_pipeline_steps(l->pg, pipeline, &steps, err);
	(void)snprintf(what, sizeof(what), "step of pipeline %s,", pipeline);
	return rc < 0 ? rc : find_in(steps, what, step, err);
}

void bf_look_ago(struct bf_buf *out, int64_t now_ms, int64_t then_ms)
{
	static const struct {
		int64_t ms;
		const char *unit;
	} units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}};
	int64_t ms = now_ms - then_ms;
	for (size_t i = 0; i < BF_COUNT_OF(units); i++)
		if (ms >= units[i].ms) {
			bf_buf_printf(out, "%lld %s ago", (long long)(ms / units[i].ms), units[i].unit);
			return;
		}
	bf_buf_addstr(out, "now");
}

void bf_look_range(struct bf_buf *out, const char *since, const char *until)
{
	bf_buf_addstr(out, since);
	if (*since && strcmp(since, until) != 0)
		bf_buf_printf(out, "..%s", until);
}
