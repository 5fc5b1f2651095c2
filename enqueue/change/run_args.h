/*
 * What `enqueue run` was asked for: the command line as it is, and the same checked against the pipeline. Everything that can be wrong
 * with it is found here, before any server is connected to.
 */
#ifndef BF_CHANGE_RUN_ARGS_H
#define BF_CHANGE_RUN_ARGS_H

#include "change/commands.h"
#include "core/plan.h"
#include "shared/today.h"

#define BF_RUN_OPTIONS_MAX 12

struct bf_run_options { /* as parsed */
	struct bf_opt_date since, until;
	const char *batch_days, *concurrency, *order, *queue, *reprocess, *run_id, *note;
	struct bf_opt_list only, skip, key, param;
	int64_t limit;
	bool no_preflight, dry_run, follow, json;
};

struct bf_run_args {
	struct bf_pipeline *pipeline;
	struct bf_opt_date since, until; /* as given; bf_run_args_resolve makes days of the calendar of them */
	struct bf_today today;
	const char **param_values;
	struct bf_keys keys, picked; /* picked: by --key */
	struct bf_buf missing;       /* what is not there, a line each */
	bool files_missing;          /* files or programs are among it: then the pipeline is good for preflight only */
	char who[BF_WHO_MAX];
	const char *option_names[BF_RUN_OPTIONS_MAX];
	char *option_values[BF_RUN_OPTIONS_MAX];
	struct bf_plan_ask ask; /* borrows all of the above and from the options; ask.keys is set, but the keys are not loaded */
};

/* What PostgreSQL alone can say: which days -7d and yesterday are. To be called before anything is planned. */
int bf_run_args_resolve(struct bf_run_args *a, struct bf_pg *pg, struct bf_error *err);
int bf_run_args_check(const struct bf_run_options *o, const char *pipeline, struct bf_run_args *out, struct bf_error *err);
void bf_run_args_release(struct bf_run_args *a);

#endif
