/*
 * PostgreSQL on the libuv loop: one connection that keeps itself connected.
 *
 * A `struct bf_pgc` connects, reconnects with backoff (0.1 s to 1 s), and runs one request at a time, in the order
 * given to it. The owner is told when it becomes ready and when it is lost. Rules of every callback in this program:
 * a starter that returned 0 calls back exactly once, later; one that returned an error never does; and after a callback
 * assume nothing about the object except that bf_pgc_close still ends it.
 *
 * A request that has no answer within its timeout counts as a lost connection: the server may be stopped with its sockets open, or
 * something on the way may have forgotten the connection without telling. The time of what a person's SQL takes is bounded by whoever
 * cancels it.
 *
 * A connection on which the server refuses to write, because it or the session is read-only (25006), is given up after that request: the
 * next one may lead elsewhere, or begin when that is over.
 *
 * on_lost tells of a connection that was ready and broke, and of a try that failed; while it stays down it is called again only
 * when the reason is another one. A host's name is resolved by libpq and blocks the loop meanwhile.
 */
#ifndef BF_IO_PG_LOOP_H
#define BF_IO_PG_LOOP_H

#include <uv.h>

#include "io/pg.h"

struct bf_pgc;

enum bf_pgc_state { BF_PGC_CONNECTING, BF_PGC_READY, BF_PGC_BUSY, BF_PGC_WAITING /* for the next try */, BF_PGC_CLOSING };

struct bf_pgc_options {
	const char *application_name;
	const char *url; /* NULL: from the environment */
	enum bf_pg_purpose purpose;
	int64_t timeout_ms;                             /* of each statement of bf_pgc_exec, and of any request once it is cancelled; 0: none */
	void (*on_ready)(struct bf_pgc *c, void *data); /* connected and idle: also after each request's callback */
	void (*on_lost)(struct bf_pgc *c, const struct bf_error *err, void *data); /* after pending requests were called back */
	void *data;
};

/* err is NULL on success. `result` is owned by the connection and dies when the callback returns.
 * Error codes as of bf_pg_exec: BF_E_UNKNOWN_OUTCOME when the request was sent and the connection broke. */
typedef void (*bf_pgc_cb)(struct bf_pgc *c, const struct bf_pg_result *result, const struct bf_error *err, void *data);

int bf_pgc_open(uv_loop_t *loop, const struct bf_pgc_options *o, struct bf_pgc **out, struct bf_error *err);
void bf_pgc_close(struct bf_pgc *c, void (*closed)(void *data), void *data); /* pending requests get BF_E_UNKNOWN_OUTCOME first */
enum bf_pgc_state bf_pgc_state(const struct bf_pgc *c);
/* The backend of the present connection, for PROTOCOL L6: pid, and backend_start as PostgreSQL prints it in UTC ("" when not connected). */
int bf_pgc_backend_pid(const struct bf_pgc *c);
const char *bf_pgc_backend_start(const struct bf_pgc *c);
const char *bf_pgc_where(const struct bf_pgc *c);

/* A prepared statement. -BF_E_UNAVAILABLE when not READY. Parameters are sent before it returns. */
int bf_pgc_exec(struct bf_pgc *c, const struct bf_pg_stmt *stmt, const struct bf_pg_params *params, bf_pgc_cb cb, void *data);

/*
 * One message of several statements in the simple protocol. Called back once, at the end, with the sum of rows affected by the
 * statements and the first error. Rows are read one at a time, counted by nobody and dropped, but for the first `keep_rows` of the
 * last statement that has columns. What bounds memory is therefore the longest single row, which libpq holds as a whole, and the
 * server limits to 1 GB; a connection that has held one of more than 8 MB is given up after its answer, for libpq keeps that memory.
 *
 * A transaction that is still open at the end is rolled back before the callback (and is an error, if there was none). Afterwards the
 * session is put back (what DISCARD ALL does, but for the cached plans) and the settings are sent again, in a message of its own after
 * the callback. The connection is not READY before that is answered: the server parses a message with the settings that it finds,
 * and libpq quotes by them, so neither may happen while what ran before still shows.
 */
enum bf_pgc_part {
	BF_PGC_AROUND, /* what this module sends itself: BEGIN, COMMIT, `first` */
	BF_PGC_IN_SQL, /* the owner's text; also, before any answer, what the server says of the message as a whole */
	BF_PGC_IN_LAST
};

struct bf_pgc_script {
	const struct bf_pg_result *last_rows; /* of the last statement with columns, or NULL */
	int64_t affected;
	bool behind_failed;         /* of a transaction: what stood behind it */
	enum bf_pgc_part part;      /* of a transaction: what the error is an answer to */
	bool raised;                /* the error was raised by a function, or is another server's that an extension tells of */
	const struct bf_error *err; /* NULL on success */
	const char *detail;         /* of the error: DETAIL, HINT, CONTEXT and position as lines, or "" */
};
typedef void (*bf_pgc_script_cb)(struct bf_pgc *c, const struct bf_pgc_script *outcome, void *data);
int bf_pgc_script_run(struct bf_pgc *c, const char *sql, bf_pgc_script_cb cb, void *data); /* keeps 100 rows */

/*
 * The same for a job: one transaction around the text, READ COMMITTED, begun and committed by this function. When it went well the
 * session is put back in the same message, behind the COMMIT.
 *
 * `last` runs when nothing of `sql` can run any more: deferred triggers have fired, cursors are closed, and the role is the session's
 * own again. Only the COMMIT of this function commits: where the server answers a statement before it with a tag of transaction
 * control, or counts other statements than `statements`, the error is BF002 and names what it answered.
 *
 * `plain`: the text has no statement that could leave anything in the session but by the functions it calls (struct bf_sqltext). Then
 * statements that the owner has prepared stay: `prepared` says how many there are before `behind`. If the server finds another
 * number, functions have prepared some, or taken away the owner's: all are taken away, and bf_pgc_session changes.
 */
#define BF_PGC_TIDY     "SELECT pg_catalog.count(*), pg_catalog.pg_advisory_unlock_all() FROM pg_catalog.pg_prepared_statement()"
#define BF_PGC_NOT_OURS "BF002" /* SQLSTATE: the text has ended the transaction that it was given */
struct bf_pgc_transaction {
	const char *first;  /* its first statement */
	const char *sql;    /* each statement ended by ';' */
	int statements;     /* of sql, as core/sqltext.h counts them */
	const char *last;   /* one statement, or NULL */
	const char *tidy;   /* BF_PGC_TIDY, where the owner has prepared that; NULL: as text */
	const char *behind; /* statements that follow the putting back of a plain one, or NULL; an error in them is not the transaction's */
	int prepared, keep_rows;
	bool plain, read_only;
};
int bf_pgc_transaction_run(struct bf_pgc *c, const struct bf_pgc_transaction *t, bf_pgc_script_cb cb, void *data);

/* Changes whenever what was prepared by PREPARE is gone. */
unsigned bf_pgc_session(const struct bf_pgc *c);

/* Asks the server to cancel what runs (PQcancel, in the thread pool). The request's own callback tells how it ended; the next
 * request is let in only when the cancelling can no longer hit it. Nothing runs: nothing happens. */
void bf_pgc_cancel(struct bf_pgc *c);

/* As bf_pg_quote_literal / _ident, with this connection's encoding. Only when READY. */
int bf_pgc_quote_literal(struct bf_pgc *c, struct bf_buf *out, const char *s, struct bf_error *err);
int bf_pgc_quote_ident(struct bf_pgc *c, struct bf_buf *out, const char *s, struct bf_error *err);

#endif
