#include "core/pipeline_query.h"

#include "base/mem.h"
#include "core/run_params.h"
#include "core/sqltext.h"
#include "core/vars.h"

struct lookup {
	const struct bf_vars *vars;
	struct bf_pg *pg;
};

static const char *look_up(void *data, const char *name, size_t len)
{
	const struct lookup *l = data;
	return bf_vars_sql(l->vars, name, len);
}

static int quote_with(void *data, struct bf_buf *out, const char *value, enum bf_sqltext_kind kind, struct bf_error *err)
{
	struct lookup *l = data;
	return kind == BF_SQL_IDENT ? bf_pg_quote_ident(l->pg, out, value, err) : bf_pg_quote_literal(l->pg, out, value, err);
}

int bf_query_render(struct bf_pg *pg, const char *sql, const struct bf_vars *v, bool inner, struct bf_buf *out, struct bf_error *err)
{
	struct lookup lookup = {.vars = v, .pg = pg};
	struct bf_sqltext text;
	int rc = bf_sqltext_parse(sql, inner ? bf_sqltext_query_len(sql) : strlen(sql), &text, err);
	if (rc < 0)
		return rc;
	text.unended = text.unended && !inner;
	rc = bf_sqltext_render(&text, look_up, quote_with, &lookup, out, err);
	bf_sqltext_release(&text);
	return rc;
}

int bf_pipeline_query(const struct bf_pipeline *p, const char *sql, const struct bf_query_vars *v, struct bf_pg *pg, struct bf_buf *out,
					  struct bf_error *err)
{
	BF_AUTOFREE const char **names = bf_realloc_array(NULL, p->n_params + 1, sizeof(*names));
	for (size_t i = 0; i < p->n_params; i++)
		names[i] = p->params[i].name;
	const struct bf_vars vars = {.run = "",
								 .step = "",
								 .chunk = "",
								 .since = v->since ? v->since : "",
								 .until = v->until ? v->until : "",
								 .lookback_since = "",
								 .key = "",
								 .param_names = names,
								 .param_values = v->param_values,
								 .n_params = p->n_params};
	return bf_query_render(pg, sql, &vars, false, out, err);
}

int bf_run_query(struct bf_pg *pg, const char *run, const char *sql, struct bf_buf *out, struct bf_error *err)
{
	struct bf_run_params params;
	int rc = bf_run_params_load(pg, run, &params, err);
	if (rc < 0)
		return rc;
	const struct bf_vars vars = {.run = run,
								 .step = "",
								 .chunk = "",
								 .since = "",
								 .until = "",
								 .lookback_since = "",
								 .key = "",
								 .param_names = params.names,
								 .param_values = params.values,
								 .n_params = params.n};
	rc = bf_query_render(pg, sql, &vars, false, out, err);
	bf_run_params_release(&params);
	return rc;
}
