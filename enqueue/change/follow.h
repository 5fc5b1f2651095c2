/*
 * --follow: shows a run's progress until it ends, or waits for a person, or is stopped. Asks the ledger every half second (less often
 * when the answer takes long). On a terminal the bars are redrawn in place; elsewhere a line is printed when something has changed.
 * As JSON: one line an answer that differs from the one before, {run, state, steps [{step, state, planned, pending, running, done, failed,
 * skipped, cancelled}]}.
 *
 * Returns the run's exit code. Ctrl-C ends the looking and leaves the run going: 0. A ledger that stays away: 5.
 */
#ifndef BF_CHANGE_FOLLOW_H
#define BF_CHANGE_FOLLOW_H

#include <stdbool.h>

#include "core/reconcile.h"

int bf_follow(struct bf_upkeep *u, const char *run, bool json);

#endif
