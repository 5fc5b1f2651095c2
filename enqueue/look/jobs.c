/* `bfstat jobs RUN`: every job, in order, page by page: a million of them need no memory. */
#include "base/clock.h"
#include "base/duration.h"
#include "base/mem.h"
#include "core/ledger.h"
#include "core/queue.h"
#include "core/stat.h"
#include "look/live.h"
#include "look/view.h"
#include "shared/find.h"

struct options {
	bool json;
	const char *state, *step;
	int64_t limit; /* 0: all */
};

struct listing {
	struct bf_look *look;
	const struct options *options;
	const char *run;
	struct bf_live live;
	bool live_known;
	struct bf_table *table; /* either this … */
	struct bf_json *json;   /* … or this */
	int64_t listed;
};

static bool full(const struct listing *l)
{
	return l->options->limit > 0 && l->listed >= l->options->limit;
}

static int64_t room(const struct listing *l)
{
	int64_t left = l->options->limit > 0 ? l->options->limit - l->listed : BF_LOOK_PAGE;
	return left < BF_LOOK_PAGE ? left : BF_LOOK_PAGE;
}

static bool is_lost(const struct listing *l, const char *state, const char *worker)
{
	if (!l->live_known || strcmp(state, "running") != 0)
		return false;
	const struct bf_live_worker *w = bf_live_find(&l->live, worker);
	return !w || !w->alive;
}

static const struct bf_column columns[] = {{.title = "STEP"},
										   {.title = "CHUNK"},
										   {.title = "STATE"},
										   {.title = "FAILED TRIES", .right = true, .rank = 3},
										   {.title = "ROWS", .right = true, .rank = 4},
										   {.title = "TOOK", .right = true, .rank = 2},
										   {.title = "WORKER", .rank = 5},
										   {.title = "ABOUT", .rank = 1, .elastic = true}};

/* ---- from the ledger ---- */

static void about(struct bf_buf *out, const struct bf_pg_result *r, int i, int64_t now_ms)
{
	char text[BF_DURATION_TEXT], done[28], total[28];
	int64_t due = bf_pg_int(r, i, BF_JOBS_NOT_BEFORE);
	const char *state = bf_pg_text(r, i, BF_JOBS_STATE);
	bf_buf_addstr(out, "");
	if (strcmp(state, "running") == 0 && bf_pg_int(r, i, BF_JOBS_PROGRESS_TOTAL) > 0)
		bf_buf_printf(out, "%s of %s ", bf_text_group(bf_pg_int(r, i, BF_JOBS_PROGRESS_DONE), done),
					  bf_text_group(bf_pg_int(r, i, BF_JOBS_PROGRESS_TOTAL), total));
	if (strcmp(state, "pending") == 0 && due > now_ms)
		bf_buf_printf(out, "next try in %s: ", bf_duration_human(due - now_ms, text));
	bool skipped = strcmp(state, "skipped") == 0; /* why is its note; its error is of an earlier time */
	const char *why = bf_pg_null(r, i, BF_JOBS_ERROR) || skipped ? bf_pg_text(r, i, BF_JOBS_NOTE) : bf_pg_text(r, i, BF_JOBS_ERROR);
	if (bf_pg_bool(r, i, BF_JOBS_OVER_HOLE) && (strcmp(state, "done") == 0 || strcmp(state, "running") == 0))
		bf_buf_printf(out, "over a hole%s", *why ? ": " : "");
	bf_buf_addstr(out, why);
}

static void add_row(struct listing *l, const struct bf_pg_result *r, int i, int64_t now_ms)
{
	BF_AUTOBUF struct bf_buf text;
	char took[BF_DURATION_TEXT] = "", rows[28];
	const char *state = bf_pg_text(r, i, BF_JOBS_STATE), *worker = bf_pg_text(r, i, BF_JOBS_WORKER);
	const char *shown = is_lost(l, state, worker) ? "lost" : state;
	int64_t started = bf_pg_int(r, i, BF_JOBS_STARTED), finished = bf_pg_int(r, i, BF_JOBS_FINISHED);
	bf_buf_init(&text, 16384);
	about(&text, r, i, now_ms);
	if (started > 0 && finished >= started)
		bf_duration_human(finished - started, took);
	bf_table_row(l->table);
	bf_table_cell(l->table, BF_PLAIN, bf_pg_text(r, i, BF_JOBS_STEP));
	bf_table_cell(l->table, BF_PLAIN, bf_pg_text(r, i, BF_JOBS_CHUNK));
	bf_table_cell(l->table, bf_tone_of_state(shown), shown);
	bf_table_number(l->table, BF_CARE, bf_pg_int(r, i, BF_JOBS_ATTEMPTS));
	bf_table_cell(l->table, BF_PLAIN, bf_pg_null(r, i, BF_JOBS_ROWS) ? "" : bf_text_group(bf_pg_int(r, i, BF_JOBS_ROWS), rows));
	bf_table_cell(l->table, BF_PLAIN, took);
	bf_table_cell(l->table, BF_DIM, strcmp(state, "running") == 0 || finished > 0 ? worker : "");
	bf_table_cell(l->table, BF_PLAIN, text.data);
}

