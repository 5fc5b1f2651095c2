/*
 * The blocking client on libpq: statements that are prepared on first use, transactions, COPY, and text that a
 * person wrote, after which the session is put back. Trouble is worded in pg_internal.h's functions.
 */
#include "io/pg.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/retry.h"
#include "io/pg_pooler.h"

#define CONFLICT_TRIES  5
#define SERVER_FIRST_MS 1000 /* the server's limits come before this program's */

struct bf_pg {
	PGconn *conn;
	char *where;
	struct bf_pg_prepared prepared;
	struct bf_pg_session session;
	bool copying; /* between copy_begin and copy_end */
	bool gave_up; /* patience is over: nothing more is asked */
	int64_t timeout_ms, patience_ms;
	char last_words[BF_PG_LAST_WORDS];
};

/* All other notices go nowhere. */
static void on_notice(void *data, const PGresult *res)
{
	struct bf_pg *pg = data;
	bf_pg_note_last_words(res, pg->last_words);
}

/* The server ends what takes too long by itself; this program's own clock is for a server that stands still. */
static int limit_session(struct bf_pg *pg, struct bf_error *err)
{
	char sql[128];
	if (!pg->patience_ms)
		return 0;
	(void)snprintf(sql, sizeof(sql), "SET lock_timeout = %" PRId64 "; SET statement_timeout = %" PRId64, pg->patience_ms / 2,
				   pg->patience_ms);
	return bf_pg_script(pg, sql, NULL, err);
}

int bf_pg_open(const struct bf_pg_options *o, struct bf_pg **out, struct bf_error *err)
{
	struct bf_pg_target target;
	struct bf_pg_session session;
	PGconn *conn;
	int rc = bf_pg_target_init(&target, o->url, o->application_name, err);
	if (rc)
		return rc;
	if (o->patience_ms)
		bf_pg_target_connect_within(&target, o->patience_ms);
	bf_pg_session_init(&session, o->purpose, o->read_only);
	rc = bf_pg_connect(&target, &session, &conn, err);
	if (rc < 0) {
		bf_pg_session_release(&session);
	} else {
		struct bf_pg *pg = bf_alloc(sizeof(*pg));
		PQsetNoticeReceiver(conn, on_notice, pg);
		pg->conn = conn;
		pg->session = session;
		pg->where = bf_pg_where_text(conn);
		pg->timeout_ms = o->patience_ms ? o->patience_ms + SERVER_FIRST_MS : o->timeout_ms;
		pg->patience_ms = o->patience_ms;
		rc = limit_session(pg, err);
		if (rc)
			bf_pg_close(pg);
		else
			*out = pg;
	}
	bf_pg_target_release(&target);
	return rc;
}

void bf_pg_close(struct bf_pg *pg)
{
	if (!pg)
		return;
	PQfinish(pg->conn);
	bf_pg_prepared_clear(&pg->prepared);
	bf_pg_session_release(&pg->session);
	free(pg->where);
	free(pg);
}

bool bf_pg_alive(const struct bf_pg *pg)
{
	return PQstatus(pg->conn) == CONNECTION_OK && !*pg->last_words && !pg->gave_up;
}

/* What the server reports at any change, without being asked (since PostgreSQL 14); a pooler may have it from another session. */
static bool is_on(const struct bf_pg *pg, const char *name, bool at_first)
{
	const char *value = bf_pg_is_pooled(pg->conn, &pg->session) ? NULL : PQparameterStatus(pg->conn, name);
	return value ? strcmp(value, "on") == 0 : at_first;
}

bool bf_pg_is_read_only(struct bf_pg *pg)
{
	const struct bf_pg_session *s = &pg->session;
	return is_on(pg, "in_hot_standby", s->standby) || (!s->read_only && is_on(pg, "default_transaction_read_only", s->refuses_writes));
}

int bf_pg_server_version(const struct bf_pg *pg)
{
	return PQserverVersion(pg->conn);
}

