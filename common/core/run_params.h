/* A run's parameters, as the ledger has them. */
#ifndef BF_CORE_RUN_PARAMS_H
#define BF_CORE_RUN_PARAMS_H

#include <stddef.h>

#include "base/error.h"
#include "io/pg.h"

struct bf_run_params {
	struct bf_pg_result *rows;
	const char **names, **values; /* n of each, borrowed from rows */
	size_t n;
};

int bf_run_params_load(struct bf_pg *pg, const char *run, struct bf_run_params *out, struct bf_error *err);
void bf_run_params_release(struct bf_run_params *p);

#endif
