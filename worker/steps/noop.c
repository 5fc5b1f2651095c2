/* noop: does nothing, by exactly the path of the other kinds. For measuring the queue itself. */
#include "steps/steps.h"

static int start(struct bf_job *j, struct bf_error *err)
{
	(void)err;
	bf_job_done(j, -1);
	return 0;
}

static void stop(struct bf_job *j)
{
	(void)j; /* it has ended before anyone could ask */
}

const struct bf_step_kind bf_step_noop = {.kind = BF_KIND_NOOP, .start = start, .stop = stop};
