/* What a day or key is, by the ledger's word and by what the step's own data says. */
#ifndef BF_LOOK_JUDGE_H
#define BF_LOOK_JUDGE_H

#include "core/gaps.h"
#include "render/heat.h"

/* `place`: of the day or key in `g`. */
enum bf_day bf_judge_data(enum bf_day recorded, const struct bf_gaps *g, size_t place);

/* What is not there, or not done where the data was not asked. */
bool bf_judge_is_gap(enum bf_day state);

#endif
