#include "steps/steps.h"

/* An approval is never handed out: the ledger asks a person (bf.advance). */
static int refuse(struct bf_job *j, struct bf_error *err)
{
	return bf_fail(err, BF_E_INTERNAL, "step %s is an approval, which a person decides and no worker executes", j->step_name);
}

static void nothing(struct bf_job *j)
{
	(void)j;
}

static const struct bf_step_kind step_approval = {.kind = BF_KIND_APPROVAL, .start = refuse, .stop = nothing};

const struct bf_step_kind *bf_step_kind(enum bf_kind kind)
{
	static const struct bf_step_kind *const kinds[] = {
		[BF_KIND_SQL] = &bf_step_sql,   [BF_KIND_EXEC] = &bf_step_exec,      [BF_KIND_CHECK] = &bf_step_check,
		[BF_KIND_NOOP] = &bf_step_noop, [BF_KIND_APPROVAL] = &step_approval, [BF_KIND_SOAK] = &bf_step_soak,
		[BF_KIND_HTTP] = &bf_step_http};
	return kinds[kind];
}
