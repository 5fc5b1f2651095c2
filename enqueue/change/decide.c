/*
 * stop, resume, cancel, retry and their words for all runs: finds what is meant, has the ledger decide, tells Redis,
 * and prints what came of it.
 */
#include "core/decide.h"

#include <stddef.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "change/commands.h"
#include "change/decider.h"
#include "core/ledger.h"
#include "core/pipeline.h"
#include "core/states.h"
#include "render/json.h"
#include "shared/find.h"

#define RUNS_PAGE 100

struct options {
	const char *step, *note;
	struct bf_opt_list chunk;
	bool downstream, json;
};

#define OPTION(field) offsetof(struct options, field)
#define OPT_STEP                                                                              \
	{                                                                                         \
		"step", NULL, BF_OPT_TEXT, OPTION(step), "STEP", "only jobs of this step", 0, 0, NULL \
	}
#define OPT_CHUNK                                                                                                                          \
	{                                                                                                                                      \
		"chunk", NULL, BF_OPT_LIST, OPTION(chunk), "CHUNK", "only this chunk: 2024-01-01..2024-01-03, or a key; may be given again", 0, 0, \
			NULL                                                                                                                           \
	}
#define OPT_DOWNSTREAM                                                                                        \
	{                                                                                                         \
		"downstream", NULL, BF_OPT_FLAG, OPTION(downstream), NULL,                                            \
			"also what was done without them: in later steps, or later in one that goes in order", 0, 0, NULL \
	}
#define OPT_NOTE                                                                                \
	{                                                                                           \
		"note", NULL, BF_OPT_TEXT, OPTION(note), "TEXT", "why; kept with the event", 0, 0, NULL \
	}
#define OPT_JSON                                                                               \
	{                                                                                          \
		"json", NULL, BF_OPT_FLAG, OPTION(json), NULL, "print the outcome as JSON", 0, 0, NULL \
	}
#define OPT_END                                            \
	{                                                      \
		NULL, NULL, BF_OPT_FLAG, 0, NULL, NULL, 0, 0, NULL \
	}

static const struct bf_opt of_runs[] = {OPT_NOTE, OPT_JSON, OPT_END};
static const struct bf_opt of_jobs[] = {OPT_STEP, OPT_CHUNK, OPT_NOTE, OPT_JSON, OPT_END};
static const struct bf_opt of_retry[] = {OPT_STEP, OPT_CHUNK, OPT_DOWNSTREAM, OPT_NOTE, OPT_JSON, OPT_END};

static const struct bf_example stop_examples[] = {
	{"enqueue stop daily-sales.k3v9qa --note='the source is being loaded'", "what is running finishes"},
	{NULL, NULL},
};
static const struct bf_example resume_examples[] = {
	{"enqueue resume daily-sales.k3v9qa", "it goes on where it was"},
	{NULL, NULL},
};
static const struct bf_example cancel_examples[] = {
	{"enqueue cancel daily-sales.k3v9qa", "what is running is ended, and nothing more is started"},
	{"enqueue cancel daily-sales.k3v9qa --step=totals", "only what one step has not done yet"},
	{NULL, NULL},
};
static const struct bf_example retry_examples[] = {
	{"enqueue retry daily-sales.k3v9qa", "all that has failed"},
	{"enqueue retry daily-sales.k3v9qa --step=totals --chunk=2024-05-06..2024-05-12", "one job"},
	{"enqueue retry daily-sales.k3v9qa --downstream", "also what later steps did without it"},
	{NULL, NULL},
};
static const struct bf_example stop_all_examples[] = {
	{"enqueue stop-all --note='the database is being moved'", "before maintenance"},
	{NULL, NULL},
};
static const struct bf_example resume_all_examples[] = {
	{"bfstat stopped", "which runs that would be"},
	{"enqueue resume-all", "after maintenance"},
	{NULL, NULL},
};