const char *bf_pg_encoding(const struct bf_pg *pg)
{
	const char *encoding = PQparameterStatus(pg->conn, "server_encoding");
	return encoding ? encoding : "";
}

const char *bf_pg_where(const struct bf_pg *pg)
{
	return pg->where;
}

/* ---- how a request ends ---- */

static int fail_broken(struct bf_pg *pg, bool sent, struct bf_error *err)
{
	struct bf_buf reason BF_AUTOBUF;
	bf_buf_init(&reason, 2048);
	if (*pg->last_words)
		bf_buf_addstr(&reason, pg->last_words);
	else
		bf_pg_reason(pg->conn, &reason);
	return bf_pg_fail_broken(pg->where, sent && !pg->patience_ms, reason.data, err); /* who only looks has changed nothing */
}

/* Somebody else holds a lock, or the answer takes too long: whoever is to be patient no longer is not kept by what is asked next. */
static int give_up(struct bf_pg *pg, const struct bf_error *why, struct bf_error *err)
{
	bool locked = strcmp(why->sqlstate, "55P03") == 0;
	pg->gave_up = true;
	(void)snprintf(pg->last_words, sizeof(pg->last_words), "%s for %" PRId64 " ms%s",
				   locked ? "a table is locked by another session" : "no answer", locked ? pg->patience_ms / 2 : pg->patience_ms,
				   locked ? "" : "; BF_PATIENCE makes it longer");
	return bf_fail(err, BF_E_UNAVAILABLE, "PostgreSQL (%s) cannot be read now: %s", pg->where, pg->last_words);
}

static bool is_over_patience(const struct bf_pg *pg, const struct bf_error *why)
{
	return pg->patience_ms && (strcmp(why->sqlstate, "55P03") == 0 || strcmp(why->sqlstate, "57014") == 0);
}

/* A server that ended the connection while it was idle is noticed here, before anything is sent. */
static int check_open(struct bf_pg *pg, struct bf_error *err)
{
	if (!pg->gave_up && bf_pg_still_open(pg->conn, pg->last_words))
		return 0;
	return fail_broken(pg, false, err);
}

/* 0, or what res says; a broken connection outweighs it. sql: the text sent, or NULL. */
static int judge(struct bf_pg *pg, const PGresult *res, const char *sql, struct bf_error *err)
{
	if (res && bf_pg_succeeded(res))
		return 0;
	if (!bf_pg_alive(pg))
		return fail_broken(pg, true, err);
	struct bf_error why = {.text = ""};
	bf_pg_fail_result(res, &why);
	if (is_over_patience(pg, &why))
		return give_up(pg, &why, err);
	if (err)
		*err = why;
	struct bf_buf detail BF_AUTOBUF;
	bf_buf_init(&detail, 8192);
	bf_pg_detail(res, sql, 0, &detail);
	if (detail.len)
		bf_error_add_lines(err, detail.data);
	return -BF_E_SQL;
}

/* ---- waiting for an answer ---- */

/* libpq's own waiting has no end where a server is silent with its connections open. */
static void wait_for_answer(struct bf_pg *pg)
{
	if (!pg->timeout_ms || bf_pg_await(pg->conn, bf_mono_ms() + pg->timeout_ms))
		return;
	(void)snprintf(pg->last_words, sizeof(pg->last_words), "no answer for %" PRId64 " ms", pg->timeout_ms);
	(void)shutdown(PQsocket(pg->conn), SHUT_RDWR); /* so that it is broken for libpq, too */
}

/* The next result of a text that a person wrote: how long that may take is limited only for who looks. */
static PGresult *next_result(struct bf_pg *pg)
{
	if (pg->patience_ms)
		wait_for_answer(pg);
	return PQgetResult(pg->conn);
}

/* The result of what was sent; of several, the last. */
static PGresult *result_of(struct bf_pg *pg)
{
	wait_for_answer(pg);
	PGresult *res = PQgetResult(pg->conn), *next;
	while (res && (next = PQgetResult(pg->conn))) {
		PQclear(res);
		res = next;
	}
	return res;
}

