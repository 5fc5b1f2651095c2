#include "core/run_params.h"

#include "base/mem.h"
#include "bf_sql.h"

int bf_run_params_load(struct bf_pg *pg, const char *run, struct bf_run_params *out, struct bf_error *err)
{
	struct bf_pg_params p;
	*out = (struct bf_run_params){.n = 0};
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, run);
	int rc = bf_pg_exec(pg, &bf_sql_run_params, &p, &out->rows, err);
	bf_pg_params_release(&p);
	if (rc < 0)
		return rc;
	out->n = (size_t)bf_pg_rows(out->rows);
	out->names = bf_alloc((out->n + 1) * sizeof(*out->names));
	out->values = bf_alloc((out->n + 1) * sizeof(*out->values));
	for (size_t i = 0; i < out->n; i++) {
		out->names[i] = bf_pg_text(out->rows, (int)i, 0);
		out->values[i] = bf_pg_text(out->rows, (int)i, 1);
	}
	return 0;
}

void bf_run_params_release(struct bf_run_params *p)
{
	bf_pg_result_free(bf_steal(&p->rows));
	free(bf_steal(&p->names));
	free(bf_steal(&p->values));
}
