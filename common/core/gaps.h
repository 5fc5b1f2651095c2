/*
 * What a step's `expected` and `present` queries say of the days of a range, or of a list of keys: which should be there, and which are.
 * They are the pipeline's own and look at its data; what the ledger has recorded is another matter (core/plan.h, bfstat coverage).
 *
 * A NULL, a day or key that `expected` yields twice, and what is no day are input errors that name the file.
 */
#ifndef BF_CORE_GAPS_H
#define BF_CORE_GAPS_H

#include "core/keys.h"
#include "core/pipeline.h"
#include "io/pg.h"

struct bf_gaps {
	bool has_expected, has_present; /* whether the step has such a query; without `expected` everything that is asked for is */
	size_t n;                       /* days from the first, or keys */
	unsigned char *marks;           /* of each */
	size_t expected;                /* how many are expected */
};

struct bf_gaps_ask { /* borrowed */
	const struct bf_pipeline *pipeline;
	const struct bf_keys *keys; /* NULL: by date */
	bf_date since, until;
	const char *const *param_values;
};

bool bf_step_has_gaps(const struct bf_step *s); /* has at least one of the queries */

/* pg: a connection that cannot write. Release it in any case. */
int bf_gaps_load(struct bf_pg *pg, const struct bf_gaps_ask *ask, const struct bf_step *s, struct bf_gaps *out, struct bf_error *err);
void bf_gaps_release(struct bf_gaps *g);

bool bf_gaps_expected(const struct bf_gaps *g, size_t place);
bool bf_gaps_present(const struct bf_gaps *g, size_t place);

#endif
