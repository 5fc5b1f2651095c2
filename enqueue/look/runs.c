/* `bfstat`: all runs; `bfstat RUN`: one of them. */
#include "base/duration.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/stat.h"
#include "look/outlook.h"
#include "look/view.h"
#include "render/rate.h"

#define LISTED_DEFAULT 20
#define SHOWN_MAX      60

struct options {
	const char *state, *pipeline;
	bool json;
	int64_t limit;
};

/* A line of the list, from either server. */
struct line {
	const char *run, *pipeline, *state, *since, *until;
	const char *given, *params; /* those that are not the defaults, as text; all of them, as JSON; NULL: not known */
	int64_t keys;               /* 0: it does not go by keys */
	struct bf_view_jobs jobs;
	int64_t created_ms, started_ms, finished_ms, now_ms, active_ms;
	bool attention, closed, held, gated, stalled;
	const char *superseded_by; /* "": no run has done what failed in it */
	const char *queue;
};

/* ---- the list as a table ---- */

static struct bf_table *new_table(const struct bf_term *t)
{
	static const struct bf_column columns[] = {{.title = "RUN", .elastic = true},
											   {.title = "PIPELINE", .rank = 5},
											   {.title = "RANGE"},
											   {.title = "PARAMS", .rank = 2, .elastic = true},
											   {.title = "STATE"},
											   {.title = "PROGRESS", .rank = 4},
											   {.title = "DONE", .right = true},
											   {.title = "FAILED", .right = true},
											   {.title = "UNDONE", .right = true, .rank = 6},
											   {.title = "STARTED", .right = true, .rank = 3},
											   {.title = "TIME", .right = true, .rank = 1}};
	return bf_table_new(t, columns, BF_COUNT_OF(columns));
}

static void add_time(struct bf_buf *out, const struct line *r)
{
	char text[BF_DURATION_TEXT];
	int64_t eta = bf_eta_ms(bf_view_left(&r->jobs), bf_view_rate(r->jobs.recent, r->started_ms, r->now_ms));
	bf_buf_addstr(out, "");
	if (r->started_ms > 0 && r->finished_ms > r->started_ms)
		bf_buf_printf(out, "took %s", bf_duration_human(r->finished_ms - r->started_ms, text));
	else if (r->stalled)
		bf_buf_addstr(out, "stalled");
	else if (r->held)
		bf_buf_addstr(out, "held back");
	else if (strcmp(r->state, "running") == 0 && !r->gated && eta > 0)
		bf_buf_printf(out, "%s left", bf_duration_human(eta, text));
}

/* What failed and needs nobody any more says so. */
static void state_cell(struct bf_table *table, const struct line *r)
{
	bool over = r->closed || *r->superseded_by;
	char taken[28];
	if (over)
		bf_table_cellf(table, BF_DIM, "%s, %s", r->state, r->closed ? "closed" : "superseded");
	else if (r->jobs.taken > 0)
		bf_table_cellf(table, bf_tone_of_state(r->state), "%s, %s taken", r->state, bf_text_group(r->jobs.taken, taken));
	else
		bf_table_cell(table, bf_tone_of_state(r->state), r->state);
}

/* The days, or how many keys. */
static void add_range(struct bf_buf *out, const struct line *r)
{
	char keys[28];
	if (r->keys > 0)
		bf_buf_printf(out, "%s %s", bf_text_group(r->keys, keys), r->keys == 1 ? "key" : "keys");
	else
		bf_look_range(out, r->since, r->until);
}

