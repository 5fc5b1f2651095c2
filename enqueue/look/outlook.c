/*
 * What keeps a run from moving, and how long it takes (outlook.h). From the view's steps, and the workers and leases
 * that Redis knows.
 */
#include "look/outlook.h"

#include "base/clock.h"
#include "base/duration.h"
#include "render/rate.h"

static bool is_open(const struct bf_view_step *s)
{
	return strcmp(s->state, "waiting") == 0 || strcmp(s->state, "released") == 0;
}

static bool is_approval(const struct bf_view_step *s)
{
	return strcmp(s->kind, "approval") == 0;
}

static bool needs(const struct bf_view_step *s, const char *other)
{
	size_t len = strlen(other);
	for (const char *at = s->needs; *at; at += strspn(at, " ")) {
		size_t word = strcspn(at, " ");
		if (word == len && strncmp(at, other, len) == 0)
			return true;
		at += word;
	}
	return false;
}

static bool needs_one_behind(const struct bf_view *v, const bool *behind, int i)
{
	for (int k = 0; k < v->n_steps; k++)
		if (behind[k] && needs(&v->steps[i], v->steps[k].step))
			return true;
	return false;
}

/* Which steps are approvals that are not given, or come behind one. */
static void find_behind(const struct bf_view *v, bool behind[BF_STEPS_MAX])
{
	bool found = true;
	for (int i = 0; i < v->n_steps; i++)
		behind[i] = is_approval(&v->steps[i]) && is_open(&v->steps[i]);
	while (found) {
		found = false;
		for (int i = 0; i < v->n_steps; i++)
			if (!behind[i] && is_open(&v->steps[i]) && needs_one_behind(v, behind, i))
				found = behind[i] = true;
	}
}

const char *bf_view_eta_until(const struct bf_view *v)
{
	for (int i = 0; i < v->n_steps; i++)
		if (is_approval(&v->steps[i]) && is_open(&v->steps[i]))
			return v->steps[i].step;
	return NULL;
}

static int64_t soak_left(const struct bf_view_step *s, int64_t now_ms)
{
	int64_t left = s->soak_ms - (s->released_ms > 0 ? now_ms - s->released_ms : 0);
	return s->soak_ms < 0 ? -1 : left > 0 ? left : 0;
}

static int64_t step_left(const struct bf_view *v, const struct bf_view_step *s)
{
	bool released = strcmp(s->state, "released") == 0;
	double own = released ? bf_view_rate(s->jobs.recent, s->started_ms, v->now_ms) : 0;
	if (!is_open(s) || bf_view_left(&s->jobs) == 0)
		return 0;
	if (strcmp(s->kind, "soak") == 0)
		return soak_left(s, v->now_ms);
	return bf_eta_ms(bf_view_left(&s->jobs), own > 0 ? own : v->per_second);
}

int64_t bf_view_eta(const struct bf_view *v)
{
	bool behind[BF_STEPS_MAX];
	int64_t slowest = 0, after = 0;
	if (bf_view_stalled(v) || *v->held)
		return -1;
	find_behind(v, behind);
	for (int i = 0; i < v->n_steps; i++) {
		const struct bf_view_step *s = &v->steps[i];
		int64_t left = behind[i] ? 0 : step_left(v, s);
		if (left < 0)
			return -1;
		if (strcmp(s->state, "released") != 0)
			after += left;
		else if (left > slowest)
			slowest = left;
	}
	return slowest + after;
}

void bf_view_eta_text(struct bf_buf *out, const struct bf_view *v)
{
	const char *until = bf_view_eta_until(v);
	int64_t eta = bf_view_eta(v);
	char left[BF_DURATION_TEXT];
	if (strcmp(v->state, "running") != 0 || eta < 1000)
		return;
	bf_buf_printf(out, "about %s left", bf_duration_human(eta, left));
	if (until)
		bf_buf_printf(out, " until %s is asked", until);
}

/* ---- nobody there ---- */

bool bf_view_stalled(const struct bf_view *v)
{
	bool moves = strcmp(v->state, "queued") == 0 || strcmp(v->state, "running") == 0 || strcmp(v->state, "stopping") == 0;
	return v->live_known && moves && bf_view_left(&v->jobs) > 0 && bf_live_serving(&v->live, v->queue) == 0;
}

int64_t bf_unserved_since(const struct bf_live *live, const char *queue, int64_t active_ms)
{
	int64_t since = active_ms;
	for (size_t i = 0; i < live->n; i++) {
		const struct bf_live_worker *w = &live->workers[i];
		int64_t end = live->now_ms + w->lease_ms;
		if (!w->alive && bf_live_names_queue(w, queue) && end > since && end <= live->now_ms)
			since = end;
	}
	return since;
}

void bf_unserved_text(struct bf_buf *out, const char *queue, int64_t since_ms, int64_t now_ms)
{
	char time[BF_TIME_TEXT];
	bf_buf_printf(out, "no worker for queue %s", queue);
	if (since_ms <= 0)
		return;
	bf_buf_printf(out, " since %.19sZ (", bf_time_format(since_ms, time));
	bf_look_ago(out, now_ms, since_ms);
	bf_buf_addstr(out, ")");
}
