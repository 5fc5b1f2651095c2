/* bfstat: where everything stands. It changes nothing, but for `verify --repair`. */
#include <locale.h>
#include <signal.h>

#include "look/look.h"

int main(int argc, char **argv)
{
	static const char details[] =
		"bfstat           all runs: those that need someone first\n"
		"bfstat RUN       one run: state, steps, what is running and where, the last error, what to type next\n\n"
		"Either server may be away: bfstat answers from the other one and says on stderr what it could not read.\n"
		"Exit code: 0 fine, 1 failed, 2 bad input, 3 waiting for a person, 4 stopped or cancelled, 5 neither server answers.\n"
		"Environment: BF_DATABASE_URL (else DATABASE_URL, else libpq's own), BF_REDIS_URL, NO_COLOR.";
	struct bf_entry entries[] = {bf_look_watch,  bf_look_jobs,   bf_look_failures, bf_look_coverage, bf_look_gaps, bf_look_workers,
								 bf_look_queues, bf_look_events, bf_look_verify,   bf_look_report,   bf_look_plan, {NULL, NULL}};
	struct bf_program program = {.name = "bfstat",
								 .summary = "shows where runs, workers and queues stand",
								 .entries = entries,
								 .details = details,
								 .otherwise = &bf_look_runs};
	setlocale(LC_ALL, "");
	setlocale(LC_NUMERIC, "C"); /* JSON */
	return bf_program_run(&program, argc, argv);
}
