#include "core/plan.h"

#include "base/mem.h"
#include "bf_sql.h"
#include "core/plan_internal.h"

#define NAME_TRIES   5
#define RANDOM_CHARS 6

const char *bf_reprocess_name(enum bf_reprocess r)
{
	static const char *const names[] = {"none", "failed", "completed", "stale"};
	return names[r];
}

const char *bf_skip_reason_name(enum bf_skip_reason r)
{
	static const char *const names[] = {"done", "failed", "held", "present", "blocked", "open", "limit", "stale"};
	return names[r];
}

void bf_plan_release(struct bf_plan *p)
{
	for (int i = 0; i < p->n_steps; i++) {
		free(p->steps[i].missing);
		free(p->steps[i].wanted);
		free(p->steps[i].skips);
		free(p->steps[i].lacks);
	}
	free(p->steps);
	*p = (struct bf_plan){.n_steps = 0};
}

char *bf_plan_chunk_text(const struct bf_plan_ask *ask, struct bf_span chunk, char out[static BF_CHUNK_MAX + 1])
{
	if (ask->keys) {
		snprintf(out, BF_CHUNK_MAX + 1, "%s", bf_keys_at(ask->keys, (size_t)chunk.first));
		return out;
	}
	return bf_range_format(chunk.first, chunk.last, out);
}

void bf_plan_add_params(struct bf_pg_params *p, const struct bf_plan_ask *ask, bool only_identity)
{
	const struct bf_pipeline *pipeline = ask->pipeline;
	bf_pg_array_begin(p);
	for (size_t i = 0; i < pipeline->n_params; i++)
		if (!only_identity || pipeline->params[i].identity)
			bf_pg_array_text(p, pipeline->params[i].name);
	bf_pg_array_end(p);
	bf_pg_array_begin(p);
	for (size_t i = 0; i < pipeline->n_params; i++)
		if (!only_identity || pipeline->params[i].identity)
			bf_pg_array_text(p, ask->param_values[i]);
	bf_pg_array_end(p);
}

/* ---- the steps' shape ---- */

static enum bf_order order_of(const struct bf_plan_ask *ask, const struct bf_step *s)
{
	return ask->has_order && !s->has_order && s->per == BF_PER_CHUNK ? ask->order : s->order;
}

/* One that is reached by several ways is waited for as a whole, unless all of them are chunkwise. */
static void add_need(struct bf_step_plan *out, int need, bool chunkwise)
{
	size_t at = 0;
	while (at < out->n_needs && out->needs[at] != need)
		at++;
	if (at == out->n_needs)
		out->needs[out->n_needs++] = need;
	else
		chunkwise = chunkwise && out->chunkwise[at];
	out->chunkwise[at] = chunkwise;
}

/* What a step needs, through steps that are left out; and through those for whose chunks it waits, what these wait for by chunks: they may
 * have nothing to do at a chunk that the ones before them do again. `seen`: those that were, by a way that was not chunkwise (0) or was
 * (1). */
static void add_needs(const struct bf_plan_ask *ask, const struct bf_step *s, bool chunkwise, bool only_chunkwise,
					  bool seen[2][BF_STEPS_MAX], struct bf_step_plan *out)
{
	chunkwise = chunkwise && s->wait_for_chunk;
	for (size_t i = 0; i < s->n_needs; i++) {
		int need = s->needs[i];
		const struct bf_step *step = &ask->pipeline->steps[need];
		bool by_chunk = chunkwise && step->per == BF_PER_CHUNK;
		bool there = !ask->left_out[need];
		if (seen[by_chunk][need] || (only_chunkwise && !by_chunk))
			continue;
		seen[by_chunk][need] = true;
		if (there)
			add_need(out, need, by_chunk);
		if (!there || by_chunk)
			add_needs(ask, step, by_chunk, there || only_chunkwise, seen, out);
	}
}

