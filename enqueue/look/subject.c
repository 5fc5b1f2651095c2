/* The pipeline that `coverage` and `gaps` are asked about: looked for in the ledger and as a file, and which of its identities are meant.
 */
#include "look/subject.h"

#include <stddef.h>

#include "base/mem.h"
#include "core/json_identity.h"
#include "core/stat.h"
#include "shared/params.h"

void bf_subject_not_asked(const struct bf_subject *s, const char *why)
{
	if (!s->look->quiet)
		fprintf(stderr, "bfstat: what is there was not asked, only the ledger: %s\n", why);
}

/* ---- opening ---- */

/* The file's own problems are no reason not to show what the ledger has. */
static void load_file(struct bf_subject *s)
{
	BF_AUTOFREE char *path = NULL;
	struct bf_error why;
	int rc = bf_pipeline_find(s->name, &path, &why);
	if (rc < 0)
		return;
	rc = bf_pipeline_load_file(path, &s->file, &why);
	if (rc < 0 && (s->known || rc != -BF_E_NOT_FOUND))
		bf_subject_not_asked(s, why.text);
}

static int take_params(struct bf_subject *s, struct bf_error *err)
{
	int rc = 0;
	s->given = bf_alloc((s->file->n_params + 1) * sizeof(*s->given));
	for (size_t i = 0; rc == 0 && i < s->o->param.count; i++)
		rc = bf_param_take(s->file, s->o->param.items[i], s->given, err);
	return rc;
}

/* Without the file its parameters are those that runs have recorded, and a slip is seen when none of them has it. */
static int check_words(const struct bf_subject *s, struct bf_error *err)
{
	for (size_t i = 0; i < s->o->param.count; i++)
		if (!strchr(s->o->param.items[i], '='))
			return bf_refuse_option("--param", s->o->param.items[i], "NAME=VALUE", err);
	return 0;
}

static int is_by_key(const struct bf_subject *s, bool *by_key, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	*by_key = s->file && s->file->chunk.by_key;
	int rc = s->file ? 0 : bf_stat_by_key(s->look->pg, s->name, &r, err);
	if (rc == 0 && r)
		*by_key = bf_pg_rows(r) == 1 && bf_pg_bool(r, 0, 0);
	return rc;
}

int bf_subject_open(struct bf_look *l, const char *pipeline, const struct bf_days_options *o, struct bf_subject *out, struct bf_error *err)
{
	*out = (struct bf_subject){.look = l, .name = pipeline, .o = o};
	int rc = bf_look_find_pipeline(l, pipeline, NULL, err);
	if (rc < 0 && rc != -BF_E_NOT_FOUND)
		return rc;
	out->known = rc == 0;
	load_file(out);
	if (!out->known && !out->file)
		return rc;
	bool step_of_file = o->step && out->file && bf_pipeline_step(out->file, o->step);
	rc = o->step && !step_of_file ? bf_look_find_pipeline(l, pipeline, o->step, err) : 0;
	if (rc == 0)
		rc = out->file ? take_params(out, err) : check_words(out, err);
	if (rc == 0)
		rc = is_by_key(out, &out->by_key, err);
	if (rc < 0)
		bf_subject_release(out);
	return rc;
}

void bf_subject_release(struct bf_subject *s)
{
	free(s->given);
	if (s->file)
		bf_pipeline_free(s->file);
	*s = (struct bf_subject){.name = NULL};
}

/* ---- what is asked about ---- */

bool bf_subject_gives_identity(const struct bf_subject *s)
{
	for (size_t i = 0; s->file && i < s->file->n_params; i++)
		if (s->file->params[i].identity && s->given[i])
			return true;
	return !s->file && s->o->param.count > 0;
}

static bool has_value(const char *identity, const char *name, const char *value)
{
	BF_AUTOFREE char *recorded = bf_identity_param(identity, name);
	return recorded && strcmp(recorded, value) == 0;
}

static bool has_words(const struct bf_subject *s, const char *identity)
{
	for (size_t i = 0; i < s->o->param.count; i++) {
		const char *word = s->o->param.items[i], *equals = strchr(word, '=');
		BF_AUTOFREE char *name = bf_strndup(word, (size_t)(equals - word));
		if (!has_value(identity, name, equals + 1))
			return false;
	}
	return true;
}

bool bf_subject_wants(const struct bf_subject *s, const char *identity)
{
	if (!s->file)
		return has_words(s, identity);
	for (size_t i = 0; i < s->file->n_params; i++) {
		const struct bf_param *p = &s->file->params[i];
		if (p->identity && s->given[i] && !has_value(identity, p->name, s->given[i]))
			return false;
	}
	return true;
}

