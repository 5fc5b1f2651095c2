/*
 * What people ask the ledger: the reading side, for `bfstat`. One statement sql/stat_*.sql, one function; the result is given as it is,
 * with its columns named here. All of it is read-only. Times are milliseconds since 1970 by the server's clock; a time that is not there
 * yet is NULL, which bf_pg_int reads as 0.
 *
 * What can be long comes in pages: `after` begins at 0 and is moved on by each call; a page with fewer rows than were asked for is the
 * last.
 */
#ifndef BF_CORE_STAT_H
#define BF_CORE_STAT_H

#include <stdint.h>

#include "base/error.h"
#include "io/pg.h"

enum bf_stat_runs_column {
	BF_RUNS_RUN,
	BF_RUNS_PIPELINE,
	BF_RUNS_SINCE,
	BF_RUNS_UNTIL,
	BF_RUNS_STATE,
	BF_RUNS_QUEUE,
	BF_RUNS_ALL,
	BF_RUNS_ATTENTION,
	BF_RUNS_PLANNED,
	BF_RUNS_PENDING,
	BF_RUNS_RUNNING,
	BF_RUNS_DONE,
	BF_RUNS_FAILED,
	BF_RUNS_SKIPPED,
	BF_RUNS_CANCELLED,
	BF_RUNS_UNDONE,
	BF_RUNS_RECENT,
	BF_RUNS_TAKEN,
	BF_RUNS_CREATED,
	BF_RUNS_STARTED,
	BF_RUNS_FINISHED,
	BF_RUNS_NOW,
	BF_RUNS_CLOSED,
	BF_RUNS_SUPERSEDED_BY,
	BF_RUNS_HELD,   /* by its throttle, now */
	BF_RUNS_GATED,  /* a person, or a soak, is in its way yet */
	BF_RUNS_ACTIVE, /* when a job of it last began or ended */
	BF_RUNS_KEYS,   /* NULL: it does not go by keys */
	BF_RUNS_PARAMS, /* all of them, JSON */
	BF_RUNS_GIVEN   /* "tenant=4 region=eu": those that are not the defaults; NULL: none */
};
/* state, pipeline: NULL for any. */
int bf_stat_runs(struct bf_pg *pg, const char *state, const char *pipeline, int limit, struct bf_pg_result **out, struct bf_error *err);

enum bf_stat_run_column {
	BF_RUN_RUN,
	BF_RUN_PIPELINE,
	BF_RUN_SINCE,
	BF_RUN_UNTIL,
	BF_RUN_STATE,
	BF_RUN_QUEUE,
	BF_RUN_CONCURRENCY,
	BF_RUN_PARAMS,
	BF_RUN_REQUESTED_BY,
	BF_RUN_NOTE,
	BF_RUN_CREATED,
	BF_RUN_FINISHED,
	BF_RUN_NOW,
	BF_RUN_HELD_REASON,
	BF_RUN_HELD_SINCE,
	BF_RUN_THROTTLE,
	BF_RUN_CANCELLING,
	BF_RUN_TRIAL,
	BF_RUN_CLOSED,
	BF_RUN_CLOSED_BY,
	BF_RUN_CLOSED_NOTE,
	BF_RUN_SUPERSEDED_BY,
	BF_RUN_AGAIN
};
int bf_stat_run(struct bf_pg *pg, const char *run, struct bf_pg_result **out, struct bf_error *err); /* no rows: no such run */

