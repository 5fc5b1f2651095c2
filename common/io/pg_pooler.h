/*
 * Poolers. One that gives each client a session for as long as it is connected (pgbouncer's
 * pool_mode = session) is as good as the server itself. One that gives each transaction another
 * session is not: what was set, prepared and locked in a session is somebody else's in the next
 * transaction. It is found out when a program starts, and refused.
 *
 * Two signs are looked for. A pooler answers with a cancel key of its own, so the process id in
 * it is not the backend's; without that nothing stands in between, and nothing more is asked.
 * Otherwise a second connection begins a transaction while the first one, which has none, stays
 * connected. Its backend is the first one's, or the first one's next statement meets another
 * backend: both happen only where sessions are shared, and one of them happens each time unless
 * other clients of the pool come in between, so it is tried a few times.
 */
#ifndef BF_IO_PG_POOLER_H
#define BF_IO_PG_POOLER_H

#include "io/pg_session.h"

/* Connects, sets up the session for s->purpose and looks at it; conn belongs to the caller. */
int bf_pg_connect(const struct bf_pg_target *t, struct bf_pg_session *s, PGconn **out, struct bf_error *err);

/* Does something other than the server answer? */
bool bf_pg_is_pooled(const PGconn *conn, const struct bf_pg_session *s);
/* -BF_E_INPUT: sessions are shared. Opens a second connection for as long as it asks, and waits a
 * few seconds at most. */
int bf_pg_refuse_shared_session(PGconn *conn, const struct bf_pg_target *t, const char *where, struct bf_error *err);

#endif
