/* bfstat: where everything stands. It changes nothing, but for `verify --repair`. */
#include <locale.h>
#include <signal.h>

#include "look/look.h"
#include "shared/manual.h"

#define CHANGES(word)                                                         \
	{                                                                         \
		.typed = word, .choices = "  enqueue " word "  changes; bfstat looks" \
	}

static const struct bf_alias aliases[] = {
	{.typed = "running", .means = "--state=running", .of_one = "jobs --state=running"},
	{.typed = "failed", .means = "--state=failed", .of_one = "failures"},
	{.typed = "waiting", .means = "--state=waiting", .of_one = ""},
	{.typed = "stopped", .means = "--state=stopped", .of_one = ""},
	{.typed = "queued", .means = "--state=queued", .of_one = ""},
	{.typed = "done", .means = "--state=done", .of_one = "jobs --state=done"},
	{.typed = "cancelled", .means = "--state=cancelled", .of_one = "jobs --state=cancelled"},
	{.typed = "errors", .means = "--state=failed", .of_one = "failures"},
	{.typed = "pending",
	 .of_one = "jobs --state=pending",
	 .choices = "  bfstat queued            runs that have not begun\n"
				"  bfstat queues            what is ready, delayed and pending on each queue\n"
				"  bfstat missing           days that are not done\n"
				"  bfstat jobs RUN --state=pending"},
	{.typed = "missing", .means = "missing", .of_one = "gaps"},
	{.typed = "status", .means = ""},
	{.typed = "show", .means = ""},
	{.typed = "list", .means = ""},
	{.typed = "ls", .means = ""},
	{.typed = "runs", .means = ""},
	{.typed = "progress", .means = ""},
	{.typed = "top", .means = "watch"},
	{.typed = "live", .means = "watch"},
	{.typed = "follow", .means = "watch"},
	{.typed = "history", .means = "events"},
	{.typed = "queue", .means = "queues"},
	{.typed = "worker", .means = "workers"},
	{.typed = "logs",
	 .choices = "  bfstat failures RUN  what failed, and what it said last\n"
				"  bfstat events RUN    who did what with a run, when\n"
				"  deploy/local logs    what workers of `deploy/local up --workers=N` say"},
	CHANGES("run"),
	CHANGES("stop"),
	CHANGES("resume"),
	CHANGES("stop-all"),
	CHANGES("resume-all"),
	CHANGES("cancel"),
	CHANGES("retry"),
	CHANGES("rollback"),
	CHANGES("approve"),
	CHANGES("reject"),
	CHANGES("validate"),
	CHANGES("migrate"),
	{.typed = NULL},
};

static const struct bf_example examples[] = {
	{"bfstat", "all runs, those that need someone first"},
	{"bfstat daily-sales", "the latest run of a pipeline"},
	{"bfstat failed", "the runs that have failed; `bfstat failures RUN` says why"},
	{"bfstat missing daily-sales", "the days of a pipeline that are not done"},
	{"bfstat health", "is it well?"},
	{NULL, NULL},
};

static const struct bf_item environment[] = {
	BF_ITEM_DATABASE_URL, BF_ITEM_REDIS_URL, BF_ITEM_PIPELINES, {"NO_COLOR", "not empty: no colours"}, {NULL, NULL},
};

int main(int argc, char **argv)
{
	const struct bf_entry entries[] = {bf_look_runs,    bf_look_watch,  bf_look_eta,    bf_look_jobs,    bf_look_failures, bf_look_coverage,
									   bf_look_missing, bf_look_gaps,   bf_look_health, bf_look_workers, bf_look_queues,   bf_look_events,
									   bf_look_verify,  bf_look_report, bf_look_plan,   {NULL, NULL}};
	const struct bf_program program = {
		.manual = {.program = "bfstat",
				   .summary = "shows where runs, workers and queues stand",
				   .details = "`bfstat` lists all runs: those that need someone first. `bfstat RUN` is the page of one: state, steps, "
							  "what is running and where, the last error, what to type next.\n\nWhere a RUN is asked for, a pipeline's "
							  "name is its latest run. Either server may be away: bfstat "
							  "answers from the other one, and says on stderr what it could not read.",
				   .aliases = aliases,
				   .examples = examples,
				   .environment = environment,
				   .exit_codes = bf_exit_codes},
		.entries = entries};
	setlocale(LC_ALL, "");
	setlocale(LC_NUMERIC, "C"); /* JSON */
	return bf_program_run(&program, argc, argv);
}