const struct bf_command bf_command_stop = {
	.name = "stop",
	.synopsis = "enqueue stop RUN [OPTION…]",
	.summary = "start nothing more of a run; what is running finishes",
	.details = "`enqueue resume RUN` lets it go on. `enqueue stop --all` is `enqueue stop-all`.",
	.options = of_runs,
	.min_args = 1,
	.max_args = 1,
	.examples = stop_examples,
};
const struct bf_command bf_command_resume = {
	.name = "resume",
	.synopsis = "enqueue resume RUN [OPTION…]",
	.summary = "let a stopped run go on",
	.options = of_runs,
	.min_args = 1,
	.max_args = 1,
	.examples = resume_examples,
};
const struct bf_command bf_command_cancel = {
	.name = "cancel",
	.synopsis = "enqueue cancel RUN [OPTION…]",
	.summary = "cancel a run, or some of its jobs",
	.details = "Jobs that are running are taken away from their workers: they can change nothing any more.",
	.options = of_jobs,
	.min_args = 1,
	.max_args = 1,
	.examples = cancel_examples,
};
const struct bf_command bf_command_retry = {
	.name = "retry",
	.synopsis = "enqueue retry RUN [OPTION…]",
	.summary = "try failed and cancelled jobs again",
	.details = "What was skipped for want of them, and the checks that judged without them, are opened again, too. What else was "
			   "done without them is marked: `bfstat RUN` shows it, and `enqueue retry RUN --downstream` does it again, at once "
			   "or later.",
	.options = of_retry,
	.min_args = 1,
	.max_args = 1,
	.examples = retry_examples,
};
const struct bf_command bf_command_stop_all = {
	.name = "stop-all",
	.synopsis = "enqueue stop-all [OPTION…]",
	.summary = "stop every run that is under way",
	.details = "`enqueue resume-all` lets them go on.",
	.options = of_runs,
	.examples = stop_all_examples,
};
const struct bf_command bf_command_resume_all = {
	.name = "resume-all",
	.synopsis = "enqueue resume-all [OPTION…]",
	.summary = "let every stopped run go on",
	.details = "Also those that were stopped one by one: `bfstat stopped` lists them, and `enqueue cancel RUN` gives one up for good.",
	.options = of_runs,
	.examples = resume_all_examples,
};

/* ---- one run ---- */

struct verb {
	const struct bf_command *command;
	int (*state)(struct bf_pg *pg, const struct bf_decision *d, char *state, struct bf_error *err);
	int (*jobs)(struct bf_pg *pg, const struct bf_decision *d, int64_t *jobs, struct bf_error *err);
	const char *past; /* "cancelled" */
	const char *none; /* why there may have been no such job */
};

static const struct verb verbs[] = {
	{&bf_command_stop, bf_decide_stop, NULL, "stopped", ""},
	{&bf_command_resume, bf_decide_resume, NULL, "resumed", ""},
	{&bf_command_cancel, NULL, bf_decide_cancel, "cancelled", ": none is pending or running"},
	{&bf_command_retry, NULL, bf_decide_retry, "opened again",
	 ": none has failed or was cancelled, but for what another run has done since, or holds (what was skipped is opened with what failed "
	 "before it)"},
};

static const struct verb *verb_of(const struct bf_command *command)
{
	size_t i = 0;
	while (verbs[i].command != command)
		i++;
	return &verbs[i];
}

static void print_json(const struct verb *v, const struct bf_decision *d, int64_t jobs, const char *state)
{
	struct bf_json j;
	bf_json_begin(&j, stdout);
	bf_json_text(&j, "command", v->command->name);
	bf_json_text(&j, "run", d->run);
	bf_json_text(&j, "step", d->step);
	bf_json_text(&j, "chunk", d->chunk);
	if (v->jobs)
		bf_json_int(&j, "jobs", jobs);
	else
		bf_json_null(&j, "jobs");
	bf_json_text(&j, "state", state);
	bf_json_end(&j);
}

/* What a state means for the one who just decided. */
static const char *explain(const char *state, const struct verb *v)
{
	enum bf_run_state s;
	if (!bf_run_state_parse(state, &s))
		return "";
	switch (s) {
	case BF_RUN_STOPPING:
		return v->command == &bf_command_resume ? ": it is being cancelled" : ": running jobs finish, nothing more is started";
	case BF_RUN_STOPPED:
		return v->command == &bf_command_stop ? ": nothing of it is running" : ": `enqueue resume` lets it go on";
	case BF_RUN_FAILED:
	case BF_RUN_CANCELLED:
		return v->command == &bf_command_resume ? ": `enqueue retry` opens it again" : "";
	case BF_RUN_QUEUED:
	case BF_RUN_RUNNING:
	case BF_RUN_WAITING:
	case BF_RUN_DONE:
	case BF_RUN_STATES:
		break;
	}
	return "";
}

static void print_text(const struct verb *v, const struct bf_decision *d, int64_t jobs, const char *state)
{
	char number[32];
	if (v->jobs)
		printf("%s job%s of run %s %s%s%s.\n", jobs ? bf_text_group(jobs, number) : "No", jobs == 1 ? "" : "s", d->run, v->past,
			   jobs ? "" : v->none,
			   jobs            ? ""
			   : d->downstream ? "; and nothing that is done was done over a hole"
							   : "");
	printf("Run %s is %s%s.\n", d->run, state, explain(state, v));
}

/* What a retry has not opened, for another run has it. */
static int print_taken(struct bf_pg *pg, const char *run, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	char n[28];
	int rc = bf_find_taken(pg, run, &r, err);
	if (rc < 0 || bf_pg_int(r, 0, 0) == 0)
		return rc;
	printf("%s of its jobs %s taken by run %s: it has done them since, or holds them.\n", bf_text_group(bf_pg_int(r, 0, 0), n),
		   bf_pg_int(r, 0, 0) == 1 ? "is" : "are", bf_pg_text(r, 0, 1));
	return 0;
}

