#include "look/drift.h"

#include <stdarg.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/inspect.h"
#include "core/ledger.h"
#include "core/pipeline.h"
#include "core/queue.h"
#include "core/stat.h"
#include "core/states.h"
#include "look/live.h"
#include "look/names.h"

#define RUNS_PAGE 100

/* ---- the list of differences ---- */

__attribute__((format(printf, 6, 7))) static void differ(struct bf_drift *d, const char *run, const char *step, const char *what,
														 const char *mark, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (d->n == d->cap) {
		d->cap = d->cap ? 2 * d->cap : 16;
		d->list = bf_realloc_array(d->list, d->cap, sizeof(*d->list));
	}
	d->list[d->n++] = (struct bf_difference){
		.run = bf_strdup(run), .step = bf_strdup(step), .what = bf_strdup(what), .mark = bf_strdup(mark), .text = bf_strdup(text)};
}

static void free_difference(struct bf_difference *x)
{
	free(x->run);
	free(x->step);
	free(x->what);
	free(x->mark);
	free(x->text);
}

void bf_drift_release(struct bf_drift *d)
{
	for (size_t i = 0; i < d->n; i++)
		free_difference(&d->list[i]);
	free(d->list);
	*d = (struct bf_drift){.n = 0};
}

static bool contains(const struct bf_drift *d, const struct bf_difference *x)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->list[i].run, x->run) == 0 && strcmp(d->list[i].step, x->step) == 0 && strcmp(d->list[i].what, x->what) == 0 &&
			strcmp(d->list[i].mark, x->mark) == 0)
			return true;
	return false;
}

void bf_drift_persists(struct bf_drift *now, const struct bf_drift *before)
{
	size_t kept = 0;
	for (size_t i = 0; i < now->n; i++) {
		if (contains(before, &now->list[i]))
			now->list[kept++] = now->list[i];
		else
			free_difference(&now->list[i]);
	}
	now->n = kept;
}

/* ---- one run in Redis, read in one piece ---- */

struct image {
	struct bf_redis_reply *reply; /* owns all below */
	const struct bf_redis_reply *run, *released, *queue, *delayed;
	const struct bf_redis_reply *steps[BF_STEPS_MAX];
	int64_t pending[BF_STEPS_MAX]; /* how many wait: the list, and what came back beside it */
	size_t first_worker;           /* the answers from here on are the workers' jobs */
	int alive;                     /* workers */
};

static int queue_command(struct bf_redis *r, struct bf_error *err, const char *name, const char *key, const char *from, const char *to)
{
	BF_AUTOREPLY struct bf_redis_reply *queued = NULL;
	return from ? bf_live_ask(r, &queued, err, name, key, from, to, NULL) : bf_live_ask(r, &queued, err, name, key, NULL);
}

static int queue_all(struct bf_redis *r, const struct bf_run_row *row, const struct bf_step_row *steps, int n, const struct bf_live *live,
					 struct bf_error *err)
{
	BF_AUTOREPLY struct bf_redis_reply *begun = NULL;
	BF_AUTOFREE char *run = bf_asprintf("bf:run:%s", row->run), *released = bf_asprintf("bf:run:%s:released", row->run);
	BF_AUTOFREE char *queue = bf_asprintf("bf:queue:%s", row->queue), *delayed = bf_asprintf("bf:delayed:%s", row->queue);
	int rc = bf_live_ask(r, &begun, err, "MULTI", NULL);
	rc = rc < 0 ? rc : queue_command(r, err, "HGETALL", run, NULL, NULL);
	rc = rc < 0 ? rc : queue_command(r, err, "SMEMBERS", released, NULL, NULL);
	rc = rc < 0 ? rc : queue_command(r, err, "LRANGE", queue, "0", "-1");
	rc = rc < 0 ? rc : queue_command(r, err, "ZRANGE", delayed, "0", "-1");
	for (int i = 0; rc == 0 && i < n; i++) {
		BF_AUTOFREE char *step = bf_asprintf("bf:run:%s:step:%s", row->run, steps[i].step);
		BF_AUTOFREE char *pending = bf_asprintf("bf:run:%s:pending:%s", row->run, steps[i].step);
		BF_AUTOFREE char *returned = bf_asprintf("bf:run:%s:returned:%s", row->run, steps[i].step);
		rc = queue_command(r, err, "HGETALL", step, NULL, NULL);
		rc = rc < 0 ? rc : queue_command(r, err, "LLEN", pending, NULL, NULL);
		rc = rc < 0 ? rc : queue_command(r, err, "ZCARD", returned, NULL, NULL);
	}
	for (size_t i = 0; rc == 0 && i < live->n; i++) {
		BF_AUTOFREE char *jobs = bf_asprintf("bf:worker:%s:jobs", live->workers[i].id);
		rc = queue_command(r, err, "HKEYS", jobs, NULL, NULL);
	}
	return rc;
}

