/* Chunks that wait for chunks ("wait_for": "chunk") which this run will not do. */
#include "base/mem.h"
#include "core/plan_internal.h"

static int by_first(const void *a, const void *b)
{
	const struct bf_span *x = a, *y = b;
	return (x->first > y->first) - (x->first < y->first);
}

/* What a step would wait for, and this run will not do because it failed before or another run holds it, it does not do, either: else it
 * would be built without it. */
static void leave_out_blocked(const struct bf_plan_ask *ask, struct bf_step_plan *s, const struct bf_step_plan *need)
{
	struct bf_span *before = s->missing;
	size_t n = s->n_missing, b = 0;
	struct bf_skip blocked = {.reason = BF_SKIP_BLOCKED, .lacking = need->step->name};
	s->missing = NULL;
	s->n_missing = 0;
	qsort(need->not_there, need->n_not_there, sizeof(*need->not_there), by_first);
	for (size_t i = 0; i < n; i++) {
		int32_t next = before[i].first;
		for (; b < need->n_not_there && need->not_there[b].first <= before[i].last; b++) {
			struct bf_span reach = {need->not_there[b].first, bf_plan_reach(ask, need->not_there[b].last, s->step->lookback)};
			struct bf_span hit = {reach.first > next ? reach.first : next, reach.last < before[i].last ? reach.last : before[i].last};
			if (hit.first <= hit.last) {
				bf_plan_add_missing(s, next, hit.first - 1);
				bf_plan_add_not_there(s, hit);
				blocked.within.first = blocked.count == 0 ? hit.first : blocked.within.first;
				blocked.within.last = hit.last;
				blocked.count += hit.last - hit.first + 1;
				next = hit.last + 1;
			}
			if (reach.last > before[i].last) /* it may reach into the next one, too */
				break;
		}
		bf_plan_add_missing(s, next, before[i].last);
	}
	free(before);
	if (blocked.count == 0)
		return;
	s->skips = bf_realloc_array(s->skips, s->n_skips + 1, sizeof(*s->skips));
	s->skips[s->n_skips++] = blocked;
}

void bf_plan_block(const struct bf_plan_ask *ask, struct bf_plan *plan, int i, bool *seen)
{
	struct bf_step_plan *s = &plan->steps[i];
	if (seen[i])
		return;
	seen[i] = true;
	for (size_t n = 0; n < s->n_needs; n++) {
		if (!s->chunkwise[n])
			continue;
		bf_plan_block(ask, plan, s->needs[n], seen);
		if (plan->steps[s->needs[n]].n_not_there > 0)
			leave_out_blocked(ask, s, &plan->steps[s->needs[n]]);
	}
}
