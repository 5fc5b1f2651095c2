/*
 * The list of settings of our sessions. Each stands here because some value that the server, a
 * database, a role, PGOPTIONS, PGDATESTYLE or PGTZ can give it would change what a statement
 * means, or break the work. A setting that only makes statements slower or places things
 * (work_mem, default_tablespace, lc_*, default_text_search_config) is the database's own affair.
 */
#include "io/pg_session.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum {
	OURS = 1 << BF_PG_OURS,
	STEWARD = 1 << BF_PG_STEWARD,
	CONTROL = 1 << BF_PG_CONTROL,
	JOB = 1 << BF_PG_JOB,
	LOOKS = 1 << 8, /* any that is read-only */
	NOT_JOBS = OURS | STEWARD | CONTROL,
	ALL = NOT_JOBS | JOB
};

#define MARKER "bf.options" /* in the startup packet; what comes back tells whether that came through */

struct setting {
	const char *name;
	const char *value; /* also as current_setting shows it */
	int who;
	bool guarded;        /* only a superuser may set it: left alone where it is right already */
	bool list;           /* its value is a list of names, not one text */
	const int *versions; /* the first release of each branch that knows it, the last for all later ones; NULL: each that we support */
};

static const int restrict_versions[] = {140013, 150008, 160004, 170000, 0};
static const int since_17[] = {170000, 0};

#define PIN(name, value, who)                \
	{                                        \
		name, value, who, false, false, NULL \
	}

/* clang-format off */
static const struct setting settings[] = {
	/* First: the server may give a statement no time at all. A job's own limit is set in its transaction. */
	PIN("statement_timeout", "0", OURS | STEWARD | JOB),
	PIN("statement_timeout", "1min", CONTROL),

	/* How our text is read: quoting by libpq, and each literal and parameter that we send. */
	PIN("standard_conforming_strings", "on", ALL), /* off: '\' is an escape, and a key can end its literal */
	PIN("client_encoding", "UTF8", ALL), /* others: keys and names become other texts */
	PIN("backslash_quote", "safe_encoding", ALL), /* off refuses E'\'', on allows it where it is unsafe */
	PIN("array_nulls", "on", ALL), /* off: NULL in our arrays is the text NULL */
	PIN("DateStyle", "ISO, MDY", ALL), /* dates are read back as text, and become since, until */
	PIN("IntervalStyle", "postgres", ALL),
	PIN("TimeZone", "UTC", ALL), /* which day an instant is on: the same on each host */
	PIN("timezone_abbreviations", "Default", ALL), /* what EST, IST … stand for */

	/* How values are written. */
	PIN("bytea_output", "hex", ALL),
	PIN("extra_float_digits", "1", ALL), /* less than 1 rounds what is read and written back */
	PIN("xmlbinary", "base64", ALL),
	PIN("quote_all_identifiers", "off", ALL), /* texts made by quote_ident are compared */

	/* What a statement means. */
	{"search_path", BF_PG_OUR_PATH, NOT_JOBS, false, true, NULL}, /* nobody else's function is called by a statement of ours */
	PIN("transform_null_equals", "off", ALL), /* on: x = NULL is true for some */
	PIN("xmloption", "content", ALL),
	PIN("row_security", "on", ALL), /* off: a policy is an error instead of a filter */
	PIN("gin_fuzzy_search_limit", "0", ALL), /* else a search gives some rows, by chance */
	{"session_replication_role", "origin", ALL, true, false, NULL}, /* replica: no triggers, no foreign keys */
	{"restrict_nonsystem_relation_kind", "", ALL, false, true, restrict_versions}, /* views, ours too, may be refused */
	PIN("plpgsql.extra_errors", "none", ALL), /* makes errors of what is none */
	PIN("exit_on_error", "off", ALL), /* on: each error ends the session */

	/* What a transaction is. */
	PIN("default_transaction_isolation", "read committed", ALL), /* PROTOCOL L2, L3 */
	PIN("default_transaction_deferrable", "off", ALL),
	PIN("default_transaction_read_only", "on", LOOKS), /* PROTOCOL P3 */
	PIN("synchronous_commit", "on", ALL), /* what is acknowledged in Redis stays committed */
	PIN("default_table_access_method", "heap", NOT_JOBS), /* the ledger updates and locks rows */

	/* What ends a statement or a session without our doing. A transaction that a worker forgot ends (PROTOCOL L6). */
	PIN("lock_timeout", "0", ALL),
	PIN("idle_session_timeout", "0", ALL),
	PIN("idle_in_transaction_session_timeout", "0", OURS | STEWARD),
	PIN("idle_in_transaction_session_timeout", "1min", CONTROL | JOB),
	{"transaction_timeout", "0", ALL, false, false, since_17},
	PIN("client_connection_check_interval", "10s", JOB), /* a killed worker's long statement ends */
	PIN("client_min_messages", "notice", ALL), /* debug5 answers each statement with pages */

	/* How our own statements, all of them short, are planned. */
	PIN("jit", "off", NOT_JOBS), /* few rows are taken for many, and compiled for, for seconds */
	PIN("plan_cache_mode", "auto", OURS | STEWARD),
	PIN("max_parallel_workers_per_gather", "0", STEWARD), /* upkeep takes no more than its share */
	/* Nested loops over indexes only: the statements look rows up by key, so one plan serves all batches, and none that was made while a
	 * table was small may live on. */
	PIN("plan_cache_mode", "force_generic_plan", CONTROL),
	PIN("enable_indexscan", "on", CONTROL),
	PIN("enable_nestloop", "on", CONTROL),
	PIN("enable_seqscan", "off", CONTROL),
	PIN("enable_hashjoin", "off", CONTROL),
	PIN("enable_mergejoin", "off", CONTROL),
};
/* clang-format on */

