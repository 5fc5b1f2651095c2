#include "change/commands.h"

static const struct bf_entry entries[] = {
	{&bf_command_run, bf_run_main},
	{&bf_command_stop, bf_decide_main},
	{&bf_command_resume, bf_decide_main},
	{&bf_command_cancel, bf_decide_main},
	{&bf_command_retry, bf_decide_main},
	{&bf_command_stop_all, bf_stop_all_main},
	{&bf_command_approve, bf_approve_main},
	{&bf_command_reject, bf_approve_main},
	{&bf_command_rollback, bf_rollback_main},
	{&bf_command_close, bf_close_main},
	{&bf_command_validate, bf_validate_main},
	{&bf_command_migrate, bf_migrate_main},
	{NULL, NULL},
};

static const struct bf_program program = {
	.name = BF_PROGRAM,
	.summary = "plans runs, and decides about them",
	.entries = entries,
	.details = "Environment:\n"
			   "  BF_DATABASE_URL  PostgreSQL with the ledger (else DATABASE_URL, else libpq's own variables)\n"
			   "  BF_REDIS_URL     Redis with the queue (default redis://127.0.0.1:6379/0)\n"
			   "  BF_PIPELINES     the folder in which pipelines are looked up by name (default deploy/pipelines)\n"
			   "\n"
			   "Exit codes: 0 fine; 1 failed; 2 bad input, nothing was written; 3 waiting for a person; 4 stopped or cancelled;\n"
			   "5 a server cannot be reached. `bfstat` shows where everything stands.",
};

int main(int argc, char **argv)
{
	return bf_program_run(&program, argc, argv);
}
