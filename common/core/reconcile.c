#include "core/reconcile.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/mem.h"
#include "base/retry.h"
#include "core/pipeline.h"
#include "core/states.h"

#define PUSH_PAGE       1000 /* chunks in one push: keeps the function under a few ms */
#define RUNS_PAGE       100
#define ADOPT_PAGE      100
#define COUNT_FREELY    20000
#define NEAR            20000 /* how far from a step's first unsettled job running ones are looked for */
#define HEAD            100   /* pending jobs at each step's head that are looked for in Redis */
#define REBUILD_WAIT_MS 30000 /* how long to wait for a rebuild that another process is at */

/* ---- one run ---- */

static bool has_ended(const char *state)
{
	enum bf_run_state s;
	return bf_run_state_parse(state, &s) && bf_run_state_ended(s);
}

static int call(struct bf_upkeep *u, struct bf_redis_cmd *cmd, struct bf_redis_reply **out, struct bf_error *err)
{
	int rc = bf_queue_call(u->redis, cmd, out, err);
	bf_redis_cmd_release(cmd);
	return rc;
}

static void begin(struct bf_upkeep *u, struct bf_redis_cmd *cmd, const char *function, const char *run)
{
	bf_redis_cmd_init(cmd);
	bf_queue_fcall(cmd, function, u->generation);
	bf_redis_arg(cmd, run);
}

static void add_run_fields(struct bf_redis_cmd *cmd, const struct bf_run_row *row, const struct bf_step_row *steps, int n_steps)
{
	BF_AUTOBUF struct bf_buf names;
	bf_buf_init(&names, (size_t)BF_STEPS_MAX * (BF_NAME_MAX + 1));
	for (int i = 0; i < n_steps; i++)
		bf_buf_printf(&names, "%s%s", i ? " " : "", steps[i].step);
	const char *const fields[][2] = {{"state", row->state},          {"pipeline", row->pipeline}, {"since", row->since},
									 {"until", row->until},          {"queue", row->queue},       {"steps", names.data},
									 {"created_at", row->created_at}};
	bf_redis_arg_int(cmd, (int64_t)BF_COUNT_OF(fields) + 3 + (row->since_last_start_ms >= 0));
	for (size_t i = 0; i < BF_COUNT_OF(fields); i++) {
		bf_redis_arg(cmd, fields[i][0]);
		bf_redis_arg(cmd, fields[i][1]);
	}
	bf_redis_arg(cmd, "version");
	bf_redis_arg_int(cmd, row->version);
	bf_redis_arg(cmd, "concurrency");
	bf_redis_arg_int(cmd, row->concurrency);
	bf_redis_arg(cmd, "interval_ms");
	bf_redis_argf(cmd, "%.3f", row->interval_ms);
	if (row->since_last_start_ms >= 0) {
		bf_redis_arg(cmd, "since_last_start_ms");
		bf_redis_arg_int(cmd, row->since_last_start_ms);
	}
}

enum { COUNTERS = 4 }; /* done, failed, skipped, cancelled */

/* What is known of a run once Redis has been told. */
struct standing {
	bool ended, stopping;
	int planned;
	int n_steps;
	struct {
		char step[BF_NAME_MAX + 1];
		int64_t pushed, counted[COUNTERS];
	} steps[BF_STEPS_MAX];
};

/* The reply tells of the steps in `order`. */
static void note_standing(const struct bf_run_row *row, const struct bf_step_row *steps, int n_steps, const int *order,
						  const struct bf_redis_reply *reply, struct standing *now)
{
	const struct bf_redis_reply *pushed = bf_redis_at(reply, 1), *counted = bf_redis_at(reply, 2);
	*now = (struct standing){.ended = has_ended(row->state), .stopping = strcmp(row->state, "stopping") == 0, .n_steps = n_steps};
	for (int at = 0; at < n_steps; at++) {
		int i = order[at];
		now->planned += steps[i].planned;
		memcpy(now->steps[i].step, steps[i].step, sizeof(now->steps[i].step));
		now->steps[i].pushed = bf_redis_int(bf_redis_at(pushed, (size_t)at));
		for (int k = 0; k < COUNTERS; k++)
			now->steps[i].counted[k] = bf_redis_int(bf_redis_at(counted, (size_t)(at * COUNTERS + k)));
	}
}

