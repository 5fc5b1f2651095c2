#include "base/mem.h"
#include "core/pipeline_internal.h"

int bf_pipeline_body(const struct bf_pipeline *p, struct bf_buf *out, struct bf_error *err)
{
	bf_doc_write(p->body, p->body->root, out);
	if (out->overflow)
		return bf_fail(err, BF_E_LIMIT, "pipeline %s: with its files it is longer than %zu bytes", p->name, out->max);
	return 0;
}

static bool is_named(const struct bf_sql_file *f, const char *name)
{
	return f->name && strcmp(f->name, name) == 0;
}

static bool a_check_names(const struct bf_step *s, const char *name)
{
	for (size_t i = 0; i < s->n_checks; i++)
		if (is_named(&s->checks[i].query, name) || is_named(&s->checks[i].expected, name) || is_named(&s->checks[i].present, name) ||
			is_named(&s->checks[i].count, name))
			return true;
	return false;
}

bool bf_pipeline_names_file(const struct bf_pipeline *p, const char *name)
{
	if (is_named(&p->chunk.keys_sql, name) || is_named(&p->throttle, name))
		return true;
	for (int i = 0; i < p->n_steps; i++) {
		const struct bf_step *s = &p->steps[i];

		if (is_named(&s->rollback.file, name) || is_named(&s->rollback.changed, name) || is_named(&s->rollback.verify, name))
			return true;
		if (is_named(&s->sql, name) || is_named(&s->expected, name) || is_named(&s->present, name) || a_check_names(s, name))
			return true;
	}
	return false;
}

static void free_file(struct bf_sql_file *f)
{
	free(f->name);
	free(f->text);
}

static void free_texts(char **texts)
{
	for (char **t = texts; t && *t; t++)
		free(*t);
	free(texts);
}

static void free_figures(struct bf_check *c)
{
	free(c->json_file);
	free(c->pointer);
	free(c->expected_number);
	free(c->tolerance);
	free(c->min);
	free(c->max);
	free(c->warn_if.number);
	free(c->warn_if.text);
	free(c->error_if.number);
	free(c->error_if.text);
}

static void free_step(struct bf_step *s) /* its chunk's texts are the pipeline's */
{
	free(s->needs);
	free_file(&s->sql);
	free_file(&s->rollback.file);
	free_file(&s->rollback.changed);
	free_file(&s->rollback.verify);
	bf_http_spec_release(&s->http);
	free_texts(s->argv);
	free_file(&s->expected);
	free_file(&s->present);
	for (size_t i = 0; i < s->n_checks; i++) {
		free_file(&s->checks[i].query);
		free_file(&s->checks[i].expected);
		free_file(&s->checks[i].present);
		free_file(&s->checks[i].count);
		bf_http_spec_release(&s->checks[i].http);
		free_figures(&s->checks[i]);
	}
	free(s->checks);
	free(s->approval.review);
}

static void free_chunking(struct bf_chunking *c)
{
	free_file(&c->keys_sql);
	free(c->keys_file);
	free(c->keys_array);
	free(c->keys_id);
}

void bf_pipeline_free(struct bf_pipeline *p)
{
	if (!p)
		return;
	free(p->description);
	free(p->timezone);
	free(p->dir);
	free_chunking(&p->chunk);
	free_file(&p->throttle);
	free_texts(p->env_pass);
	for (size_t i = 0; i < p->n_env_set; i++) {
		free(p->env_set[i].name);
		free(p->env_set[i].value);
	}
	free(p->env_set);
	for (size_t i = 0; i < p->n_params; i++)
		free(p->params[i].default_value);
	free(p->params);
	for (size_t i = 0; i < p->n_artifacts; i++)
		free(p->artifacts[i].file);
	free(p->artifacts);
	for (int i = 0; i < p->n_steps; i++)
		free_step(&p->steps[i]);
	free(p->steps);
	if (p->body)
		bf_doc_release(p->body);
	free(p->body);
	free(p);
}

const struct bf_step *bf_pipeline_step(const struct bf_pipeline *p, const char *name)
{
	for (int i = 0; i < p->n_steps; i++)
		if (strcmp(p->steps[i].name, name) == 0)
			return &p->steps[i];
	return NULL;
}

bool bf_step_chronological(const struct bf_step *s)
{
	return s->per == BF_PER_CHUNK && s->concurrency == 1;
}

const char *bf_guarantee(const struct bf_step *s)
{
	if (s->kind == BF_KIND_APPROVAL)
		return "a person decides";
	return s->kind == BF_KIND_SQL ? "exactly once" : "at least once, with an idempotency key";
}
