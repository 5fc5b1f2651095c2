/*
 * The states of runs, steps and jobs, and which moves between them exist. The ledger's functions make the moves; this table
 * is what the programs know of them, what docs/ledger.md is checked against, and what a test compares with the migrated schema.
 */
#ifndef BF_CORE_STATES_H
#define BF_CORE_STATES_H

#include <stdbool.h>

enum bf_job_state {
	BF_JOB_PENDING,
	BF_JOB_RUNNING,
	BF_JOB_DONE,
	BF_JOB_FAILED,
	BF_JOB_SKIPPED,
	BF_JOB_CANCELLED,
	BF_JOB_UNDONE,
	BF_JOB_STATES
};
enum bf_run_state {
	BF_RUN_QUEUED,
	BF_RUN_RUNNING,
	BF_RUN_WAITING,
	BF_RUN_STOPPING,
	BF_RUN_STOPPED,
	BF_RUN_DONE,
	BF_RUN_FAILED,
	BF_RUN_CANCELLED,
	BF_RUN_STATES
};

const char *bf_job_state_name(enum bf_job_state s);
const char *bf_run_state_name(enum bf_run_state s);
bool bf_job_state_parse(const char *text, enum bf_job_state *out);
bool bf_run_state_parse(const char *text, enum bf_run_state *out);
bool bf_run_state_ended(enum bf_run_state s);    /* done, failed, cancelled */
int bf_run_state_exit_code(enum bf_run_state s); /* 0 done, 1 failed, 3 waiting, 4 stopped or cancelled, 0 under way */

struct bf_transition {
	const char *from, *event, *to, *why;
};
extern const struct bf_transition bf_job_transitions[]; /* ends with .from = NULL */
extern const struct bf_transition bf_run_transitions[];

#endif