static void add_row(struct bf_table *table, const struct bf_term *t, const struct line *r)
{
	BF_AUTOBUF struct bf_buf bar_text;
	BF_AUTOBUF struct bf_buf range;
	BF_AUTOBUF struct bf_buf started;
	BF_AUTOBUF struct bf_buf time;
	BF_AUTOBUF struct bf_buf given;
	struct bf_bar bar = bf_view_bar(&r->jobs);
	char done[28], planned[28];
	bf_buf_init(&bar_text, 1024);
	bf_buf_init(&range, 64);
	bf_buf_init(&started, 64);
	bf_buf_init(&time, 64);
	bf_buf_init(&given, 1u << 16);
	bf_buf_addstr(&given, "");
	bf_term_one_line(&given, r->given ? r->given : "");
	bf_bar_text(&bar_text, t, &bar, t->width >= 140 ? 24 : 12);
	add_range(&range, r);
	bf_buf_addstr(&started, "");
	if (r->started_ms > 0)
		bf_look_ago(&started, r->now_ms, r->started_ms);
	add_time(&time, r);
	bf_table_row(table);
	bf_table_cell(table, r->attention ? BF_STRONG : BF_PLAIN, r->run);
	bf_table_cell(table, BF_PLAIN, r->pipeline);
	bf_table_cell(table, BF_PLAIN, range.data);
	bf_table_cell(table, BF_PLAIN, given.data);
	state_cell(table, r);
	bf_table_cell(table, BF_PLAIN, bar_text.data);
	bf_table_cellf(table, BF_PLAIN, "%s/%s", bf_text_group(r->jobs.done, done), bf_text_group(r->jobs.planned, planned));
	bf_table_number(table, BF_BAD, r->jobs.failed);
	bf_table_number(table, BF_CARE, r->jobs.undone);
	bf_table_cell(table, BF_DIM, started.data);
	bf_table_cell(table, BF_DIM, time.data);
}

static void add_json(struct bf_json *j, const struct line *r)
{
	bf_json_object(j, NULL);
	bf_json_text(j, "run", r->run);
	bf_json_text_or_null(j, "pipeline", r->pipeline);
	bf_json_text(j, "state", r->state);
	bf_json_text_or_null(j, "since", r->since);
	bf_json_text_or_null(j, "until", r->until);
	if (r->keys > 0)
		bf_json_int(j, "keys", r->keys);
	else
		bf_json_null(j, "keys");
	if (r->params)
		bf_json_raw(j, "params", r->params);
	else
		bf_json_null(j, "params");
	bf_json_bool(j, "attention", r->attention);
	bf_json_bool(j, "closed", r->closed);
	bf_json_text_or_null(j, "superseded_by", r->superseded_by);
	bf_json_bool(j, "held", r->held);
	bf_json_bool(j, "stalled", r->stalled);
	bf_json_int(j, "planned", r->jobs.planned);
	bf_json_int(j, "pending", r->jobs.pending);
	bf_json_int(j, "running", r->jobs.running);
	bf_json_int(j, "done", r->jobs.done);
	bf_json_int(j, "failed", r->jobs.failed);
	bf_json_int(j, "skipped", r->jobs.skipped);
	bf_json_int(j, "cancelled", r->jobs.cancelled);
	bf_json_int(j, "undone", r->jobs.undone);
	bf_json_int(j, "taken", r->jobs.taken);
	bf_json_time(j, "created_at", r->created_ms);
	bf_json_time(j, "started_at", r->started_ms);
	bf_json_time(j, "finished_at", r->finished_ms);
	bf_json_close(j);
}

/* ---- the list, from the ledger or from Redis ---- */

struct list {
	struct bf_look *look;
	const struct options *options;
	struct bf_table *table; /* either this … */
	struct bf_json *json;   /* … or this */
	struct bf_live live;    /* empty, not whole: Redis could not be read */
	struct bf_buf stalled;  /* a line for each queue that runs wait at and no worker serves */
	int64_t listed, all, active;
};

/* Nobody serves its queue: said once for each queue, of the run that moved last. */
static void note_stalled(struct list *list, struct line *r)
{
	bool moves = strcmp(r->state, "queued") == 0 || strcmp(r->state, "running") == 0 || strcmp(r->state, "stopping") == 0;
	BF_AUTOFREE char *named = bf_asprintf("no worker for queue %s ", r->queue);
	r->stalled = moves && list->live.whole && bf_view_left(&r->jobs) > 0 && bf_live_serving(&list->live, r->queue) == 0;
	if (!r->stalled || strstr(list->stalled.data, named))
		return;
	bf_buf_addstr(&list->stalled, "stalled: ");
	bf_unserved_text(&list->stalled, r->queue, bf_unserved_since(&list->live, r->queue, r->active_ms), r->now_ms);
	bf_buf_printf(&list->stalled, "; `worker --queues=%s` starts one\n", r->queue);
}

static void add_line(struct list *list, struct line *r)
{
	note_stalled(list, r);
	if (list->json)
		add_json(list->json, r);
	else
		add_row(list->table, &list->look->term, r);
	list->listed++;
	list->active += bf_view_active(r->state);
}