static int take_image(struct bf_redis *r, const struct bf_run_row *row, const struct bf_step_row *steps, int n, struct image *out,
					  struct bf_error *err)
{
	struct bf_live live;
	*out = (struct image){.reply = NULL};
	int rc = bf_live_load(r, &live, err);
	if (rc == 0) {
		rc = queue_all(r, row, steps, n, &live, err);
		out->alive = live.alive;
		bf_live_release(&live);
	}
	if (rc == 0)
		rc = bf_live_ask(r, &out->reply, err, "EXEC", NULL);
	if (rc < 0)
		return rc;
	out->run = bf_redis_at(out->reply, 0);
	out->released = bf_redis_at(out->reply, 1);
	out->queue = bf_redis_at(out->reply, 2);
	out->delayed = bf_redis_at(out->reply, 3);
	for (int i = 0; i < n; i++) {
		size_t at = 4 + 3 * (size_t)i;
		out->steps[i] = bf_redis_at(out->reply, at);
		out->pending[i] = bf_redis_int(bf_redis_at(out->reply, at + 1)) + bf_redis_int(bf_redis_at(out->reply, at + 2));
	}
	out->first_worker = 4 + 3 * (size_t)n;
	return 0;
}

/* ---- one run: both sides ---- */

struct comparison {
	struct bf_drift *drift;
	const struct bf_run_row *row;
	const struct bf_step_row *steps;
	int n;
	const struct bf_pg_result *before, *after; /* stat_steps, of the same steps */
	struct image image;
	struct bf_names released, found, held; /* <step>/<chunk>#<n>: found in the queue, the delayed set or under a worker; held by one */
	int64_t unacknowledged[BF_STEPS_MAX];  /* at most so many of a step's released jobs are settled in the ledger */
	int64_t in_flight[BF_STEPS_MAX];       /* released or delayed */
	int64_t running[BF_STEPS_MAX];         /* under workers */
	int64_t open[BF_STEPS_MAX];            /* of a step of which not all is pushed yet: its open jobs that Redis should have */
};

static int step_index(const struct comparison *c, const char *step, size_t len)
{
	for (int i = 0; i < c->n; i++)
		if (strlen(c->steps[i].step) == len && strncmp(c->steps[i].step, step, len) == 0)
			return i;
	return -1;
}

/* A job's text without its run, if it is of this one. */
static const char *member_of(const struct comparison *c, const char *job)
{
	size_t len = strlen(c->row->run);
	return strncmp(job, c->row->run, len) == 0 && job[len] == '/' ? job + len + 1 : NULL;
}

static void collect(struct comparison *c, const struct bf_redis_reply *jobs, struct bf_names *into)
{
	for (size_t i = 0; i < bf_redis_count(jobs); i++) {
		const char *member = member_of(c, bf_redis_text(bf_redis_at(jobs, i)));
		if (member)
			bf_names_add(into, member);
	}
}

static void count_by_step(const struct comparison *c, const struct bf_names *names, int64_t counts[BF_STEPS_MAX])
{
	for (size_t i = 0; i < names->n; i++) {
		int at = step_index(c, names->list[i], strcspn(names->list[i], "/"));
		if (at >= 0)
			counts[at]++;
	}
}