/* A retry works with the files that the run was planned with: where they have changed since, that may not be what was meant. */
static int print_changed(struct bf_pg *pg, const char *run, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *pinned = NULL;
	BF_AUTORESULT struct bf_pg_result *now = NULL;
	BF_AUTOBUF struct bf_buf body;
	BF_AUTOFREE char *path = NULL;
	struct bf_pipeline *file = NULL;
	struct bf_error ignored; /* where the file is not at hand, there is nothing to compare */
	bf_buf_init(&body, SIZE_MAX);
	int rc = bf_find_pinned(pg, run, "", &pinned, err);
	if (rc < 0 || bf_pg_rows(pinned) == 0)
		return rc;
	if (bf_pipeline_find(bf_pg_text(pinned, 0, 0), &path, &ignored) < 0 || bf_pipeline_load_file(path, &file, &ignored) < 0)
		return 0;
	if (bf_pipeline_body(file, &body, &ignored) == 0)
		rc = bf_find_pinned(pg, run, body.data, &now, err);
	if (rc == 0 && now && bf_pg_rows(now) && !bf_pg_bool(now, 0, 1))
		printf("Its files have changed since it was planned; a retry does what was planned. With the files as they are now:\n  %s\n",
			   bf_pg_text(now, 0, 2));
	bf_pipeline_free(file);
	return rc;
}

/* A large run is cancelled in parts: each look at it is one more. The workers' looks are, too, so it comes to its end without this one. */
static int cancel_rest(struct bf_decider *s, const struct bf_decision *d, char *state, struct bf_error *err)
{
	int rc = 0;
	while (rc == 0 && strcmp(state, "stopping") == 0) {
		if (BF_FAILPOINT("mid_cancel"))
			return bf_fail(err, BF_E_UNAVAILABLE, "fail point mid_cancel");
		rc = bf_decider_carry_out(s, d->run, BF_DEPTH_STATE, state, err);
	}
	return rc;
}

/* What was named is looked for before anything is decided. */
static int find_chunks(struct bf_decider *s, const struct bf_decision *d, const struct bf_opt_list *chunks, struct bf_error *err)
{
	int rc = bf_find_job(s->upkeep.pg, d->run, d->step, NULL, err);
	for (size_t i = 0; rc == 0 && i < chunks->count; i++)
		rc = bf_find_job(s->upkeep.pg, d->run, d->step, chunks->items[i], err);
	return rc;
}

/* Each chunk is a decision of its own, with its event. */
static int decide_jobs(const struct verb *v, struct bf_decider *s, const struct bf_decision *d, const struct bf_opt_list *chunks,
					   int64_t *jobs, struct bf_error *err)
{
	struct bf_decision one = *d;
	int64_t n = 0;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < (chunks->count ? chunks->count : 1); i++) {
		one.chunk = chunks->count ? chunks->items[i] : NULL;
		rc = v->jobs(s->upkeep.pg, &one, &n, err);
		*jobs += rc == 0 ? n : 0;
	}
	return rc;
}

static int decide(const struct verb *v, struct bf_decider *s, const struct bf_decision *d, const struct bf_opt_list *chunks, bool json,
				  struct bf_error *err)
{
	char state[16] = "";
	int64_t jobs = 0;
	int rc = find_chunks(s, d, chunks, err);
	if (rc == 0)
		rc = v->jobs ? decide_jobs(v, s, d, chunks, &jobs, err) : v->state(s->upkeep.pg, d, state, err);
	if (rc == 0)
		rc = bf_decider_carry_out(s, d->run, BF_DEPTH_STATE, state, err);
	if (rc == 0 && v->command == &bf_command_cancel && !d->step && chunks->count == 0)
		rc = cancel_rest(s, d, state, err);
	if (rc == 0 && json)
		print_json(v, d, jobs, state);
	else if (rc == 0)
		print_text(v, d, jobs, state);
	if (rc == 0 && !json && v->command == &bf_command_retry)
		rc = print_taken(s->upkeep.pg, d->run, err);
	if (rc == 0 && !json && v->command == &bf_command_retry)
		rc = print_changed(s->upkeep.pg, d->run, err);
	return rc;
}

