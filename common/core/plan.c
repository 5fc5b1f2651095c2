#include "core/plan.h"

#include "base/mem.h"
#include "bf_sql.h"
#include "core/gaps.h"

#define KEYS_NAMED     3                  /* in a message */
#define KEYS_PAGE_TEXT ((size_t)24 << 20) /* bytes of keys in one statement's array */
#define NAME_TRIES     5
#define RANDOM_CHARS   6

const char *bf_reprocess_name(enum bf_reprocess r)
{
	static const char *const names[] = {"none", "failed", "completed"};
	return names[r];
}

const char *bf_skip_reason_name(enum bf_skip_reason r)
{
	static const char *const names[] = {"done", "failed", "held", "present", "blocked"};
	return names[r];
}

void bf_plan_release(struct bf_plan *p)
{
	for (int i = 0; i < p->n_steps; i++) {
		free(p->steps[i].missing);
		free(p->steps[i].skips);
		free(p->steps[i].not_there);
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

static void shape_step(const struct bf_plan_ask *ask, const struct bf_step *s, struct bf_step_plan *out)
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
	shape_step(ask, s, &shape);
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

/* ---- what the ledger says ---- */

/* first > last: none */
static void add_missing(struct bf_step_plan *s, int32_t first, int32_t last)
{
	size_t n = s->n_missing;
	if (first > last)
		return;
	if (n > 0 && s->missing[n - 1].last + 1 == first) { /* pages of keys meet */
		s->missing[n - 1].last = last;
		return;
	}
	if ((n & (n - 1)) == 0)
		s->missing = bf_realloc_array(s->missing, n ? 2 * n : 1, sizeof(*s->missing));
	s->missing[s->n_missing++] = (struct bf_span){first, last};
}

static void add_not_there(struct bf_step_plan *s, struct bf_span span)
{
	s->not_there = bf_realloc_array(s->not_there, s->n_not_there + 1, sizeof(*s->not_there));
	s->not_there[s->n_not_there++] = span;
}

static void add_skip(struct bf_step_plan *s, enum bf_skip_reason reason, const char *run, struct bf_span span)
{
	struct bf_skip *skip = NULL;
	if (reason == BF_SKIP_FAILED || reason == BF_SKIP_HELD)
		add_not_there(s, span);
	for (size_t i = 0; !skip && i < s->n_skips; i++)
		if (s->skips[i].reason == reason && strcmp(s->skips[i].run, run) == 0)
			skip = &s->skips[i];
	if (!skip) {
		s->skips = bf_realloc_array(s->skips, s->n_skips + 1, sizeof(*s->skips));
		skip = &s->skips[s->n_skips++];
		*skip = (struct bf_skip){.reason = reason, .within = span};
		snprintf(skip->run, sizeof(skip->run), "%s", run);
	}
	skip->count += span.last - span.first + 1;
	skip->within.last = span.last;
}

static enum bf_skip_reason reason_of(const char *verdict)
{
	for (int reason = BF_SKIP_DONE; reason < BF_SKIP_HELD; reason++)
		if (strcmp(verdict, bf_skip_reason_name((enum bf_skip_reason)reason)) == 0)
			return (enum bf_skip_reason)reason;
	return BF_SKIP_HELD;
}

/* What is not missing, in order; what lies between is missing. */
static void take_verdicts(struct bf_step_plan *s, struct bf_span asked, const struct bf_pg_result *r)
{
	int32_t next = asked.first;
	for (int i = 0; i < bf_pg_rows(r); i++) {
		struct bf_span span = {(int32_t)bf_pg_int(r, i, 2), (int32_t)bf_pg_int(r, i, 3)};
		add_missing(s, next, span.first - 1);
		add_skip(s, reason_of(bf_pg_text(r, i, 0)), bf_pg_text(r, i, 1), span);
		next = span.last + 1;
	}
	add_missing(s, next, asked.last);
}

/* Of a step whose data is asked: one day or key, and what the ledger says of it (NULL: nothing). */
static void take_place(const struct bf_plan_ask *ask, struct bf_step_plan *s, const struct bf_gaps *g, int32_t at, const char *verdict,
					   const char *run)
{
	size_t place = (size_t)(ask->keys ? at : at - ask->since);
	struct bf_span span = {at, at};
	bool done = verdict && reason_of(verdict) == BF_SKIP_DONE;
	if (!bf_gaps_expected(g, place))
		return;
	if (bf_gaps_present(g, place) && ask->reprocess != BF_REPROCESS_COMPLETED) {
		add_skip(s, BF_SKIP_PRESENT, "", span);
	} else if (verdict && !(done && g->has_present)) {
		add_skip(s, reason_of(verdict), run, span);
	} else {
		s->gone += done;
		add_missing(s, at, at);
	}
}

static void take_data(const struct bf_plan_ask *ask, struct bf_step_plan *s, const struct bf_gaps *g, struct bf_span asked,
					  const struct bf_pg_result *r)
{
	int32_t next = asked.first;
	for (int i = 0; i <= bf_pg_rows(r); i++) {
		bool rest = i == bf_pg_rows(r);
		int32_t first = rest ? asked.last + 1 : (int32_t)bf_pg_int(r, i, 2), last = rest ? asked.last : (int32_t)bf_pg_int(r, i, 3);
		for (; next < first; next++)
			take_place(ask, s, g, next, NULL, "");
		for (; !rest && next <= last; next++)
			take_place(ask, s, g, next, bf_pg_text(r, i, 0), bf_pg_text(r, i, 1));
	}
}

/* What the ledger says, page by page. */
struct answers {
	struct {
		struct bf_pg_result *rows;
		struct bf_span asked;
	} * pages;
	size_t n;
};

static void answers_release(struct answers *a)
{
	for (size_t i = 0; i < a->n; i++)
		bf_pg_result_free(a->pages[i].rows);
	free(a->pages);
}

static void begin_question(struct bf_pg_params *p, const struct bf_plan_ask *ask, const struct bf_step_plan *s)
{
	bf_pg_params_init(p);
	bf_pg_add_text(p, ask->pipeline->name);
	bf_pg_add_text(p, s->step->name);
	bf_plan_add_params(p, ask, true);
}

static int put_question(struct bf_pg *pg, const struct bf_pg_stmt *stmt, const struct bf_plan_ask *ask, struct bf_pg_params *p,
						struct bf_span asked, struct answers *a, struct bf_error *err)
{
	struct bf_pg_result *r = NULL;
	bf_pg_add_text(p, bf_reprocess_name(ask->reprocess));
	int rc = bf_pg_exec(pg, stmt, p, &r, err);
	bf_pg_params_release(p);
	if (rc < 0)
		return rc;
	a->pages = bf_realloc_array(a->pages, a->n + 1, sizeof(*a->pages));
	a->pages[a->n].rows = r;
	a->pages[a->n++].asked = asked;
	return 0;
}

static int ask_about_days(struct bf_pg *pg, const struct bf_plan_ask *ask, const struct bf_step_plan *s, struct answers *a,
						  struct bf_error *err)
{
	struct bf_pg_params p;
	char day[BF_DATE_TEXT];
	begin_question(&p, ask, s);
	bf_pg_add_text(&p, bf_date_format(ask->since, day));
	bf_pg_add_text(&p, bf_date_format(ask->until, day));
	return put_question(pg, &bf_sql_plan_days, ask, &p, (struct bf_span){ask->since, ask->until}, a, err);
}

static int ask_about_keys(struct bf_pg *pg, const struct bf_plan_ask *ask, const struct bf_step_plan *s, struct answers *a,
						  struct bf_error *err)
{
	const struct bf_keys *k = ask->keys;
	int rc = 0;
	for (size_t at = 0; rc == 0 && at < k->count;) {
		struct bf_pg_params p;
		size_t from = at;
		begin_question(&p, ask, s);
		bf_pg_array_begin(&p);
		for (; at < k->count && k->offset[at] - k->offset[from] < KEYS_PAGE_TEXT; at++)
			bf_pg_array_text(&p, bf_keys_at(k, at));
		bf_pg_array_end(&p);
		bf_pg_add_int(&p, (int64_t)from);
		rc = put_question(pg, &bf_sql_plan_keys, ask, &p, (struct bf_span){(int32_t)from, (int32_t)at - 1}, a, err);
	}
	return rc;
}

/* The ledger's word, and behind it that of the step's data. */
static int look_at_step(struct bf_pg *pg, const struct bf_plan_ask *ask, struct bf_step_plan *s, struct bf_error *err)
{
	const struct bf_gaps_ask about = {
		.pipeline = ask->pipeline, .keys = ask->keys, .since = ask->since, .until = ask->until, .param_values = ask->param_values};
	bool data = bf_step_has_gaps(s->step);
	struct answers a = {.n = 0};
	struct bf_gaps g = {.n = 0};
	int rc = ask->keys ? ask_about_keys(pg, ask, s, &a, err) : ask_about_days(pg, ask, s, &a, err);
	if (rc == 0 && data)
		rc = bf_gaps_load(ask->reader, &about, s->step, &g, err);
	s->has_expected = g.has_expected;
	s->expected = (int64_t)g.expected;
	for (size_t i = 0; rc == 0 && i < a.n; i++) {
		if (data)
			take_data(ask, s, &g, a.pages[i].asked, a.pages[i].rows);
		else
			take_verdicts(s, a.pages[i].asked, a.pages[i].rows);
	}
	bf_gaps_release(&g);
	answers_release(&a);
	return rc;
}

/* ---- what a step looks back at before its first chunk ---- */

/* The first of those that are not there. What failed before, or is held, is named only where nothing else is missing. */
static void name_keys(struct bf_buf *out, const struct bf_keys *keys, const struct bf_step_plan *seen)
{
	const struct bf_span *spans = seen->n_missing > 0 ? seen->missing : seen->not_there;
	size_t n = seen->n_missing > 0 ? seen->n_missing : seen->n_not_there, named = 0;
	for (size_t i = 0; i < n; i++) {
		for (int32_t k = spans[i].first; k <= spans[i].last; k++) {
			if (named++ == KEYS_NAMED) {
				bf_buf_addstr(out, " …");
				return;
			}
			bf_buf_printf(out, " --key=%s", bf_keys_at(keys, (size_t)k));
		}
	}
}

static int refuse_warmup(const struct bf_plan_ask *before, const struct bf_step_plan *s, const struct bf_step_plan *seen, int64_t gone,
						 struct bf_error *err)
{
	const struct bf_skip *held = NULL;
	BF_AUTOBUF struct bf_buf looks;
	BF_AUTOBUF struct bf_buf fill;
	char day[BF_DATE_TEXT], until[BF_DATE_TEXT];
	bf_buf_init(&looks, 4096);
	bf_buf_init(&fill, 4096);
	for (size_t i = 0; i < seen->n_skips; i++)
		if (seen->skips[i].reason == BF_SKIP_HELD)
			held = &seen->skips[i];
	if (before->keys) {
		bf_buf_printf(&looks, "step %s looks back %d keys (\"warmup\": \"block\"), and of those before what is asked for", s->step->name,
					  s->step->lookback);
		name_keys(&fill, before->keys, seen);
	} else {
		bf_buf_printf(&looks, "step %s looks back %d days (\"warmup\": \"block\"), and of those before %s", s->step->name,
					  s->step->lookback, bf_date_format(before->until + 1, day));
		bf_buf_printf(&fill, " --since=%s --until=%s", bf_date_format(before->since, day), bf_date_format(before->until, until));
	}
	bf_buf_addstr(&fill, seen->n_missing > 0 ? "" : " --reprocess=failed");
	if (held)
		return bf_fail(err, BF_E_INPUT, "%s run %s holds some and is not finished; expected it to be done first", looks.data, held->run);
	return bf_fail(err, BF_E_INPUT, "%s %lld are not there; expected them first: enqueue run %s --only=%s%s", looks.data, (long long)gone,
				   before->pipeline->name, s->step->name, fill.data);
}

/* The keys that are looked back at and not planned themselves. */
static int keys_before(const struct bf_plan_ask *ask, const struct bf_step_plan *s, struct bf_keys *out, struct bf_error *err)
{
	const struct bf_keys *all = ask->all_keys;
	size_t lookback = (size_t)s->step->lookback, done = 0; /* all before `done` have been seen to */
	int rc = 0;
	for (size_t i = 0; i < s->n_missing; i++) {
		for (int32_t k = s->missing[i].first; rc == 0 && k <= s->missing[i].last; k++) {
			size_t at = 0;
			(void)bf_keys_find(all, bf_keys_at(ask->keys, (size_t)k), &at);
			for (size_t b = at > done + lookback ? at - lookback : done; rc == 0 && b < at; b++)
				rc = bf_keys_add(out, bf_keys_at(all, b), strlen(bf_keys_at(all, b)), err);
			done = at + 1;
		}
	}
	return rc;
}

/* Of a step whose warmup blocks: all that it looks back at before what is planned has to be there. The ledger and the data are asked about
 * those days, or keys, as about the others. */
static int check_warmup(struct bf_pg *pg, const struct bf_plan_ask *ask, const struct bf_step_plan *s, struct bf_error *err)
{
	struct bf_plan_ask before = *ask;
	struct bf_step_plan seen = {.jobs = 0};
	struct bf_keys keys;
	int64_t gone = 0;
	int rc = 0;
	if (!s->step->lookback_blocks || s->n_missing == 0)
		return 0;
	bf_keys_init(&keys);
	if (ask->keys)
		rc = keys_before(ask, s, &keys, err);
	before.keys = ask->keys ? &keys : NULL;
	before.until = s->missing[0].first - 1;
	before.since = s->missing[0].first - s->step->lookback;
	before.reprocess = BF_REPROCESS_NONE;
	shape_step(&before, s->step, &seen);
	if (rc == 0 && (!ask->keys || keys.count > 0))
		rc = look_at_step(pg, &before, &seen, err);
	for (size_t i = 0; i < seen.n_missing; i++)
		gone += seen.missing[i].last - seen.missing[i].first + 1;
	for (size_t i = 0; i < seen.n_skips; i++)
		if (seen.skips[i].reason == BF_SKIP_FAILED || seen.skips[i].reason == BF_SKIP_HELD)
			gone += seen.skips[i].count;
	if (rc == 0 && gone > 0)
		rc = refuse_warmup(&before, s, &seen, gone, err);
	free(seen.missing);
	free(seen.skips);
	free(seen.not_there);
	bf_keys_release(&keys);
	return rc;
}

/* ---- chunks that wait for chunks ---- */

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
				add_missing(s, next, hit.first - 1);
				add_not_there(s, hit);
				blocked.within.first = blocked.count == 0 ? hit.first : blocked.within.first;
				blocked.within.last = hit.last;
				blocked.count += hit.last - hit.first + 1;
				next = hit.last + 1;
			}
			if (reach.last > before[i].last) /* it may reach into the next one, too */
				break;
		}
		add_missing(s, next, before[i].last);
	}
	free(before);
	if (blocked.count == 0)
		return;
	s->skips = bf_realloc_array(s->skips, s->n_skips + 1, sizeof(*s->skips));
	s->skips[s->n_skips++] = blocked;
}

