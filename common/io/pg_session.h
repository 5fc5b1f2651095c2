/*
 * What a session of ours is like, in one place: the settings that each session must have, with
 * the reason for each (the list is in pg_session.c), the text that puts a session into that
 * state, and the look that tells whether it is in it.
 *
 * A connection begins with bf_pg_session_begin as its first message; each result of it that has
 * rows goes to bf_pg_session_take, and bf_pg_session_check says at the end whether the session
 * may be used. Whatever has said RESET ALL says `again` behind it. Both clients do so: io/pg.c
 * and io/pg_loop*.c. Nothing here sends anything.
 *
 * A session that is reset between jobs asks for the same settings in its startup packet, too
 * (bf_pg_session_options): what RESET ALL goes back to is right then, and `again` is empty, which
 * saves a statement for each setting in each job. A pooler may drop or refuse that; so nothing
 * relies on it.
 */
#ifndef BF_IO_PG_SESSION_H
#define BF_IO_PG_SESSION_H

#include "io/pg_internal.h"

#define BF_PG_SETTINGS_MAX 48
#define BF_PG_OUR_PATH     "pg_catalog, bf, pg_temp" /* the search_path of statements of ours */

/*
 * What PostgreSQL documents DISCARD ALL to be, without DISCARD PLANS, and as statements that may
 * share a message with others; `again` belongs in between. The role goes back to what the session
 * began with, which ALTER ROLE … SET role may have chosen.
 */
#define BF_PG_RESET "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ROLE; RESET ALL"
#define BF_PG_DISCARD                                               \
	"UNLISTEN *; DISCARD TEMP; DISCARD SEQUENCES; DEALLOCATE ALL; " \
	"SELECT pg_catalog.pg_advisory_unlock_all()"

struct bf_pg_session {
	enum bf_pg_purpose purpose;
	bool read_only;         /* default_transaction_read_only is one of its settings */
	int server_version;     /* as PQserverVersion has it */
	int backend_pid;        /* of the server; a pooler makes one up for the cancel key */
	char backend_start[40]; /* as PostgreSQL prints it, in UTC: with the pid it names the backend (PROTOCOL L6) */
	bool standby;           /* when it began */
	bool refuses_writes;    /* default_transaction_read_only was on before anything was set */
	char *search_path;      /* of the database or the role: what a step's SQL sees. Owned */
	char *again;            /* "SET …; SET …; ": what has to follow each RESET ALL; "" for nothing. Owned */
	int again_statements;   /* so many */
	bool begun, complete;   /* both looks have been taken */
	char wrong[256];        /* the first setting that is not as it must be, or "" */
};

/* Forgets what an earlier connection was like. purpose and read_only are the caller's. */
void bf_pg_session_init(struct bf_pg_session *s, enum bf_pg_purpose purpose, bool read_only);
void bf_pg_session_release(struct bf_pg_session *s);

/* For the startup packet: "-c name=value …", the caller frees; NULL: a session for this purpose is
 * never reset. */
char *bf_pg_session_options(enum bf_pg_purpose purpose);
/* The server, or what stands before it, does not take them: the next try goes without. conn is of
 * a try that failed. */
bool bf_pg_session_options_refused(const PGconn *conn);

/* Appends the first message. Sets server_version. */
void bf_pg_session_begin(struct bf_pg_session *s, int server_version, struct bf_buf *out);
/* A result of that message; those that are not the session's own looks are ignored. */
void bf_pg_session_take(struct bf_pg_session *s, const PGresult *res);
/* After the message: -BF_E_UNAVAILABLE names the setting that is not as it must be. */
int bf_pg_session_check(const struct bf_pg_session *s, const char *where, struct bf_error *err);

#endif
