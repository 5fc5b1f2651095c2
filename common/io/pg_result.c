#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "io/pg_internal.h"

struct bf_pg_result *bf_pg_wrap(PGresult *res)
{
	return (struct bf_pg_result *)(void *)res;
}

/* libpq's accessors take a pointer to non-const even where they only look. */
PGresult *bf_pg_raw(const struct bf_pg_result *r)
{
	return (PGresult *)(uintptr_t)r;
}

void bf_pg_result_free(struct bf_pg_result *r)
{
	PQclear(bf_pg_raw(r));
}

void bf_pg_result_cleanup(struct bf_pg_result **r)
{
	bf_pg_result_free(*r);
}

int bf_pg_rows(const struct bf_pg_result *r)
{
	return PQntuples(bf_pg_raw(r));
}

int bf_pg_cols(const struct bf_pg_result *r)
{
	return PQnfields(bf_pg_raw(r));
}

const char *bf_pg_col_name(const struct bf_pg_result *r, int col)
{
	return PQfname(bf_pg_raw(r), col);
}

bool bf_pg_null(const struct bf_pg_result *r, int row, int col)
{
	return PQgetisnull(bf_pg_raw(r), row, col);
}

const char *bf_pg_text(const struct bf_pg_result *r, int row, int col)
{
	const char *s = PQgetvalue(bf_pg_raw(r), row, col);
	return s ? s : "";
}

int64_t bf_pg_int(const struct bf_pg_result *r, int row, int col)
{
	int64_t n = 0;
	(void)bf_text_int(bf_pg_text(r, row, col), INT64_MIN, INT64_MAX, &n);
	return n;
}

bool bf_pg_bool(const struct bf_pg_result *r, int row, int col)
{
	return *bf_pg_text(r, row, col) == 't';
}

/* PQcmdTuples also counts the rows that were only read. */
int64_t bf_pg_affected(const struct bf_pg_result *r)
{
	static const char *const changing[] = {"INSERT ", "UPDATE ", "DELETE ", "MERGE ", "COPY "};
	const char *tag = PQcmdStatus(bf_pg_raw(r));
	int64_t n = 0;
	for (size_t i = 0; i < BF_COUNT_OF(changing); i++)
		if (strncmp(tag, changing[i], strlen(changing[i])) == 0)
			(void)bf_text_int(PQcmdTuples(bf_pg_raw(r)), 0, INT64_MAX, &n);
	return n;
}

bool bf_pg_succeeded(const PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);
	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

int bf_pg_fail_result(const PGresult *res, struct bf_error *err)
{
	const char *primary = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	const char *sqlstate = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *whole = PQresultErrorMessage(res);
	const char *position = PQresultErrorField(res, PG_DIAG_STATEMENT_POSITION);
	if (!primary)
		primary = whole && *whole ? whole : "PostgreSQL gave an answer that was not expected here";
	bf_fail(err, BF_E_SQL, "%s", primary);
	if (err && sqlstate && strlen(sqlstate) < sizeof(err->sqlstate))
		memcpy(err->sqlstate, sqlstate, strlen(sqlstate) + 1);
	if (err && position)
		(void)bf_text_int(position, 1, INT64_MAX, &err->sql_position);
	return -BF_E_SQL;
}

void bf_pg_note_last_words(const PGresult *res, char words[static BF_PG_LAST_WORDS])
{
	const char *severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	if (severity && text && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0))
		(void)snprintf(words, BF_PG_LAST_WORDS, "%s", text);
}

bool bf_pg_still_open(PGconn *conn, const char *last_words)
{
	PGnotify *notification;
	bool read = PQstatus(conn) == CONNECTION_OK && PQconsumeInput(conn);
	while ((notification = PQnotifies(conn))) /* parses, and nobody listens */
		PQfreemem(notification);
	return read && PQstatus(conn) == CONNECTION_OK && !*last_words;
}

/* "NAME: text\n", the text cut at a whole character. */
static void add_line(struct bf_buf *out, const char *name, const char *text, size_t len)
{
	const size_t most = 1500;
	bool cut = len > most;
	if (cut) {
		len = most;
		while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
			len--;
	}
	bf_buf_printf(out, "%s%s: %.*s%s", out->len ? "\n" : "", name, (int)len, text, cut ? "…" : "");
}

/* The line of `sql` that its character number `position` (from 1) is in. */
static void add_position(struct bf_buf *out, const char *sql, int64_t position)
{
	int number = 1;
	const char *line = sql;
	for (const char *s = sql; *s && position > 1; s++) {
		if (*s == '\n') {
			number++;
			line = s + 1;
		}
		if (((unsigned char)s[1] & 0xC0) != 0x80)
			position--;
	}
	struct bf_buf name BF_AUTOBUF;
	bf_buf_init(&name, 32);
	bf_buf_printf(&name, "LINE %d", number);
	add_line(out, name.data, line, strcspn(line, "\r\n"));
}

void bf_pg_detail(const PGresult *res, const char *sql, size_t before, struct bf_buf *out)
{
	static const struct {
		int field;
		const char *name;
	} lines[] = {{PG_DIAG_MESSAGE_DETAIL, "DETAIL"}, {PG_DIAG_MESSAGE_HINT, "HINT"}, {PG_DIAG_CONTEXT, "CONTEXT"}};
	for (size_t i = 0; i < BF_COUNT_OF(lines); i++) {
		const char *text = PQresultErrorField(res, lines[i].field);
		if (text && *text)
			add_line(out, lines[i].name, text, strlen(text));
	}
	const char *position = PQresultErrorField(res, PG_DIAG_STATEMENT_POSITION);
	int64_t n;
	if (sql && position && bf_text_int(position, (int64_t)before + 1, INT64_MAX, &n) == 0)
		add_position(out, sql, n - (int64_t)before);
}