static void sort_out(struct comparison *c)
{
	struct bf_names delayed = {.n = 0}, both = {.n = 0};
	for (size_t i = 0; i < bf_redis_count(c->image.released); i++)
		bf_names_add(&c->released, bf_redis_text(bf_redis_at(c->image.released, i)));
	for (size_t i = c->image.first_worker; i < bf_redis_count(c->image.reply); i++)
		collect(c, bf_redis_at(c->image.reply, i), &c->held);
	collect(c, c->image.delayed, &delayed);
	collect(c, c->image.queue, &c->found);
	bf_names_add_all(&c->found, &delayed);
	bf_names_add_all(&c->found, &c->held);
	bf_names_add_all(&both, &c->released);
	bf_names_add_all(&both, &delayed);
	bf_names_sort(&c->released);
	bf_names_sort(&c->found);
	bf_names_sort(&both);
	bf_names_sort(&c->held);
	count_by_step(c, &both, c->in_flight);
	count_by_step(c, &c->held, c->running);
	bf_names_release(&delayed);
	bf_names_release(&both);
}

/* Which of the released jobs the ledger has settled already: they only wait for their acknowledgement. */
static int find_unacknowledged(struct comparison *c, struct bf_pg *pg, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	size_t n = 0;
	BF_AUTOFREE struct bf_stat_job *jobs = bf_alloc((c->released.n + 1) * sizeof(*jobs));
	for (size_t i = 0; i < c->released.n; i++) {
		const char *hash = strrchr(c->released.list[i], '#');
		int at = step_index(c, c->released.list[i], strcspn(c->released.list[i], "/"));
		if (at >= 0 && hash)
			jobs[n++] = (struct bf_stat_job){c->steps[at].step, (int)strtol(hash + 1, NULL, 10)};
	}
	if (n == 0)
		return 0;
	int rc = bf_stat_settled(pg, c->row->run, jobs, n, &r, err);
	for (int i = 0; rc == 0 && i < bf_pg_rows(r); i++) {
		int at = step_index(c, bf_pg_text(r, i, 0), strlen(bf_pg_text(r, i, 0)));
		if (at >= 0)
			c->unacknowledged[at] = bf_pg_int(r, i, 1);
	}
	return rc;
}

/* Is it judged by what has been pushed of it: as yet, or as it has to be, where chunks wait for chunks? */
static bool is_pushed_in_part(const struct comparison *c, int i)
{
	return c->steps[i].waits_for_chunks || bf_live_number(c->image.steps[i], "pushed") < c->steps[i].planned;
}

/* Redis should have what has been pushed, but for what was opened again and whose turn has not come again. */
static int count_open(struct comparison *c, struct bf_pg *pg, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	struct bf_stat_job pushed[BF_STEPS_MAX];
	size_t n = 0;
	for (int i = 0; i < c->n; i++)
		if (is_pushed_in_part(c, i))
			pushed[n++] = (struct bf_stat_job){c->steps[i].step, (int)bf_live_number(c->image.steps[i], "pushed")};
	int rc = n > 0 ? bf_stat_open(pg, c->row->run, pushed, n, &r, err) : 0;
	for (int k = 0; rc == 0 && n > 0 && k < bf_pg_rows(r); k++) {
		int at = step_index(c, bf_pg_text(r, k, 0), strlen(bf_pg_text(r, k, 0)));
		if (at >= 0)
			c->open[at] = bf_pg_int(r, k, 1);
	}
	return rc;
}

/* ---- the comparisons ---- */

static const struct {
	const char *field;
	int column;
} counters[] = {{"done", BF_STEPS_DONE}, {"failed", BF_STEPS_FAILED}, {"skipped", BF_STEPS_SKIPPED}, {"cancelled", BF_STEPS_CANCELLED}};

