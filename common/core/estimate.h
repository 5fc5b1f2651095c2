/*
 * How long a plan may take, by what the jobs of earlier runs took.
 *
 * A step's time is that of its jobs, side by side as far as its concurrency allows; a soak takes its duration, and a person none. The
 * plan's is the longest way through the steps' needs, or all work divided by the run's concurrency, or the rate's, whichever is longest.
 */
#ifndef BF_CORE_ESTIMATE_H
#define BF_CORE_ESTIMATE_H

#include "core/plan.h"

struct bf_estimate {
	int64_t step_ms[BF_STEPS_MAX]; /* by ordinal; -1: not known */
	int64_t total_ms;              /* of the steps that are known; -1: of none */
	int64_t measured;              /* jobs that it is made of */
	int unknown;                   /* steps with jobs, of which nothing is known */
};

int bf_plan_estimate(struct bf_pg *pg, const struct bf_plan_ask *ask, const struct bf_plan *plan, struct bf_estimate *out,
					 struct bf_error *err);

#endif
