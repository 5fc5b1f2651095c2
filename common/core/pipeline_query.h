/*
 * The queries of a pipeline that are asked outside of any job: where its keys are, which days or keys should be there, and which are.
 */
#ifndef BF_CORE_PIPELINE_QUERY_H
#define BF_CORE_PIPELINE_QUERY_H

#include "core/pipeline.h"
#include "io/pg.h"

struct bf_query_vars {
	const char *since, *until;       /* or NULL */
	const char *const *param_values; /* one for each of the pipeline's parameters */
};

/* Appends the query with its variables replaced. */
int bf_pipeline_query(const struct bf_pipeline *p, const char *sql, const struct bf_query_vars *v, struct bf_pg *pg, struct bf_buf *out,
					  struct bf_error *err);

#endif