/* A COPY that somebody wrote into a script has nobody to feed or to read it: it is ended, so that the rest can be read. */
static void end_stray_copy(struct bf_pg *pg, ExecStatusType status)
{
	char *row;
	if (status == PGRES_COPY_IN)
		(void)PQputCopyEnd(pg->conn, "COPY FROM STDIN is not possible here");
	while (status == PGRES_COPY_OUT && PQgetCopyData(pg->conn, &row, 0) > 0)
		PQfreemem(row);
}

static void drain(struct bf_pg *pg)
{
	PGresult *res;
	while ((res = next_result(pg))) {
		end_stray_copy(pg, PQresultStatus(res));
		PQclear(res);
	}
}

/* ---- prepared statements ---- */

static int prepare(struct bf_pg *pg, const struct bf_pg_stmt *stmt, struct bf_error *err)
{
	if (bf_pg_prepared_has(&pg->prepared, stmt->name))
		return 0;
	PGresult *res = PQsendPrepare(pg->conn, stmt->name, stmt->sql, 0, NULL) ? result_of(pg) : NULL;
	int rc = bf_pg_alive(pg) ? judge(pg, res, stmt->sql, err) : fail_broken(pg, false, err);
	PQclear(res);
	if (rc == 0)
		bf_pg_prepared_add(&pg->prepared, stmt->name);
	return rc;
}

static int exec_once(struct bf_pg *pg, const struct bf_pg_stmt *stmt, const struct bf_pg_params *params, struct bf_pg_result **out,
					 struct bf_error *err)
{
	const char *values[BF_PG_PARAMS_MAX];
	int rc = check_open(pg, err);
	if (rc == 0)
		rc = prepare(pg, stmt, err);
	if (rc)
		return rc;
	bf_pg_param_values(params, values);
	PGresult *res = PQsendQueryPrepared(pg->conn, stmt->name, params ? params->count : 0, values, NULL, NULL, 0) ? result_of(pg) : NULL;
	rc = judge(pg, res, stmt->sql, err);
	if (rc == 0 && out)
		*out = bf_pg_wrap(res);
	else
		PQclear(res);
	return rc;
}

static bool is_conflict(const struct bf_error *err)
{
	return strcmp(err->sqlstate, "40001") == 0 || strcmp(err->sqlstate, "40P01") == 0;
}