/* The steps that it waits for first. */
static void block(const struct bf_plan_ask *ask, struct bf_plan *plan, int i, bool *seen)
{
	struct bf_step_plan *s = &plan->steps[i];
	if (seen[i])
		return;
	seen[i] = true;
	for (size_t n = 0; n < s->n_needs; n++) {
		if (!s->chunkwise[n])
			continue;
		block(ask, plan, s->needs[n], seen);
		if (plan->steps[s->needs[n]].n_not_there > 0)
			leave_out_blocked(ask, s, &plan->steps[s->needs[n]]);
	}
}

/* How many chunks there are, which are the first and the last, and which days they cover. */
static void count_chunks(const struct bf_plan_ask *ask, struct bf_step_plan *s, struct bf_span *covered)
{
	struct bf_cut cut = bf_plan_cut(ask, s);
	struct bf_span chunk, last = {0, 0};
	while (bf_cut_next(&cut, &chunk)) {
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

/* The steps per run: one job each, if there is anything else to do, or nothing else at all. */
static void plan_whole(const struct bf_plan_ask *ask, struct bf_plan *plan, bool chunked)
{
	for (int i = 0; i < plan->n_steps; i++) {
		struct bf_step_plan *s = &plan->steps[i];
		if (s->left_out || s->step->per != BF_PER_RUN || (chunked && plan->jobs == 0))
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
	bool chunked = false, seen[BF_STEPS_MAX] = {false};
	int rc = 0;
	out->n_steps = ask->pipeline->n_steps;
	out->steps = bf_alloc((size_t)out->n_steps * sizeof(*out->steps));
	for (int i = 0; rc == 0 && i < out->n_steps; i++) {
		struct bf_step_plan *s = &out->steps[i];
		shape_step(ask, &ask->pipeline->steps[i], s);
		if (s->left_out || s->step->per == BF_PER_RUN)
			continue;
		chunked = true;
		rc = look_at_step(pg, ask, s, err);
		if (rc == 0)
			rc = check_warmup(pg, ask, s, err);
	}
	if (rc < 0)
		return rc;
	for (int i = 0; i < out->n_steps; i++) {
		struct bf_step_plan *s = &out->steps[i];
		block(ask, out, i, seen);
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
