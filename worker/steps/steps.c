#include "steps/steps.h"

const struct bf_step_kind *bf_step_kind(enum bf_kind kind)
{
	static const struct bf_step_kind *const kinds[] = {
		[BF_KIND_SQL] = &bf_step_sql, [BF_KIND_EXEC] = &bf_step_exec, [BF_KIND_CHECK] = &bf_step_check, [BF_KIND_NOOP] = &bf_step_noop};
	return kinds[kind];
}