static void wait_before_try(int attempt)
{
	static const struct bf_retry pause = {.first_ms = 10, .factor = 2, .max_ms = 200, .jitter = 0.5};
	int64_t ms = bf_retry_delay_ms(&pause, attempt, bf_random_unit());
	(void)nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

int bf_pg_exec(struct bf_pg *pg, const struct bf_pg_stmt *stmt, const struct bf_pg_params *params, struct bf_pg_result **out,
			   struct bf_error *err)
{
	struct bf_error why;
	if (out)
		*out = NULL;
	if (params && params->text.overflow)
		return bf_fail(err, BF_E_LIMIT, "The parameters of %s are larger than %zu bytes", stmt->name, params->text.max);
	for (int attempt = 1;; attempt++) {
		bool alone = PQtransactionStatus(pg->conn) == PQTRANS_IDLE;
		int rc = exec_once(pg, stmt, params, out, &why);
		if (rc == -BF_E_SQL && alone && is_conflict(&why) && attempt < CONFLICT_TRIES) {
			wait_before_try(attempt);
			continue;
		}
		if (rc && err)
			*err = why;
		return rc;
	}
}

/* ---- transactions ---- */

static int simple(struct bf_pg *pg, const char *sql, const char *expected_tag, struct bf_error *err)
{
	int rc = check_open(pg, err);
	if (rc)
		return rc;
	PGresult *res = PQsendQuery(pg->conn, sql) ? result_of(pg) : NULL;
	rc = judge(pg, res, NULL, err);
	if (rc == 0 && strcmp(PQcmdStatus(res), expected_tag) != 0) {
		/* COMMIT of a transaction that had failed is answered with ROLLBACK, and not with an error. */
		rc = bf_fail(err, BF_E_SQL, "%s was answered with %s: the transaction had failed before", sql, PQcmdStatus(res));
		if (err)
			memcpy(err->sqlstate, "25P02", sizeof(err->sqlstate));
	}
	PQclear(res);
	return rc;
}

int bf_pg_begin(struct bf_pg *pg, struct bf_error *err)
{
	/* said, as the server may have another default: each statement must see what was committed while a lock was waited for */
	return simple(pg, "BEGIN ISOLATION LEVEL READ COMMITTED", "BEGIN", err);
}

int bf_pg_step_begin(struct bf_pg *pg, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf text;
	bf_buf_init(&text, SIZE_MAX);
	bf_buf_addstr(&text, "SELECT pg_catalog.set_config('search_path', ");
	int rc = bf_pg_quote(pg->conn, &text, pg->session.search_path, false, err);
	bf_buf_addstr(&text, ", true)");
	if (rc == 0)
		rc = bf_pg_begin(pg, err);
	if (rc == 0)
		rc = bf_pg_script(pg, text.data, NULL, err);
	return rc;
}

int bf_pg_commit(struct bf_pg *pg, struct bf_error *err)
{
	return simple(pg, "COMMIT", "COMMIT", err);
}

void bf_pg_rollback(struct bf_pg *pg)
{
	if (pg->copying) {
		(void)PQputCopyEnd(pg->conn, "given up");
		pg->copying = false;
		drain(pg);
	}
	if ((PQtransactionStatus(pg->conn) == PQTRANS_INTRANS || PQtransactionStatus(pg->conn) == PQTRANS_INERROR) &&
		PQsendQuery(pg->conn, "ROLLBACK"))
		PQclear(result_of(pg));
}

/* ---- text that a person wrote ---- */

/* What a step's text may have left in the session is undone, as between two jobs of a worker; a session that cannot be put back is not
 * used again. */
static void put_back(struct bf_pg *pg)
{
	BF_AUTOFREE char *text = bf_asprintf(BF_PG_RESET "; %s" BF_PG_DISCARD, pg->session.again);
	struct bf_error ignored;
	if (!bf_pg_alive(pg))
		return;
	bf_pg_prepared_clear(&pg->prepared);
	if (bf_pg_script(pg, text, NULL, &ignored) < 0 || limit_session(pg, &ignored) < 0)
		pg->gave_up = true;
}

int bf_pg_step_commit(struct bf_pg *pg, struct bf_error *err)
{
	int rc = bf_pg_commit(pg, err);
	if (rc < 0)
		bf_pg_rollback(pg);
	put_back(pg);
	return rc;
}

void bf_pg_step_rollback(struct bf_pg *pg)
{
	bf_pg_rollback(pg);
	put_back(pg);
}

static int start_script(struct bf_pg *pg, const char *sql, struct bf_error *err)
{
	int rc = check_open(pg, err);
	if (rc == 0 && !PQsendQuery(pg->conn, sql))
		rc = fail_broken(pg, false, err);
	return rc;
}

int bf_pg_script(struct bf_pg *pg, const char *sql, struct bf_pg_result **out, struct bf_error *err)
{
	PGresult *res, *rows = NULL;
	if (out)
		*out = NULL;
	int rc = start_script(pg, sql, err);
	if (rc)
		return rc;
	while ((res = next_result(pg))) {
		ExecStatusType status = PQresultStatus(res);
		if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT)
			end_stray_copy(pg, status);
		else if (rc == 0)
			rc = judge(pg, res, sql, err);
		if (rc == 0 && status == PGRES_TUPLES_OK) {
			PQclear(rows);
			rows = res;
		} else {
			PQclear(res);
		}
	}
	if (rc != -BF_E_UNKNOWN_OUTCOME && rc != -BF_E_UNAVAILABLE && !bf_pg_alive(pg))
		rc = fail_broken(pg, true, err);
	if (rc == 0 && out)
		*out = bf_pg_wrap(rows);
	else
		PQclear(rows);
	return rc;
}