/* In which order a run's window is filled: first the steps that go behind another chunk by chunk, the last of them first, so that what has
 * been begun is brought to its end; then the others as they come. */
static void order_of_release(const struct bf_step_row *steps, int n_steps, int *order)
{
	int front = 0;
	for (int i = 0; i < n_steps; i++)
		front += steps[i].waits_for_chunks;
	for (int i = 0, behind = front; i < n_steps; i++)
		order[steps[i].waits_for_chunks ? --front : behind++] = i;
}

static int sync_run(struct bf_upkeep *u, const struct bf_run_row *row, const struct bf_step_row *steps, int n_steps, struct standing *now,
					struct bf_error *err)
{
	struct bf_redis_cmd cmd;
	BF_AUTOREPLY struct bf_redis_reply *reply = NULL;
	int order[BF_STEPS_MAX] = {0};
	order_of_release(steps, n_steps, order);
	begin(u, &cmd, "sync_run", row->run);
	add_run_fields(&cmd, row, steps, n_steps);
	for (int i = 0; i < n_steps; i++) {
		const struct bf_step_row *s = &steps[order[i]];
		bf_redis_arg(&cmd, s->step);
		bf_redis_arg_int(&cmd, s->ordinal);
		bf_redis_arg(&cmd, s->state);
		bf_redis_arg_int(&cmd, s->planned);
		bf_redis_arg_int(&cmd, s->concurrency);
		/* Where all of the run goes one by one, a job in back-off keeps its place, too; a soak between its samples never does. */
		bf_redis_arg(&cmd, (s->chronological || row->concurrency == 1) && !s->soak ? "1" : "0");
		bf_redis_arg_int(&cmd, s->plan_number);
	}
	int rc = call(u, &cmd, &reply, err);
	if (rc == 0)
		note_standing(row, steps, n_steps, order, reply, now);
	return rc;
}

/* A page of a step's pending jobs, and where it ends. */
struct page {
	struct bf_pg_result *jobs;
	int64_t after, upto;
};

static int read_page(struct bf_upkeep *u, const char *run, const struct bf_step_row *step, int64_t after, struct page *out,
					 struct bf_error *err)
{
	bf_pg_result_free(out->jobs);
	*out = (struct page){.after = after};
	int rc = bf_ledger_pending_page(u->pg, run, step->step, (int)after, step->upto, PUSH_PAGE, &out->jobs, err);
	int n = rc < 0 ? 0 : bf_pg_rows(out->jobs);
	out->upto = n < PUSH_PAGE ? step->upto : bf_pg_int(out->jobs, n - 1, 0);
	return rc;
}

static void push_command(struct bf_upkeep *u, const char *run, const struct bf_step_row *step, const struct page *page,
						 struct bf_redis_cmd *cmd)
{
	begin(u, cmd, "push", run);
	bf_redis_arg(cmd, step->step);
	bf_redis_arg_int(cmd, page->after);
	bf_redis_arg_int(cmd, page->upto);
	for (int i = 0; i < bf_pg_rows(page->jobs); i++)
		bf_redis_argf(cmd, "%s#%s", bf_pg_text(page->jobs, i, 1), bf_pg_text(page->jobs, i, 0));
}

/* Pushes *page and, while Redis works on it, reads the one behind it into *page. *pushed: as Redis then says. */
static int push_page(struct bf_upkeep *u, const char *run, const struct bf_step_row *step, struct page *page, int64_t enough,
					 int64_t *pushed, struct bf_error *err)
{
	struct bf_redis_cmd cmd;
	BF_AUTOREPLY struct bf_redis_reply *reply = NULL;
	struct bf_error read_err;
	push_command(u, run, step, page, &cmd);
	int rc = bf_redis_send(u->redis, &cmd, err);
	int read = rc == 0 && page->upto < enough ? read_page(u, run, step, page->upto, page, &read_err) : 0;
	if (rc == 0)
		rc = bf_queue_answer_to(u->redis, &cmd, &reply, err);
	bf_redis_cmd_release(&cmd);
	if (rc == 0)
		*pushed = bf_redis_int(bf_redis_at(reply, 1));
	if (rc == 0 && read < 0) {
		*err = read_err;
		rc = read;
	}
	return rc;
}

/* Appends what the ledger has beyond `pushed` and lets begin, page by page; another process may be doing the same. While rebuilding, one
 * page will do to begin with: reconcile appends the rest, and meanwhile the workers have something to do. */