static void compare_counters(struct comparison *c, int i)
{
	const char *run = c->row->run, *step = c->steps[i].step;
	for (size_t k = 0; k < BF_COUNT_OF(counters); k++) {
		int64_t redis = bf_live_number(c->image.steps[i], counters[k].field);
		int64_t before = bf_pg_int(c->before, i, counters[k].column), after = bf_pg_int(c->after, i, counters[k].column);
		bool counted_at_its_end = counters[k].column == BF_STEPS_CANCELLED && strcmp(c->row->state, "stopping") == 0;
		/* A chunk may be skipped, for one before it is not there, before Redis has ever heard of it. */
		bool not_told = counters[k].column == BF_STEPS_SKIPPED && c->steps[i].waits_for_chunks;
		if (redis > after || (redis + c->unacknowledged[i] < before && !counted_at_its_end && !not_told))
			differ(c->drift, run, step, counters[k].field, "", "Redis counts %lld %s, the ledger %lld", (long long)redis, counters[k].field,
				   (long long)after);
	}
	int64_t running = bf_live_number(c->image.steps[i], "running");
	if (running != c->running[i])
		differ(c->drift, run, step, "running", "", "Redis counts %lld running, and workers hold %lld", (long long)running,
			   (long long)c->running[i]);
}

/* The run's own counters are the sums of its steps'. */
static void compare_sums(struct comparison *c)
{
	static const char *const fields[] = {"done", "failed", "skipped", "cancelled", "running"};
	for (size_t k = 0; k < BF_COUNT_OF(fields); k++) {
		int64_t sum = 0, run = bf_live_number(c->image.run, fields[k]);
		for (int i = 0; i < c->n; i++)
			sum += bf_live_number(c->image.steps[i], fields[k]);
		if (run != sum)
			differ(c->drift, c->row->run, "", fields[k], "", "Redis counts %lld %s for the run, and %lld for its steps together",
				   (long long)run, fields[k], (long long)sum);
	}
}

static int64_t open_jobs(const struct bf_pg_result *r, int i)
{
	return bf_pg_int(r, i, BF_STEPS_PENDING) + bf_pg_int(r, i, BF_STEPS_RUNNING);
}

/* A step that has not been pushed as a whole: because chunks wait for chunks, or because somebody is at it. */
static void compare_pushed_part(struct comparison *c, int i, int64_t listed)
{
	const char *run = c->row->run, *step = c->steps[i].step;
	int64_t pushed = bf_live_number(c->image.steps[i], "pushed"), due = c->steps[i].upto;
	char mark[28];
	(void)snprintf(mark, sizeof(mark), "%lld", (long long)pushed); /* a push that goes on is no difference */
	if (pushed < due)
		differ(c->drift, run, step, "pushed", mark, "only %lld of %lld jobs have been pushed to Redis", (long long)pushed, (long long)due);
	else if (listed < c->open[i])
		differ(c->drift, run, step, "missing", "", "%lld open jobs of the ledger are in no list of Redis",
			   (long long)(c->open[i] - listed));
}

/* Every open job of a released step must be in the pending list, released or delayed. What was cancelled while it was listed stays
 * until a worker comes to it, and is no difference. */
static void compare_lists(struct comparison *c, int i)
{
	const char *run = c->row->run, *step = c->steps[i].step;
	int64_t listed = c->image.pending[i] + c->in_flight[i], before = open_jobs(c->before, i), after = open_jobs(c->after, i);
	int64_t leftover = bf_pg_int(c->after, i, BF_STEPS_CANCELLED) + bf_pg_int(c->after, i, BF_STEPS_SKIPPED) + c->unacknowledged[i];
	if (is_pushed_in_part(c, i))
		compare_pushed_part(c, i, listed);
	else if (listed < after && listed < before)
		differ(c->drift, run, step, "missing", "", "%lld open jobs of the ledger are in no list of Redis",
			   (long long)((before < after ? before : after) - listed));
	else if (listed - leftover > before && listed - leftover > after)
		differ(c->drift, run, step, "surplus", "",
			   "Redis lists %lld jobs, %lld more than the ledger has open; a worker that meets one drops it", (long long)listed,
			   (long long)(listed - (before > after ? before : after)));
}

