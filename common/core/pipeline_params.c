/* The parameters of a pipeline, and that each one that changes what is done says what that means for coverage. */
#include "base/mem.h"
#include "core/pipeline_internal.h"
#include "core/sqltext.h"

static const char *const param_fields[] = {"default", "identity", "trial", "affects", NULL};
static const char *const affects_names[] = {"nothing", NULL};

/* SQL writes it as :name, so it has to be a name that psql knows; a '-' would end it. */
static bool param_name_valid(const char *s)
{
	return *s >= 'a' && *s <= 'z' && strlen(s) <= BF_NAME_MAX && s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

/* The three exclude each other. */
static void check_meaning(struct bf_reader *r, const struct bf_at *at, const struct bf_param *p)
{
	struct bf_at trial = bf_at_field(at, "trial");

	if (p->identity + p->trial + p->harmless > 1)
		bf_problem(r, at, "found more than one of \"identity\", \"trial\" and \"affects\", expected one of them");
	if (p->trial && !p->default_value)
		bf_problem(r, &trial, "found a trial without a \"default\", expected both: with another value it is a trial");
}

static void read_param(struct bf_reader *r, const struct bf_at *at, json_t *object, const char *name, struct bf_param *param)
{
	if (!param_name_valid(name))
		bf_problem(r, at, "found this name, expected a letter a-z, then up to %d of a-z, 0-9 and '_'", BF_NAME_MAX - 1);
	for (size_t i = 0; bf_builtin_variables[i]; i++)
		if (strcmp(bf_builtin_variables[i], name) == 0)
			bf_problem(r, at, "found the name of a built-in variable, expected another");
	(void)snprintf(param->name, sizeof(param->name), "%s", name);
	if (!json_is_object(object)) {
		bf_problem_found(r, at, object, "an object: {\"default\": \"…\"}, or {} where a value must be given");
		return;
	}
	bf_check_fields(r, at, object, param_fields);
	param->default_value = bf_strdup(bf_read_text(r, at, object, "default"));
	param->identity = bf_read_bool(r, at, object, "identity", false);
	param->trial = bf_read_bool(r, at, object, "trial", false);
	param->harmless = bf_read_choice(r, at, object, "affects", affects_names, -1) == 0;
	check_meaning(r, at, param);
}

void bf_read_params(struct bf_reader *r, json_t *root)
{
	struct bf_at at = bf_at_field(NULL, "params");
	json_t *params = bf_read(r, NULL, root, "params", JSON_OBJECT), *value;
	size_t n = json_object_size(params);
	const char *name;

	r->p->params = bf_alloc((n + 1) * sizeof(*r->p->params));
	r->param_names = bf_alloc((n + 1) * sizeof(*r->param_names));
	json_object_foreach (params, name, value) {
		struct bf_at member = bf_at_field(&at, name);
		struct bf_param *param = &r->p->params[r->p->n_params];

		read_param(r, &member, value, name, param);
		r->param_names[r->p->n_params++] = param->name;
	}
}

/* ---- where a parameter is used ---- */

static bool sql_uses(const struct bf_sql_file *file, const char *name)
{
	struct bf_sqltext sql;
	bool uses = false;

	if (!file->text || bf_sqltext_parse(file->text, strlen(file->text), &sql, NULL) < 0)
		return false;
	for (size_t i = 0; i < sql.n_pieces && !uses; i++) {
		const struct bf_sqltext_piece *p = &sql.pieces[i];

		uses = p->kind != BF_SQL_TEXT && p->len == strlen(name) && memcmp(p->start, name, p->len) == 0;
	}
	bf_sqltext_release(&sql);
	return uses;
}

static bool template_uses(const char *text, const char *name)
{
	BF_AUTOFREE char *written = bf_asprintf("{{param.%s}}", name);

	return text && strstr(text, written);
}

static bool argv_uses(const struct bf_step *s, const char *name)
{
	for (size_t i = 0; s->argv && s->argv[i]; i++)
		if (template_uses(s->argv[i], name))
			return true;
	return false;
}

static bool env_uses(const struct bf_pipeline *p, const char *name)
{
	for (size_t i = 0; i < p->n_env_set; i++)
		if (template_uses(p->env_set[i].value, name))
			return true;
	return false;
}

static bool headers_use(const struct bf_http_spec *http, const char *name)
{
	for (size_t i = 0; i < http->n_headers; i++)
		if (template_uses(http->headers[i].value, name))
			return true;
	return false;
}

/* Where a step that has an effect uses the parameter: the field; NULL: it does not. */
static const char *use_in(const struct bf_pipeline *p, const struct bf_step *s, const char *name)
{
	switch (s->kind) {
	case BF_KIND_SQL:
		return sql_uses(&s->sql, name) ? s->sql.name : NULL;
	case BF_KIND_EXEC:
		return argv_uses(s, name) ? "argv" : env_uses(p, name) ? "env.set" : NULL;
	case BF_KIND_HTTP:
		return template_uses(s->http.url, name)    ? "url"
			   : template_uses(s->http.body, name) ? "body"
			   : headers_use(&s->http, name)       ? "headers"
												   : NULL;
	case BF_KIND_CHECK:
	case BF_KIND_NOOP:
	case BF_KIND_APPROVAL:
	case BF_KIND_SOAK:
		break;
	}
	return NULL;
}

static void check_uses(struct bf_reader *r, const struct bf_at *at, const struct bf_param *param)
{
	for (int i = 0; i < r->p->n_steps; i++) {
		const struct bf_step *s = &r->p->steps[i];
		const char *use = use_in(r->p, s, param->name);

		if (!use)
			continue;
		bf_problem(r, at,
				   "step %s uses it (%s), and it does not say what another value means; expected \"identity\": true (each value has days "
				   "of its own), \"trial\": true (what is done with another value than the default does not count as done) or "
				   "\"affects\": \"nothing\" (the result is the same)",
				   s->name, use);
		return;
	}
}

void bf_check_param_uses(struct bf_reader *r)
{
	struct bf_at params = bf_at_field(NULL, "params");

	for (size_t i = 0; i < r->p->n_params; i++) {
		const struct bf_param *p = &r->p->params[i];
		struct bf_at at = bf_at_field(&params, p->name);

		if (!p->identity && !p->trial && !p->harmless)
			check_uses(r, &at, p);
	}
}