void bf_plan_shape(const struct bf_plan_ask *ask, const struct bf_step *s, struct bf_step_plan *out)
{
	bool seen[2][BF_STEPS_MAX] = {{false}};
	out->step = s;
	out->left_out = ask->left_out[s->ordinal];
	if (out->left_out)
		return;
	bool own_days = ask->batch_days && !s->has_chunk && !ask->keys;
	out->unit = ask->keys || own_days ? BF_UNIT_DAY : s->chunk.unit;
	out->size = ask->keys ? 1 : own_days ? ask->batch_days : s->chunk.size;
	out->order = order_of(ask, s);
	add_needs(ask, s, true, false, seen, out);
}

/* --order must not turn one of two steps that go side by side, and leave the other as it is. */
static int check_chunkwise(const struct bf_plan_ask *ask, const struct bf_step *s, struct bf_error *err)
{
	static const char *const names[] = {[BF_ORDER_ASC] = "asc", [BF_ORDER_DESC] = "desc"};
	struct bf_step_plan shape = {.jobs = 0};
	bf_plan_shape(ask, s, &shape);
	for (size_t i = 0; i < shape.n_needs; i++) {
		const struct bf_step *need = &ask->pipeline->steps[shape.needs[i]];
		if (shape.chunkwise[i] && order_of(ask, need) != shape.order)
			return bf_fail(
				err, BF_E_INPUT,
				"--order: found %s, but then step %s goes %s and step %s, for whose chunks it waits, %s; expected no --order, or "
				"--skip=%s",
				names[ask->order], s->name, names[shape.order], need->name, names[order_of(ask, need)], s->name);
	}
	return 0;
}

int bf_plan_check(const struct bf_plan_ask *ask, struct bf_error *err)
{
	bool any = false;
	for (int i = 0; i < ask->pipeline->n_steps; i++) {
		const struct bf_step *s = &ask->pipeline->steps[i];
		any = any || !ask->left_out[i];
		if (ask->left_out[i])
			continue;
		if (s->lookback > 0 && order_of(ask, s) == BF_ORDER_DESC)
			return bf_fail(err, BF_E_INPUT,
						   "--order: found desc, but step %s looks back %d %s, so it must go forward; expected asc, or --skip=%s", s->name,
						   s->lookback, s->chunk.by_key ? "keys" : "days", s->name);
		int rc = check_chunkwise(ask, s, err);
		if (rc < 0)
			return rc;
	}
	return any ? 0 : bf_fail(err, BF_E_INPUT, "--only and --skip leave no step to run");
}

struct bf_cut bf_plan_cut(const struct bf_plan_ask *ask, const struct bf_step_plan *step)
{
	return (struct bf_cut){.spans = step->missing,
						   .n_spans = step->n_missing,
						   .unit = step->unit,
						   .size = step->size,
						   .order = step->order,
						   .limit = ask->limit};
}

/* How many chunks there are, which are the first and the last, and which days they cover; how much is missing, and how much of it they
 * have. */
static void count_chunks(const struct bf_plan_ask *ask, struct bf_step_plan *s, struct bf_span *covered)
{
	struct bf_cut cut = bf_plan_cut(ask, s);
	struct bf_span chunk, last = {0, 0};
	for (size_t i = 0; i < s->n_wanted; i++)
		s->asked += s->wanted[i].last - s->wanted[i].first + 1;
	while (bf_cut_next(&cut, &chunk)) {
		s->planned += chunk.last - chunk.first + 1;
		s->asked += ask->limit ? 0 : chunk.last - chunk.first + 1;
		if (s->jobs++ == 0)
			bf_plan_chunk_text(ask, chunk, s->first);
		covered->first = chunk.first < covered->first ? chunk.first : covered->first;
		covered->last = chunk.last > covered->last ? chunk.last : covered->last;
		last = chunk;
	}
	bf_cut_release(&cut);
	if (s->jobs > 0)
		bf_plan_chunk_text(ask, last, s->last);
}

