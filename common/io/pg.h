/*
 * PostgreSQL, one statement at a time: what the operator's commands and the worker's steward thread use.
 * The worker's loop uses io/pg_loop.h; both share statements, parameters and results, defined here.
 *
 * Nobody above this module sends SQL text of his own: a statement is a file in core/sql/, embedded at build time as
 * `extern const struct bf_pg_stmt bf_sql_NAME`, and has one C function in core/ledger*.
 *
 * Connection parameters: BF_DATABASE_URL, else DATABASE_URL, else libpq's own variables. A message never contains a password:
 * that is also why a URL that is none is never shown.
 */
#ifndef BF_IO_PG_H
#define BF_IO_PG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

struct bf_pg_stmt {
	const char *name; /* of the prepared statement: the file's name without .sql */
	const char *sql;
};

/* ---- parameters: text format, copied in; at most BF_PG_PARAMS_MAX ---- */

#define BF_PG_PARAMS_MAX 20

struct bf_pg_params {
	struct bf_buf text; /* all values, NUL-separated */
	size_t offset[BF_PG_PARAMS_MAX];
	bool is_null[BF_PG_PARAMS_MAX];
	int count;
	char array_open; /* an array is being built */
};

void bf_pg_params_init(struct bf_pg_params *p);
void bf_pg_params_release(struct bf_pg_params *p);
void bf_pg_params_clear(struct bf_pg_params *p);            /* keeps the memory */
void bf_pg_add_text(struct bf_pg_params *p, const char *s); /* NULL is SQL's NULL */
void bf_pg_add_int(struct bf_pg_params *p, int64_t n);
void bf_pg_add_bool(struct bf_pg_params *p, bool b);
/* One parameter that is an array: begin, item… , end. Items are quoted as PostgreSQL array literals want it. */
void bf_pg_array_begin(struct bf_pg_params *p);
void bf_pg_array_text(struct bf_pg_params *p, const char *s); /* NULL is NULL */
void bf_pg_array_int(struct bf_pg_params *p, int64_t n);
void bf_pg_array_null(struct bf_pg_params *p);
void bf_pg_array_end(struct bf_pg_params *p);

/* ---- results: a thin view of PGresult, so that only io/pg includes libpq ---- */

struct bf_pg_result; /* opaque: a PGresult */

void bf_pg_result_free(struct bf_pg_result *r);
int bf_pg_rows(const struct bf_pg_result *r);
int bf_pg_cols(const struct bf_pg_result *r);
const char *bf_pg_col_name(const struct bf_pg_result *r, int col);
bool bf_pg_null(const struct bf_pg_result *r, int row, int col);
const char *bf_pg_text(const struct bf_pg_result *r, int row, int col); /* "" when NULL; lives as long as r */
int64_t bf_pg_int(const struct bf_pg_result *r, int row, int col);      /* 0 when NULL */
bool bf_pg_bool(const struct bf_pg_result *r, int row, int col);
int64_t bf_pg_affected(const struct bf_pg_result *r); /* rows of INSERT, UPDATE, DELETE, MERGE, COPY; else 0 */

#define BF_AUTORESULT __attribute__((cleanup(bf_pg_result_cleanup)))
void bf_pg_result_cleanup(struct bf_pg_result **r);

/* ---- a connection ---- */

/*
 * What a session is for decides its settings; all of them, with the reasons, stand in io/pg_session.c. They are set by statements in the
 * first message of a connection, and verified. A session for BF_PG_JOB sees the search_path of the database, as psql would; the others see
 * pg_catalog, bf and pg_temp only, so that nobody else's function is called by a statement of ours.
 */
enum bf_pg_purpose {
	BF_PG_OURS,    /* statements of ours; a step's text between bf_pg_step_begin and its end */
	BF_PG_STEWARD, /* the same in the background of a worker */
	BF_PG_CONTROL, /* a worker's opening and settling: the same few statements all day */
	BF_PG_JOB      /* a step's SQL */
};

struct bf_pg;

struct bf_pg_options {
	const char *application_name; /* "enqueue", "bfstat", "worker" */
	enum bf_pg_purpose purpose;
	bool read_only;     /* default_transaction_read_only = on, before anything is asked (PROTOCOL P3) */
	const char *url;    /* NULL: from the environment as above */
	int64_t timeout_ms; /* of each statement of bf_pg_exec, BEGIN and COMMIT; past it the connection counts as broken. 0: none */
	/* For whoever only looks, and is waited for by a person; 0: no limit. Connecting to a host takes no longer, rounded up to
	 * seconds. An answer, also to bf_pg_script and between two rows of bf_pg_each_row, takes no longer, and a lock is waited for half
	 * as long: past it, all that is asked fails at once with -BF_E_UNAVAILABLE, and the server ends what it was at. */
	int64_t patience_ms;
};

