/*
 * Planning: a range of dates, or a list of keys, becomes chunks, and chunks become jobs (PROTOCOL P1–P3).
 *
 * For each step the ledger is asked, day by day (key by key), what need not be done: done, or held by a job of an unfinished run, or
 * failed (unless that is to be processed again). The rest is missing. What is missing is cut into chunks, each contiguous interval for
 * itself, on the step's own grid. So different grids never overlap, and an overlapping second run adds only what is missing.
 *
 * bf_plan_look only reads: a dry run is bf_plan_look on a connection that cannot write. bf_plan_run does everything in one transaction
 * under the pipeline's planning lock: it looks with the same statements, and writes the run, its steps and its jobs. Redis learns of the
 * run afterwards (core/reconcile.h); a process that dies in between leaves a run that any worker pushes.
 *
 * A step with a query for what is `expected` or `present` (core/gaps.h) is asked about its data, too: what is not expected is not planned,
 * what is present is not, either, whoever made it; and what the ledger has as done, but is not present, is planned again. The data is
 * looked at behind the ledger, so that what is done in between is not taken for gone.
 *
 * A step per run has one job whose chunk is the whole range (with a limit: from the first to the last planned day), or "all" for keys.
 * It does not count as something to do: where no step per chunk has anything missing, there is no run. Steps that are left out count
 * as satisfied: who needs them needs what they need.
 *
 * No step is planned for a day (a key) that one before it lacks and this run will not do: that failed in another run, is held by one, or
 * was asked for and not done (plan_block.c, plan_needs.c). What was never asked of a step that is left out is no lack.
 */
#ifndef BF_CORE_PLAN_H
#define BF_CORE_PLAN_H

#include "core/keys.h"
#include "core/pipeline.h"
#include "io/pg.h"

/* ---- cutting ---- */

struct bf_span { /* days, or places in the list of keys; both inclusive */
	int32_t first, last;
};

/* The chunks of spans that are in rising order and do not touch. Set the first six, zero the rest. */
struct bf_cut {
	const struct bf_span *spans;
	size_t n_spans;
	enum bf_unit unit;
	int size;
	enum bf_order order;    /* descending: the same chunks, the last one first */
	int64_t limit;          /* at most so many chunks; 0: all */
	size_t span;            /* the next one to be cut */
	struct bf_span *chunks; /* of the span being visited */
	size_t n_chunks, chunk;
	int64_t given;
};

bool bf_cut_next(struct bf_cut *c, struct bf_span *out); /* false: that was all */
void bf_cut_release(struct bf_cut *c);

/* ---- what is asked ---- */

enum bf_reprocess { BF_REPROCESS_NONE, BF_REPROCESS_FAILED, BF_REPROCESS_COMPLETED, BF_REPROCESS_STALE };
const char *bf_reprocess_name(enum bf_reprocess r);

struct bf_plan_ask { /* everything is borrowed */
	const struct bf_pipeline *pipeline;
	const struct bf_keys *keys;      /* NULL: by date */
	const struct bf_keys *all_keys;  /* by key: the whole list, of which `keys` may be a part; looked back at */
	bf_date since, until;            /* by date */
	const char *const *param_values; /* one for each of the pipeline's parameters */
	struct bf_pg *reader;            /* cannot write: for the steps' queries of what is expected and present; NULL where no step has one */
	bool left_out[BF_STEPS_MAX];     /* by ordinal */
	bool waived[BF_STEPS_MAX];       /* of these, by its name (--skip): nothing waits for what it has not done */
	int batch_days;                  /* for steps without a chunk of their own; 0: the pipeline's */
	bool has_order;
	enum bf_order order; /* for steps whose order the file does not fix */
	enum bf_reprocess reprocess;
	int64_t limit;       /* chunks of each step, from its first; 0: all */
	int64_t patience_ms; /* how long another planner of this pipeline may stand still before it is ended */

	/* for the run's row */
	const char *run; /* NULL: a name is made */
	const char *queue;
	const char *requested_by;
	const char *note; /* or NULL */
	int concurrency;
	const char *const *option_names, *const *option_values; /* as the person gave them */
	size_t n_options;
};

/* ---- what comes out ---- */

enum bf_skip_reason {
	BF_SKIP_DONE,
	BF_SKIP_FAILED,
	BF_SKIP_HELD,
	BF_SKIP_PRESENT,
	BF_SKIP_BLOCKED, /* a step before it lacks them */
	/* only as the cause of BF_SKIP_BLOCKED: */
	BF_SKIP_OPEN,  /* some run was asked for them, and none has done them */
	BF_SKIP_LIMIT, /* beyond --limit */
	/* never skipped: */
	BF_SKIP_STALE /* done before what it is made of was done anew, and to be processed again */
};
const char *bf_skip_reason_name(enum bf_skip_reason r);