bool bf_plan_is_trial(const struct bf_plan_ask *ask)
{
	for (size_t i = 0; i < ask->pipeline->n_params; i++) {
		const struct bf_param *p = &ask->pipeline->params[i];
		if (p->trial && strcmp(p->default_value, ask->param_values[i]) != 0)
			return true;
	}
	return false;
}

/* The steps per run: one job each, if there is anything else to do, or nothing else at all. */
static void plan_whole(const struct bf_plan_ask *ask, struct bf_plan *plan, bool chunked)
{
	for (int i = 0; i < plan->n_steps; i++) {
		struct bf_step_plan *s = &plan->steps[i];
		if (s->left_out || s->step->per != BF_PER_RUN || s->blocked || (chunked && plan->jobs == 0))
			continue;
		s->jobs = 1;
		if (ask->keys)
			snprintf(s->first, sizeof(s->first), "all");
		else
			bf_range_format(plan->whole.first, plan->whole.last, s->first);
		memcpy(s->last, s->first, sizeof(s->last));
	}
}

int bf_plan_look(struct bf_pg *pg, const struct bf_plan_ask *ask, struct bf_plan *out, struct bf_error *err)
{
	struct bf_span covered = {INT32_MAX, INT32_MIN};
	bool chunked = false;
	int rc = bf_plan_check_body(pg, ask->pipeline, err);
	if (rc < 0)
		return rc;
	out->n_steps = ask->pipeline->n_steps;
	out->steps = bf_alloc((size_t)out->n_steps * sizeof(*out->steps));
	for (int i = 0; rc == 0 && i < out->n_steps; i++) {
		struct bf_step_plan *s = &out->steps[i];
		bf_plan_shape(ask, &ask->pipeline->steps[i], s);
		if (s->left_out || s->step->per == BF_PER_RUN)
			continue;
		chunked = true;
		rc = bf_plan_look_at(pg, ask, s, err);
		if (rc == 0)
			rc = bf_plan_check_warmup(pg, ask, s, err);
	}
	if (rc == 0)
		rc = bf_plan_look_before(pg, ask, out, err);
	if (rc < 0)
		return rc;
	bf_plan_block(ask, out);
	for (int i = 0; i < out->n_steps; i++) {
		struct bf_step_plan *s = &out->steps[i];
		if (!s->left_out && s->step->per == BF_PER_CHUNK)
			count_chunks(ask, s, &covered);
		out->jobs += s->jobs;
	}
	bool part = ask->limit && covered.first <= covered.last;
	out->whole = part ? covered : (struct bf_span){ask->since, ask->until};
	plan_whole(ask, out, chunked);
	out->jobs = 0;
	for (int i = 0; i < out->n_steps; i++)
		out->jobs += out->steps[i].jobs;
	return 0;
}

int bf_plan_failed_checks(struct bf_pg *pg, const struct bf_plan_ask *ask, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params p;
	char since[BF_DATE_TEXT], until[BF_DATE_TEXT];
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, ask->pipeline->name);
	bf_plan_add_params(&p, ask, true);
	bf_pg_add_text(&p, ask->keys ? NULL : bf_date_format(ask->since, since));
	bf_pg_add_text(&p, ask->keys ? NULL : bf_date_format(ask->until, until));
	int rc = bf_pg_exec(pg, &bf_sql_plan_failed_checks, &p, out, err);
	bf_pg_params_release(&p);
	return rc;
}

/* ---- the run ---- */

static bool same_day(const struct bf_pg_result *r, int col, const struct bf_plan_ask *ask, bf_date day)
{
	char text[BF_DATE_TEXT];
	return ask->keys ? bf_pg_null(r, 0, col) : strcmp(bf_pg_text(r, 0, col), bf_date_format(day, text)) == 0;
}

