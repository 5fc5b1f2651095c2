#include <unistd.h>

#include "base/mem.h"
#include "core/gaps.h"
#include "core/pipeline.h"
#include "look/days.h"

static void not_asked(const struct bf_look *l, const char *why)
{
	if (!l->quiet)
		fprintf(stderr, "bfstat: what is there was not asked, only the ledger: %s\n", why);
}

static const char *given(const struct bf_days_options *o, const char *name)
{
	size_t len = strlen(name);
	for (size_t i = 0; i < o->param.count; i++)
		if (strncmp(o->param.items[i], name, len) == 0 && o->param.items[i][len] == '=')
			return o->param.items[i] + len + 1;
	return NULL;
}

/* A value for each of the pipeline's parameters; false: one has none. */
static bool find_params(const struct bf_look *l, const struct bf_pipeline *p, const struct bf_days_options *o, const char **values)
{
	for (size_t i = 0; i < p->n_params; i++) {
		BF_AUTOFREE char *why = bf_asprintf("--param=%s=… is missing", p->params[i].name);
		values[i] = given(o, p->params[i].name);
		if (!values[i])
			values[i] = p->params[i].default_value;
		if (values[i])
			continue;
		not_asked(l, why);
		return false;
	}
	return true;
}

/* The step's section; without runs of it there is none yet. */
static struct bf_section *section_of(struct bf_coverage *c, const char *step, bool whole)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->sections[i].step, step) == 0 && strcmp(c->sections[i].identity, "{}") == 0)
			return &c->sections[i];
	c->sections = bf_realloc_array(c->sections, c->n + 1, sizeof(*c->sections));
	struct bf_section *s = &c->sections[c->n++];
	*s = (struct bf_section){.step = bf_strdup(step), .identity = bf_strdup("{}")};
	bf_days_init(&s->days, c->since, c->until);
	if (whole)
		bf_days_mark(&s->days, c->since, c->until, BF_DAY_MISSING);
	return s;
}

static enum bf_day judge(enum bf_day recorded, const struct bf_gaps *g, size_t place)
{
	if (g->has_expected && !bf_gaps_expected(g, place))
		return BF_DAY_NONE;
	if (!g->has_expected && recorded == BF_DAY_NONE)
		return BF_DAY_NONE;
	if (recorded == BF_DAY_NONE)
		recorded = BF_DAY_MISSING;
	if (!g->has_present || recorded == BF_DAY_RUNNING)
		return recorded;
	if (bf_gaps_present(g, place))
		return recorded == BF_DAY_DONE ? BF_DAY_DONE : BF_DAY_UNRECORDED;
	return recorded == BF_DAY_DONE ? BF_DAY_GONE : recorded;
}

static int add_step(struct bf_look *l, const struct bf_gaps_ask *ask, const struct bf_step *s, bool whole, struct bf_coverage *c,
					struct bf_error *err)
{
	struct bf_gaps g;
	int rc = bf_gaps_load(l->pg, ask, s, &g, err);
	if (rc == 0) {
		struct bf_section *section = section_of(c, s->name, whole);
		for (bf_date day = c->since; day <= c->until; day++) {
			size_t place = (size_t)(day - c->since);
			section->days.state[place] = (unsigned char)judge(bf_days_at(&section->days, day), &g, place);
		}
		section->data = c->data = true;
	}
	bf_gaps_release(&g);
	if (rc != -BF_E_INPUT)
		return rc;
	not_asked(l, err->text); /* a query that is wrong, or data that this role may not read, is no reason not to show the ledger */
	return 0;
}

static bool has_gaps(const struct bf_pipeline *p, const struct bf_days_options *o)
{
	for (int i = 0; i < p->n_steps; i++)
		if (bf_step_has_gaps(&p->steps[i]) && (!o->step || strcmp(o->step, p->steps[i].name) == 0))
			return true;
	return false;
}

static int add_steps(struct bf_look *l, const struct bf_pipeline *p, const struct bf_days_options *o, struct bf_coverage *c,
					 struct bf_error *err)
{
	BF_AUTOFREE const char **values = bf_alloc((p->n_params + 1) * sizeof(*values));
	int rc = 0;
	if (!find_params(l, p, o, values))
		return 0;
	const struct bf_gaps_ask ask = {.pipeline = p, .since = c->since, .until = c->until, .param_values = values};
	for (int i = 0; rc == 0 && i < p->n_steps; i++)
		if (bf_step_has_gaps(&p->steps[i]) && (!o->step || strcmp(o->step, p->steps[i].name) == 0))
			rc = add_step(l, &ask, &p->steps[i], o->since.given || o->until.given, c, err);
	return rc;
}

/* The file's own problems are no reason not to show what the ledger has. */
static int load_file(const struct bf_look *l, const char *pipeline, bool known, struct bf_pipeline **out)
{
	BF_AUTOFREE char *path = NULL;
	struct bf_error why;
	int rc = bf_pipeline_find(pipeline, &path, &why);
	if (rc < 0)
		return rc;
	rc = bf_pipeline_load_file(path, out, &why);
	if (rc < 0 && (known || rc != -BF_E_NOT_FOUND))
		not_asked(l, why.text);
	return rc;
}

int bf_coverage_add_data(struct bf_look *l, const char *pipeline, const struct bf_days_options *o, bool known, struct bf_coverage *c,
						 struct bf_error *err)
{
	struct bf_pipeline *p = NULL;
	int rc = 0;
	if (load_file(l, pipeline, known, &p) < 0)
		return 0;
	bool asked = !p->chunk.by_key && has_gaps(p, o);
	if (asked && c->n == 0 && !(o->since.given && o->until.given)) {
		rc = known ? 0 : bf_fail(err, BF_E_INPUT, "pipeline %s has no run yet; expected --since=DATE and --until=DATE", pipeline);
	} else if (asked) {
		if (c->n == 0) {
			c->since = o->since.day;
			c->until = o->until.day;
		}
		rc = c->since <= c->until ? add_steps(l, p, o, c, err) : 0;
	}
	bf_pipeline_free(p);
	return rc;
}