static int list_from_ledger(struct list *list, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	const struct options *o = list->options;
	int rc = bf_stat_runs(list->look->pg, o->state, o->pipeline, (int)o->limit, &r, err);
	for (int i = 0; rc == 0 && i < bf_pg_rows(r); i++) {
		struct line line = {.run = bf_pg_text(r, i, BF_RUNS_RUN),
							.pipeline = bf_pg_text(r, i, BF_RUNS_PIPELINE),
							.state = bf_pg_text(r, i, BF_RUNS_STATE),
							.since = bf_pg_text(r, i, BF_RUNS_SINCE),
							.until = bf_pg_text(r, i, BF_RUNS_UNTIL),
							.given = bf_pg_text(r, i, BF_RUNS_GIVEN),
							.params = bf_pg_text(r, i, BF_RUNS_PARAMS),
							.keys = bf_pg_int(r, i, BF_RUNS_KEYS),
							.jobs = {.planned = bf_pg_int(r, i, BF_RUNS_PLANNED),
									 .pending = bf_pg_int(r, i, BF_RUNS_PENDING),
									 .running = bf_pg_int(r, i, BF_RUNS_RUNNING),
									 .done = bf_pg_int(r, i, BF_RUNS_DONE),
									 .failed = bf_pg_int(r, i, BF_RUNS_FAILED),
									 .skipped = bf_pg_int(r, i, BF_RUNS_SKIPPED),
									 .cancelled = bf_pg_int(r, i, BF_RUNS_CANCELLED),
									 .undone = bf_pg_int(r, i, BF_RUNS_UNDONE),
									 .recent = bf_pg_int(r, i, BF_RUNS_RECENT),
									 .taken = bf_pg_int(r, i, BF_RUNS_TAKEN)},
							.created_ms = bf_pg_int(r, i, BF_RUNS_CREATED),
							.started_ms = bf_pg_int(r, i, BF_RUNS_STARTED),
							.finished_ms = bf_pg_int(r, i, BF_RUNS_FINISHED),
							.now_ms = bf_pg_int(r, i, BF_RUNS_NOW),
							.closed = bf_pg_bool(r, i, BF_RUNS_CLOSED),
							.superseded_by = bf_pg_text(r, i, BF_RUNS_SUPERSEDED_BY),
							.queue = bf_pg_text(r, i, BF_RUNS_QUEUE),
							.active_ms = bf_pg_int(r, i, BF_RUNS_ACTIVE),
							.held = bf_pg_bool(r, i, BF_RUNS_HELD),
							.gated = bf_pg_bool(r, i, BF_RUNS_GATED)};
		line.attention = bf_pg_bool(r, i, BF_RUNS_ATTENTION) || (bf_view_active(line.state) && line.jobs.failed > 0);
		add_line(list, &line);
		list->all = bf_pg_int(r, i, BF_RUNS_ALL);
	}
	return rc;
}

/* Redis knows the runs that are under way. */
static bool is_wanted(const struct options *o, const struct line *r)
{
	return (!o->state || strcmp(o->state, r->state) == 0) && (!o->pipeline || strcmp(o->pipeline, r->pipeline) == 0);
}

static int list_from_queue(struct list *list, struct bf_error *err)
{
	BF_AUTOREPLY struct bf_redis_reply *runs = NULL;
	int rc = bf_live_ask(list->look->redis, &runs, err, "SMEMBERS", "bf:runs", NULL);
	for (size_t i = 0; rc == 0 && i < bf_redis_count(runs); i++) {
		BF_AUTOREPLY struct bf_redis_reply *hash = NULL;
		const char *run = bf_redis_text(bf_redis_at(runs, i));
		BF_AUTOFREE char *key = bf_asprintf("bf:run:%s", run);
		rc = bf_live_ask(list->look->redis, &hash, err, "HGETALL", key, NULL);
		if (rc < 0)
			break;
		struct line line = {.run = run,
							.superseded_by = "",
							.pipeline = bf_live_field(hash, "pipeline"),
							.state = bf_live_field(hash, "state"),
							.since = bf_live_field(hash, "since"),
							.until = bf_live_field(hash, "until"),
							.queue = bf_live_field(hash, "queue"),
							.now_ms = list->live.now_ms,
							.jobs = {.planned = bf_live_number(hash, "planned"),
									 .running = bf_live_number(hash, "running"),
									 .done = bf_live_number(hash, "done"),
									 .failed = bf_live_number(hash, "failed"),
									 .skipped = bf_live_number(hash, "skipped"),
									 .cancelled = bf_live_number(hash, "cancelled")}};
		line.jobs.pending = line.jobs.planned - bf_view_settled(&line.jobs) - line.jobs.running;
		line.attention = line.jobs.failed > 0;
		if (!is_wanted(list->options, &line))
			continue;
		list->all++;
		if (list->listed < list->options->limit)
			add_line(list, &line);
	}
	return rc;
}

