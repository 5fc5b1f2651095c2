/* `bfstat workers`: who is there, what they hold, and how long their leases still last by Redis's clock. */
#include "base/duration.h"
#include "base/mem.h"
#include "core/stat.h"
#include "look/live.h"
#include "look/look.h"

struct options {
	bool json;
};

static const char *state_of(const struct bf_live_worker *w)
{
	return w->condemned ? "condemned" : w->alive ? "alive" : "expired";
}

/* ---- from Redis ---- */

static void add_row(struct bf_table *table, const struct bf_live_worker *w)
{
	char lease[BF_DURATION_TEXT];
	bf_table_row(table);
	bf_table_cell(table, BF_PLAIN, w->id);
	bf_table_cell(table, bf_tone_of_state(state_of(w)), state_of(w));
	bf_table_cell(table, BF_PLAIN, w->host);
	bf_table_cellf(table, BF_PLAIN, "%lld", (long long)w->pid);
	bf_table_cell(table, BF_PLAIN, w->queues);
	bf_table_number(table, BF_PLAIN, w->slots);
	bf_table_number(table, w->alive ? BF_BUSY : BF_BAD, w->held);
	if (w->lease_ms > 0)
		bf_table_cell(table, BF_PLAIN, bf_duration_human(w->lease_ms, lease));
	else
		bf_table_cellf(table, BF_BAD, "over for %s", bf_duration_human(-w->lease_ms, lease));
	bf_table_cell(table, BF_DIM, w->version);
}

static void print_live(const struct bf_look *l, const struct bf_live *live)
{
	static const struct bf_column columns[] = {{.title = "WORKER", .elastic = true},
											   {.title = "STATE"},
											   {.title = "HOST", .rank = 2},
											   {.title = "PID", .right = true, .rank = 2},
											   {.title = "QUEUES", .rank = 1, .elastic = true},
											   {.title = "SLOTS", .right = true},
											   {.title = "JOBS", .right = true},
											   {.title = "LEASE", .right = true},
											   {.title = "VERSION", .rank = 3}};
	if (live->n == 0) {
		puts(live->whole ? "No worker is there; `worker` starts one."
						 : "The queue in Redis is empty and waits for a worker to rebuild it.");
		return;
	}
	BF_AUTOTABLE struct bf_table *table = bf_table_new(&l->term, columns, BF_COUNT_OF(columns));
	for (size_t i = 0; i < live->n; i++)
		add_row(table, &live->workers[i]);
	bf_table_print(table, stdout);
}

static void json_live(struct bf_json *j, const struct bf_live *live)
{
	for (size_t i = 0; i < live->n; i++) {
		const struct bf_live_worker *w = &live->workers[i];
		bf_json_object(j, NULL);
		bf_json_text(j, "worker", w->id);
		bf_json_text(j, "state", state_of(w));
		bf_json_text_or_null(j, "host", w->host);
		bf_json_int(j, "pid", w->pid);
		bf_json_text_or_null(j, "queues", w->queues);
		bf_json_int(j, "slots", w->slots);
		bf_json_int(j, "jobs", w->held);
		bf_json_int(j, "lease_left_ms", w->lease_ms);
		bf_json_text_or_null(j, "started_at", w->started_at);
		bf_json_text_or_null(j, "version", w->version);
		bf_json_close(j);
	}
}

static int from_queue(struct bf_look *l, struct bf_json *j, struct bf_error *err)
{
	struct bf_live live;
	int rc = bf_live_load(l->redis, &live, err);
	if (rc < 0)
		return rc;
	if (j)
		json_live(j, &live);
	else
		print_live(l, &live);
	bf_live_release(&live);
	return 0;
}

/* ---- from the ledger: who has jobs open; whether they live, it does not know ---- */

struct holder {
	const char *worker;
	int64_t jobs;
};

static int by_worker(const void *a, const void *b)
{
	const struct holder *left = a, *right = b;
	return strcmp(left->worker, right->worker);
}

