/* What the steps' own queries say of the days: what is expected, what is there, beside what the ledger has of them. */
#include "base/mem.h"
#include "core/gaps.h"
#include "look/days.h"
#include "look/judge.h"

/* Asks the data of one step about the days of one section. A query that is wrong, or data that this role may not read, is no reason not to
 * show the ledger. */
static int ask_data(const struct bf_subject *s, const struct bf_step *step, const struct bf_values *v, struct bf_section *to,
					struct bf_coverage *c, struct bf_error *err)
{
	const struct bf_gaps_ask ask = {.pipeline = s->file, .since = c->since, .until = c->until, .param_values = v->of};
	struct bf_gaps g;
	int rc = bf_gaps_load(s->look->pg, &ask, step, &g, err);
	if (rc == 0) {
		for (bf_date day = c->since; day <= c->until; day++) {
			size_t place = (size_t)(day - c->since);
			to->days.state[place] = (unsigned char)bf_judge_data(bf_days_at(&to->days, day), &g, place);
		}
		to->data = c->data = true;
	}
	bf_gaps_release(&g);
	if (rc != -BF_E_INPUT)
		return rc;
	bf_subject_not_asked(s, err->text);
	return 0;
}

/* The check's queries in the place of a step's; what they point at stays the pipeline's. */
static struct bf_step asks_as_step(const struct bf_step *check)
{
	struct bf_step out = *check;
	out.expected = check->checks->expected;
	out.present = check->checks->present;
	return out;
}

int bf_coverage_add_data(const struct bf_subject *s, struct bf_coverage *c, struct bf_error *err)
{
	struct bf_values v = bf_values_new(s->file);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < c->n; i++) {
		struct bf_section *section = &c->sections[i];
		const struct bf_step *step = bf_pipeline_step(s->file, section->step);
		struct bf_step asks;
		if (!step)
			continue;
		asks = section->checked ? asks_as_step(step) : *step;
		if (bf_step_has_gaps(&asks) && bf_values_find(s, section->identity, &v))
			rc = ask_data(s, &asks, &v, section, c, err);
	}
	bf_values_free(&v);
	return rc;
}
