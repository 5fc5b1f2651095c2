#include "look/outlook.h"
#include "look/view.h"

static void add_jobs(struct bf_json *j, const struct bf_view_jobs *jobs)
{
	bf_json_int(j, "planned", jobs->planned);
	bf_json_int(j, "pending", jobs->pending);
	bf_json_int(j, "running", jobs->running);
	bf_json_int(j, "lost", jobs->lost);
	bf_json_int(j, "done", jobs->done);
	bf_json_int(j, "failed", jobs->failed);
	bf_json_int(j, "skipped", jobs->skipped);
	bf_json_int(j, "cancelled", jobs->cancelled);
	bf_json_int(j, "undone", jobs->undone);
	bf_json_int(j, "taken", jobs->taken);
}

/* How many of how many days or keys have a job; null where no limit has left any. */
static void add_limited(struct bf_json *j, const struct bf_view_step *s)
{
	if (!s) {
		bf_json_null(j, "limited");
		return;
	}
	bf_json_object(j, "limited");
	bf_json_int(j, "planned", s->limited);
	bf_json_int(j, "asked", s->asked);
	bf_json_close(j);
}

static void add_steps(struct bf_json *j, const struct bf_view *v)
{
	bf_json_array(j, "steps");
	for (int i = 0; i < v->n_steps; i++) {
		const struct bf_view_step *s = &v->steps[i];
		bf_json_object(j, NULL);
		bf_json_text(j, "step", s->step);
		bf_json_text_or_null(j, "kind", s->kind);
		bf_json_text_or_null(j, "state", s->state);
		add_jobs(j, &s->jobs);
		bf_json_time(j, "started_at", s->started_ms);
		bf_json_time(j, "finished_at", s->finished_ms);
		bf_json_time(j, "asked_at", s->asked_ms);
		bf_json_time(j, "deadline", s->deadline_ms);
		bf_json_text_or_null(j, "on_timeout", s->deadline_ms == 0 ? NULL : s->approve_on_timeout ? "approve" : "reject");
		bf_json_text_or_null(j, "review", s->review);
		bf_json_int(j, "over_hole", s->over_hole);
		add_limited(j, s->asked > 0 ? s : NULL);
		bf_json_text_or_null(j, "taken_by", s->taken_by);
		bf_json_close(j);
	}
	bf_json_close(j);
}

static void add_running(struct bf_json *j, const struct bf_view *v)
{
	bf_json_array(j, "running");
	for (size_t i = 0; i < v->n_running; i++) {
		const struct bf_view_running *r = &v->running[i];
		bf_json_object(j, NULL);
		bf_json_text(j, "step", r->step);
		bf_json_text(j, "chunk", r->chunk);
		bf_json_text_or_null(j, "worker", r->worker);
		bf_json_text_or_null(j, "host", r->at ? r->at->host : NULL);
		if (v->live_known)
			bf_json_bool(j, "lost", r->lost);
		else
			bf_json_null(j, "lost");
		bf_json_time(j, "started_at", r->started_ms);
		bf_json_int(j, "progress_done", r->progress_done);
		bf_json_int(j, "progress_total", r->progress_total);
		bf_json_text_or_null(j, "note", r->note);
		bf_json_close(j);
	}
	bf_json_close(j);
}

static void add_last_error(struct bf_json *j, const struct bf_view_error *e)
{
	if (!e->step) {
		bf_json_null(j, "last_error");
		return;
	}
	bf_json_object(j, "last_error");
	bf_json_text(j, "step", e->step);
	bf_json_text(j, "chunk", e->chunk);
	bf_json_text_or_null(j, "category", e->category);
	bf_json_text(j, "error", e->text);
	bf_json_text_or_null(j, "said", e->said);
	bf_json_text_or_null(j, "job_state", e->job_state);
	bf_json_time(j, "at", e->at_ms);
	bf_json_close(j);
}

static void add_put_off(struct bf_json *j, const struct bf_view_put_off *p)
{
	if (p->jobs == 0) {
		bf_json_null(j, "put_off");
		return;
	}
	bf_json_object(j, "put_off");
	bf_json_int(j, "jobs", p->jobs);
	bf_json_text(j, "step", p->step);
	bf_json_text(j, "chunk", p->chunk);
	bf_json_int(j, "times", p->times);
	bf_json_time(j, "since", p->since_ms);
	bf_json_text(j, "why", p->why);
	bf_json_close(j);
}

static void add_workers(struct bf_json *j, const struct bf_view *v)
{
	if (!v->live_known) {
		bf_json_null(j, "workers");
		return;
	}
	bf_json_object(j, "workers");
	bf_json_int(j, "alive", v->live.alive);
	bf_json_int(j, "slots", v->live.slots);
	bf_json_int(j, "busy", v->live.busy);
	bf_json_close(j);
}

void bf_view_json(struct bf_json *j, const struct bf_view *v)
{
	int64_t eta = bf_view_active(v->state) ? bf_view_eta(v) : 0;
	bf_json_text(j, "run", v->run);
	bf_json_text_or_null(j, "pipeline", v->pipeline);
	bf_json_text(j, "state", v->state);
	bf_json_text_or_null(j, "since", v->since);
	bf_json_text_or_null(j, "until", v->until);
	bf_json_text_or_null(j, "queue", v->queue);
	bf_json_text_or_null(j, "requested_by", v->requested_by);
	bf_json_text_or_null(j, "note", v->note);
	bf_json_raw(j, "params", v->params);
	bf_json_bool(j, "trial", v->trial);
	bf_json_time(j, "closed_at", v->closed_ms);
	bf_json_text_or_null(j, "closed_by", v->closed_by);
	bf_json_text_or_null(j, "closed_note", v->closed_note);
	bf_json_text_or_null(j, "superseded_by", v->superseded_by);
	add_limited(j, bf_view_limited(v));
	bf_json_text_or_null(j, "held_reason", v->held);
	bf_json_time(j, "held_since", v->held_since_ms);
	bf_json_text(j, "source", v->from_ledger ? "ledger" : "queue");
	bf_json_time(j, "created_at", v->created_ms);
	bf_json_time(j, "started_at", v->started_ms);
	bf_json_time(j, "finished_at", v->finished_ms);
	bf_json_object(j, "jobs");
	add_jobs(j, &v->jobs);
	bf_json_close(j);
	bf_json_number(j, "jobs_per_second", v->per_second);
	if (eta < 0)
		bf_json_null(j, "eta_ms");
	else
		bf_json_int(j, "eta_ms", eta);
	bf_json_text_or_null(j, "eta_until", bf_view_eta_until(v));
	bf_json_bool(j, "stalled", bf_view_stalled(v));
	bf_json_time(j, "stalled_since", bf_view_stalled(v) ? bf_unserved_since(&v->live, v->queue, v->active_ms) : 0);
	add_steps(j, v);
	add_running(j, v);
	add_last_error(j, &v->last_error);
	add_put_off(j, &v->put_off);
	add_workers(j, v);
}