/* Days or keys that are not there, and why: what is built from them is not planned, either. */
struct bf_lack {
	struct bf_span span;
	enum bf_skip_reason why;      /* failed, held, open, limit */
	const struct bf_step *origin; /* the step that has not done them */
	char run[BF_RUN_MAX + 1];     /* the run that failed at them, holds them, or was asked for them last; "": none */
	const struct bf_step *via;    /* of one that was handed on: the step that it came from */
	bool before;                  /* of keys before those asked for: the span is of those that look back at them */
};

struct bf_skip { /* days or keys that are not planned, and why */
	enum bf_skip_reason reason;
	char run[BF_RUN_MAX + 1];     /* which one failed at them, or holds them (blocked: of `origin`); "" for the others */
	const char *lacking;          /* blocked: the step before it that lacks them; otherwise NULL */
	enum bf_skip_reason why;      /* blocked: what is the matter with them in `origin`, */
	const struct bf_step *origin; /* where it begins; otherwise NULL */
	int64_t count;
	struct bf_span within; /* from the first to the last of them */
};

struct bf_step_plan {
	const struct bf_step *step;
	bool left_out; /* then only `lacks` is set */
	enum bf_unit unit;
	int size;
	enum bf_order order;
	int needs[BF_STEPS_MAX];      /* ordinals, without the steps that are left out */
	bool chunkwise[BF_STEPS_MAX]; /* of each of them: whether a chunk waits for its own chunk there ("wait_for": "chunk"), not for all */
	size_t n_needs;
	struct bf_span *missing;
	size_t n_missing;
	struct bf_span *wanted; /* with a limit: what is missing, also what is not planned for want of what the limit leaves out */
	size_t n_wanted;
	struct bf_skip *skips;
	size_t n_skips;
	struct bf_lack *lacks; /* what will not be there when this run is over, here or in what this step is made of */
	size_t n_lacks;
	bool only_lacks;  /* it is not planned: what some run was asked for and none has done is a lack */
	bool only_ledger; /* its data is not asked */
	bool has_expected;
	int64_t expected; /* of what is asked for; with has_expected */
	bool blocked;     /* one job for the run: not planned, for something before it lacks days or keys */
	int64_t gone;     /* among what is missing: done according to the ledger, and not present */
	int64_t asked;    /* days or keys that are missing */
	int64_t planned;  /* of these, those that have a job: fewer where a limit has left some */
	int64_t jobs;
	char first[BF_CHUNK_MAX + 1], last[BF_CHUNK_MAX + 1]; /* chunks, in the order in which they are worked off */
};

struct bf_plan {
	char run[BF_RUN_MAX + 1];
	struct bf_step_plan *steps; /* by ordinal */
	int n_steps;
	int64_t jobs;         /* of all steps; 0: there is nothing to do */
	struct bf_span whole; /* by date: what steps per run cover */
};

void bf_plan_release(struct bf_plan *p);

/* -BF_E_INPUT when what is asked contradicts the pipeline. No connection is needed for this part. */
int bf_plan_check(const struct bf_plan_ask *ask, struct bf_error *err);

int bf_plan_look(struct bf_pg *pg, const struct bf_plan_ask *ask, struct bf_plan *out, struct bf_error *err);

enum bf_planned {
	BF_PLANNED,        /* committed */
	BF_PLANNED_BEFORE, /* a run of this name, for the same thing, exists: out->run, out->jobs; the steps are not filled */
	BF_PLANNED_NOTHING /* nothing is missing: nothing was written */
};

/* -BF_E_CONFLICT: a run of this name exists for something else. -BF_E_UNKNOWN_OUTCOME: the COMMIT's answer was lost; with out->run as
 * the run's name the same call may be made again. */
int bf_plan_run(struct bf_pg *pg, const struct bf_plan_ask *ask, struct bf_plan *out, enum bf_planned *outcome, struct bf_error *err);

/* Does a run of ask->run exist for the same thing? *planned: its jobs, or -1 when there is none. -BF_E_CONFLICT as above. */
int bf_plan_existing(struct bf_pg *pg, const struct bf_plan_ask *ask, int64_t *planned, struct bf_error *err);

/* The checks that failed the last time: step and run each. They are no days or keys, so that BF_REPROCESS_FAILED finds nothing of them. */
int bf_plan_failed_checks(struct bf_pg *pg, const struct bf_plan_ask *ask, struct bf_pg_result **out, struct bf_error *err);

/* Whether a parameter that is a trial has another value than its default: what is done then is not coverage. */
bool bf_plan_is_trial(const struct bf_plan_ask *ask);

/* A chunk as text: a range of dates or a key. */
char *bf_plan_chunk_text(const struct bf_plan_ask *ask, struct bf_span chunk, char out[static BF_CHUNK_MAX + 1]);

/* Begins a transaction in which nobody else plans for this pipeline (PROTOCOL P2). Waits for those that do; one that has stood still for
 * patience_ms is ended. For plan.c and decide.c. */
int bf_plan_begin(struct bf_pg *pg, const char *pipeline, int64_t patience_ms, struct bf_error *err);

#endif