/* Blocks, at most connect_timeout (10 s unless the URL says otherwise) for the connection, and as long for its session. -BF_E_UNAVAILABLE:
 * the text says where it was looked for and how to start one. -BF_E_INPUT: what stands there is a pooler that gives each transaction
 * another session (io/pg_pooler.h). A read-only server is accepted here; bf_pg_is_read_only tells. */
int bf_pg_open(const struct bf_pg_options *o, struct bf_pg **out, struct bf_error *err);
void bf_pg_close(struct bf_pg *pg);
bool bf_pg_alive(const struct bf_pg *pg);           /* false after the connection broke: open a new one */
bool bf_pg_is_read_only(struct bf_pg *pg);          /* in recovery, or default_transaction_read_only that is not by our own option */
int bf_pg_server_version(const struct bf_pg *pg);   /* 150018 */
const char *bf_pg_encoding(const struct bf_pg *pg); /* of the database, as PostgreSQL names it: "UTF8" */
const char *bf_pg_where(const struct bf_pg *pg);    /* "database weather on unix socket /x/.s.PGSQL.5432": for messages */

/*
 * Runs a statement (prepared on first use) and gives its result. -BF_E_SQL with sqlstate and the server's message;
 * -BF_E_UNAVAILABLE when the connection was gone before anything was sent; -BF_E_UNKNOWN_OUTCOME when it broke after.
 * 40001 and 40P01 outside a transaction block are tried again here, up to 5 times.
 */
int bf_pg_exec(struct bf_pg *pg, const struct bf_pg_stmt *stmt, const struct bf_pg_params *params, struct bf_pg_result **out,
			   struct bf_error *err);

int bf_pg_begin(struct bf_pg *pg, struct bf_error *err);
/*
 * The same for text that a person wrote: it sees the search_path of the database. Then bf_pg_step_commit or bf_pg_step_rollback, behind
 * which nothing is left of what the text did to the session: settings, role, prepared statements, cursors, locks. A failed
 * bf_pg_step_commit needs no rollback. A session that cannot be put back is not alive any more.
 */
int bf_pg_step_begin(struct bf_pg *pg, struct bf_error *err);
int bf_pg_step_commit(struct bf_pg *pg, struct bf_error *err);
void bf_pg_step_rollback(struct bf_pg *pg);
int bf_pg_commit(struct bf_pg *pg, struct bf_error *err);
void bf_pg_rollback(struct bf_pg *pg);

/* Text that a person wrote (a step's SQL, a migration): simple protocol, several statements allowed. Used only by the step
 * runners, the planner's key queries and the migrations. The last result with columns is given (may be NULL). */
int bf_pg_script(struct bf_pg *pg, const char *sql, struct bf_pg_result **out, struct bf_error *err);
/* A step's query, row by row without holding them all, in a transaction of its own that is rolled back: `row` returns non-zero to stop, and
 * that is returned then; the query is cancelled. */
int bf_pg_each_row(struct bf_pg *pg, const char *sql, int (*row)(void *data, const struct bf_pg_result *r), void *data,
				   struct bf_error *err);

/* Appends text as a literal / an identifier, quoted by libpq. -BF_E_INPUT for invalid UTF-8. */
int bf_pg_quote_literal(struct bf_pg *pg, struct bf_buf *out, const char *s, struct bf_error *err);
int bf_pg_quote_ident(struct bf_pg *pg, struct bf_buf *out, const char *s, struct bf_error *err);

/* COPY … FROM STDIN, text format: begin, row (already escaped fields with tabs, ending in a newline; several rows at once are fine), end.
 */
int bf_pg_copy_begin(struct bf_pg *pg, const struct bf_pg_stmt *stmt, struct bf_error *err);
int bf_pg_copy_put(struct bf_pg *pg, const char *data, size_t len, struct bf_error *err);
int bf_pg_copy_end(struct bf_pg *pg, int64_t *rows, struct bf_error *err);
void bf_pg_copy_escape(struct bf_buf *out, const char *s); /* one field; NULL becomes \N */

#endif