static void compare_step(struct comparison *c, int i)
{
	const char *run = c->row->run, *step = c->steps[i].step, *state = bf_pg_text(c->after, i, BF_STEPS_STATE);
	const char *shown = bf_live_field(c->image.steps[i], "state");
	if (*shown == '\0') {
		differ(c->drift, run, step, "unknown", "", "Redis does not know this step");
		return;
	}
	if (strcmp(bf_pg_text(c->before, i, BF_STEPS_STATE), state) != 0)
		return; /* it has moved on while we looked */
	if (strcmp(shown, state) != 0)
		differ(c->drift, run, step, "state", state, "Redis shows the step as %s, the ledger as %s", shown, state);
	if (bf_live_number(c->image.steps[i], "planned") != c->steps[i].planned)
		differ(c->drift, run, step, "planned", "", "Redis shows %lld jobs planned, the ledger %d",
			   (long long)bf_live_number(c->image.steps[i], "planned"), c->steps[i].planned);
	compare_counters(c, i);
	if (strcmp(state, "released") == 0)
		compare_lists(c, i);
	else if (c->image.pending[i] > 0)
		differ(c->drift, run, step, "surplus", "", "%lld jobs are in the pending list of a step that is %s", (long long)c->image.pending[i],
			   state);
}

/* Released jobs that are in no queue, not delayed and under no worker would never run. */
static void compare_released(struct comparison *c)
{
	int64_t nowhere = 0;
	const char *first = NULL;
	for (size_t i = 0; i < c->released.n; i++)
		if (!bf_names_has(&c->found, c->released.list[i])) {
			first = first ? first : c->released.list[i];
			nowhere++;
		}
	if (nowhere > 0)
		differ(c->drift, c->row->run, "", "released", "", "%lld released jobs are in no queue and under no worker, %s first",
			   (long long)nowhere, first);
}

static void compare(struct comparison *c)
{
	const char *state = bf_live_field(c->image.run, "state");
	if (*state == '\0') {
		differ(c->drift, c->row->run, "", "unknown", "", "Redis does not know this run");
		return;
	}
	if (strcmp(state, c->row->state) != 0)
		differ(c->drift, c->row->run, "", "state", c->row->state, "Redis shows the run as %s, the ledger as %s", state, c->row->state);
	for (int i = 0; i < c->n && i < bf_pg_rows(c->before) && i < bf_pg_rows(c->after); i++)
		compare_step(c, i);
	compare_sums(c);
	compare_released(c);
}

static int compare_run(struct bf_pg *pg, struct bf_redis *redis, const char *run, struct bf_drift *drift, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *before = NULL;
	BF_AUTORESULT struct bf_pg_result *after = NULL;
	struct bf_run_row row;
	struct bf_step_row steps[BF_STEPS_MAX];
	struct comparison c = {.drift = drift, .row = &row, .steps = steps};
	int rc = bf_ledger_run_steps(pg, run, steps, BF_STEPS_MAX, &c.n, err);
	rc = rc < 0 ? rc : bf_ledger_run_row(pg, run, false, &row, err);
	rc = rc < 0 ? rc : bf_stat_steps(pg, run, &before, err);
	rc = rc < 0 ? rc : take_image(redis, &row, steps, c.n, &c.image, err);
	rc = rc < 0 ? rc : bf_stat_steps(pg, run, &after, err);
	if (rc == 0) {
		sort_out(&c);
		rc = find_unacknowledged(&c, pg, err);
	}
	if (rc == 0)
		rc = count_open(&c, pg, err);
	if (rc == 0) {
		c.before = before;
		c.after = after;
		compare(&c);
		drift->runs++;
		drift->alive = c.image.alive > drift->alive ? c.image.alive : drift->alive;
	}
	bf_names_release(&c.released);
	bf_names_release(&c.found);
	bf_names_release(&c.held);
	bf_redis_reply_free(c.image.reply);
	return rc;
}

