/*
 * A plan for people: what would be done or will be done, what is left out and why, and what to do next.
 */
#ifndef BF_CHANGE_PLAN_VIEW_H
#define BF_CHANGE_PLAN_VIEW_H

#include "core/estimate.h"
#include "core/plan.h"
#include "shared/today.h"

struct bf_plan_view {
	const struct bf_plan_ask *ask;
	const struct bf_plan *plan;
	const struct bf_estimate *estimate; /* NULL: none was made */
	bool dry_run;
	enum bf_planned outcome; /* of a dry run: what it would be */
	/* Where nothing was found of what failed: the checks that did, step and run each; otherwise NULL. */
	const struct bf_pg_result *failed_checks;
	const struct bf_today *today; /* by which relative days were made days of the calendar; NULL: none was relative */
	const char *state;            /* the run's; "" in a dry run */
	int64_t workers;              /* alive; -1: not asked */
	const char *const *files;     /* that were checked; ends with NULL */
	const char *const *env;       /* variables that the steps need where workers run; ends with NULL */
};

void bf_plan_print(const struct bf_plan_view *v);

/*
 * The same as JSON: one object with
 *   dry_run, outcome ("planned", "exists" or "nothing"), run (null: none, or not named yet), state (null in a dry run), jobs,
 *   pipeline, since, until (null for keys), today {day, timezone} (null: no day was given relative to it), params {name: value}, queue,
 * concurrency, concurrency_max, interval_ms, reprocess, trial, failed_checks [{step, run}] (with reprocess "failed", where nothing was
 * found), files [], environment [{name, set_here}] (variables that the steps need where workers run; whether this process has them),
 *   estimate_ms (of a dry run, by what earlier runs took; null: not known), measured_jobs,
 *   steps [{step, kind, per, guarantee, order, needs [], jobs, missing, planned (days or keys), estimate_ms, first, last, skipped [{reason:
 * done|failed|held|present|blocked, run, lacking (the step), count, first, last}]}] steps is empty when the run existed before. Members may
 * be added, none are taken away.
 */
void bf_plan_print_json(const struct bf_plan_view *v, bool one_line);

#endif