static void int_or_null(struct bf_json *j, const char *key, const struct bf_pg_result *r, int i, int column)
{
	if (bf_pg_null(r, i, column))
		bf_json_null(j, key);
	else
		bf_json_int(j, key, bf_pg_int(r, i, column));
}

static void add_json(struct listing *l, const struct bf_pg_result *r, int i)
{
	struct bf_json *j = l->json;
	bf_json_object(j, NULL);
	bf_json_text(j, "step", bf_pg_text(r, i, BF_JOBS_STEP));
	bf_json_int(j, "seq", bf_pg_int(r, i, BF_JOBS_SEQ));
	bf_json_text(j, "chunk", bf_pg_text(r, i, BF_JOBS_CHUNK));
	bf_json_text(j, "state", bf_pg_text(r, i, BF_JOBS_STATE));
	bf_json_bool(j, "lost", is_lost(l, bf_pg_text(r, i, BF_JOBS_STATE), bf_pg_text(r, i, BF_JOBS_WORKER)));
	int_or_null(j, "failed_tries", r, i, BF_JOBS_ATTEMPTS);
	int_or_null(j, "epoch", r, i, BF_JOBS_EPOCH);
	bf_json_text_or_null(j, "worker", bf_pg_text(r, i, BF_JOBS_WORKER));
	bf_json_time(j, "started_at", bf_pg_int(r, i, BF_JOBS_STARTED));
	bf_json_time(j, "finished_at", bf_pg_int(r, i, BF_JOBS_FINISHED));
	bf_json_time(j, "not_before", bf_pg_int(r, i, BF_JOBS_NOT_BEFORE));
	int_or_null(j, "rows", r, i, BF_JOBS_ROWS);
	int_or_null(j, "progress_done", r, i, BF_JOBS_PROGRESS_DONE);
	int_or_null(j, "progress_total", r, i, BF_JOBS_PROGRESS_TOTAL);
	bf_json_text_or_null(j, "checkpoint", bf_pg_text(r, i, BF_JOBS_CHECKPOINT));
	bf_json_text_or_null(j, "note", bf_pg_text(r, i, BF_JOBS_NOTE));
	bf_json_bool(j, "over_hole", bf_pg_bool(r, i, BF_JOBS_OVER_HOLE));
	bf_json_text_or_null(j, "error_category", bf_pg_text(r, i, BF_JOBS_CATEGORY));
	bf_json_text_or_null(j, "error", bf_pg_text(r, i, BF_JOBS_ERROR));
	bf_json_close(j);
}

static int list_step(struct listing *l, const char *step, struct bf_error *err)
{
	int64_t after = 0;
	while (!full(l) && !ferror(stdout)) {
		BF_AUTORESULT struct bf_pg_result *r = NULL;
		int asked = (int)room(l);
		int rc = bf_stat_jobs(l->look->pg, l->run, step, l->options->state, &after, asked, &r, err);
		if (rc < 0)
			return rc;
		for (int i = 0; i < bf_pg_rows(r); i++, l->listed++) {
			if (l->json)
				add_json(l, r, i);
			else
				add_row(l, r, i, bf_wall_ms());
		}
		if (!l->json && bf_pg_rows(r) == asked)
			bf_table_print(l->table, stdout);
		if (bf_pg_rows(r) < asked)
			return 0;
	}
	return 0;
}

static int list_from_ledger(struct listing *l, struct bf_error *err)
{
	struct bf_step_row steps[BF_STEPS_MAX];
	int n = 0;
	int rc = bf_ledger_run_steps(l->look->pg, l->run, steps, BF_STEPS_MAX, &n, err);
	for (int i = 0; rc == 0 && i < n; i++)
		if (!l->options->step || strcmp(l->options->step, steps[i].step) == 0)
			rc = list_step(l, steps[i].step, err);
	return rc;
}

