/*
 * Both servers, for a command that decides something: the ledger decides, then Redis is told. Its absence is reported, but stops nothing,
 * for the workers see the decision in the ledger.
 */
#ifndef BF_CHANGE_DECIDER_H
#define BF_CHANGE_DECIDER_H

#include "shared/servers.h"

struct bf_decider {
	struct bf_upkeep upkeep;
	struct bf_error redis_error;
	bool redis_away;
};

int bf_decider_open(struct bf_decider *d, struct bf_error *err); /* fails only without the ledger */
/* state: the run's after it (at least 16 bytes); without Redis what the ledger says. */
int bf_decider_carry_out(struct bf_decider *d, const char *run, enum bf_depth depth, char *state, struct bf_error *err);
/* Closes both, and says what went wrong: rc and err are the command's own failure, or 0. The exit code. */
int bf_decider_close(struct bf_decider *d, int rc, const struct bf_error *err);

#endif
