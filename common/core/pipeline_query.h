/*
 * The queries of a pipeline that are asked outside of any job: where its keys are, which days or keys should be there, and which are;
 * whether a run is to be held back; what undoes a job. SQL in psql's notation, with its variables replaced and quoted by libpq.
 */
#ifndef BF_CORE_PIPELINE_QUERY_H
#define BF_CORE_PIPELINE_QUERY_H

#include "core/pipeline.h"
#include "io/pg.h"

struct bf_vars;

struct bf_query_vars {
	const char *since, *until;       /* or NULL */
	const char *const *param_values; /* one for each of the pipeline's parameters */
};

/* Appends the query with its variables replaced. */
int bf_pipeline_query(const struct bf_pipeline *p, const char *sql, const struct bf_query_vars *v, struct bf_pg *pg, struct bf_buf *out,
					  struct bf_error *err);

/* The same with these variables. inner: it will stand in parentheses, so what comes from its last ';' on is left out. */
int bf_query_render(struct bf_pg *pg, const char *sql, const struct bf_vars *v, bool inner, struct bf_buf *out, struct bf_error *err);

/* The same of a run, with nothing but its name and its parameters, which are asked of the ledger. */
int bf_run_query(struct bf_pg *pg, const char *run, const char *sql, struct bf_buf *out, struct bf_error *err);

#endif
