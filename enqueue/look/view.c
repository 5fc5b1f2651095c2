#include "look/view.h"

#include "base/clock.h"
#include "base/mem.h"
#include "core/queue.h"
#include "core/stat.h"
#include "core/states.h"
#include "render/rate.h"

#define RECENT_MS 30000 /* as in the statements */

/* ---- arithmetic ---- */

int64_t bf_view_settled(const struct bf_view_jobs *jobs)
{
	return jobs->done + jobs->failed + jobs->skipped + jobs->cancelled + jobs->undone;
}

const struct bf_view_step *bf_view_limited(const struct bf_view *v)
{
	for (int i = 0; i < v->n_steps; i++)
		if (v->steps[i].asked > 0)
			return &v->steps[i];
	return NULL;
}

int64_t bf_view_left(const struct bf_view_jobs *jobs)
{
	return jobs->pending + jobs->running + jobs->lost;
}

bool bf_view_active(const char *state)
{
	enum bf_run_state s;
	return bf_run_state_parse(state, &s) && !bf_run_state_ended(s);
}

int bf_view_exit_code(const char *state)
{
	enum bf_run_state s;
	return bf_run_state_parse(state, &s) ? bf_run_state_exit_code(s) : 0;
}

struct bf_bar bf_view_bar(const struct bf_view_jobs *jobs)
{
	return (struct bf_bar){.planned = jobs->planned,
						   .done = jobs->done,
						   .failed = jobs->failed,
						   .running = jobs->running,
						   .skipped = jobs->skipped + jobs->cancelled + jobs->undone};
}

double bf_view_rate(int64_t recent, int64_t started_ms, int64_t now_ms)
{
	int64_t ms = started_ms > 0 && now_ms - started_ms < RECENT_MS ? now_ms - started_ms : RECENT_MS;
	return ms > 0 ? (double)recent * 1000.0 / (double)(ms < 1000 ? 1000 : ms) : 0;
}

static void add_jobs(struct bf_view_jobs *sum, const struct bf_view_jobs *jobs)
{
	sum->planned += jobs->planned;
	sum->pending += jobs->pending;
	sum->running += jobs->running;
	sum->lost += jobs->lost;
	sum->done += jobs->done;
	sum->failed += jobs->failed;
	sum->skipped += jobs->skipped;
	sum->taken += jobs->taken;
	sum->split += jobs->split;
	sum->cancelled += jobs->cancelled;
	sum->undone += jobs->undone;
	sum->recent += jobs->recent;
}

static void sum_up(struct bf_view *v)
{
	v->jobs = (struct bf_view_jobs){.planned = 0};
	for (int i = 0; i < v->n_steps; i++) {
		add_jobs(&v->jobs, &v->steps[i].jobs);
		if (v->steps[i].started_ms > 0 && (v->started_ms == 0 || v->steps[i].started_ms < v->started_ms))
			v->started_ms = v->steps[i].started_ms;
	}
	v->per_second = bf_view_rate(v->jobs.recent, v->started_ms, v->now_ms);
}

static struct bf_view_step *find_step(struct bf_view *v, const char *step)
{
	for (int i = 0; i < v->n_steps; i++)
		if (strcmp(v->steps[i].step, step) == 0)
			return &v->steps[i];
	return NULL;
}

/* Says of a job in v->running where it is; one whose worker's lease is over runs nowhere. */
static void place(struct bf_view *v, struct bf_view_running *r)
{
	const struct bf_live_worker *w = v->live_known ? bf_live_find(&v->live, r->worker) : NULL;
	struct bf_view_step *step = find_step(v, r->step);
	r->at = w && w->alive ? w : NULL;
	r->lost = v->live_known && !r->at;
	if (r->lost && step && step->jobs.running > 0) {
		step->jobs.running--;
		step->jobs.lost++;
	}
}

/* ---- from the ledger ---- */

#define COPY(to, result, row, column) (void)snprintf(to, sizeof(to), "%s", bf_pg_text(result, row, column))