int bf_decide_main(const struct bf_command *command, int argc, char **argv)
{
	BF_AUTOFREE const char **args = bf_alloc(((size_t)argc + 1) * sizeof(*args));
	struct options o = {.json = false};
	struct bf_decider s;
	struct bf_error err;
	char who[BF_WHO_MAX];
	int n_args, code;
	if (!bf_command_parse(command, argc, argv, &o, args, &n_args, &code))
		return code;
	struct bf_decision d = {.run = args[0],
							.step = o.step,
							.chunk = o.chunk.count == 1 ? o.chunk.items[0] : NULL,
							.who = bf_who(who),
							.note = o.note,
							.downstream = o.downstream};
	if (d.downstream && (d.step || o.chunk.count > 0)) {
		(void)bf_fail(&err, BF_E_INPUT, "--downstream: found beside --%s, expected it alone: it is about the whole run",
					  d.step ? "step" : "chunk");
		return bf_program_fail(&err);
	}
	int rc = bf_decider_open(&s, &err);
	d.patience_ms = s.upkeep.lease_ms;
	if (rc == 0)
		rc = decide(verb_of(command), &s, &d, &o.chunk, o.json, &err);
	return bf_decider_close(&s, rc, &err);
}

/* ---- all runs ---- */

struct verb_of_all {
	const struct bf_command *command;
	int (*decide)(struct bf_pg *pg, const struct bf_decision *d, char *state, struct bf_error *err);
	const char *const *states; /* of the runs that it is about; ends with NULL */
	const char *none;
};

static const char *const under_way[] = {"queued", "running", "waiting", NULL};
static const char *const stopped[] = {"stopping", "stopped", NULL};
static const struct verb_of_all verbs_of_all[] = {
	{&bf_command_stop_all, bf_decide_stop, under_way, "No run is under way."},
	{&bf_command_resume_all, bf_decide_resume, stopped, "No run is stopped."},
};

struct all {
	const struct verb_of_all *verb;
	struct bf_decider *s;
	struct bf_decision d;
	struct bf_json *json; /* NULL: as text */
	int decided;
};

static bool is_about(const struct verb_of_all *v, const char *state)
{
	for (const char *const *s = v->states; *s; s++)
		if (strcmp(*s, state) == 0)
			return true;
	return false;
}

static void print_one_of_all(const struct all *a, const char *state)
{
	if (!a->json) {
		printf("Run %s is %s.\n", a->d.run, state);
		return;
	}
	bf_json_object(a->json, NULL);
	bf_json_text(a->json, "run", a->d.run);
	bf_json_text(a->json, "state", state);
	bf_json_close(a->json);
}

static int decide_page(struct all *a, const struct bf_pg_result *page, struct bf_error *err)
{
	char state[16];
	int rc = 0;
	for (int i = 0; rc == 0 && i < bf_pg_rows(page); i++) {
		if (!is_about(a->verb, bf_pg_text(page, i, 1)))
			continue;
		a->d.run = bf_pg_text(page, i, 0);
		rc = a->verb->decide(a->s->upkeep.pg, &a->d, state, err);
		if (rc == 0)
			rc = bf_decider_carry_out(a->s, a->d.run, BF_DEPTH_STATE, state, err);
		if (rc < 0)
			return rc;
		a->decided++;
		print_one_of_all(a, state);
	}
	return rc;
}

static int decide_all(struct all *a, struct bf_error *err)
{
	char after[BF_RUN_MAX + 1] = "";
	for (;;) {
		BF_AUTORESULT struct bf_pg_result *page = NULL;
		int rc = bf_ledger_active_runs(a->s->upkeep.pg, after, RUNS_PAGE, &page, err);
		if (rc == 0)
			rc = decide_page(a, page, err);
		if (rc < 0 || bf_pg_rows(page) < RUNS_PAGE)
			return rc;
		snprintf(after, sizeof(after), "%s", bf_pg_text(page, RUNS_PAGE - 1, 0));
	}
}

/* What was decided before an error is said all the same. */
static int decide_all_and_say(struct all *a, bool as_json, struct bf_error *err)
{
	struct bf_json json;
	if (as_json) {
		bf_json_begin(&json, stdout);
		bf_json_array(&json, "runs");
		a->json = &json;
	}
	int rc = decide_all(a, err);
	if (as_json) {
		bf_json_close(&json);
		bf_json_end(&json);
	} else if (rc == 0 && a->decided == 0) {
		puts(a->verb->none);
	}
	return rc;
}

int bf_decide_all_main(const struct bf_command *command, int argc, char **argv)
{
	BF_AUTOFREE const char **args = bf_alloc(((size_t)argc + 1) * sizeof(*args));
	struct options o = {.json = false};
	struct bf_decider s;
	struct bf_error err;
	char who[BF_WHO_MAX];
	int n_args, code;
	if (!bf_command_parse(command, argc, argv, &o, args, &n_args, &code))
		return code;
	struct all a = {.verb = verbs_of_all, .s = &s, .d = {.who = bf_who(who), .note = o.note}};
	while (a.verb->command != command)
		a.verb++;
	int rc = bf_decider_open(&s, &err);
	if (rc == 0)
		rc = decide_all_and_say(&a, o.json, &err);
	return bf_decider_close(&s, rc, &err);
}
