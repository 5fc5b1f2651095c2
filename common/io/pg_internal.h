/*
 * What the two PostgreSQL clients share and nobody else sees: libpq itself, how the parameters of a connection are found,
 * the table of prepared statements, and how trouble is worded. Only io/pg*.c may include this.
 */
#ifndef BF_IO_PG_INTERNAL_H
#define BF_IO_PG_INTERNAL_H

#include <libpq-fe.h>

#include "io/pg.h"

/* ---- where to connect: made once, used for each try ---- */

#define BF_PG_KEYWORDS_MAX 12

struct bf_pg_target {
	const char *keywords[BF_PG_KEYWORDS_MAX + 1]; /* for PQconnectdbParams with expand_dbname */
	const char *values[BF_PG_KEYWORDS_MAX + 1];
	int count;
	char *url, *application_name, *options; /* owned; any may be NULL */
	char *given_options;                    /* of the URL or of PGOPTIONS; owned, or NULL */
	char within[16];                        /* bf_pg_target_connect_within */
	const char *because;                    /* why it was looked for there, a sentence for messages, or "" */
};

/* -BF_E_INPUT when the URL is none: its text is not shown, as it may contain a password. */
int bf_pg_target_init(struct bf_pg_target *t, const char *url, const char *application_name, struct bf_error *err);
/* Adds to the options that the URL or PGOPTIONS has; NULL takes back what was added. */
void bf_pg_target_options(struct bf_pg_target *t, const char *ours);
/* Connecting takes no longer, in whole seconds, unless the URL or PGCONNECT_TIMEOUT says how long it may. */
void bf_pg_target_connect_within(struct bf_pg_target *t, int64_t ms);
void bf_pg_target_release(struct bf_pg_target *t);

/* How long libpq's connect_timeout gives this connection, all hosts of its list together. */
int64_t bf_pg_connect_limit_ms(PGconn *conn);
/* Waits until a result of what was sent can be read without waiting, or the connection broke. False: not before until_ms, of bf_mono_ms. */
bool bf_pg_await(PGconn *conn, int64_t until_ms);

/* "database weather on unix socket /x/.s.PGSQL.5432"; the caller frees. */
char *bf_pg_where_text(const PGconn *conn);

/* conn is of a try that failed, or NULL. `reason` NULL: libpq's own. */
int bf_pg_fail_connect(const PGconn *conn, const struct bf_pg_target *t, const char *reason, struct bf_error *err);
/* BF_E_UNKNOWN_OUTCOME, or BF_E_UNAVAILABLE when nothing had been sent. */
int bf_pg_fail_broken(const char *where, bool sent, const char *reason, struct bf_error *err);
/* libpq's message as one line, without the hints that it adds. */
void bf_pg_reason(const PGconn *conn, struct bf_buf *out);

/* What a server says before it ends a connection, FATAL or worse, is kept; anything else is not. It comes as an error, or, while
 * nothing is asked, as a notice: until it has been parsed, the connection looks alive. */
#define BF_PG_LAST_WORDS 256
void bf_pg_note_last_words(const PGresult *res, char words[static BF_PG_LAST_WORDS]);
/* Reads what has come without having been asked for, and tells whether the connection may still be used. */
bool bf_pg_still_open(PGconn *conn, const char *last_words);

/* ---- results ---- */

struct bf_pg_result *bf_pg_wrap(PGresult *res);
PGresult *bf_pg_raw(const struct bf_pg_result *r);

bool bf_pg_succeeded(const PGresult *res);                        /* rows, or a command that ended well */
int bf_pg_fail_result(const PGresult *res, struct bf_error *err); /* BF_E_SQL, with the primary message */
/* DETAIL, HINT, CONTEXT and LINE of an error, one a line. sql: the text sent, or NULL. */
void bf_pg_detail(const PGresult *res, const char *sql, size_t before, struct bf_buf *out);

/* ---- parameters, quoting ---- */

void bf_pg_param_values(const struct bf_pg_params *p, const char *values[static BF_PG_PARAMS_MAX]);
int bf_pg_quote(PGconn *conn, struct bf_buf *out, const char *s, bool ident, struct bf_error *err);

/* ---- the statements that a connection has prepared ---- */

struct bf_pg_prepared {
	const char **names; /* borrowed: statements are constants */
	size_t count;
};

bool bf_pg_prepared_has(const struct bf_pg_prepared *p, const char *name);
void bf_pg_prepared_add(struct bf_pg_prepared *p, const char *name);
void bf_pg_prepared_clear(struct bf_pg_prepared *p); /* frees */

#endif
