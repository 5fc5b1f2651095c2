/*
 * Finding the run, step or chunk that a person named; an error suggests the near one. -BF_E_NOT_FOUND: exit code 2.
 */
#ifndef BF_SHARED_FIND_H
#define BF_SHARED_FIND_H

#include "base/error.h"
#include "base/text.h"
#include "io/pg.h"

/* A pipeline's name is an error, too, that names its latest run: what decides something wants the run itself. */
int bf_find_run(struct bf_pg *pg, const char *run, struct bf_error *err);

/* A run, or a pipeline, of which it is the latest run: 0, and the run's name in `out`. For what only looks. */
int bf_find_run_or_latest(struct bf_pg *pg, const char *name, char out[static BF_RUN_MAX + 1], struct bf_error *err);

/* step or chunk may be NULL: not asked for. A chunk without a step may be one of any step. */
int bf_find_job(struct bf_pg *pg, const char *run, const char *step, const char *chunk, struct bf_error *err);

#endif