static int push_step(struct bf_upkeep *u, const char *run, const struct bf_step_row *step, int64_t pushed, bool rebuilding,
					 struct bf_error *err)
{
	int64_t enough = rebuilding && step->upto > 1 ? 1 : step->upto;
	struct page page = {.after = -1};
	int rc = 0;
	while (rc == 0 && pushed < enough) {
		int64_t before = pushed;
		if (page.after != pushed)
			rc = read_page(u, run, step, pushed, &page, err);
		int64_t upto = page.upto;
		if (rc == 0)
			rc = push_page(u, run, step, &page, enough, &pushed, err);
		if (rc == 0 && pushed <= before && pushed != upto)
			break; /* the list was made anew under our feet: the next look finds it */
		if (rc == 0 && BF_FAILPOINT("mid_push"))
			rc = bf_fail(err, BF_E_UNAVAILABLE, "fail point mid_push");
	}
	bf_pg_result_free(page.jobs);
	return rc;
}

/* The ledger's counters of each step, as repair and end_run take them. */
static void add_counts(struct bf_redis_cmd *cmd, const struct bf_pg_result *counted)
{
	for (int i = 0; i < bf_pg_rows(counted); i++)
		for (int col = 0; col < 5; col++)
			bf_redis_arg(cmd, bf_pg_text(counted, i, col));
}

/* The counters that people read for a week are the ledger's. */
static int end_run(struct bf_upkeep *u, const struct bf_run_row *row, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *counted = NULL;
	struct bf_redis_cmd cmd;
	int rc = bf_ledger_run_counts(u->pg, row->run, &counted, err);
	if (rc < 0)
		return rc;
	begin(u, &cmd, "end_run", row->run);
	bf_redis_arg_int(&cmd, row->version);
	add_counts(&cmd, counted);
	if (BF_FAILPOINT("before_end_run")) {
		bf_redis_cmd_release(&cmd);
		return bf_fail(err, BF_E_UNAVAILABLE, "fail point before_end_run");
	}
	return call(u, &cmd, NULL, err);
}

/* The ledger does not know it. */
static int forget_run(struct bf_upkeep *u, const char *run, struct bf_error *err)
{
	struct bf_redis_cmd cmd;
	begin(u, &cmd, "end_run", run);
	return call(u, &cmd, NULL, err);
}

/* Puts jobs (rows of unsettled_jobs) where Redis should have them. */
static int adopt(struct bf_upkeep *u, const char *run, bool rebuilding, const struct bf_pg_result *jobs, int *repaired,
				 struct bf_error *err)
{
	int rc = 0;
	for (int from = 0; rc == 0 && from < bf_pg_rows(jobs); from += ADOPT_PAGE) {
		BF_AUTOREPLY struct bf_redis_reply *reply = NULL;
		struct bf_redis_cmd cmd;
		begin(u, &cmd, "adopt", run);
		bf_redis_arg_int(&cmd, u->lease_ms);
		bf_redis_arg(&cmd, rebuilding ? "1" : "0");
		for (int i = from; i < bf_pg_rows(jobs) && i < from + ADOPT_PAGE; i++) {
			bf_redis_arg(&cmd, bf_pg_text(jobs, i, 0));
			bf_redis_argf(&cmd, "%s#%s", bf_pg_text(jobs, i, 2), bf_pg_text(jobs, i, 1));
			bf_redis_arg(&cmd, bf_pg_text(jobs, i, 3));
		}
		rc = call(u, &cmd, &reply, err);
		if (rc == 0 && repaired)
			*repaired += (int)bf_redis_int(bf_redis_at(reply, 1));
	}
	return rc;
}

/* The places (from 1) of jobs that Redis has nowhere. */
static int find_missing(struct bf_upkeep *u, const char *run, const struct bf_pg_result *jobs, int *places, size_t *n, struct bf_error *err)
{
	int rc = 0;
	*n = 0;
	for (int from = 0; rc == 0 && from < bf_pg_rows(jobs); from += ADOPT_PAGE) {
		BF_AUTOREPLY struct bf_redis_reply *reply = NULL;
		struct bf_redis_cmd cmd;
		begin(u, &cmd, "missing", run);
		for (int i = from; i < bf_pg_rows(jobs) && i < from + ADOPT_PAGE; i++) {
			bf_redis_arg(&cmd, bf_pg_text(jobs, i, 0));
			bf_redis_argf(&cmd, "%s#%s", bf_pg_text(jobs, i, 2), bf_pg_text(jobs, i, 1));
		}
		rc = call(u, &cmd, &reply, err);
		const struct bf_redis_reply *found = rc == 0 ? bf_redis_at(reply, 1) : NULL;
		for (size_t i = 0; found && i < bf_redis_count(found); i++)
			places[(*n)++] = from + (int)bf_redis_int(bf_redis_at(found, i));
	}
	return rc;
}