enum bf_stat_steps_column {
	BF_STEPS_STEP,
	BF_STEPS_KIND,
	BF_STEPS_STATE,
	BF_STEPS_PLANNED,
	BF_STEPS_NEEDS,
	BF_STEPS_PENDING,
	BF_STEPS_RUNNING,
	BF_STEPS_DONE,
	BF_STEPS_FAILED,
	BF_STEPS_SKIPPED,
	BF_STEPS_CANCELLED,
	BF_STEPS_UNDONE,
	BF_STEPS_RECENT,
	BF_STEPS_STARTED,
	BF_STEPS_FINISHED,
	BF_STEPS_ASKED,
	BF_STEPS_TIMEOUT,
	BF_STEPS_ON_TIMEOUT,
	BF_STEPS_REVIEW,
	BF_STEPS_OVER_HOLE,
	BF_STEPS_HOLE_FIRST,
	BF_STEPS_HOLE_LAST,
	BF_STEPS_ASKED_COUNT,
	BF_STEPS_UNITS,
	BF_STEPS_RELEASED,
	BF_STEPS_ACTIVE, /* when a job of it last began or ended */
	BF_STEPS_SOAK,   /* ms that a soak lasts; null: not known */
	BF_STEPS_TAKEN,
	BF_STEPS_TAKEN_BY,
	BF_STEPS_SPLIT,
};
int bf_stat_steps(struct bf_pg *pg, const char *run, struct bf_pg_result **out, struct bf_error *err);

enum bf_stat_running_column {
	BF_RUNNING_RUN,
	BF_RUNNING_STEP,
	BF_RUNNING_SEQ,
	BF_RUNNING_CHUNK,
	BF_RUNNING_WORKER,
	BF_RUNNING_EPOCH,
	BF_RUNNING_ATTEMPTS,
	BF_RUNNING_STARTED,
	BF_RUNNING_PROGRESS_DONE,
	BF_RUNNING_PROGRESS_TOTAL,
	BF_RUNNING_NOTE
};
int bf_stat_running(struct bf_pg *pg, const char *run /* NULL: of all runs */, struct bf_pg_result **out, struct bf_error *err);

enum bf_stat_last_error_column {
	BF_LAST_STEP,
	BF_LAST_CHUNK,
	BF_LAST_CATEGORY,
	BF_LAST_ERROR,
	BF_LAST_STATE,
	BF_LAST_ATTEMPTS,
	BF_LAST_AT,
	BF_LAST_SAID
};
int bf_stat_last_error(struct bf_pg *pg, const char *run, struct bf_pg_result **out, struct bf_error *err); /* no rows: none yet */
int bf_stat_put_off(struct bf_pg *pg, const char *run, struct bf_pg_result **out, struct bf_error *err);
enum { BF_PUT_OFF_JOBS, BF_PUT_OFF_STEP, BF_PUT_OFF_CHUNK, BF_PUT_OFF_TIMES, BF_PUT_OFF_SINCE, BF_PUT_OFF_WHY };

enum bf_stat_jobs_column {
	BF_JOBS_STEP,
	BF_JOBS_SEQ,
	BF_JOBS_CHUNK,
	BF_JOBS_STATE,
	BF_JOBS_ATTEMPTS,
	BF_JOBS_EPOCH,
	BF_JOBS_WORKER,
	BF_JOBS_STARTED,
	BF_JOBS_FINISHED,
	BF_JOBS_NOT_BEFORE,
	BF_JOBS_ROWS,
	BF_JOBS_PROGRESS_DONE,
	BF_JOBS_PROGRESS_TOTAL,
	BF_JOBS_CHECKPOINT,
	BF_JOBS_NOTE,
	BF_JOBS_CATEGORY,
	BF_JOBS_ERROR,
	BF_JOBS_OVER_HOLE
};
/* state: NULL for any. */
int bf_stat_jobs(struct bf_pg *pg, const char *run, const char *step, const char *state, int64_t *after, int limit,
				 struct bf_pg_result **out, struct bf_error *err);

enum bf_stat_failures_column {
	BF_FAILURES_STEP,
	BF_FAILURES_SEQ,
	BF_FAILURES_CHUNK,
	BF_FAILURES_ATTEMPTS,
	BF_FAILURES_CATEGORY,
	BF_FAILURES_ERROR,
	BF_FAILURES_TAIL,
	BF_FAILURES_WORKER,
	BF_FAILURES_RETRY,
	BF_FAILURES_FINISHED
};
int bf_stat_failures(struct bf_pg *pg, const char *run, const char *step, int64_t *after, int limit, struct bf_pg_result **out,
					 struct bf_error *err);

