/* What a step need not do, and why: by the ledger's word, and by that of the step's data. */
#include "base/mem.h"
#include "bf_sql.h"
#include "core/gaps.h"
#include "core/plan_internal.h"

#define KEYS_PAGE_TEXT ((size_t)24 << 20) /* bytes of keys in one statement's array */

void bf_plan_add_missing(struct bf_step_plan *s, int32_t first, int32_t last)
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

static bool same_cause(const struct bf_lack *a, const struct bf_lack *b)
{
	return a->why == b->why && a->origin == b->origin && a->before == b->before && strcmp(a->run, b->run) == 0;
}

void bf_plan_add_lack(struct bf_step_plan *s, struct bf_lack lack)
{
	size_t n = s->n_lacks;
	if (n > 0 && s->lacks[n - 1].span.last + 1 == lack.span.first && same_cause(&s->lacks[n - 1], &lack)) {
		s->lacks[n - 1].span.last = lack.span.last;
		return;
	}
	if ((n & (n - 1)) == 0)
		s->lacks = bf_realloc_array(s->lacks, n ? 2 * n : 1, sizeof(*s->lacks));
	s->lacks[s->n_lacks++] = lack;
}

static void add_lack(struct bf_step_plan *s, enum bf_skip_reason why, const char *run, struct bf_span span)
{
	struct bf_lack lack = {.span = span, .why = why, .origin = s->step};
	snprintf(lack.run, sizeof(lack.run), "%s", run);
	bf_plan_add_lack(s, lack);
}

static void add_skip(struct bf_step_plan *s, enum bf_skip_reason reason, const char *run, struct bf_span span)
{
	struct bf_skip *skip = NULL;
	if (reason == BF_SKIP_FAILED || reason == BF_SKIP_HELD)
		add_lack(s, reason, run, span);
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

/* What is planned; of a step that is not, a lack where a run was asked for it. */
static void add_open(struct bf_step_plan *s, const char *run, struct bf_span span)
{
	if (s->only_lacks)
		add_lack(s, BF_SKIP_OPEN, run, span);
	bf_plan_add_missing(s, span.first, span.last);
}

static enum bf_skip_reason reason_of(const char *verdict)
{
	static const enum bf_skip_reason reasons[] = {BF_SKIP_DONE, BF_SKIP_FAILED, BF_SKIP_OPEN, BF_SKIP_STALE};
	for (size_t i = 0; i < BF_COUNT_OF(reasons); i++)
		if (strcmp(verdict, bf_skip_reason_name(reasons[i])) == 0)
			return reasons[i];
	return BF_SKIP_HELD;
}

/* What is not missing, in order; what lies between is missing. */
static void take_verdicts(struct bf_step_plan *s, struct bf_span asked, const struct bf_pg_result *r)
{
	int32_t next = asked.first;
	for (int i = 0; i < bf_pg_rows(r); i++) {
		struct bf_span span = {(int32_t)bf_pg_int(r, i, 2), (int32_t)bf_pg_int(r, i, 3)};
		enum bf_skip_reason reason = reason_of(bf_pg_text(r, i, 0));
		bf_plan_add_missing(s, next, span.first - 1);
		if (reason == BF_SKIP_OPEN)
			add_open(s, bf_pg_text(r, i, 1), span);
		else if (reason == BF_SKIP_STALE)
			bf_plan_add_missing(s, span.first, span.last);
		else
			add_skip(s, reason, bf_pg_text(r, i, 1), span);
		next = span.last + 1;
	}
	bf_plan_add_missing(s, next, asked.last);
}

/* Of a step whose data is asked: one day or key, and what the ledger says of it (NULL: nothing). */
static void take_place(const struct bf_plan_ask *ask, struct bf_step_plan *s, const struct bf_gaps *g, int32_t at, const char *verdict,
					   const char *run)
{
	size_t place = (size_t)(ask->keys ? at : at - ask->since);
	struct bf_span span = {at, at};
	enum bf_skip_reason reason = verdict ? reason_of(verdict) : BF_SKIP_OPEN;
	bool done = reason == BF_SKIP_DONE;
	if (!bf_gaps_expected(g, place))
		return;
	if (reason == BF_SKIP_STALE) {
		bf_plan_add_missing(s, at, at);
	} else if (bf_gaps_present(g, place) && ask->reprocess != BF_REPROCESS_COMPLETED) {
		add_skip(s, BF_SKIP_PRESENT, "", span);
	} else if (reason != BF_SKIP_OPEN && !(done && g->has_present)) {
		add_skip(s, reason, run, span);
	} else {
		s->gone += done;
		if (s->only_lacks && verdict && !done)
			add_lack(s, BF_SKIP_OPEN, run, span);
		bf_plan_add_missing(s, at, at);
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

int bf_plan_look_at(struct bf_pg *pg, const struct bf_plan_ask *ask, struct bf_step_plan *s, struct bf_error *err)
{
	const struct bf_gaps_ask about = {
		.pipeline = ask->pipeline, .keys = ask->keys, .since = ask->since, .until = ask->until, .param_values = ask->param_values};
	bool data = bf_step_has_gaps(s->step) && !s->only_ledger;
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