/* Of a run that stops, the jobs that the ledger has as running are asked about even where Redis has them in a list, from which nothing is
 * released any more: the worker may be dead, and the run waits for them. */
static size_t add_running(const struct bf_pg_result *jobs, int *places, size_t n)
{
	size_t missing = n, at = 0;
	for (int i = 0; i < bf_pg_rows(jobs); i++) {
		bool is_missing = at < missing && places[at] == i + 1;
		at += is_missing;
		if (!is_missing && *bf_pg_text(jobs, i, 3))
			places[n++] = i + 1;
	}
	return n;
}

/*
 * Jobs that the ledger has as running, or pending at a step's head, and that Redis has nowhere. Both are read at different moments, so the
 * ledger is asked once more about what seemed to be missing: a job leaves Redis only after it is settled, and so what is not settled even
 * then is lost.
 */
static int bring_back_missing(struct bf_upkeep *u, const char *run, bool stopping, int near, int *repaired, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *jobs = NULL, *lost = NULL;
	size_t n = 0;
	int rc = bf_ledger_unsettled_jobs(u->pg, run, HEAD, near, &jobs, err);
	if (rc < 0)
		return rc;
	BF_AUTOFREE int *places = bf_alloc((size_t)(bf_pg_rows(jobs) + 1) * sizeof(*places));
	rc = find_missing(u, run, jobs, places, &n, err);
	if (rc == 0 && stopping)
		n = add_running(jobs, places, n);
	if (rc < 0 || n == 0)
		return rc;
	rc = bf_ledger_still_unsettled(u->pg, run, jobs, places, n, &lost, err);
	return rc < 0 ? rc : adopt(u, run, false, lost, repaired, err);
}

/* Jobs that run while the queue is rebuilt keep their workers. */
static int keep_running(struct bf_upkeep *u, const char *run, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *jobs = NULL;
	int rc = bf_ledger_unsettled_jobs(u->pg, run, 0, INT32_MAX, &jobs, err);
	return rc < 0 ? rc : adopt(u, run, true, jobs, NULL, err);
}

/* Jobs that are released but nowhere go back to their places; with `counts`, the counters are set to the ledger's. */
static int repair(struct bf_upkeep *u, const char *run, bool counts, int *repaired, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *counted = NULL;
	BF_AUTOREPLY struct bf_redis_reply *reply = NULL;
	struct bf_redis_cmd cmd;
	int rc = counts ? bf_ledger_run_counts(u->pg, run, &counted, err) : 0;
	if (rc < 0)
		return rc;
	begin(u, &cmd, "repair", run);
	if (counts)
		add_counts(&cmd, counted);
	rc = call(u, &cmd, &reply, err);
	if (rc == 0 && repaired)
		*repaired += (int)bf_redis_int(bf_redis_at(reply, 1));
	return rc;
}

/* Looking at all of a run's jobs costs as much as it has jobs: so it is done by chance, and its expected cost is that of COUNT_FREELY jobs.
 */
static bool all_is_due(int planned, enum bf_depth depth)
{
	return depth == BF_DEPTH_ALL || bf_random_unit() * planned < COUNT_FREELY;
}

/* Puts counters in Redis right that are wrong, and not only behind or ahead by what is on its way. */
static int recount(struct bf_upkeep *u, const char *run, const struct standing *before, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *counted = NULL;
	struct bf_redis_cmd cmd;
	int rc = bf_ledger_run_counts(u->pg, run, &counted, err);
	if (rc < 0)
		return rc;
	begin(u, &cmd, "recount", run);
	for (int i = 0; i < bf_pg_rows(counted); i++) {
		int at = 0;
		while (at < before->n_steps && strcmp(before->steps[at].step, bf_pg_text(counted, i, 0)) != 0)
			at++;
		if (at == before->n_steps)
			continue;
		for (int col = 0; col <= COUNTERS; col++)
			bf_redis_arg(&cmd, bf_pg_text(counted, i, col));
		for (int k = 0; k < COUNTERS; k++)
			bf_redis_arg_int(&cmd, before->steps[at].counted[k]);
	}
	return call(u, &cmd, NULL, err);
}

