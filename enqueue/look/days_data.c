#include <unistd.h>

#include "base/mem.h"
#include "core/gaps.h"
#include "core/json_identity.h"
#include "core/pipeline.h"
#include "look/days.h"
#include "shared/params.h"

static void not_asked(const struct bf_look *l, const char *why)
{
	if (!l->quiet)
		fprintf(stderr, "bfstat: what is there was not asked, only the ledger: %s\n", why);
}

/* A value for each of the pipeline's parameters. */
struct values {
	const char **of;
	char **recorded; /* those that come from an identity */
	size_t n;
};

static struct values values_new(const struct bf_pipeline *p)
{
	return (struct values){
		.of = bf_alloc((p->n_params + 1) * sizeof(char *)), .recorded = bf_alloc((p->n_params + 1) * sizeof(char *)), .n = p->n_params};
}

static void values_free(struct values *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->recorded[i]);
	free(v->recorded);
	free(v->of);
}

/* Those of the identity from `identity` (NULL: as the others), the others as given or by default. false: one has none. */
static bool find_params(const struct bf_look *l, const struct bf_pipeline *p, const char *const *given, const char *identity,
						struct values *v)
{
	for (size_t i = 0; i < p->n_params; i++) {
		const struct bf_param *param = &p->params[i];
		bool recorded = identity && param->identity;
		free(bf_steal(&v->recorded[i]));
		v->recorded[i] = recorded ? bf_identity_param(identity, param->name) : NULL;
		v->of[i] = recorded ? v->recorded[i] : given[i];
		if (!v->of[i] && !recorded)
			v->of[i] = param->default_value;
		if (v->of[i])
			continue;
		BF_AUTOFREE char *why = recorded ? bf_asprintf("runs were planned without the parameter %s", param->name)
										 : bf_asprintf("--param=%s=… is missing", param->name);
		not_asked(l, why);
		return false;
	}
	return true;
}

static bool identity_is_given(const struct bf_pipeline *p, const char *const *given)
{
	for (size_t i = 0; i < p->n_params; i++)
		if (p->params[i].identity && given[i])
			return true;
	return false;
}

/* The step's section of this identity; c->n: there is none. */
static size_t find_section(const struct bf_coverage *c, const char *step, const char *identity)
{
	size_t i = 0;
	while (i < c->n && !(strcmp(c->sections[i].step, step) == 0 && bf_identity_same(c->sections[i].identity, identity)))
		i++;
	return i;
}

/* One for a step that has no run yet. */
static void add_section(struct bf_coverage *c, const char *step, const char *identity, bool whole)
{
	c->sections = bf_realloc_array(c->sections, c->n + 1, sizeof(*c->sections));
	struct bf_section *s = &c->sections[c->n++];
	*s = (struct bf_section){.step = bf_strdup(step), .identity = bf_strdup(identity)};
	bf_days_init(&s->days, c->since, c->until);
	if (whole)
		bf_days_mark(&s->days, c->since, c->until, BF_DAY_MISSING);
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

/* Asks the data of one step about the days of one section. */
static int ask_data(struct bf_look *l, const struct bf_pipeline *p, const struct bf_step *s, const char *const *values, size_t section,
					struct bf_coverage *c, struct bf_error *err)
{
	const struct bf_gaps_ask ask = {.pipeline = p, .since = c->since, .until = c->until, .param_values = values};
	struct bf_gaps g;
	int rc = bf_gaps_load(l->pg, &ask, s, &g, err);
	if (rc == 0) {
		struct bf_section *to = &c->sections[section];
		for (bf_date day = c->since; day <= c->until; day++) {
			size_t place = (size_t)(day - c->since);
			to->days.state[place] = (unsigned char)judge(bf_days_at(&to->days, day), &g, place);
		}
		to->data = c->data = true;
	}
	bf_gaps_release(&g);
	if (rc != -BF_E_INPUT)
		return rc;
	not_asked(l, err->text); /* a query that is wrong, or data that this role may not read, is no reason not to show the ledger */
	return 0;
}

/* The sections that the ledger has of a step, each with the parameters of its identity; *n: how many they are. */
static int ask_recorded(struct bf_look *l, const struct bf_pipeline *p, const char *const *given, const struct bf_step *s, struct values *v,
						struct bf_coverage *c, size_t *n, struct bf_error *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < c->n; i++) {
		if (strcmp(c->sections[i].step, s->name) != 0)
			continue;
		++*n;
		if (find_params(l, p, given, c->sections[i].identity, v))
			rc = ask_data(l, p, s, v->of, i, c, err);
	}
	return rc;
}

/* These, and one that the ledger has nothing of, if it is asked for or the only one. */
static int add_step(struct bf_look *l, const struct bf_pipeline *p, const struct bf_days_options *o, const char *const *given,
					const struct bf_step *s, struct bf_coverage *c, struct bf_error *err)
{
	struct values v = values_new(p);
	size_t recorded = 0;
	int rc = ask_recorded(l, p, given, s, &v, c, &recorded, err);
	bool another = rc == 0 && (recorded == 0 || identity_is_given(p, given)) && find_params(l, p, given, NULL, &v);
	BF_AUTOFREE char *identity = another ? bf_identity_text(p, v.of) : NULL;
	if (another && find_section(c, s->name, identity) == c->n) {
		add_section(c, s->name, identity, o->since.given || o->until.given);
		rc = ask_data(l, p, s, v.of, c->n - 1, c, err);
	}
	values_free(&v);
	return rc;
}

static bool has_gaps(const struct bf_pipeline *p, const struct bf_days_options *o)
{
	for (int i = 0; i < p->n_steps; i++)
		if (bf_step_has_gaps(&p->steps[i]) && (!o->step || strcmp(o->step, p->steps[i].name) == 0))
			return true;
	return false;
}

static int add_steps(struct bf_look *l, const struct bf_pipeline *p, const struct bf_days_options *o, const char *const *given,
					 struct bf_coverage *c, struct bf_error *err)
{
	int rc = 0;
	for (int i = 0; rc == 0 && i < p->n_steps; i++)
		if (bf_step_has_gaps(&p->steps[i]) && (!o->step || strcmp(o->step, p->steps[i].name) == 0))
			rc = add_step(l, p, o, given, &p->steps[i], c, err);
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
	BF_AUTOFREE const char **given = bf_alloc((p->n_params + 1) * sizeof(*given)); /* for each parameter; NULL: it is not */
	for (size_t i = 0; rc == 0 && i < o->param.count; i++)
		rc = bf_param_take(p, o->param.items[i], given, err);
	bool asked = rc == 0 && !p->chunk.by_key && has_gaps(p, o);
	if (asked && c->n == 0 && !(o->since.given && o->until.given)) {
		rc = known ? 0 : bf_fail(err, BF_E_INPUT, "pipeline %s has no run yet; expected --since=DATE and --until=DATE", pipeline);
	} else if (asked) {
		if (c->n == 0) {
			c->since = o->since.day;
			c->until = o->until.day;
		}
		rc = c->since <= c->until ? add_steps(l, p, o, given, c, err) : 0;
	}
	bf_pipeline_free(p);
	return rc;
}