static void read_run(struct bf_view *v, const struct bf_pg_result *r)
{
	COPY(v->run, r, 0, BF_RUN_RUN);
	COPY(v->pipeline, r, 0, BF_RUN_PIPELINE);
	COPY(v->since, r, 0, BF_RUN_SINCE);
	COPY(v->until, r, 0, BF_RUN_UNTIL);
	COPY(v->state, r, 0, BF_RUN_STATE);
	COPY(v->queue, r, 0, BF_RUN_QUEUE);
	v->concurrency = bf_pg_int(r, 0, BF_RUN_CONCURRENCY);
	v->params = bf_strdup(bf_pg_text(r, 0, BF_RUN_PARAMS));
	v->requested_by = bf_strdup(bf_pg_text(r, 0, BF_RUN_REQUESTED_BY));
	v->note = bf_strdup(bf_pg_text(r, 0, BF_RUN_NOTE));
	v->held = bf_strdup(bf_pg_text(r, 0, BF_RUN_HELD_REASON));
	v->held_since_ms = bf_pg_int(r, 0, BF_RUN_HELD_SINCE);
	v->throttle_ms = bf_pg_int(r, 0, BF_RUN_THROTTLE);
	v->cancelling = bf_pg_bool(r, 0, BF_RUN_CANCELLING);
	v->closed_ms = bf_pg_int(r, 0, BF_RUN_CLOSED);
	v->closed_by = bf_strdup(bf_pg_text(r, 0, BF_RUN_CLOSED_BY));
	v->closed_note = bf_strdup(bf_pg_text(r, 0, BF_RUN_CLOSED_NOTE));
	v->superseded_by = bf_strdup(bf_pg_text(r, 0, BF_RUN_SUPERSEDED_BY));
	v->again = bf_strdup(bf_pg_text(r, 0, BF_RUN_AGAIN));
	v->trial = bf_pg_bool(r, 0, BF_RUN_TRIAL);
	v->created_ms = v->active_ms = bf_pg_int(r, 0, BF_RUN_CREATED);
	v->finished_ms = bf_pg_int(r, 0, BF_RUN_FINISHED);
	v->now_ms = bf_pg_int(r, 0, BF_RUN_NOW);
}

static void read_steps(struct bf_view *v, const struct bf_pg_result *r)
{
	for (int i = 0; i < bf_pg_rows(r) && i < BF_STEPS_MAX; i++) {
		struct bf_view_step *s = &v->steps[v->n_steps++];
		COPY(s->step, r, i, BF_STEPS_STEP);
		COPY(s->kind, r, i, BF_STEPS_KIND);
		COPY(s->state, r, i, BF_STEPS_STATE);
		s->needs = bf_strdup(bf_pg_text(r, i, BF_STEPS_NEEDS));
		s->started_ms = bf_pg_int(r, i, BF_STEPS_STARTED);
		s->finished_ms = bf_pg_int(r, i, BF_STEPS_FINISHED);
		s->asked_ms = bf_pg_int(r, i, BF_STEPS_ASKED);
		s->deadline_ms = s->asked_ms > 0 && !bf_pg_null(r, i, BF_STEPS_TIMEOUT) ? s->asked_ms + bf_pg_int(r, i, BF_STEPS_TIMEOUT) : 0;
		s->approve_on_timeout = strcmp(bf_pg_text(r, i, BF_STEPS_ON_TIMEOUT), "approve") == 0;
		s->review = bf_strdup(bf_pg_text(r, i, BF_STEPS_REVIEW));
		s->over_hole = bf_pg_int(r, i, BF_STEPS_OVER_HOLE);
		s->hole_first = bf_strdup(bf_pg_text(r, i, BF_STEPS_HOLE_FIRST));
		s->hole_last = bf_strdup(bf_pg_text(r, i, BF_STEPS_HOLE_LAST));
		s->asked = bf_pg_int(r, i, BF_STEPS_ASKED_COUNT);
		s->limited = bf_pg_int(r, i, BF_STEPS_UNITS);
		s->released_ms = bf_pg_int(r, i, BF_STEPS_RELEASED);
		s->soak_ms = bf_pg_null(r, i, BF_STEPS_SOAK) ? -1 : bf_pg_int(r, i, BF_STEPS_SOAK);
		v->active_ms = bf_pg_int(r, i, BF_STEPS_ACTIVE) > v->active_ms ? bf_pg_int(r, i, BF_STEPS_ACTIVE) : v->active_ms;
		s->taken_by = bf_strdup(bf_pg_text(r, i, BF_STEPS_TAKEN_BY));
		s->jobs = (struct bf_view_jobs){.planned = bf_pg_int(r, i, BF_STEPS_PLANNED),
										.pending = bf_pg_int(r, i, BF_STEPS_PENDING),
										.running = bf_pg_int(r, i, BF_STEPS_RUNNING),
										.done = bf_pg_int(r, i, BF_STEPS_DONE),
										.failed = bf_pg_int(r, i, BF_STEPS_FAILED),
										.skipped = bf_pg_int(r, i, BF_STEPS_SKIPPED),
										.taken = bf_pg_int(r, i, BF_STEPS_TAKEN),
										.split = bf_pg_int(r, i, BF_STEPS_SPLIT),
										.cancelled = bf_pg_int(r, i, BF_STEPS_CANCELLED),
										.undone = bf_pg_int(r, i, BF_STEPS_UNDONE),
										.recent = bf_pg_int(r, i, BF_STEPS_RECENT)};
	}
}