static int look_at_jobs(struct bf_upkeep *u, const char *run, const struct standing *now, enum bf_depth depth, int *repaired,
						struct bf_error *err)
{
	bool locked = false, all = all_is_due(now->planned, depth);
	int rc = bf_ledger_lock_reconcile(u->pg, run, u->lease_ms, &locked, err);
	if (rc < 0 || !locked)
		return rc;
	rc = bring_back_missing(u, run, now->stopping, all ? INT32_MAX : NEAR, repaired, err);
	if (rc == 0)
		rc = repair(u, run, depth == BF_DEPTH_ALL, repaired, err);
	if (rc == 0 && all && depth != BF_DEPTH_ALL)
		rc = recount(u, run, now, err);
	bf_ledger_unlock_reconcile(u->pg, run);
	return rc;
}

/* What reconcile and rebuild have in common: the run's state and its plan go to Redis. While rebuilding, the jobs that run at that moment
 * are put under their workers' names before anything is pushed, so that nobody else is given them. */
static int bring_up(struct bf_upkeep *u, const char *run, bool rebuilding, struct standing *now, struct bf_error *err)
{
	struct bf_run_row row;
	struct bf_step_row steps[BF_STEPS_MAX];
	int n = 0;
	int rc = bf_ledger_run_row(u->pg, run, rebuilding, &row, err);
	if (rc == 0)
		rc = bf_ledger_run_steps(u->pg, run, steps, BF_STEPS_MAX, &n, err);
	if (rc == 0)
		rc = sync_run(u, &row, steps, n, now, err);
	if (rc == 0 && rebuilding)
		rc = keep_running(u, run, err);
	if (rc < 0)
		return rc;
	for (int i = 0; rc == 0 && !now->ended && i < n; i++)
		if (strcmp(steps[i].state, "released") == 0)
			rc = push_step(u, run, &steps[i], now->steps[i].pushed, rebuilding, err);
	if (rc == 0 && now->ended)
		rc = end_run(u, &row, err);
	return rc;
}

static int reconcile_run(struct bf_upkeep *u, const char *run, enum bf_depth depth, char *state, int *repaired, struct bf_error *err)
{
	char after[16];
	struct standing now = {.ended = false};
	int rc = bf_ledger_advance(u->pg, run, after, err);
	if (rc == 0 && BF_FAILPOINT("after_release")) /* the ledger has released steps, or ended the run; Redis does not know */
		rc = bf_fail(err, BF_E_UNAVAILABLE, "fail point after_release");
	if (rc == 0)
		rc = bring_up(u, run, false, &now, err);
	if (rc == 0 && depth != BF_DEPTH_STATE && !now.ended)
		rc = look_at_jobs(u, run, &now, depth, repaired, err);
	if (state)
		snprintf(state, 16, "%s", after);
	return rc;
}

static int hold_generation(struct bf_upkeep *u, bool *rebuilt, struct bf_error *err);

int bf_reconcile_mend(struct bf_upkeep *u, enum bf_thoroughness how, struct bf_error *err)
{
	return bf_inspect_discard(u->pg, u->redis, u->lease_ms, how, &u->discarded, err);
}

/* Redis answered with *err. True: it was about a key that could not be read, and that is gone now. */
static bool mended(struct bf_upkeep *u, const struct bf_error *err)
{
	struct bf_error why;
	size_t before = u->discarded.n;
	return bf_inspection_due(err) && bf_reconcile_mend(u, BF_INSPECT_ALL, &why) == 0 && u->discarded.n > before;
}

int bf_reconcile_run(struct bf_upkeep *u, const char *run, enum bf_depth depth, char *state, int *repaired, struct bf_error *err)
{
	int rc = reconcile_run(u, run, depth, state, repaired, err);
	if (rc < 0 && mended(u, err)) {
		rc = hold_generation(u, NULL, err);
		if (rc == 0)
			rc = reconcile_run(u, run, depth, state, repaired, err);
	}
	return rc;
}

