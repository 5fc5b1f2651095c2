/* One day or key: the ledger's word and the data's, put together. */
#include "look/judge.h"

enum bf_day bf_judge_data(enum bf_day recorded, const struct bf_gaps *g, size_t place)
{
	if (g->has_expected && !bf_gaps_expected(g, place))
		return BF_DAY_NONE;
	if (!g->has_expected && recorded == BF_DAY_NONE)
		return BF_DAY_NONE;
	if (recorded == BF_DAY_NONE)
		recorded = BF_DAY_MISSING;
	if (!g->has_present || recorded == BF_DAY_RUNNING)
		return recorded;
	if (bf_gaps_present(g, place))
		return recorded == BF_DAY_DONE ? BF_DAY_DONE : BF_DAY_UNRECORDED;
	return recorded == BF_DAY_DONE ? BF_DAY_GONE : recorded;
}

bool bf_judge_is_gap(enum bf_day state)
{
	return state != BF_DAY_NONE && state != BF_DAY_DONE && state != BF_DAY_UNRECORDED;
}
