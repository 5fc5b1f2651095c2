/*
 * Connecting to both servers, which may take long or hang, while the worker listens to the signals that end it.
 *
 * bf_signals_hold as early as possible in main(): from then on SIGTERM, SIGINT and SIGHUP wait. bf_connect_servers answers them
 * itself, by leaving. bf_signals_release once the loop's own handlers are there: what came in between reaches them.
 */
#ifndef BF_WORKER_CONNECT_H
#define BF_WORKER_CONNECT_H

#include <stdbool.h>

#include "core/reconcile.h"

void bf_signals_hold(void);
void bf_signals_release(void);
/* Whether this process was started with SIGHUP ignored, as nohup does: then a closed terminal does not concern it. */
bool bf_hangup_ignored(void);

/* Both servers are there, and fit for use. Ends the process with exit code 0, and says so, when a signal tells it to leave first:
 * nothing was taken yet that would have to be handed back. What `u` holds is the caller's to close, also after an error. */
int bf_connect_servers(struct bf_upkeep *u, struct bf_error *err);

#endif