/* Calls `each` for the runs that are not ended, a page at a time. */
static int each_active(struct bf_upkeep *u, int (*each)(struct bf_upkeep *u, const char *run, void *data, struct bf_error *err), void *data,
					   struct bf_error *err)
{
	char after[BF_RUN_MAX + 1] = "";
	for (;;) {
		BF_AUTORESULT struct bf_pg_result *page = NULL;
		int rc = bf_ledger_active_runs(u->pg, after, RUNS_PAGE, &page, err);
		for (int i = 0; rc == 0 && i < bf_pg_rows(page); i++)
			rc = each(u, bf_pg_text(page, i, 0), data, err);
		if (rc < 0)
			return rc;
		if (bf_pg_rows(page) < RUNS_PAGE)
			return 0;
		snprintf(after, sizeof(after), "%s", bf_pg_text(page, RUNS_PAGE - 1, 0));
	}
}

struct all {
	enum bf_depth depth;
	int *repaired;
	struct bf_error first; /* of a run that could not be reconciled; code 0: none */
};

static int reconcile_one(struct bf_upkeep *u, const char *run, void *data, struct bf_error *err)
{
	struct all *all = data;
	int rc = bf_reconcile_run(u, run, all->depth, NULL, all->repaired, err);
	bool of_this_run = rc == -BF_E_REDIS || rc == -BF_E_SQL || rc == -BF_E_LIMIT;
	if (of_this_run && all->first.code == 0)
		all->first = *err;
	return of_this_run || rc == -BF_E_NOT_FOUND ? 0 : rc; /* the others have a right to it; a server that is away ends it */
}

static void keep_first(struct bf_error *first, const struct all *all)
{
	if (first->code == 0)
		*first = all->first;
}

int bf_reconcile_runs(struct bf_upkeep *u, char (*runs)[BF_RUN_MAX + 1], int n, struct bf_error *first, struct bf_error *err)
{
	struct all all = {.depth = BF_DEPTH_STATE};
	int rc = 0;
	for (int i = 0; rc == 0 && i < n; i++)
		rc = reconcile_one(u, runs[i], &all, err);
	keep_first(first, &all);
	return rc;
}

/* Runs that Redis still shows as under way although the ledger has ended them. */
static int reconcile_ended(struct bf_upkeep *u, struct all *all, struct bf_error *err)
{
	struct bf_redis_cmd cmd;
	BF_AUTOREPLY struct bf_redis_reply *known = NULL;
	bf_redis_cmd_init(&cmd);
	bf_redis_arg(&cmd, "SMEMBERS");
	bf_redis_arg(&cmd, "bf:runs");
	int rc = bf_redis_exec(u->redis, &cmd, &known, err);
	bf_redis_cmd_release(&cmd);
	for (size_t i = 0; rc == 0 && i < bf_redis_count(known); i++) {
		struct bf_run_row row;
		const char *run = bf_redis_text(bf_redis_at(known, i));
		rc = bf_ledger_run_row(u->pg, run, false, &row, err);
		if (rc == -BF_E_NOT_FOUND) /* of a ledger that was here before */
			rc = forget_run(u, run, err);
		else if (rc == 0 && has_ended(row.state))
			rc = reconcile_one(u, run, all, err);
	}
	return rc;
}

int bf_reconcile_all(struct bf_upkeep *u, enum bf_depth depth, int *repaired, struct bf_error *first, struct bf_error *err)
{
	struct all all = {.depth = depth, .repaired = repaired};
	int rc = each_active(u, reconcile_one, &all, err);
	if (rc == 0)
		rc = reconcile_ended(u, &all, err);
	if (rc < 0 && mended(u, err)) {
		rc = hold_generation(u, NULL, err);
		if (rc == 0)
			rc = reconcile_ended(u, &all, err);
	}
	keep_first(first, &all);
	return rc;
}

/* ---- rebuild ---- */

static int name_run(struct bf_upkeep *u, const char *run, void *data, struct bf_error *err)
{
	struct bf_redis_cmd *cmd = data;
	struct bf_step_row steps[BF_STEPS_MAX];
	int n = 0;
	int rc = bf_ledger_run_steps(u->pg, run, steps, BF_STEPS_MAX, &n, err);
	bf_redis_arg(cmd, run);
	bf_redis_arg_int(cmd, n);
	for (int i = 0; i < n; i++)
		bf_redis_arg(cmd, steps[i].step);
	return rc;
}