enum bf_stat_stale_column { BF_STALE_STEP, BF_STALE_IDENTITY, BF_STALE_FIRST, BF_STALE_LAST, BF_STALE_COUNT };
int bf_stat_stale(struct bf_pg *pg, const char *pipeline, const char *step, struct bf_pg_result **out, struct bf_error *err);

enum bf_stat_coverage_column { BF_COVERAGE_STEP, BF_COVERAGE_IDENTITY, BF_COVERAGE_WHAT, BF_COVERAGE_FIRST, BF_COVERAGE_LAST };
int bf_stat_coverage(struct bf_pg *pg, const char *pipeline, const char *step, struct bf_pg_result **out, struct bf_error *err);

/* One value: whether the pipeline's latest run was cut by keys. No row: it has none. */
int bf_stat_by_key(struct bf_pg *pg, const char *pipeline, struct bf_pg_result **out, struct bf_error *err);
/* Columns: step, identity; step NULL: all that work key by key. */
int bf_stat_key_sections(struct bf_pg *pg, const char *pipeline, const char *step, struct bf_pg_result **out, struct bf_error *err);
/* A key each. */
int bf_stat_keys(struct bf_pg *pg, const char *pipeline, const char *identity, struct bf_pg_result **out, struct bf_error *err);

enum bf_stat_key_states_column { BF_KEY_STATES_WHAT, BF_KEY_STATES_FIRST, BF_KEY_STATES_LAST };
struct bf_keys;
/* Of the keys from *place on, as many as one statement takes; moves *place on. */
int bf_stat_key_states(struct bf_pg *pg, const char *pipeline, const char *step, const char *identity, const struct bf_keys *keys,
					   size_t *place, struct bf_pg_result **out, struct bf_error *err);

int bf_stat_pipelines(struct bf_pg *pg, struct bf_pg_result **out, struct bf_error *err);                            /* a name each */
int bf_stat_pipeline_steps(struct bf_pg *pg, const char *pipeline, struct bf_pg_result **out, struct bf_error *err); /* a name each */

enum bf_stat_events_column {
	BF_EVENTS_ID,
	BF_EVENTS_AT,
	BF_EVENTS_WHO,
	BF_EVENTS_WHAT,
	BF_EVENTS_STEP,
	BF_EVENTS_CHUNK,
	BF_EVENTS_NOTE,
	BF_EVENTS_ROLE
};
int bf_stat_events(struct bf_pg *pg, const char *run, int64_t *after, int limit, struct bf_pg_result **out, struct bf_error *err);

enum bf_stat_queues_column { BF_QUEUES_QUEUE, BF_QUEUES_RUNS, BF_QUEUES_PENDING, BF_QUEUES_RUNNING };
int bf_stat_queues(struct bf_pg *pg, struct bf_pg_result **out, struct bf_error *err);

enum bf_stat_health_column {
	BF_HEALTH_RUN,
	BF_HEALTH_QUEUE,
	BF_HEALTH_STATE,
	BF_HEALTH_READY,
	BF_HEALTH_RUNNING,
	BF_HEALTH_STILL,
	BF_HEALTH_HELD
};
int bf_stat_health(struct bf_pg *pg, struct bf_pg_result **out, struct bf_error *err);

struct bf_stat_job {
	const char *step;
	int seq;
};
/* Columns: step, how many of the given jobs are settled. */
int bf_stat_settled(struct bf_pg *pg, const char *run, const struct bf_stat_job *jobs, size_t n, struct bf_pg_result **out,
					struct bf_error *err);
/* Columns: step, how many of its jobs are open that Redis should have; `seq` of each is how far the step was pushed. */
int bf_stat_open(struct bf_pg *pg, const char *run, const struct bf_stat_job *pushed, size_t n, struct bf_pg_result **out,
				 struct bf_error *err);

/* ---- for `bfstat report` ---- */

