/*
 * How the plain client gets a connection that it may use: libpq's handshake, the session's
 * settings in one message, and, where something stands between this program and the server, the
 * question whether the session is ours alone. Waiting has an end everywhere.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "io/pg_pooler.h"

#define SETUP_TRIES 5 /* a statement_timeout of a millisecond may hit the very statement that ends it */

/* libpq watches its connect_timeout only in the blocking calls; it is meant for each host of the
 * list. */
int64_t bf_pg_connect_limit_ms(PGconn *conn)
{
	int64_t seconds = 10, hosts = 1;
	PQconninfoOption *options = PQconninfo(conn);
	for (const PQconninfoOption *o = options; o && o->keyword; o++) {
		if (o->val && strcmp(o->keyword, "connect_timeout") == 0)
			(void)bf_text_int(o->val, 1, 3600, &seconds);
		if (o->val && strcmp(o->keyword, "host") == 0)
			for (const char *s = o->val; *s; s++)
				hosts += *s == ',';
	}
	PQconninfoFree(options);
	return seconds * hosts * 1000;
}

bool bf_pg_await(PGconn *conn, int64_t until_ms)
{
	while (PQisBusy(conn)) {
		struct pollfd socket = {.fd = PQsocket(conn), .events = POLLIN};
		int64_t left = until_ms - bf_mono_ms();
		if (left <= 0 && poll(&socket, 1, 0) <= 0) /* looked for once more: this process may have been the one that stood still */
			return false;
		if (left > 0)
			(void)poll(&socket, 1, (int)left);
		if (!PQconsumeInput(conn))
			return true; /* it is broken, which is an answer */
	}
	return true;
}

/* Reads the answers to the first message. 0, or the first error: *again tells that it may be tried
 * once more. */
static int read_answers(PGconn *conn, struct bf_pg_session *s, int64_t until_ms, const char *where, bool *again, struct bf_error *err)
{
	int rc = 0;
	*again = false;
	for (;;) {
		if (!bf_pg_await(conn, until_ms))
			return bf_fail(err, BF_E_UNAVAILABLE, "PostgreSQL (%s) took the connection and gave it no session in time%s", where,
						   "; a pooler in between may have none to spare");
		PGresult *res = PQgetResult(conn);
		if (!res)
			return rc;
		bf_pg_session_take(s, res);
		if (rc == 0 && !bf_pg_succeeded(res)) {
			rc = bf_pg_fail_result(res, err);
			*again = err && strcmp(err->sqlstate, "57014") == 0;
		}
		PQclear(res);
	}
}

static int set_up(PGconn *conn, struct bf_pg_session *s, const char *where, struct bf_error *err)
{
	int64_t until = bf_mono_ms() + bf_pg_connect_limit_ms(conn);
	struct bf_error why;
	bool again = true;
	int rc = 0;
	BF_AUTOBUF struct bf_buf text;
	bf_buf_init(&text, SIZE_MAX);
	bf_pg_session_begin(s, PQserverVersion(conn), &text);
	for (int i = 0; i < SETUP_TRIES && again && PQstatus(conn) == CONNECTION_OK; i++) {
		if (!PQsendQuery(conn, text.data))
			return bf_pg_fail_broken(where, false, PQerrorMessage(conn), err);
		rc = read_answers(conn, s, until, where, &again, &why);
	}
	if (rc < 0) {
		bf_error_prefix(&why, "PostgreSQL (%s) refuses what a session begins with", where);
		why.code = BF_E_UNAVAILABLE;
		if (err)
			*err = why;
		return -BF_E_UNAVAILABLE;
	}
	return bf_pg_session_check(s, where, err);
}

int bf_pg_connect(const struct bf_pg_target *t, struct bf_pg_session *s, PGconn **out, struct bf_error *err)
{
	PGconn *conn = PQconnectdbParams(t->keywords, t->values, 1);
	int rc = PQstatus(conn) == CONNECTION_OK ? 0 : bf_pg_fail_connect(conn, t, NULL, err);
	if (rc == 0) {
		BF_AUTOFREE char *where = bf_pg_where_text(conn);
		rc = set_up(conn, s, where, err);
		if (rc == 0 && bf_pg_is_pooled(conn, s))
			rc = bf_pg_refuse_shared_session(conn, t, where, err);
	}
	if (rc == 0)
		*out = conn;
	else
		PQfinish(conn);
	return rc;
}
