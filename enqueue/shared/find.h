/*
 * Finding the run, step or chunk that a person named; an error suggests the near one. -BF_E_NOT_FOUND: exit code 2.
 */
#ifndef BF_SHARED_FIND_H
#define BF_SHARED_FIND_H

#include "base/error.h"
#include "io/pg.h"

int bf_find_run(struct bf_pg *pg, const char *run, struct bf_error *err);

/* step or chunk may be NULL: not asked for. A chunk without a step may be one of any step. */
int bf_find_job(struct bf_pg *pg, const char *run, const char *step, const char *chunk, struct bf_error *err);

#endif
