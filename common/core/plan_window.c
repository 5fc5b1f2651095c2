/* Which jobs of the steps before it each job of a step waits for ("wait_for": "chunk"): those that cover the chunk and what it looks back
 * at. Both sides come in the same order, so each window begins and ends at or behind the one before. */
#include "base/mem.h"
#include "core/plan_internal.h"

/* One end of a window: how many of the need's chunks lie before it. */
struct edge {
	struct bf_cut cut;
	struct bf_span next;
	bool more;
	int64_t passed;
};

struct need {
	struct edge first, beyond;
};

struct bf_windows {
	const struct bf_plan_ask *ask;
	bool descending;
	int lookback; /* days, or places of keys */
	size_t n;
	struct need needs[];
};

/* Days as they are; of keys, the places in the whole list, for it is looked back there, too. */
static struct bf_span in_whole(const struct bf_plan_ask *ask, struct bf_span chunk)
{
	size_t place = 0;
	if (!ask->keys || ask->keys == ask->all_keys)
		return chunk;
	(void)bf_keys_find(ask->all_keys, bf_keys_at(ask->keys, (size_t)chunk.first), &place);
	return (struct bf_span){(int32_t)place, (int32_t)place};
}

int32_t bf_plan_reach(const struct bf_plan_ask *ask, int32_t place, int lookback)
{
	if (!ask->keys || ask->keys == ask->all_keys)
		return place + lookback;
	int32_t last = place, whole = in_whole(ask, (struct bf_span){place, place}).first + lookback;
	while ((size_t)last + 1 < ask->keys->count && in_whole(ask, (struct bf_span){last + 1, last + 1}).first <= whole)
		last++;
	return last;
}

static void go_on(const struct bf_plan_ask *ask, struct edge *e)
{
	struct bf_span chunk;
	e->more = bf_cut_next(&e->cut, &chunk);
	if (e->more)
		e->next = in_whole(ask, chunk);
}

static struct edge edge_of(const struct bf_plan_ask *ask, const struct bf_step_plan *need)
{
	struct edge e = {.cut = bf_plan_cut(ask, need)};
	go_on(ask, &e);
	return e;
}

static void pass(const struct bf_plan_ask *ask, struct edge *e)
{
	e->passed++;
	go_on(ask, e);
}

struct bf_windows *bf_windows_new(const struct bf_plan_ask *ask, const struct bf_plan *plan, const struct bf_step_plan *step)
{
	struct bf_windows *w = bf_alloc(sizeof(*w) + step->n_needs * sizeof(w->needs[0]));
	w->ask = ask;
	w->descending = step->order == BF_ORDER_DESC;
	w->lookback = step->step->lookback;
	for (size_t i = 0; i < step->n_needs; i++) {
		const struct bf_step_plan *need = &plan->steps[step->needs[i]];
		if (step->chunkwise[i])
			w->needs[w->n++] = (struct need){edge_of(ask, need), edge_of(ask, need)};
	}
	return w;
}

void bf_windows_next(struct bf_windows *w, struct bf_span picked, struct bf_buf *out)
{
	struct bf_span chunk = in_whole(w->ask, picked);
	bf_date first = chunk.first - w->lookback;
	bf_buf_addch(out, '{');
	for (size_t i = 0; i < w->n; i++) {
		struct edge *from = &w->needs[i].first, *beyond = &w->needs[i].beyond;
		while (from->more && (w->descending ? from->next.first > chunk.last : from->next.last < first))
			pass(w->ask, from);
		while (beyond->more && (w->descending ? beyond->next.last >= first : beyond->next.first <= chunk.last))
			pass(w->ask, beyond);
		bf_buf_printf(out, "%s\"[%lld,%lld)\"", i ? "," : "", (long long)from->passed + 1, (long long)beyond->passed + 1);
	}
	bf_buf_addch(out, '}');
}

void bf_windows_free(struct bf_windows *w)
{
	for (size_t i = 0; i < w->n; i++) {
		bf_cut_release(&w->needs[i].first.cut);
		bf_cut_release(&w->needs[i].beyond.cut);
	}
	free(w);
}