int bf_plan_existing(struct bf_pg *pg, const struct bf_plan_ask *ask, int64_t *planned, struct bf_error *err)
{
	struct bf_pg_params p;
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, ask->run);
	bf_plan_add_params(&p, ask, false);
	int rc = bf_pg_exec(pg, &bf_sql_plan_existing, &p, &r, err);
	bf_pg_params_release(&p);
	*planned = -1;
	if (rc < 0 || bf_pg_rows(r) == 0)
		return rc;
	const char *pipeline = bf_pg_text(r, 0, 0), *since = bf_pg_text(r, 0, 1), *until = bf_pg_text(r, 0, 2);
	if (strcmp(pipeline, ask->pipeline->name) != 0 || !same_day(r, 1, ask, ask->since) || !same_day(r, 2, ask, ask->until))
		return bf_fail(err, BF_E_CONFLICT,
					   "--run-id: run %s exists already, for pipeline %s%s%s%s%s; expected another name, or the same range", ask->run,
					   pipeline, *since ? " and the range " : "", since, *since ? ".." : "", until);
	if (!bf_pg_bool(r, 0, 4))
		return bf_fail(err, BF_E_CONFLICT,
					   "--run-id: run %s exists already, with other parameters; expected another name, or the same parameters", ask->run);
	*planned = bf_pg_int(r, 0, 5);
	return 0;
}

/* `ask` with a name for the run that is free, or the one asked for. */
static void name_run(const struct bf_plan_ask *ask, struct bf_plan *plan)
{
	char random[RANDOM_CHARS + 1];
	bf_text_random(random, RANDOM_CHARS);
	if (ask->run)
		snprintf(plan->run, sizeof(plan->run), "%s", ask->run);
	else
		snprintf(plan->run, sizeof(plan->run), "%s.%s", ask->pipeline->name, random);
}

/* Within the transaction. */
static int plan_in_transaction(struct bf_pg *pg, const struct bf_plan_ask *ask, struct bf_plan *out, enum bf_planned *outcome,
							   struct bf_error *err)
{
	int64_t planned = -1;
	int rc = ask->run ? bf_plan_existing(pg, ask, &planned, err) : 0;
	if (rc < 0)
		return rc;
	if (planned >= 0) {
		*outcome = BF_PLANNED_BEFORE;
		out->jobs = planned;
		return 0;
	}
	rc = bf_plan_look(pg, ask, out, err);
	*outcome = out->jobs > 0 ? BF_PLANNED : BF_PLANNED_NOTHING;
	if (rc == 0 && out->jobs > 0)
		rc = bf_plan_write(pg, ask, out, err);
	return rc;
}

int bf_plan_run(struct bf_pg *pg, const struct bf_plan_ask *ask, struct bf_plan *out, enum bf_planned *outcome, struct bf_error *err)
{
	for (int i = 1;; i++) {
		name_run(ask, out);
		int rc = bf_plan_begin(pg, ask->pipeline->name, ask->patience_ms, err);
		if (rc == 0)
			rc = plan_in_transaction(pg, ask, out, outcome, err);
		if (rc == 0 && *outcome == BF_PLANNED)
			return bf_pg_commit(pg, err);
		bf_pg_rollback(pg);
		if (rc == 0)
			return 0;
		bool ended = rc == -BF_E_SQL && strncmp(err->sqlstate, "57P", 3) == 0; /* our backend was */
		if (ended || rc == -BF_E_UNAVAILABLE || rc == -BF_E_UNKNOWN_OUTCOME) { /* before the COMMIT */
			(void)bf_error_prefix(err, "nothing was planned");
			err->code = BF_E_UNAVAILABLE;
			return -BF_E_UNAVAILABLE;
		}
		/* A run of this name appeared: under the lock of another pipeline, or it was drawn before. The next look sees it. */
		bool taken = rc == -BF_E_SQL && strcmp(err->sqlstate, "23505") == 0;
		if (!taken || i == NAME_TRIES)
			return rc;
		bf_plan_release(out);
	}
}