/* ---- from Redis: what is running, ready, delayed and pending; what is settled only the ledger knows ---- */

static void add_live(struct listing *l, const char *step, int step_len, const char *chunk, int chunk_len, const char *state,
					 const char *worker)
{
	BF_AUTOFREE char *step_text = bf_strndup(step, (size_t)step_len);
	BF_AUTOFREE char *chunk_text = bf_strndup(chunk, (size_t)chunk_len);
	bool lost = is_lost(l, state, worker);
	if (full(l) || (l->options->state && strcmp(l->options->state, state) != 0) ||
		(l->options->step && strcmp(l->options->step, step_text) != 0))
		return;
	l->listed++;
	if (l->json) {
		bf_json_object(l->json, NULL);
		bf_json_text(l->json, "step", step_text);
		bf_json_text(l->json, "chunk", chunk_text);
		bf_json_text(l->json, "state", state);
		bf_json_bool(l->json, "lost", lost);
		bf_json_text_or_null(l->json, "worker", worker);
		bf_json_close(l->json);
		return;
	}
	bf_table_row(l->table);
	bf_table_cell(l->table, BF_PLAIN, step_text);
	bf_table_cell(l->table, BF_PLAIN, chunk_text);
	bf_table_cell(l->table, bf_tone_of_state(lost ? "lost" : state), lost ? "lost" : state);
	for (int i = 0; i < 3; i++)
		bf_table_cell(l->table, BF_PLAIN, "");
	bf_table_cell(l->table, BF_DIM, worker);
}

/* Jobs as their whole text; only those of this run. */
static void add_names(struct listing *l, const struct bf_redis_reply *names, size_t stride, const char *state, const char *worker)
{
	for (size_t i = 0; i < bf_redis_count(names); i += stride) {
		struct bf_job_name name;
		if (bf_job_name_parse(bf_redis_text(bf_redis_at(names, i)), &name) == 0 && (size_t)name.run_len == strlen(l->run) &&
			strncmp(name.run, l->run, (size_t)name.run_len) == 0)
			add_live(l, name.step, name.step_len, name.chunk, name.chunk_len, state, worker);
	}
}

static int list_pending(struct listing *l, const char *step, const char *range, const char *key, struct bf_error *err)
{
	for (int64_t at = 0; !full(l); at += BF_LOOK_PAGE) {
		BF_AUTOREPLY struct bf_redis_reply *page = NULL;
		char from[28], to[28];
		(void)snprintf(from, sizeof(from), "%lld", (long long)at);
		(void)snprintf(to, sizeof(to), "%lld", (long long)at + BF_LOOK_PAGE - 1);
		int rc = bf_live_ask(l->look->redis, &page, err, range, key, from, to, NULL);
		if (rc < 0)
			return rc;
		for (size_t i = 0; i < bf_redis_count(page); i++) {
			const char *text = bf_redis_text(bf_redis_at(page, i)), *hash = strrchr(text, '#');
			add_live(l, step, (int)strlen(step), text, hash ? (int)(hash - text) : (int)strlen(text), "pending", "");
		}
		if (!l->json)
			bf_table_print(l->table, stdout);
		if (bf_redis_count(page) < BF_LOOK_PAGE)
			break;
	}
	return 0;
}

static int list_waiting(struct listing *l, const char *step, struct bf_error *err)
{
	BF_AUTOFREE char *returned = bf_asprintf("bf:run:%s:returned:%s", l->run, step);
	BF_AUTOFREE char *pending = bf_asprintf("bf:run:%s:pending:%s", l->run, step);
	int rc = list_pending(l, step, "ZRANGE", returned, err);
	return rc < 0 ? rc : list_pending(l, step, "LRANGE", pending, err);
}

