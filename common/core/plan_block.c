/* What would be built from something that will not be there when this run is over is not planned: a day (a key) of a step before it that
 * failed in another run, is held by one, or is beyond this run's --limit. Whether the step before is waited for as a whole or chunk by
 * chunk makes no difference. Each step is seen to after those that it needs, so a lack is handed on in any number of steps. */
#include "base/mem.h"
#include "core/plan_internal.h"

struct block {
	const struct bf_plan_ask *ask;
	struct bf_plan *plan;
	bool seen[BF_STEPS_MAX];
};

/* A failure that the pipeline goes on without is none that others wait for, in this run or another. */
static bool stops_others(const struct bf_lack *l)
{
	return l->why != BF_SKIP_FAILED || (l->origin->on_failure == BF_HALT && l->origin->max_failed_ratio < 0);
}

static int by_first(const void *a, const void *b)
{
	const struct bf_lack *x = a, *y = b;
	int at = (x->span.first > y->span.first) - (x->span.first < y->span.first);
	return at ? at : (int)x->why - (int)y->why;
}

/* In rising order, none over another. */
static void make_disjoint(struct bf_lack *l, size_t *n)
{
	size_t kept = 0;
	if (*n > 0)
		qsort(l, *n, sizeof(*l), by_first);
	for (size_t i = 0; i < *n; i++) {
		struct bf_lack next = l[i];
		if (kept > 0 && next.span.first <= l[kept - 1].span.last)
			next.span.first = l[kept - 1].span.last + 1;
		if (next.span.first <= next.span.last)
			l[kept++] = next;
	}
	*n = kept;
}

static struct bf_span whole_of(const struct bf_plan_ask *ask)
{
	return ask->keys ? (struct bf_span){0, (int32_t)ask->keys->count - 1} : (struct bf_span){ask->since, ask->until};
}

static bool is_gate(const struct bf_step *s)
{
	return s->kind == BF_KIND_CHECK || s->kind == BF_KIND_SOAK || s->kind == BF_KIND_APPROVAL;
}

/* ---- what a step gets from those before it ---- */

/* What lacks it, of a step that looks back so far; false: nothing. */
static bool reaches(const struct bf_plan_ask *ask, const struct bf_lack *l, int lookback, struct bf_span *out)
{
	*out = l->span;
	if (!stops_others(l) || (l->before && lookback == 0))
		return false;
	if (!l->before && lookback > 0)
		out->last = bf_plan_reach(ask, l->span.last, lookback);
	return true;
}

static struct bf_skip *find_skip(struct bf_step_plan *s, const struct bf_lack *l)
{
	for (size_t i = 0; i < s->n_skips; i++) {
		struct bf_skip *at = &s->skips[i];
		if (at->reason == BF_SKIP_BLOCKED && at->why == l->why && at->origin == l->origin && at->lacking == l->via->name &&
			strcmp(at->run, l->run) == 0)
			return at;
	}
	return NULL;
}

static void add_skip(struct bf_step_plan *s, const struct bf_lack *l)
{
	struct bf_skip *skip = find_skip(s, l);
	if (!skip) {
		s->skips = bf_realloc_array(s->skips, s->n_skips + 1, sizeof(*s->skips));
		skip = &s->skips[s->n_skips++];
		*skip = (struct bf_skip){.reason = BF_SKIP_BLOCKED, .lacking = l->via->name, .why = l->why, .origin = l->origin, .within = l->span};
		memcpy(skip->run, l->run, sizeof(skip->run));
	}
	skip->count += (int64_t)l->span.last - l->span.first + 1;
	skip->within.first = l->span.first < skip->within.first ? l->span.first : skip->within.first;
	skip->within.last = l->span.last > skip->within.last ? l->span.last : skip->within.last;
}

/* Takes the lacks, which are in order and apart, out of what is missing. `ends`, if there are any: the first and the last part taken out.
 */
static bool take_out(struct bf_step_plan *s, const struct bf_lack *l, size_t n, struct bf_lack ends[2])
{
	BF_AUTOFREE struct bf_span *before = bf_steal(&s->missing);
	size_t n_before = s->n_missing, at = 0;
	bool any = false;
	s->n_missing = 0;
	for (size_t i = 0; i < n_before; i++) {
		int32_t next = before[i].first;
		while (at < n && l[at].span.last < next)
			at++;
		for (size_t k = at; k < n && l[k].span.first <= before[i].last; k++) {
			struct bf_lack hit = l[k];
			hit.span.first = hit.span.first > next ? hit.span.first : next;
			hit.span.last = hit.span.last < before[i].last ? hit.span.last : before[i].last;
			bf_plan_add_missing(s, next, hit.span.first - 1);
			add_skip(s, &hit);
			ends[any] = hit;
			any = true;
			next = hit.span.last + 1;
		}
		bf_plan_add_missing(s, next, before[i].last);
	}
	return any;
}

