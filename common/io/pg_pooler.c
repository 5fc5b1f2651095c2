/*
 * Whether a pooler gives each transaction another session: see the header for how that shows.
 * Whatever cannot be found out, because the pool has no second session to spare or the second
 * connection is refused, counts as not shared.
 */
#include "io/pg_pooler.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define ROUNDS      6
#define PATIENCE_MS 2000
#define NOT_KNOWN   (-1)
#define NO_BLOCKS   (-2) /* a transaction block is refused: each statement has another session */

bool bf_pg_is_pooled(const PGconn *conn, const struct bf_pg_session *s)
{
	return PQbackendPID(conn) != s->backend_pid;
}

/* pgbouncer ends a connection that begins a transaction where statements are pooled, and says why.
 * */
static int take_pid(PGconn *conn, PGresult *res, int so_far)
{
	if (PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) == 1)
		so_far = (int)strtol(PQgetvalue(res, 0, 0), NULL, 10);
	else if (PQresultStatus(res) == PGRES_FATAL_ERROR && strstr(PQerrorMessage(conn), "pooling mode"))
		so_far = NO_BLOCKS;
	return so_far;
}

/* The pid of the backend that answers `sql`, the last rows of which are it. */
static int ask_pid(PGconn *conn, const char *sql)
{
	int64_t until = bf_mono_ms() + PATIENCE_MS;
	int pid = NOT_KNOWN;
	PGresult *res;
	if (!PQsendQuery(conn, sql))
		return NOT_KNOWN;
	while (bf_pg_await(conn, until) && (res = PQgetResult(conn))) {
		pid = take_pid(conn, res, pid);
		PQclear(res);
	}
	return PQisBusy(conn) ? NOT_KNOWN : pid;
}

#define PID "SELECT pg_catalog.pg_backend_pid()"

static bool is_shared(PGconn *conn, PGconn *other)
{
	int first = ask_pid(conn, PID);
	for (int i = 0; i < ROUNDS; i++) {
		int others = ask_pid(other, "BEGIN; " PID);
		if (others == NOT_KNOWN)
			return false;
		int now = others == NO_BLOCKS ? NO_BLOCKS : ask_pid(conn, PID);
		if (others == NO_BLOCKS || others == first || (now != first && now != NOT_KNOWN))
			return true;
		if (ask_pid(other, "COMMIT; " PID) == NOT_KNOWN)
			return false;
	}
	return false;
}

int bf_pg_refuse_shared_session(PGconn *conn, const struct bf_pg_target *t, const char *where, struct bf_error *err)
{
	PGconn *other = PQconnectdbParams(t->keywords, t->values, 1);
	bool shared = PQstatus(other) == CONNECTION_OK && is_shared(conn, other);
	PQfinish(other);
	if (!shared)
		return 0;
	return bf_fail(
		err, BF_E_INPUT,
		"PostgreSQL is reached through a pooler that gives each transaction another session (%s), expected a session for as long as"
		" a connection lasts: let the pool have pool_mode = session, or name the server itself in BF_DATABASE_URL",
		where);
}