_Static_assert(BF_COUNT_OF(settings) <= BF_PG_SETTINGS_MAX, "the looks have a column for each");

/* ---- which of them ---- */

static bool is_known(const struct setting *g, int server_version)
{
	const int *v = g->versions;
	for (; v && *v; v++) {
		bool last = v[1] == 0;
		if (last ? server_version >= *v : server_version / 10000 == *v / 10000)
			return server_version >= *v;
	}
	return v == NULL;
}

static bool is_for(const struct setting *g, enum bf_pg_purpose purpose, bool read_only)
{
	return (g->who & (1 << purpose)) || (read_only && (g->who & LOOKS));
}

static bool applies(const struct bf_pg_session *s, const struct setting *g)
{
	return is_for(g, s->purpose, s->read_only) && is_known(g, s->server_version);
}

/* ---- texts ---- */

static void add_set(const struct setting *g, struct bf_buf *out)
{
	const char *quote = g->list && *g->value ? "" : "'";
	if (g->guarded)
		bf_buf_printf(out,
					  "SELECT CASE WHEN pg_catalog.current_setting('%s') OPERATOR(pg_catalog.=) '%s' THEN NULL"
					  " ELSE pg_catalog.set_config('%s', '%s', false) END; ",
					  g->name, g->value, g->name, g->value);
	else
		bf_buf_printf(out, "SET %s = %s%s%s; ", g->name, quote, g->value, quote);
}

static void add_looks(const struct bf_pg_session *s, const char *which, struct bf_buf *out)
{
	bf_buf_printf(out, "SELECT true AS %s", which);
	for (size_t i = 0; i < BF_COUNT_OF(settings); i++)
		if (applies(s, &settings[i]))
			bf_buf_printf(out, ", pg_catalog.current_setting('%s', true) AS \"%s\"", settings[i].name, settings[i].name);
}

#define BEFORE "bf_before"
#define AFTER  "bf_after"
#define BACKEND                                                                                              \
	", pg_catalog.pg_backend_pid() AS pid, (SELECT pg_catalog.to_char(backend_start AT TIME ZONE 'UTC', "    \
	"'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') FROM pg_catalog.pg_stat_activity WHERE pid OPERATOR(pg_catalog.=)" \
	" pg_catalog.pg_backend_pid()) AS backend_start, pg_catalog.pg_is_in_recovery() AS standby, "            \
	"pg_catalog.current_setting('default_transaction_read_only') AS refuses_writes, "                        \
	"pg_catalog.current_setting('search_path') AS path, pg_catalog.current_setting('" MARKER "', true) AS marker"

/* A pooler may hand on a session as somebody else left it: it is put back before it is looked at.
 * */
void bf_pg_session_begin(struct bf_pg_session *s, int server_version, struct bf_buf *out)
{
	s->server_version = server_version;
	bf_buf_addstr(out, "SET statement_timeout = 0; " BF_PG_RESET "; SET statement_timeout = 0; ");
	add_looks(s, BEFORE, out);
	bf_buf_addstr(out, BACKEND "; ");
	for (size_t i = 0; i < BF_COUNT_OF(settings); i++)
		if (applies(s, &settings[i]))
			add_set(&settings[i], out);
	bf_buf_addstr(out, BF_PG_DISCARD "; ");
	add_looks(s, AFTER, out);
}