/* Without Redis, or with one that cannot be read, the list is the ledger's; that it is so has been said. */
static void load_live(struct list *list)
{
	struct bf_error err;
	if (list->look->redis && bf_live_load(list->look->redis, &list->live, &err) < 0)
		fprintf(stderr, "bfstat: not read: %s\n", err.text);
}

static int fill(struct list *list, struct bf_error *err)
{
	bf_buf_init(&list->stalled, 1u << 20);
	bf_buf_addstr(&list->stalled, "");
	load_live(list);
	return list->look->pg ? list_from_ledger(list, err) : list_from_queue(list, err);
}

/* Nothing is listed: because of what was asked for, or because there is nothing yet? */
static void print_none(const struct list *list)
{
	const struct options *o = list->options;
	if (o->state || o->pipeline)
		printf("No run%s%s is %s.\n", o->pipeline ? " of " : "", o->pipeline ? o->pipeline : "", o->state ? o->state : "known");
	else if (list->look->pg)
		puts("There are no runs yet. The first one:  enqueue run PIPELINE --since=DATE --until=DATE");
	else
		puts("Redis knows no run that is under way; PostgreSQL, which knows the others, cannot be read.");
}

static void print_more(const struct list *list)
{
	const struct options *o = list->options;
	if (list->all <= list->listed)
		return;
	printf("and %lld more: bfstat", (long long)(list->all - list->listed));
	if (o->state)
		printf(" --state=%s", o->state);
	if (o->pipeline)
		printf(" --pipeline=%s", o->pipeline);
	printf(" --limit=%lld\n", (long long)list->all);
}

static void print_workers(const struct list *list)
{
	const struct bf_term *t = &list->look->term;
	const struct bf_live *live = &list->live;
	if (list->stalled.len > 0)
		printf("\n%s%s%s", bf_tone_on(t, BF_CARE), list->stalled.data, bf_tone_off(t, BF_CARE));
	if (live->whole && live->alive == 0 && list->active > 0)
		printf("\n%sNo worker is alive; `worker` starts one.%s\n", bf_tone_on(t, BF_CARE), bf_tone_off(t, BF_CARE));
	if (live->alive > 0)
		printf("\n%d %s alive, %lld of %lld slots busy\n", live->alive, live->alive == 1 ? "worker" : "workers", (long long)live->busy,
			   (long long)live->slots);
}

static void release_list(struct list *list)
{
	bf_live_release(&list->live);
	bf_buf_release(&list->stalled);
}

static int print_list(struct list *list, struct bf_error *err)
{
	list->table = new_table(&list->look->term);
	int rc = fill(list, err);
	if (rc == 0 && list->listed == 0)
		print_none(list);
	else if (rc == 0)
		bf_table_print(list->table, stdout);
	if (rc == 0)
		print_more(list);
	if (rc == 0)
		print_workers(list);
	bf_table_free(list->table);
	return rc;
}

static int show_all(struct bf_look *l, const struct options *o, struct bf_error *err)
{
	struct list list = {.look = l, .options = o};
	struct bf_json j;
	int rc;
	if (!o->json) {
		rc = print_list(&list, err);
		release_list(&list);
		return rc;
	}
	list.json = &j;
	bf_json_begin(&j, stdout);
	bf_json_array(&j, "runs");
	rc = fill(&list, err);
	bf_json_close(&j);
	bf_json_int(&j, "all", list.all);
	bf_look_json_end(l, &j);
	release_list(&list);
	return rc;
}

/* ---- one run ---- */

/* A word that is no run may be a command with a slip in it. */
static int suggest_command(const char *word, struct bf_error *err)
{
	const char *near = bf_program_near_command(word);
	if (!near)
		return -(int)err->code;
	BF_AUTOBUF struct bf_buf shown;
	bf_buf_init(&shown, 512);
	bf_text_quote(&shown, word, strlen(word), SHOWN_MAX);
	return bf_fail(err, BF_E_NOT_FOUND, "unknown command or run %s; did you mean `bfstat %s`?", shown.data, near);
}