static int collect_queue(struct bf_upkeep *u, const char *run, void *data, struct bf_error *err)
{
	struct bf_buf *queues = data; /* names, each ending in a newline */
	struct bf_run_row row;
	int rc = bf_ledger_run_row(u->pg, run, false, &row, err);
	if (rc < 0)
		return rc;
	BF_AUTOFREE char *line = bf_asprintf("%s\n", row.queue);
	const char *at = strstr(queues->data, line);
	if (!at || (at != queues->data && at[-1] != '\n'))
		bf_buf_addstr(queues, line);
	return rc;
}

static int bring_back(struct bf_upkeep *u, const char *run, void *data, struct bf_error *err)
{
	(void)data;
	struct standing now = {.ended = false};
	int rc = bring_up(u, run, true, &now, err);
	return rc < 0 || now.ended ? rc : repair(u, run, true, NULL, err); /* its counters */
}

static int rebuild(struct bf_upkeep *u, int64_t from, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf queues;
	struct bf_redis_cmd cmd;
	bf_buf_init(&queues, 1u << 20);
	bf_buf_addstr(&queues, "");
	int rc = bf_ledger_next_generation(u->pg, from, &u->generation, err);
	if (rc == 0)
		rc = each_active(u, collect_queue, &queues, err);
	if (rc < 0)
		return rc;
	int n = 0;
	for (const char *c = queues.data; c && *c; c++)
		n += *c == '\n';
	bf_redis_cmd_init(&cmd);
	bf_queue_fcall(&cmd, "rebuild_begin", u->generation);
	bf_redis_arg_int(&cmd, n);
	for (const char *c = queues.data; c && *c; c = strchr(c, '\n') + 1)
		bf_redis_arg_len(&cmd, c, (size_t)(strchr(c, '\n') - c));
	rc = each_active(u, name_run, &cmd, err);
	if (rc < 0) {
		bf_redis_cmd_release(&cmd);
		return rc;
	}
	rc = call(u, &cmd, NULL, err);
	if (rc == 0)
		rc = each_active(u, bring_back, NULL, err);
	if (rc == 0 && BF_FAILPOINT("mid_rebuild"))
		rc = bf_fail(err, BF_E_UNAVAILABLE, "fail point mid_rebuild");
	if (rc < 0)
		return rc;
	bf_redis_cmd_init(&cmd);
	bf_queue_fcall(&cmd, "rebuild_end", u->generation);
	bf_redis_arg_int(&cmd, u->lease_ms);
	return call(u, &cmd, NULL, err);
}

/* Both sides' generation, read once. */
static int generations(struct bf_upkeep *u, int64_t *ledger, int64_t *queue, struct bf_error *err)
{
	int rc = bf_ledger_generation(u->pg, ledger, err);
	return rc < 0 ? rc : bf_queue_generation(u->redis, queue, err);
}

static int hold_generation(struct bf_upkeep *u, bool *rebuilt, struct bf_error *err)
{
	if (rebuilt)
		*rebuilt = false;
	int rc = bf_queue_load(u->redis, err);
	if (rc < 0)
		return rc;
	for (int64_t give_up = bf_mono_ms() + REBUILD_WAIT_MS;;) {
		int64_t ledger, queue;
		bool locked = false;
		rc = generations(u, &ledger, &queue, err);
		if (rc < 0)
			return rc;
		if (ledger == queue) {
			u->generation = ledger;
			return 0;
		}
		rc = bf_ledger_lock_rebuild(u->pg, u->lease_ms, &locked, err);
		if (rc < 0)
			return rc;
		if (locked) {
			rc = generations(u, &ledger, &queue, err);
			if (rc == 0 && ledger != queue) {
				rc = rebuild(u, ledger, err);
				if (rc == 0 && rebuilt)
					*rebuilt = true;
			}
			bf_ledger_unlock_rebuild(u->pg);
			if (rc < 0)
				return rc;
			continue;
		}
		if (bf_mono_ms() > give_up)
			return bf_fail(err, BF_E_UNAVAILABLE, "another process has been rebuilding the queue in Redis for more than %d s; try again",
						   REBUILD_WAIT_MS / 1000);
		usleep(50 * 1000);
	}
}

int bf_reconcile_generation(struct bf_upkeep *u, bool *rebuilt, struct bf_error *err)
{
	int rc = hold_generation(u, rebuilt, err);
	return rc < 0 && mended(u, err) ? hold_generation(u, rebuilt, err) : rc;
}
