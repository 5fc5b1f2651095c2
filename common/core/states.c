#include "core/states.h"

#include <stddef.h>
#include <string.h>

static const char *const job_names[BF_JOB_STATES] = {"pending", "running", "done", "failed", "skipped", "cancelled", "undone"};
static const char *const run_names[BF_RUN_STATES] = {"queued", "running", "waiting", "stopping", "stopped", "done", "failed", "cancelled"};

const char *bf_job_state_name(enum bf_job_state s)
{
	return job_names[s];
}

const char *bf_run_state_name(enum bf_run_state s)
{
	return run_names[s];
}

/* The place of `text` in names[0..count), or -1. */
static int place_of(const char *text, const char *const *names, int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(text, names[i]) == 0)
			return i;
	return -1;
}

bool bf_job_state_parse(const char *text, enum bf_job_state *out)
{
	int i = place_of(text, job_names, BF_JOB_STATES);

	if (i >= 0)
		*out = (enum bf_job_state)i;
	return i >= 0;
}

bool bf_run_state_parse(const char *text, enum bf_run_state *out)
{
	int i = place_of(text, run_names, BF_RUN_STATES);

	if (i >= 0)
		*out = (enum bf_run_state)i;
	return i >= 0;
}

bool bf_run_state_ended(enum bf_run_state s)
{
	return s == BF_RUN_DONE || s == BF_RUN_FAILED || s == BF_RUN_CANCELLED;
}

int bf_run_state_exit_code(enum bf_run_state s)
{
	switch (s) {
	case BF_RUN_QUEUED:
	case BF_RUN_RUNNING:
	case BF_RUN_DONE:
		return 0;
	case BF_RUN_FAILED:
		return 1;
	case BF_RUN_WAITING:
		return 3;
	case BF_RUN_STOPPING:
	case BF_RUN_STOPPED:
	case BF_RUN_CANCELLED:
		return 4;
	case BF_RUN_STATES:
		break;
	}
	return 1;
}

const struct bf_transition bf_job_transitions[] = {
	{"pending", "open", "running", "a worker claimed it, and the ledger agreed: its epoch rises by one"},
	{"running", "open", "running", "another worker takes over from one that is gone: the epoch rises, the one before is fenced"},
	{"running", "settle", "done", "the attempt succeeded, and its epoch is still the job's"},
	{"running", "settle", "failed", "the last attempt that the step allows failed, or the failure is final"},
	{"running", "retry", "pending", "an attempt failed and another is allowed, not before its back-off is over"},
	{"running", "hand_back", "pending", "the worker drains or a server is away: no attempt is counted"},
	{"pending", "skip", "skipped", "what it needs failed, or its step halted"},
	{"running", "skip", "skipped", "a retry had made its step wait again, and what it needs failed: the attempt is fenced off"},
	{"running", "open", "failed", "it took down three workers while it ran alone"},
	{"running", "open", "pending", "its worker is gone and its run is stopping: it waits, the attempt before is fenced off"},
	{"pending", "cancel", "cancelled", "a person cancelled it, or its run"},
	{"running", "cancel", "cancelled", "a person cancelled it, or its run: the epoch rises, so the attempt can change nothing any more"},
	{"failed", "retry", "pending", "a person wants it tried again: its step opens again"},
	{"skipped", "retry", "pending", "what it was skipped for is tried again"},
	{"cancelled", "retry", "pending", "a person wants it after all"},
	{"done", "rollback", "undone", "a person undid it: the step's rollback file and this row are one transaction"},
	{"done", "retry", "pending", "a check that had judged what is now tried again judges anew"},
	{NULL, NULL, NULL, NULL},
};

const struct bf_transition bf_run_transitions[] = {
	{"queued", "advance", "running", "its first steps were released"},
	{"queued", "advance", "done", "every job is settled, none failed: it had nothing to do"},
	{"queued", "advance", "failed", "every job is settled, and one failed or was skipped"},
	{"queued", "stop", "stopping", "a person stopped it before it began"},
	{"queued", "cancel", "cancelled", "a person cancelled it"},
	{"running", "advance", "done", "every job is settled, none failed"},
	{"running", "advance", "failed", "every job is settled, and one failed or was skipped"},
	{"running", "stop", "stopping", "a person stopped it: nothing new is opened, running jobs finish"},
	{"running", "cancel", "cancelled", "a person cancelled it"},
	{"waiting", "stop", "stopping", "a person stopped it"},
	{"waiting", "cancel", "cancelled", "a person cancelled it"},
	{"stopping", "advance", "stopped", "no job of it is running any more"},
	{"stopping", "advance", "done", "its last running jobs were the last of all"},
	{"stopping", "advance", "failed", "its last running jobs were the last of all, and one failed"},
	{"stopping", "resume", "running", "a person lets it go on"},
	{"stopping", "cancel", "cancelled", "a person cancelled it"},
	{"stopped", "advance", "done", "a person cancelled the jobs that were left"},
	{"stopped", "advance", "failed", "a person cancelled the jobs that were left, and one had failed"},
	{"stopped", "resume", "running", "a person lets it go on"},
	{"stopped", "cancel", "cancelled", "a person cancelled it"},
	{"done", "retry", "running", "a person wants jobs of it again"},
	{"failed", "retry", "running", "a person wants what failed tried again"},
	{"cancelled", "retry", "running", "a person wants it after all"},
	{NULL, NULL, NULL, NULL},
};