/* One job for the run is made of all that is asked for. What is beyond the limit is not. */
static void block_whole(const struct block *b, struct bf_step_plan *s, const struct bf_lack *l, size_t n)
{
	struct bf_span whole = whole_of(b->ask);
	for (size_t i = 0; i < n; i++) {
		struct bf_lack hit = l[i];
		hit.span.first = hit.span.first > whole.first ? hit.span.first : whole.first;
		hit.span.last = hit.span.last < whole.last ? hit.span.last : whole.last;
		if (hit.why == BF_SKIP_LIMIT || hit.span.first > hit.span.last)
			continue;
		add_skip(s, &hit);
		if (!s->blocked)
			bf_plan_add_lack(s, (struct bf_lack){.span = whole, .why = hit.why, .origin = hit.origin, .run = {0}});
		s->blocked = true;
	}
}

/* ---- a step that goes in order ends where something is not there ---- */

static void end_at(const struct block *b, struct bf_step_plan *s, struct bf_lack at)
{
	struct bf_span whole = whole_of(b->ask);
	struct bf_lack ignored[2];
	at.span = s->order == BF_ORDER_DESC ? (struct bf_span){whole.first, at.span.first - 1} : (struct bf_span){at.span.last + 1, whole.last};
	at.via = s->step;
	if (at.span.first > at.span.last)
		return;
	(void)take_out(s, &at, 1, ignored);
	bf_plan_add_lack(s, at);
}

static bool ends_in_order(const struct bf_step *s)
{
	return bf_step_chronological(s) && s->on_failure == BF_HALT && s->max_failed_ratio < 0;
}

/* ---- */

/* What its needs lack, as far as that is something of its own. The caller frees it. */
static struct bf_lack *lacks_of_needs(const struct block *b, const struct bf_step *step, size_t *n)
{
	struct bf_lack *out = NULL;
	struct bf_step_plan all = {.jobs = 0};
	for (size_t i = 0; i < step->n_needs; i++) {
		const struct bf_step_plan *need = &b->plan->steps[step->needs[i]];
		for (size_t k = 0; k < need->n_lacks; k++) {
			struct bf_lack l = need->lacks[k];
			if (!reaches(b->ask, &need->lacks[k], step->lookback, &l.span))
				continue;
			l.before = false;
			l.via = &b->ask->pipeline->steps[step->needs[i]];
			bf_plan_add_lack(&all, l);
		}
	}
	out = all.lacks;
	*n = all.n_lacks;
	make_disjoint(out, n);
	return out;
}

/* What is missing and beyond the limit. */
static void end_at_limit(const struct block *b, struct bf_step_plan *s)
{
	struct bf_cut cut = bf_plan_cut(b->ask, s);
	struct bf_span chunk, last = {0, 0};
	bool back = s->order == BF_ORDER_DESC, any = false;
	while (bf_cut_next(&cut, &chunk)) {
		last = chunk;
		any = true;
	}
	bf_cut_release(&cut);
	for (size_t i = 0; any && i < s->n_missing; i++) {
		struct bf_span rest = s->missing[i];
		if (back && rest.last >= last.first)
			rest.last = last.first - 1;
		if (!back && rest.first <= last.last)
			rest.first = last.last + 1;
		if (rest.first <= rest.last)
			bf_plan_add_lack(s, (struct bf_lack){.span = rest, .why = BF_SKIP_LIMIT, .origin = s->step});
	}
}

/* What a limit leaves for later counts as asked for until it is done. */
static void keep_wanted(struct bf_step_plan *s)
{
	s->n_wanted = s->n_missing;
	s->wanted = bf_realloc_array(NULL, s->n_missing + 1, sizeof(*s->wanted));
	if (s->n_missing > 0)
		memcpy(s->wanted, s->missing, s->n_missing * sizeof(*s->wanted));
}

static void block_chunks(const struct block *b, struct bf_step_plan *s, const struct bf_lack *l, size_t n)
{
	struct bf_lack ends[2] = {{.origin = NULL}, {.origin = NULL}};
	if (b->ask->limit)
		keep_wanted(s);
	bool any = take_out(s, l, n, ends), back = s->order == BF_ORDER_DESC && ends[1].origin;
	if (any && ends_in_order(s->step))
		end_at(b, s, ends[back]);
	if (b->ask->limit)
		end_at_limit(b, s);
}

static void block_step(struct block *b, int i)
{
	struct bf_step_plan *s = &b->plan->steps[i];
	const struct bf_step *step = &b->ask->pipeline->steps[i];
	size_t n;
	if (b->seen[i])
		return;
	b->seen[i] = true;
	for (size_t k = 0; k < step->n_needs; k++)
		block_step(b, step->needs[k]);
	BF_AUTOFREE struct bf_lack *got = lacks_of_needs(b, step, &n);
	if (!s->left_out && step->per == BF_PER_CHUNK)
		block_chunks(b, s, got, n);
	else if (!s->left_out && !is_gate(step))
		block_whole(b, s, got, n);
	for (size_t k = 0; k < n; k++)
		bf_plan_add_lack(s, got[k]);
}

void bf_plan_block(const struct bf_plan_ask *ask, struct bf_plan *plan)
{
	struct block b = {.ask = ask, .plan = plan};
	for (int i = 0; i < plan->n_steps; i++)
		block_step(&b, i);
}