static void add_escaped(struct bf_buf *out, const char *value)
{
	for (; *value; value++)
		bf_buf_printf(out, isspace((unsigned char)*value) || *value == '\\' ? "\\%c" : "%c", *value);
}

char *bf_pg_session_options(enum bf_pg_purpose purpose)
{
	struct bf_buf out;
	if (purpose != BF_PG_JOB)
		return NULL;
	bf_buf_init(&out, 4096);
	bf_buf_addstr(&out, "-c " MARKER "=on");
	for (size_t i = 0; i < BF_COUNT_OF(settings); i++) {
		const struct setting *g = &settings[i];
		if (!is_for(g, purpose, false) || g->guarded || g->versions)
			continue;
		bf_buf_printf(&out, " -c %s=", g->name);
		add_escaped(&out, g->value);
	}
	return bf_buf_detach(&out);
}

bool bf_pg_session_options_refused(const PGconn *conn)
{
	const char *said = PQerrorMessage(conn);
	return strcasestr(said, "parameter") || strcasestr(said, "option");
}

/* ---- looks ---- */

void bf_pg_session_init(struct bf_pg_session *s, enum bf_pg_purpose purpose, bool read_only)
{
	*s = (struct bf_pg_session){.purpose = purpose, .read_only = read_only};
	s->search_path = bf_strdup("");
	s->again = bf_strdup("");
}

void bf_pg_session_release(struct bf_pg_session *s)
{
	free(s->search_path);
	free(s->again);
	*s = (struct bf_pg_session){.backend_pid = 0};
}

static const char *column(const PGresult *res, const char *name)
{
	int n = PQfnumber(res, name);
	return n >= 0 && !PQgetisnull(res, 0, n) ? PQgetvalue(res, 0, n) : "";
}

/* The columns of a look, in the order of the list; the first of them says which look it is. */
static bool is_as_wanted(const PGresult *res, int col, const struct setting *g)
{
	return !PQgetisnull(res, 0, col) && strcmp(PQgetvalue(res, 0, col), g->value) == 0;
}

/* With what the startup packet set, RESET ALL goes back to that, even where the server's own
 * settings change meanwhile. */
static void take_before(struct bf_pg_session *s, const PGresult *res)
{
	struct bf_buf again;
	bool came_through = strcmp(column(res, "marker"), "on") == 0;
	int col = 1;
	bf_buf_init(&again, SIZE_MAX);
	bf_buf_addstr(&again, "");
	s->again_statements = 0;
	for (size_t i = 0; i < BF_COUNT_OF(settings); i++) {
		if (!applies(s, &settings[i]) || (is_as_wanted(res, col++, &settings[i]) && came_through))
			continue;
		add_set(&settings[i], &again);
		s->again_statements++;
	}
	free(s->again);
	s->again = bf_buf_detach(&again);
	free(s->search_path);
	s->search_path = bf_strdup(column(res, "path"));
	s->backend_pid = (int)strtol(column(res, "pid"), NULL, 10);
	(void)snprintf(s->backend_start, sizeof(s->backend_start), "%s", column(res, "backend_start"));
	s->standby = *column(res, "standby") == 't';
	s->refuses_writes = strcmp(column(res, "refuses_writes"), "on") == 0;
	s->begun = true;
}

static void take_after(struct bf_pg_session *s, const PGresult *res)
{
	int col = 1;
	*s->wrong = '\0';
	for (size_t i = 0; i < BF_COUNT_OF(settings); i++) {
		const struct setting *g = &settings[i];
		if (!applies(s, g))
			continue;
		if (!is_as_wanted(res, col, g) && !*s->wrong)
			(void)snprintf(s->wrong, sizeof(s->wrong), "%s is %.60s, expected %s", g->name, PQgetvalue(res, 0, col), g->value);
		col++;
	}
	s->complete = true;
}

void bf_pg_session_take(struct bf_pg_session *s, const PGresult *res)
{
	if (PQresultStatus(res) != PGRES_TUPLES_OK || PQntuples(res) != 1)
		return;
	if (strcmp(PQfname(res, 0), BEFORE) == 0)
		take_before(s, res);
	else if (strcmp(PQfname(res, 0), AFTER) == 0)
		take_after(s, res);
}

int bf_pg_session_check(const struct bf_pg_session *s, const char *where, struct bf_error *err)
{
	const char *wrong = s->begun && s->complete ? s->wrong : "it did not say what its settings are";
	if (!*wrong)
		return 0;
	return bf_fail(err, BF_E_UNAVAILABLE, "a session of PostgreSQL (%s) cannot be set up: %s", where, wrong);
}