static void read_running(struct bf_view *v, const struct bf_pg_result *r)
{
	v->running = bf_alloc(((size_t)bf_pg_rows(r) + 1) * sizeof(*v->running));
	for (int i = 0; i < bf_pg_rows(r); i++) {
		struct bf_view_running *job = &v->running[v->n_running++];
		COPY(job->step, r, i, BF_RUNNING_STEP);
		job->chunk = bf_strdup(bf_pg_text(r, i, BF_RUNNING_CHUNK));
		job->worker = bf_strdup(bf_pg_text(r, i, BF_RUNNING_WORKER));
		job->note = bf_strdup(bf_pg_text(r, i, BF_RUNNING_NOTE));
		job->started_ms = bf_pg_int(r, i, BF_RUNNING_STARTED);
		job->progress_done = bf_pg_int(r, i, BF_RUNNING_PROGRESS_DONE);
		job->progress_total = bf_pg_int(r, i, BF_RUNNING_PROGRESS_TOTAL);
		place(v, job);
	}
}

static void read_last_error(struct bf_view *v, const struct bf_pg_result *r)
{
	if (bf_pg_rows(r) == 0)
		return;
	v->last_error = (struct bf_view_error){.step = bf_strdup(bf_pg_text(r, 0, BF_LAST_STEP)),
										   .chunk = bf_strdup(bf_pg_text(r, 0, BF_LAST_CHUNK)),
										   .category = bf_strdup(bf_pg_text(r, 0, BF_LAST_CATEGORY)),
										   .text = bf_strdup(bf_pg_text(r, 0, BF_LAST_ERROR)),
										   .said = bf_strdup(bf_pg_text(r, 0, BF_LAST_SAID)),
										   .job_state = bf_strdup(bf_pg_text(r, 0, BF_LAST_STATE)),
										   .attempts = bf_pg_int(r, 0, BF_LAST_ATTEMPTS),
										   .at_ms = bf_pg_int(r, 0, BF_LAST_AT)};
}

static void read_put_off(struct bf_view *v, const struct bf_pg_result *r)
{
	if (bf_pg_rows(r) == 0)
		return;
	v->put_off = (struct bf_view_put_off){.jobs = bf_pg_int(r, 0, BF_PUT_OFF_JOBS),
										  .times = bf_pg_int(r, 0, BF_PUT_OFF_TIMES),
										  .since_ms = bf_pg_int(r, 0, BF_PUT_OFF_SINCE),
										  .step = bf_strdup(bf_pg_text(r, 0, BF_PUT_OFF_STEP)),
										  .chunk = bf_strdup(bf_pg_text(r, 0, BF_PUT_OFF_CHUNK)),
										  .why = bf_strdup(bf_pg_text(r, 0, BF_PUT_OFF_WHY))};
}