static int list_from_queue(struct listing *l, struct bf_error *err)
{
	struct bf_view v;
	int rc = bf_view_load(l->look, l->run, &v, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < v.n_running; i++)
		add_live(l, v.running[i].step, (int)strlen(v.running[i].step), v.running[i].chunk, (int)strlen(v.running[i].chunk), "running",
				 v.running[i].worker);
	BF_AUTOREPLY struct bf_redis_reply *ready = NULL;
	BF_AUTOREPLY struct bf_redis_reply *delayed = NULL;
	BF_AUTOFREE char *queue = bf_asprintf("bf:queue:%s", v.queue), *later = bf_asprintf("bf:delayed:%s", v.queue);
	rc = bf_live_ask(l->look->redis, &ready, err, "LRANGE", queue, "0", "-1", NULL);
	if (rc == 0)
		rc = bf_live_ask(l->look->redis, &delayed, err, "ZRANGE", later, "0", "-1", NULL);
	add_names(l, ready, 1, "pending", "");
	add_names(l, delayed, 1, "pending", "");
	for (int i = 0; rc == 0 && i < v.n_steps; i++)
		rc = list_waiting(l, v.steps[i].step, err);
	bf_view_release(&v);
	return rc;
}

/* ---- the command ---- */

static int list_jobs(struct listing *l, struct bf_error *err)
{
	if (l->look->redis && bf_live_load(l->look->redis, &l->live, err) == 0)
		l->live_known = l->live.whole;
	return l->look->pg ? list_from_ledger(l, err) : list_from_queue(l, err);
}

static int show(struct listing *l, struct bf_error *err)
{
	struct bf_json j;
	int rc;
	if (l->options->json) {
		l->json = &j;
		bf_json_begin(&j, stdout);
		bf_json_text(&j, "run", l->run);
		bf_json_array(&j, "jobs");
		rc = list_jobs(l, err);
		bf_json_close(&j);
		bf_look_json_end(l->look, &j);
		return rc;
	}
	l->table = bf_table_new(&l->look->term, columns, BF_COUNT_OF(columns));
	rc = list_jobs(l, err);
	if (rc == 0)
		bf_table_print(l->table, stdout);
	if (rc == 0 && l->listed == 0)
		puts("No job of this run is like that.");
	bf_table_free(l->table);
	return rc;
}

static int run_jobs(const struct bf_command *command, int argc, char **argv)
{
	struct options o = {.json = false};
	struct bf_look look = {.pg = NULL};
	struct bf_error err;
	BF_AUTOFREE const char **args = bf_alloc((size_t)(argc + 1) * sizeof(*args));
	int n_args, exit_code = 0;
	if (!bf_command_parse(command, argc, argv, &o, args, &n_args, &exit_code) || !bf_look_open(&look, BF_LEDGER | BF_QUEUE, &exit_code))
		return exit_code;
	struct listing l = {.look = &look, .options = &o, .run = args[0]};
	int rc = bf_look_find_run_and_say(&look, &l.run, &err);
	if (rc == 0 && look.pg)
		rc = bf_find_job(look.pg, l.run, o.step, NULL, &err);
	if (rc < 0 && bf_look_lost(&look, &err))
		rc = 0;
	if (rc == 0)
		rc = show(&l, &err);
	bf_live_release(&l.live);
	bf_look_close(&look);
	return rc < 0 ? bf_program_fail(&err) : 0;
}

static const char *const states[] = {"pending", "running", "done", "failed", "skipped", "cancelled", "undone", NULL};

static const struct bf_opt options[] = {
	{.name = "state",
	 .type = BF_OPT_CHOICE,
	 .offset = offsetof(struct options, state),
	 .value = "STATE",
	 .choices = states,
	 .help = "only the jobs in this state"},
	{.name = "step", .type = BF_OPT_TEXT, .offset = offsetof(struct options, step), .value = "STEP", .help = "only the jobs of this step"},
	{.name = "limit",
	 .type = BF_OPT_INT,
	 .offset = offsetof(struct options, limit),
	 .value = "N",
	 .min = 1,
	 .max = INT32_MAX,
	 .help = "at most N jobs"},
	{.name = "json", .type = BF_OPT_FLAG, .offset = offsetof(struct options, json), .help = "print JSON (docs/bfstat-json.md)"},
	{.name = NULL}};

static const struct bf_example examples[] = {
	{"bfstat jobs daily-sales.k3v9qa --state=running", "what is being worked on, and where"},
	{"bfstat jobs daily-sales --step=totals --limit=20", "the first of one step, of the latest run"},
	{NULL, NULL},
};

static const struct bf_command command_jobs = {.name = "jobs",
											   .synopsis = "bfstat jobs RUN [OPTION…]",
											   .summary = "the jobs of a run, in order",
											   .examples = examples,
											   .options = options,
											   .min_args = 1,
											   .max_args = 1};

const struct bf_entry bf_look_jobs = {&command_jobs, run_jobs};