enum bf_report_checks_column {
	BF_CHECKS_ID,
	BF_CHECKS_STEP,
	BF_CHECKS_NAME,
	BF_CHECKS_TYPE,
	BF_CHECKS_ACTUAL,
	BF_CHECKS_EXPECTED,
	BF_CHECKS_OUTCOME,
	BF_CHECKS_FOUND,
	BF_CHECKS_VIOLATIONS,
	BF_CHECKS_EPOCH,
	BF_CHECKS_AT,
	BF_CHECKS_GATE
};
/* steps: {a,b}; {}: of all. */
int bf_report_checks(struct bf_pg *pg, const char *run, const char *steps, int64_t *after, int limit, struct bf_pg_result **out,
					 struct bf_error *err);
int bf_report_last_checks(struct bf_pg *pg, const char *run, const char *steps, struct bf_pg_result **out, struct bf_error *err);

enum bf_report_criteria_column { BF_CRITERIA_PLACE, BF_CRITERIA_ORDINAL, BF_CRITERIA_CRITERION, BF_CRITERIA_MET, BF_CRITERIA_FOUND };
int bf_report_criteria(struct bf_pg *pg, const char *run, struct bf_pg_result **out, struct bf_error *err);

enum bf_report_artifacts_column {
	BF_ARTIFACTS_FILE,
	BF_ARTIFACTS_WHAT,
	BF_ARTIFACTS_STEP,
	BF_ARTIFACTS_SIZE,
	BF_ARTIFACTS_ARRAY,
	BF_ARTIFACTS_STEPS /* {a,b}; {}: all */
};
int bf_report_artifacts(struct bf_pg *pg, const char *run, struct bf_pg_result **out, struct bf_error *err);

enum bf_report_soak_column {
	BF_SOAK_NAME,
	BF_SOAK_TYPE,
	BF_SOAK_SAMPLES,
	BF_SOAK_PASSED,
	BF_SOAK_WARNED,
	BF_SOAK_FAILED,
	BF_SOAK_LEAST,
	BF_SOAK_MOST,
	BF_SOAK_EXPECTED,
	BF_SOAK_LAST_WORD,
	BF_SOAK_LAST_FAILURE
};
enum bf_report_jobs_column {
	BF_RESULT_STEP,
	BF_RESULT_SEQ,
	BF_RESULT_CHUNK,
	BF_RESULT_KEYED,
	BF_RESULT_STATE,
	BF_RESULT_TRIES,
	BF_RESULT_FAILED_TRIES,
	BF_RESULT_HTTP_STATUS,
	BF_RESULT_STARTED,
	BF_RESULT_FINISHED,
	BF_RESULT_ROWS,
	BF_RESULT_CHECKPOINT,
	BF_RESULT_NOTE,
	BF_RESULT_CATEGORY,
	BF_RESULT_ERROR
};
/* *after: 0 for the first page; raised to the page's last seq. */
int bf_report_jobs(struct bf_pg *pg, const char *run, const char *step, int64_t *after, int limit, struct bf_pg_result **out,
				   struct bf_error *err);

enum bf_report_samples_column { BF_SAMPLES_EPOCH, BF_SAMPLES_AT, BF_SAMPLES_OUTCOME, BF_SAMPLES_FIGURES };
int bf_report_samples(struct bf_pg *pg, const char *run, const char *step, int64_t *after, int limit, struct bf_pg_result **out,
					  struct bf_error *err);

enum bf_report_verdict_column {
	BF_VERDICT_STATE,
	BF_VERDICT_BEGIN,
	BF_VERDICT_END,
	BF_VERDICT_SAMPLES,
	BF_VERDICT_FAILED,
	BF_VERDICT_WARNED,
	BF_VERDICT_SAID
};
int bf_report_verdict(struct bf_pg *pg, const char *run, const char *step, struct bf_pg_result **out, struct bf_error *err);

int bf_report_soak(struct bf_pg *pg, const char *run, const char *step, struct bf_pg_result **out, struct bf_error *err);

enum bf_report_attempts_column { BF_ATTEMPTS_STEP, BF_ATTEMPTS_CATEGORY, BF_ATTEMPTS_TRIES, BF_ATTEMPTS_JOBS, BF_ATTEMPTS_EXAMPLE };
int bf_report_attempts(struct bf_pg *pg, const char *run, struct bf_pg_result **out, struct bf_error *err);

#endif
