/*
 * Whether a worker could read what the ledger would keep of a pipeline: it is read at planning time already, as the
 * ledger writes it, by the code that a worker reads it with. A run that nobody can work on is not planned.
 */
#include "bf_sql.h"
#include "core/plan_internal.h"

#define BODY_MAX ((size_t)64 << 20)

/* The body as text, there and back. */
static int read_back(struct bf_pg *pg, const struct bf_pipeline *p, struct bf_pg_result **out, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf body;
	struct bf_pg_params params;
	bf_buf_init(&body, BODY_MAX);
	int rc = bf_pipeline_body(p, &body, err);
	if (rc < 0)
		return rc;
	bf_pg_params_init(&params);
	bf_pg_add_text(&params, body.data);
	rc = bf_pg_exec(pg, &bf_sql_plan_read_back, &params, out, err);
	bf_pg_params_release(&params);
	return rc;
}

int bf_plan_check_body(struct bf_pg *pg, const struct bf_pipeline *p, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	struct bf_pipeline *again = NULL;
	int rc = read_back(pg, p, &r, err);
	if (rc == 0) {
		const char *text = bf_pg_text(r, 0, 0);
		rc = bf_pipeline_load_body(text, strlen(text), p->dir, &again, err);
		bf_pipeline_free(again);
	}
	bool of_the_text = rc == -BF_E_INPUT || rc == -BF_E_LIMIT || (rc == -BF_E_SQL && strncmp(err->sqlstate, "22", 2) == 0);
	if (!of_the_text)
		return rc;
	(void)bf_error_prefix(err, "pipeline %s: no worker could read what the ledger would keep of it", p->name);
	err->code = BF_E_INPUT;
	return -BF_E_INPUT;
}