bool bf_subject_has_step(const struct bf_subject *s, const struct bf_step *step)
{
	bool works = step->kind != BF_KIND_CHECK && step->kind != BF_KIND_SOAK && step->kind != BF_KIND_APPROVAL;
	return works && step->per == BF_PER_CHUNK && (!s->o->step || strcmp(s->o->step, step->name) == 0);
}

/* ---- values ---- */

struct bf_values bf_values_new(const struct bf_pipeline *p)
{
	return (struct bf_values){
		.of = bf_alloc((p->n_params + 1) * sizeof(char *)), .recorded = bf_alloc((p->n_params + 1) * sizeof(char *)), .n = p->n_params};
}

void bf_values_free(struct bf_values *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->recorded[i]);
	free(v->recorded);
	free(v->of);
}

bool bf_values_find(const struct bf_subject *s, const char *identity, struct bf_values *v)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct bf_param *param = &s->file->params[i];
		bool recorded = identity && param->identity;
		free(bf_steal(&v->recorded[i]));
		v->recorded[i] = recorded ? bf_identity_param(identity, param->name) : NULL;
		v->of[i] = recorded ? v->recorded[i] : s->given[i];
		if (!v->of[i] && !recorded)
			v->of[i] = param->default_value;
		if (v->of[i])
			continue;
		BF_AUTOFREE char *why = recorded ? bf_asprintf("runs were planned without the parameter %s", param->name)
										 : bf_asprintf("--param=%s=… is missing", param->name);
		bf_subject_not_asked(s, why);
		return false;
	}
	return true;
}

/* ---- identities ---- */

static void add(struct bf_identities *i, const char *identity)
{
	for (size_t k = 0; k < i->n; k++)
		if (bf_identity_same(i->of[k], identity))
			return;
	i->of = bf_realloc_array(i->of, i->n + 1, sizeof(*i->of));
	i->of[i->n++] = bf_strdup(identity);
}

void bf_identities_add(struct bf_identities *i, const struct bf_subject *s, const char *identity)
{
	if (bf_subject_wants(s, identity))
		add(i, identity);
}

void bf_identities_complete(struct bf_identities *i, const struct bf_subject *s)
{
	if (i->n > 0 || !s->file)
		return;
	struct bf_values v = bf_values_new(s->file);
	if (bf_values_find(s, NULL, &v)) {
		BF_AUTOFREE char *identity = bf_identity_text(s->file, v.of);
		add(i, identity);
	}
	bf_values_free(&v);
}

void bf_identities_release(struct bf_identities *i)
{
	for (size_t k = 0; k < i->n; k++)
		free(i->of[k]);
	free(i->of);
	*i = (struct bf_identities){.n = 0};
}

void bf_subject_section(struct bf_buf *out, const char *step, const char *identity)
{
	bf_buf_addstr(out, step);
	if (strcmp(identity, "{}") != 0)
		bf_buf_printf(out, " %s", identity);
}

/* ---- the options ---- */

#define OPTION(field) offsetof(struct bf_days_options, field)

const struct bf_opt bf_days_opts[] = {
	{.name = "since",
	 .type = BF_OPT_DATE,
	 .offset = OPTION(since),
	 .value = "DATE",
	 .help = "from this day on, whether a run was asked for it or not: 2024-01-01, yesterday, -7d"},
	{.name = "until", .type = BF_OPT_DATE, .offset = OPTION(until), .value = "DATE", .help = "up to this day"},
	{.name = "step",
	 .type = BF_OPT_TEXT,
	 .offset = OPTION(step),
	 .value = "STEP",
	 .help = "only this step (default: all that work on days, or keys)"},
	{.name = "param",
	 .type = BF_OPT_LIST,
	 .offset = OPTION(param),
	 .value = "NAME=VALUE",
	 .help = "only where this parameter has this value, if coverage belongs to it; also for queries. May be given again"},
	{.name = "limit",
	 .type = BF_OPT_INT,
	 .offset = OPTION(limit),
	 .value = "N",
	 .min = 1,
	 .max = INT32_MAX,
	 .help = "list at most N that are missing (gaps: all, coverage of keys: 20)"},
	{.name = "after",
	 .type = BF_OPT_TEXT,
	 .offset = OPTION(after),
	 .value = "KEY",
	 .help = "list those behind this key, or day: the next page"},
	{.name = "json", .type = BF_OPT_FLAG, .offset = OPTION(json), .help = "print JSON (docs/bfstat-json.md)"},
	{.name = NULL}};
