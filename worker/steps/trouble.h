/*
 * Errors of SQL that put a job off and count as no try: another transaction was in the way, or the server cannot take it now. Each
 * code may come from the step's own SQL, too: a function raises it, or another server says it, through a foreign table. So the waits
 * grow, the ledger shows them, and past the step's patience they count (docs/decisions/0046).
 */
#ifndef BF_WORKER_STEPS_TROUBLE_H
#define BF_WORKER_STEPS_TROUBLE_H

#include "worker.h"

/* writes: the SQL may write, so that a server that refuses to is trouble. */
bool bf_is_trouble(const struct bf_error *err, bool writes);
/* The job ends by this, as steps.h has it. raised: as bf_pgc_script has it. */
void bf_trouble_wait(struct bf_job *j, const struct bf_error *err, bool raised);

#endif