static int load_from_ledger(struct bf_pg *pg, const char *run, struct bf_view *v, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *row = NULL;
	BF_AUTORESULT struct bf_pg_result *steps = NULL;
	BF_AUTORESULT struct bf_pg_result *running = NULL;
	BF_AUTORESULT struct bf_pg_result *put_off = NULL;
	BF_AUTORESULT struct bf_pg_result *last = NULL;
	int rc = bf_stat_run(pg, run, &row, err);
	if (rc == 0 && bf_pg_rows(row) == 0)
		rc = bf_fail(err, BF_E_NOT_FOUND, "unknown run %s", run);
	if (rc == 0)
		rc = bf_stat_steps(pg, run, &steps, err);
	if (rc == 0)
		rc = bf_stat_running(pg, run, &running, err);
	if (rc == 0)
		rc = bf_stat_last_error(pg, run, &last, err);
	if (rc == 0)
		rc = bf_stat_put_off(pg, run, &put_off, err);
	if (rc < 0)
		return rc;
	v->from_ledger = true;
	read_run(v, row);
	read_steps(v, steps);
	read_running(v, running);
	read_last_error(v, last);
	read_put_off(v, put_off);
	return 0;
}

/* ---- from Redis ---- */

static int read_live_step(struct bf_redis *r, struct bf_view *v, const char *step, size_t len, struct bf_error *err)
{
	BF_AUTOREPLY struct bf_redis_reply *hash = NULL;
	struct bf_view_step *s = &v->steps[v->n_steps];
	(void)snprintf(s->step, sizeof(s->step), "%.*s", (int)len, step);
	BF_AUTOFREE char *key = bf_asprintf("bf:run:%s:step:%s", v->run, s->step);
	int rc = bf_live_ask(r, &hash, err, "HGETALL", key, NULL);
	if (rc < 0)
		return rc;
	(void)snprintf(s->state, sizeof(s->state), "%s", bf_live_field(hash, "state"));
	s->needs = bf_strdup("");
	s->soak_ms = -1;
	s->review = bf_strdup("");
	s->jobs = (struct bf_view_jobs){.planned = bf_live_number(hash, "planned"),
									.running = bf_live_number(hash, "running"),
									.done = bf_live_number(hash, "done"),
									.failed = bf_live_number(hash, "failed"),
									.skipped = bf_live_number(hash, "skipped"),
									.cancelled = bf_live_number(hash, "cancelled")};
	int64_t known = bf_view_settled(&s->jobs) + s->jobs.running;
	s->jobs.pending = s->jobs.planned > known ? s->jobs.planned - known : 0;
	v->n_steps++;
	return 0;
}

/* The jobs of this run that a worker holds. */
static int read_held(struct bf_redis *r, struct bf_view *v, const struct bf_live_worker *w, struct bf_error *err)
{
	BF_AUTOREPLY struct bf_redis_reply *held = NULL;
	BF_AUTOFREE char *key = bf_asprintf("bf:worker:%s:jobs", w->id);
	int rc = bf_live_ask(r, &held, err, "HGETALL", key, NULL);
	size_t n = bf_redis_count(held) / 2;
	if (rc == 0)
		v->running = bf_realloc_array(v->running, v->n_running + n + 1, sizeof(*v->running));
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct bf_job_name name;
		struct bf_view_running job = {.started_ms = bf_redis_int(bf_redis_at(held, 2 * i + 1))};
		if (bf_job_name_parse(bf_redis_text(bf_redis_at(held, 2 * i)), &name) < 0 || strlen(v->run) != (size_t)name.run_len ||
			strncmp(name.run, v->run, (size_t)name.run_len) != 0)
			continue;
		(void)snprintf(job.step, sizeof(job.step), "%.*s", name.step_len, name.step);
		job.chunk = bf_strndup(name.chunk, (size_t)name.chunk_len);
		job.worker = bf_strdup(w->id);
		job.note = bf_strdup("");
		v->running[v->n_running] = job;
		place(v, &v->running[v->n_running++]);
	}
	return rc;
}