static int show_one(struct bf_look *l, const char *run, bool json, int *exit_code, struct bf_error *err)
{
	struct bf_view v;
	int rc = bf_look_find_run(l, &run, err);
	if (rc == -BF_E_NOT_FOUND)
		return suggest_command(run, err);
	if (rc == 0)
		rc = bf_view_load(l, run, &v, err);
	if (rc < 0)
		return rc;
	if (json) {
		struct bf_json j;
		bf_json_begin(&j, stdout);
		bf_view_json(&j, &v);
		bf_look_json_end(l, &j);
	} else {
		bf_view_print(stdout, &l->term, &v, false);
	}
	*exit_code = bf_view_exit_code(v.state);
	bf_view_release(&v);
	return 0;
}

/* What picks runs from the list says nothing about one run. */
static int check_options(const struct options *o, const char *run, struct bf_error *err)
{
	if (!run || (!o->state && !o->pipeline))
		return 0;
	return bf_refuse_option(o->state ? "--state" : "--pipeline", run, "no run beside it: it is about the list", err);
}

static int show(struct bf_look *l, const struct options *o, const char *run, int *exit_code, struct bf_error *err)
{
	int rc = l->pg && o->pipeline ? bf_look_find_pipeline(l, o->pipeline, NULL, err) : 0;
	if (rc < 0)
		return rc;
	return run ? show_one(l, run, o->json, exit_code, err) : show_all(l, o, err);
}

static int run_runs(const struct bf_command *command, int argc, char **argv)
{
	struct options o = {.limit = LISTED_DEFAULT};
	struct bf_look l = {.pg = NULL};
	struct bf_error err;
	BF_AUTOFREE const char **args = bf_alloc((size_t)(argc + 1) * sizeof(*args));
	int n_args, exit_code = 0;
	if (!bf_command_parse(command, argc, argv, &o, args, &n_args, &exit_code))
		return exit_code;
	const char *run = n_args > 0 ? args[0] : NULL;
	if (check_options(&o, run, &err) < 0)
		return bf_program_fail(&err);
	if (!bf_look_open(&l, BF_LEDGER | BF_QUEUE, &exit_code))
		return exit_code;
	int rc;
	do
		rc = show(&l, &o, run, &exit_code, &err);
	while (rc < 0 && bf_look_lost(&l, &err));
	bf_look_close(&l);
	return rc < 0 ? bf_program_fail(&err) : exit_code;
}

static const char *const states[] = {"queued", "running", "waiting", "stopping", "stopped", "done", "failed", "cancelled", NULL};

static const struct bf_opt options[] = {
	{.name = "state",
	 .type = BF_OPT_CHOICE,
	 .offset = offsetof(struct options, state),
	 .value = "STATE",
	 .choices = states,
	 .help = "list only the runs in this state"},
	{.name = "pipeline",
	 .type = BF_OPT_TEXT,
	 .offset = offsetof(struct options, pipeline),
	 .value = "PIPELINE",
	 .help = "list only the runs of this pipeline"},
	{.name = "json", .type = BF_OPT_FLAG, .offset = offsetof(struct options, json), .help = "print JSON (docs/bfstat-json.md)"},
	{.name = "limit",
	 .type = BF_OPT_INT,
	 .offset = offsetof(struct options, limit),
	 .value = "N",
	 .min = 1,
	 .max = 100000,
	 .help = "list at most N runs (20)"},
	{.name = NULL}};

static const struct bf_example examples[] = {
	{"bfstat --state=failed --pipeline=daily-sales", "the runs of a pipeline that have failed"},
	{"bfstat daily-sales", "the page of a pipeline's latest run"},
	{"bfstat daily-sales.k3v9qa", "the page of one run"},
	{NULL, NULL},
};

static const struct bf_command command_runs = {
	.name = "bfstat",
	.synopsis = "bfstat [RUN] [OPTION…]",
	.summary = "one run, or all of them",
	.details = "Without RUN: the runs that need someone first, then those under way, then the others, each newest first.\n"
			   "With RUN: exit code 0 done or under way, 1 failed, 3 waiting for a person, 4 stopped or cancelled.",
	.examples = examples,
	.options = options,
	.max_args = 1};

const struct bf_entry bf_look_runs = {&command_runs, run_runs};