static size_t count_holders(const struct bf_pg_result *r, struct holder *holders)
{
	size_t n = (size_t)bf_pg_rows(r), kept = 0;
	for (size_t i = 0; i < n; i++)
		holders[i] = (struct holder){bf_pg_text(r, (int)i, BF_RUNNING_WORKER), 1};
	if (n > 0)
		qsort(holders, n, sizeof(*holders), by_worker);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && strcmp(holders[kept - 1].worker, holders[i].worker) == 0)
			holders[kept - 1].jobs++;
		else
			holders[kept++] = holders[i];
	}
	return kept;
}

static int from_ledger(struct bf_look *l, struct bf_json *j, struct bf_error *err)
{
	static const struct bf_column columns[] = {{.title = "WORKER"}, {.title = "STATE"}, {.title = "JOBS", .right = true}};
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	int rc = bf_stat_running(l->pg, NULL, &r, err);
	if (rc < 0)
		return rc;
	BF_AUTOFREE struct holder *holders = bf_alloc(((size_t)bf_pg_rows(r) + 1) * sizeof(*holders));
	BF_AUTOTABLE struct bf_table *table = bf_table_new(&l->term, columns, BF_COUNT_OF(columns));
	size_t n = count_holders(r, holders);
	for (size_t i = 0; i < n; i++) {
		if (j) {
			bf_json_object(j, NULL);
			bf_json_text(j, "worker", holders[i].worker);
			bf_json_null(j, "state");
			bf_json_int(j, "jobs", holders[i].jobs);
			bf_json_close(j);
			continue;
		}
		bf_table_row(table);
		bf_table_cell(table, BF_PLAIN, holders[i].worker);
		bf_table_cell(table, BF_CARE, "unknown");
		bf_table_number(table, BF_PLAIN, holders[i].jobs);
	}
	if (!j && n == 0)
		puts("The ledger has no job open under any worker.");
	else if (!j)
		bf_table_print(table, stdout);
	return 0;
}

static int show(struct bf_look *l, struct bf_json *j, struct bf_error *err)
{
	return l->redis ? from_queue(l, j, err) : from_ledger(l, j, err);
}

static int run_workers(const struct bf_command *command, int argc, char **argv)
{
	struct options o = {.json = false};
	struct bf_look look = {.pg = NULL};
	struct bf_error err;
	struct bf_json j;
	BF_AUTOFREE const char **args = bf_alloc((size_t)(argc + 1) * sizeof(*args));
	int n_args, exit_code = 0, rc;
	if (!bf_command_parse(command, argc, argv, &o, args, &n_args, &exit_code))
		return exit_code;
	if (!bf_look_open(&look, BF_QUEUE, &exit_code) && !bf_look_open(&look, BF_LEDGER, &exit_code))
		return exit_code;
	look.uses |= BF_QUEUE;
	if (o.json) {
		bf_json_begin(&j, stdout);
		bf_json_array(&j, "workers");
		rc = show(&look, &j, &err);
		bf_json_close(&j);
		bf_look_json_end(&look, &j);
	} else {
		rc = show(&look, NULL, &err);
	}
	bf_look_close(&look);
	return rc < 0 ? bf_program_fail(&err) : 0;
}

static const struct bf_opt options[] = {
	{.name = "json", .type = BF_OPT_FLAG, .offset = offsetof(struct options, json), .help = "print JSON (docs/bfstat-json.md)"},
	{.name = NULL}};

static const struct bf_example examples[] = {
	{"bfstat workers", "who is alive, and what they hold"},
	{NULL, NULL},
};

static const struct bf_command command_workers = {.name = "workers",
												  .synopsis = "bfstat workers",
												  .summary = "who is there, what they hold, how long their leases last",
												  .examples = examples,
												  .options = options};

const struct bf_entry bf_look_workers = {&command_workers, run_workers};