static void cancel(struct bf_pg *pg)
{
	char ignored[256];
	PGcancel *handle = PQgetCancel(pg->conn);
	if (handle)
		(void)PQcancel(handle, ignored, sizeof(ignored));
	PQfreeCancel(handle);
}

int bf_pg_each_row(struct bf_pg *pg, const char *sql, int (*row)(void *data, const struct bf_pg_result *r), void *data,
				   struct bf_error *err)
{
	PGresult *res;
	int stopped = 0;
	int rc = bf_pg_step_begin(pg, err);
	if (rc == 0)
		rc = start_script(pg, sql, err);
	if (rc == 0)
		(void)PQsetSingleRowMode(pg->conn);
	while (rc == 0 && !stopped && (res = next_result(pg))) {
		ExecStatusType status = PQresultStatus(res);
		if (status == PGRES_SINGLE_TUPLE)
			stopped = row(data, bf_pg_wrap(res));
		else if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT)
			end_stray_copy(pg, status);
		else
			rc = judge(pg, res, sql, err);
		PQclear(res);
	}
	if (stopped)
		cancel(pg);
	drain(pg);
	bf_pg_step_rollback(pg);
	return stopped ? stopped : rc;
}

int bf_pg_quote_literal(struct bf_pg *pg, struct bf_buf *out, const char *s, struct bf_error *err)
{
	return bf_pg_quote(pg->conn, out, s, false, err);
}

int bf_pg_quote_ident(struct bf_pg *pg, struct bf_buf *out, const char *s, struct bf_error *err)
{
	return bf_pg_quote(pg->conn, out, s, true, err);
}

/* ---- COPY ---- */

int bf_pg_copy_begin(struct bf_pg *pg, const struct bf_pg_stmt *stmt, struct bf_error *err)
{
	int rc = check_open(pg, err);
	if (rc)
		return rc;
	PGresult *res = PQexec(pg->conn, stmt->sql);
	pg->copying = PQresultStatus(res) == PGRES_COPY_IN;
	if (!pg->copying) {
		rc = judge(pg, res, stmt->sql, err);
		if (rc == 0)
			rc = bf_fail(err, BF_E_INTERNAL, "statement %s is no COPY FROM STDIN", stmt->name);
	}
	PQclear(res);
	return rc;
}

int bf_pg_copy_put(struct bf_pg *pg, const char *data, size_t len, struct bf_error *err)
{
	const size_t portion = (size_t)1 << 30; /* libpq counts in int */
	while (len > 0) {
		size_t n = len < portion ? len : portion;
		if (PQputCopyData(pg->conn, data, (int)n) != 1) {
			pg->copying = false;
			return fail_broken(pg, false, err); /* a COPY that was never ended leaves nothing behind */
		}
		data += n;
		len -= n;
	}
	return 0;
}

int bf_pg_copy_end(struct bf_pg *pg, int64_t *rows, struct bf_error *err)
{
	pg->copying = false;
	if (rows)
		*rows = 0;
	if (PQputCopyEnd(pg->conn, NULL) != 1)
		return fail_broken(pg, bf_pg_alive(pg), err);
	PGresult *res = PQgetResult(pg->conn);
	int rc = judge(pg, res, NULL, err);
	if (rc == 0 && rows)
		*rows = bf_pg_affected(bf_pg_wrap(res));
	PQclear(res);
	drain(pg);
	return rc;
}

void bf_pg_copy_escape(struct bf_buf *out, const char *s)
{
	if (!s) {
		bf_buf_addstr(out, "\\N");
		return;
	}
	while (*s) {
		size_t plain = strcspn(s, "\\\t\n\r");
		bf_buf_add(out, s, plain);
		s += plain;
		switch (*s) {
		case '\0':
			return;
		case '\t':
			bf_buf_addstr(out, "\\t");
			break;
		case '\n':
			bf_buf_addstr(out, "\\n");
			break;
		case '\r':
			bf_buf_addstr(out, "\\r");
			break;
		default:
			bf_buf_addstr(out, "\\\\");
			break;
		}
		s++;
	}
}