static int load_from_queue(struct bf_redis *r, const char *run, struct bf_view *v, struct bf_error *err)
{
	BF_AUTOREPLY struct bf_redis_reply *hash = NULL;
	BF_AUTOFREE char *key = bf_asprintf("bf:run:%s", run);
	int rc = bf_live_ask(r, &hash, err, "HGETALL", key, NULL);
	if (rc == 0 && *bf_live_field(hash, "state") == '\0')
		rc = bf_fail(err, BF_E_UNAVAILABLE, "Redis knows no run %s, and PostgreSQL, which knows all of them, cannot be read", run);
	if (rc < 0)
		return rc;
	(void)snprintf(v->run, sizeof(v->run), "%s", run);
	(void)snprintf(v->pipeline, sizeof(v->pipeline), "%s", bf_live_field(hash, "pipeline"));
	(void)snprintf(v->since, sizeof(v->since), "%s", bf_live_field(hash, "since"));
	(void)snprintf(v->until, sizeof(v->until), "%s", bf_live_field(hash, "until"));
	(void)snprintf(v->state, sizeof(v->state), "%s", bf_live_field(hash, "state"));
	(void)snprintf(v->queue, sizeof(v->queue), "%s", bf_live_field(hash, "queue"));
	v->params = bf_strdup("");
	v->requested_by = bf_strdup("");
	v->note = bf_strdup("");
	v->held = bf_strdup("");
	v->closed_by = bf_strdup("");
	v->closed_note = bf_strdup("");
	v->superseded_by = bf_strdup("");
	v->again = bf_strdup("");
	v->concurrency = bf_live_number(hash, "concurrency");
	v->now_ms = v->live_known ? v->live.now_ms : bf_wall_ms();
	for (const char *at = bf_live_field(hash, "steps"); rc == 0 && *at && v->n_steps < BF_STEPS_MAX; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");
		rc = read_live_step(r, v, at, len, err);
		at += len;
	}
	for (size_t i = 0; rc == 0 && i < v->live.n; i++)
		rc = read_held(r, v, &v->live.workers[i], err);
	return rc;
}

int bf_view_load(struct bf_look *l, const char *run, struct bf_view *v, struct bf_error *err)
{
	int rc = 0;
	*v = (struct bf_view){.n_steps = 0};
	if (!l->pg && !l->redis)
		return bf_fail(err, BF_E_UNAVAILABLE, "neither PostgreSQL nor Redis can be read");
	if (l->redis) {
		rc = bf_live_load(l->redis, &v->live, err);
		if (rc < 0 && (!l->pg || !bf_redis_alive(l->redis)))
			return rc;
		v->live_known = rc == 0 && v->live.whole;
	}
	rc = l->pg ? load_from_ledger(l->pg, run, v, err) : load_from_queue(l->redis, run, v, err);
	if (rc < 0)
		bf_view_release(v);
	else
		sum_up(v);
	return rc;
}

void bf_view_release(struct bf_view *v)
{
	for (int i = 0; i < v->n_steps; i++) {
		free(v->steps[i].needs);
		free(v->steps[i].review);
		free(v->steps[i].hole_first);
		free(v->steps[i].hole_last);
		free(v->steps[i].taken_by);
	}
	for (size_t i = 0; i < v->n_running; i++) {
		free(v->running[i].chunk);
		free(v->running[i].worker);
		free(v->running[i].note);
	}
	free(v->running);
	free(v->requested_by);
	free(v->note);
	free(v->held);
	free(v->closed_by);
	free(v->closed_note);
	free(v->superseded_by);
	free(v->again);
	free(v->params);
	free(v->last_error.step);
	free(v->last_error.chunk);
	free(v->last_error.category);
	free(v->last_error.text);
	free(v->last_error.said);
	free(v->last_error.job_state);
	free(v->put_off.step);
	free(v->put_off.chunk);
	free(v->put_off.why);
	bf_live_release(&v->live);
	*v = (struct bf_view){.n_steps = 0};
}
