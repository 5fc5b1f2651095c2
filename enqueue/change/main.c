/* enqueue: plans runs, and decides about them. */
#include <stddef.h>

#include "change/commands.h"
#include "shared/manual.h"

static const struct bf_entry entries[] = {
	{&bf_command_run, bf_run_main},
	{&bf_command_stop, bf_decide_main},
	{&bf_command_resume, bf_decide_main},
	{&bf_command_cancel, bf_decide_main},
	{&bf_command_retry, bf_decide_main},
	{&bf_command_stop_all, bf_decide_all_main},
	{&bf_command_resume_all, bf_decide_all_main},
	{&bf_command_approve, bf_approve_main},
	{&bf_command_reject, bf_approve_main},
	{&bf_command_rollback, bf_rollback_main},
	{&bf_command_close, bf_close_main},
	{&bf_command_validate, bf_validate_main},
	{&bf_command_migrate, bf_migrate_main},
	{NULL, NULL},
};

#define LOOKS(word)                                                           \
	{                                                                         \
		.typed = word, .choices = "  bfstat " word "  looks; enqueue changes" \
	}
#define DO_OVER(word)                                                                                                   \
	{                                                                                                                   \
		.typed = word, .choices = "  enqueue retry RUN                              what failed in a run\n"             \
								  "  enqueue run PIPELINE … --reprocess=completed   days that are done, in a new run" \
	}
#define TAKE_BACK(word)                                                                         \
	{                                                                                           \
		.typed = word, .choices = "  enqueue cancel RUN    gives up what it has not done yet\n" \
								  "  enqueue rollback RUN  takes back what it has done"         \
	}

static const struct bf_alias aliases[] = {
	{.typed = "stop", .option = "--all", .means = "stop-all"},
	{.typed = "resume", .option = "--all", .means = "resume-all"},
	{.typed = "undo", .means = "rollback"},
	{.typed = "revert", .means = "rollback"},
	{.typed = "pause", .means = "stop"},
	{.typed = "unpause", .means = "resume"},
	{.typed = "continue", .means = "resume"},
	{.typed = "abort", .means = "cancel"},
	{.typed = "kill", .means = "cancel"},
	{.typed = "submit", .means = "run"},
	{.typed = "accept", .means = "approve"},
	{.typed = "deny", .means = "reject"},
	{.typed = "check", .means = "validate"},
	{.typed = "lint", .means = "validate"},
	{.typed = "init", .means = "migrate"},
	{.typed = "start",
	 .choices = "  enqueue run PIPELINE …  plans a run\n"
				"  enqueue resume RUN      lets a stopped run go on\n"
				"  worker                  starts a worker"},
	{.typed = "plan",
	 .choices = "  enqueue run PIPELINE … --dry-run  what a run would do\n"
				"  bfstat plan PIPELINE              the steps of a pipeline"},
	DO_OVER("rerun"),
	DO_OVER("redo"),
	DO_OVER("restart"),
	DO_OVER("reprocess"),
	TAKE_BACK("delete"),
	TAKE_BACK("remove"),
	TAKE_BACK("rm"),
	LOOKS("status"),
	LOOKS("list"),
	LOOKS("running"),
	LOOKS("failed"),
	LOOKS("waiting"),
	LOOKS("missing"),
	LOOKS("eta"),
	LOOKS("health"),
	LOOKS("watch"),
	LOOKS("jobs"),
	LOOKS("failures"),
	LOOKS("coverage"),
	LOOKS("gaps"),
	LOOKS("workers"),
	LOOKS("queues"),
	LOOKS("events"),
	LOOKS("verify"),
	LOOKS("report"),
	{.typed = "worker", .choices = "  worker  is a program of its own, and starts a worker"},
	{.typed = NULL},
};

static const struct bf_example examples[] = {
	{"enqueue run daily-sales --since=2024-01-01 --until=2024-12-31 --dry-run", "what a year would take; nothing is written"},
	{"enqueue run daily-sales --since=-7d --until=yesterday", "the last seven days, as far as they are missing"},
	{"enqueue retry daily-sales.k3v9qa", "what failed in a run is tried again"},
	{"enqueue stop-all", "nothing more is started; `enqueue resume-all` lets all go on"},
	{NULL, NULL},
};

static const struct bf_item environment[] = {
	BF_ITEM_DATABASE_URL,
	BF_ITEM_REDIS_URL,
	BF_ITEM_PIPELINES,
	{"BF_LEASE", "as the workers have it (default 15s): for how long a plan that was killed can hold up the next one"},
	{NULL, NULL},
};

static const struct bf_program program = {
	.manual = {.program = BF_PROGRAM,
			   .summary = "plans runs, and decides about them",
			   .details = "A pipeline is a file that says which steps there are. A run applies it to a range of days, or to keys, in "
						  "chunks. Workers do what is planned; `bfstat` shows where everything stands.",
			   .aliases = aliases,
			   .examples = examples,
			   .environment = environment,
			   .exit_codes = bf_exit_codes},
	.entries = entries,
};

int main(int argc, char **argv)
{
	return bf_program_run(&program, argc, argv);
}
