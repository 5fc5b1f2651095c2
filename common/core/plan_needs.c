/* What is known not to be there of what this run does not plan and its steps are made of: steps that are left out, and what lies before the
 * first day (key) that is asked for, where something looks back at it. Known is what some run was asked for and none has done, and what a
 * step's own data does not show; what nobody was ever asked for is taken for there. */
#include "base/mem.h"
#include "core/gaps.h"
#include "core/plan_internal.h"

/* How many days, or keys, before its own each step is looked back at by those that come after it, in any number of steps. */
static void find_reach(const struct bf_plan_ask *ask, int *reach)
{
	const struct bf_pipeline *p = ask->pipeline;
	for (bool moved = true; moved;) {
		moved = false;
		for (int i = 0; i < p->n_steps; i++) {
			const struct bf_step *s = &p->steps[i];
			for (size_t k = 0; k < s->n_needs; k++) {
				if (reach[s->needs[k]] >= reach[i] + s->lookback)
					continue;
				reach[s->needs[k]] = reach[i] + s->lookback;
				moved = true;
			}
		}
	}
}

/* Whether a step that is planned comes after each. */
static void find_used(const struct bf_plan_ask *ask, bool *used)
{
	const struct bf_pipeline *p = ask->pipeline;
	for (bool moved = true; moved;) {
		moved = false;
		for (int i = 0; i < p->n_steps; i++) {
			const struct bf_step *s = &p->steps[i];
			for (size_t k = 0; (used[i] || !ask->left_out[i]) && k < s->n_needs; k++) {
				moved = moved || !used[s->needs[k]];
				used[s->needs[k]] = true;
			}
		}
	}
}

static void look_release(struct bf_step_plan *seen)
{
	free(seen->missing);
	free(seen->skips);
	free(seen->lacks);
}

static int look_once(struct bf_pg *pg, const struct bf_plan_ask *ask, const struct bf_step *step, bool only_ledger,
					 struct bf_step_plan *seen, struct bf_error *err)
{
	*seen = (struct bf_step_plan){.only_lacks = true, .only_ledger = only_ledger};
	bf_plan_shape(ask, step, seen);
	return bf_plan_look_at(pg, ask, seen, err);
}

/* `ask`: as it was asked, but for the days or keys. The step's data is asked only about what the ledger has as a lack: it may have been put
 * there by other means. */
static int look(struct bf_pg *pg, const struct bf_plan_ask *ask, const struct bf_step *step, struct bf_step_plan *seen,
				struct bf_error *err)
{
	struct bf_plan_ask all = *ask;
	all.left_out[step->ordinal] = false;
	all.reprocess = BF_REPROCESS_NONE;
	int rc = look_once(pg, &all, step, true, seen, err);
	if (rc < 0 || seen->n_lacks == 0 || !bf_step_has_gaps(step))
		return rc;
	look_release(seen);
	return look_once(pg, &all, step, false, seen, err);
}

static int look_at_left_out(struct bf_pg *pg, const struct bf_plan_ask *ask, const struct bf_step *step, struct bf_step_plan *out,
							struct bf_error *err)
{
	struct bf_step_plan seen;
	int rc = look(pg, ask, step, &seen, err);
	for (size_t i = 0; rc == 0 && i < seen.n_lacks; i++)
		bf_plan_add_lack(out, seen.lacks[i]);
	look_release(&seen);
	return rc;
}

static int look_at_days_before(struct bf_pg *pg, const struct bf_plan_ask *ask, const struct bf_step *step, int reach,
							   struct bf_step_plan *out, struct bf_error *err)
{
	struct bf_plan_ask before = *ask;
	before.since = ask->since - reach;
	before.until = ask->since - 1;
	return look_at_left_out(pg, &before, step, out, err);
}

/* ---- keys: their places are those in the list of what is asked for ---- */

static size_t place_in_whole(const struct bf_plan_ask *ask, size_t place)
{
	size_t at = 0;
	(void)bf_keys_find(ask->all_keys, bf_keys_at(ask->keys, place), &at);
	return at;
}

/* The keys before those that are asked for, each once. */
static int keys_before(const struct bf_plan_ask *ask, size_t reach, struct bf_keys *out, struct bf_error *err)
{
	size_t done = 0;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < ask->keys->count; i++) {
		size_t at = place_in_whole(ask, i);
		for (size_t b = at > done + reach ? at - reach : done; rc == 0 && b < at; b++)
			rc = bf_keys_add(out, bf_keys_at(ask->all_keys, b), strlen(bf_keys_at(ask->all_keys, b)), err);
		done = at + 1;
	}
	return rc;
}

/* Those that are asked for and look back at the key at this place of the whole list. */
static struct bf_span looks_back(const struct bf_plan_ask *ask, size_t whole, size_t reach)
{
	size_t low = 0, high = ask->keys->count, end;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (place_in_whole(ask, middle) > whole)
			high = middle;
		else
			low = middle + 1;
	}
	for (end = low; end < ask->keys->count && place_in_whole(ask, end) <= whole + reach; end++)
		continue;
	return (struct bf_span){(int32_t)low, (int32_t)end - 1};
}

static void add_keys_before(const struct bf_plan_ask *ask, const struct bf_keys *keys, const struct bf_lack *l, size_t reach,
							struct bf_step_plan *out)
{
	for (int32_t k = l->span.first; k <= l->span.last; k++) {
		struct bf_lack one = *l;
		size_t whole = 0;
		(void)bf_keys_find(ask->all_keys, bf_keys_at(keys, (size_t)k), &whole);
		one.span = looks_back(ask, whole, reach);
		one.before = true;
		if (one.span.first <= one.span.last)
			bf_plan_add_lack(out, one);
	}
}

static int look_at_keys_before(struct bf_pg *pg, const struct bf_plan_ask *ask, const struct bf_step *step, int reach,
							   struct bf_step_plan *out, struct bf_error *err)
{
	struct bf_plan_ask before = *ask;
	struct bf_step_plan seen = {.jobs = 0};
	struct bf_keys keys;
	bf_keys_init(&keys);
	int rc = ask->keys == ask->all_keys ? 0 : keys_before(ask, (size_t)reach, &keys, err);
	before.keys = &keys;
	if (rc == 0 && keys.count > 0)
		rc = look(pg, &before, step, &seen, err);
	for (size_t i = 0; rc == 0 && i < seen.n_lacks; i++)
		add_keys_before(ask, &keys, &seen.lacks[i], (size_t)reach, out);
	look_release(&seen);
	bf_keys_release(&keys);
	return rc;
}

int bf_plan_look_before(struct bf_pg *pg, const struct bf_plan_ask *ask, struct bf_plan *plan, struct bf_error *err)
{
	const struct bf_pipeline *p = ask->pipeline;
	int reach[BF_STEPS_MAX] = {0}, rc = 0;
	bool used[BF_STEPS_MAX] = {false};
	find_reach(ask, reach);
	find_used(ask, used);
	for (int i = 0; rc == 0 && i < p->n_steps; i++) {
		const struct bf_step *step = &p->steps[i];
		if (step->per == BF_PER_RUN || !used[i] || ask->waived[i])
			continue;
		if (ask->left_out[i])
			rc = look_at_left_out(pg, ask, step, &plan->steps[i], err);
		if (rc == 0 && reach[i] > 0 && ask->keys)
			rc = look_at_keys_before(pg, ask, step, reach[i], &plan->steps[i], err);
		else if (rc == 0 && reach[i] > 0)
			rc = look_at_days_before(pg, ask, step, reach[i], &plan->steps[i], err);
	}
	return rc;
}