/* ---- all runs ---- */

static int compare_active(struct bf_pg *pg, struct bf_redis *redis, struct bf_drift *d, struct bf_error *err)
{
	char after[BF_RUN_MAX + 1] = "";
	for (int rows = RUNS_PAGE; rows == RUNS_PAGE;) {
		BF_AUTORESULT struct bf_pg_result *page = NULL;
		int rc = bf_ledger_active_runs(pg, after, RUNS_PAGE, &page, err);
		if (rc < 0)
			return rc;
		rows = bf_pg_rows(page);
		for (int i = 0; rc == 0 && i < rows; i++)
			rc = compare_run(pg, redis, bf_pg_text(page, i, 0), d, err);
		if (rc < 0)
			return rc;
		if (rows > 0)
			(void)snprintf(after, sizeof(after), "%s", bf_pg_text(page, rows - 1, 0));
	}
	return 0;
}

/* Runs that Redis still serves although the ledger has ended them, or has never heard of them. */
static int compare_known(struct bf_pg *pg, struct bf_redis *redis, struct bf_drift *d, struct bf_error *err)
{
	BF_AUTOREPLY struct bf_redis_reply *known = NULL;
	int rc = bf_live_ask(redis, &known, err, "SMEMBERS", "bf:runs", NULL);
	for (size_t i = 0; rc == 0 && i < bf_redis_count(known); i++) {
		struct bf_run_row row;
		enum bf_run_state state;
		const char *run = bf_redis_text(bf_redis_at(known, i));
		rc = bf_ledger_run_row(pg, run, false, &row, err);
		if (rc == -BF_E_NOT_FOUND) {
			differ(d, run, "", "unknown", "", "the ledger does not know this run");
			rc = 0;
		} else if (rc == 0 && bf_run_state_parse(row.state, &state) && bf_run_state_ended(state)) {
			differ(d, run, "", "ended", "", "Redis has the run as under way, the ledger as %s", row.state);
		}
	}
	return rc;
}

/* What cannot be read is a difference of its own. *whole: nothing else in Redis can be judged beside it. */
static int find_unreadable(struct bf_pg *pg, struct bf_redis *redis, struct bf_drift *d, bool *whole, struct bf_error *err)
{
	struct bf_inspection found = {.n = 0};
	int rc = bf_inspect(pg, redis, &found, err);
	for (size_t i = 0; rc == 0 && i < found.n; i++)
		differ(d, "", "", "unreadable", found.list[i].key, "%s in Redis %s", found.list[i].key, found.list[i].text);
	*whole = found.whole;
	bf_inspection_release(&found);
	return rc;
}

static int compare_all(struct bf_pg *pg, struct bf_redis *redis, struct bf_drift *out, struct bf_error *err)
{
	int64_t ledger, queue;
	int rc = bf_ledger_generation(pg, &ledger, err);
	if (rc == 0)
		rc = bf_queue_generation(redis, &queue, err);
	if (rc < 0)
		return rc;
	if (queue == 0)
		differ(out, "", "", "generation", "", "Redis holds no queue; the ledger's is of generation %lld", (long long)ledger);
	else if (ledger != queue)
		differ(out, "", "", "generation", "", "the queue in Redis is of generation %lld, the ledger of %lld", (long long)queue,
			   (long long)ledger);
	if (ledger != queue)
		return 0; /* it will be made anew: nothing in it counts */
	rc = compare_active(pg, redis, out, err);
	if (rc == 0)
		rc = compare_known(pg, redis, out, err);
	return rc;
}

int bf_drift_find(struct bf_pg *pg, struct bf_redis *redis, struct bf_drift *out, struct bf_error *err)
{
	bool whole;
	*out = (struct bf_drift){.n = 0};
	int rc = find_unreadable(pg, redis, out, &whole, err);
	if (rc == 0 && !whole)
		rc = compare_all(pg, redis, out, err);
	if (rc < 0)
		bf_drift_release(out);
	return rc;
}
