#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/url.h"
#include "io/pg_internal.h"

#define URL_MAX  ((size_t)1 << 16)
#define POSSIBLE "expected is postgresql://[user[:password]@]host[:port]/database, or libpq's keyword=value pairs"

static const char *environment(const char *name)
{
	const char *value = getenv(name);
	return value && *value ? value : NULL;
}

static bool begins_with(const char *s, const char *start)
{
	return strncmp(s, start, strlen(start)) == 0;
}

/* A name of a database alone is fine for libpq too; whatever else has no '=' is a mistyped URL. */
static bool is_plain_name(const char *s)
{
	return s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")] == '\0';
}

static int refuse(const char *source, const char *what, struct bf_error *err)
{
	return bf_fail(err, BF_E_INPUT, "%s %s (its text is not shown, as it may contain a password); " POSSIBLE, source, what);
}

static const char *keyword_value(const PQconninfoOption *options, const char *keyword)
{
	for (; options && options->keyword; options++)
		if (strcmp(options->keyword, keyword) == 0)
			return options->val;
	return NULL;
}

/*
 * libpq ends a password at its first '@', and takes what follows for the host, which it names. So each other '@' before the last one is
 * written as it ought to be. NULL: that is not needed. Where a '/' stands before an '@' it cannot be told which is whose, see is_ambiguous.
 */
static char *escape_secret(const char *url)
{
	const char *from = strstr(url, "://") + 3;
	size_t first = strcspn(from, "@/"); /* where the password ends to libpq: a '?' before it is its own */
	size_t secret = bf_url_secret_length(from, first + strcspn(from + first, "/?#"));
	struct bf_buf out;
	if (secret == 0 || memchr(from, '@', secret - 1) == NULL)
		return NULL;
	bf_buf_init(&out, URL_MAX);
	bf_buf_add(&out, url, (size_t)(from - url));
	for (size_t i = 0; i + 1 < secret; i++)
		bf_buf_printf(&out, from[i] == '@' ? "%%40" : "%c", from[i]);
	bf_buf_addstr(&out, from + secret - 1);
	return bf_buf_detach(&out);
}

/* "user:pass/word@host": to libpq it is a host, a port and a database. A name of a database with an '@' is written with %40. */
static bool is_ambiguous(const char *url)
{
	const char *from = strstr(url, "://") + 3;
	size_t host = strcspn(from, "/?#");
	return from[host] != '\0' && bf_url_secret_length(from + host, strcspn(from + host, "?#")) > 0;
}

/*
 * libpq's own complaints about a URL quote pieces of it, and a password with an unescaped '/' or '@' is such a piece:
 * so a URL is taken apart here first, and judged without being quoted.
 */
static int read_url(const char *url, const char *source, char **options, struct bf_error *err)
{
	bool is_url = begins_with(url, "postgresql://") || begins_with(url, "postgres://");
	if (!is_url && strstr(url, "://") && !strchr(url, '='))
		return refuse(source, "does not begin with postgresql://", err);
	if (!is_url && !strchr(url, '=')) {
		return is_plain_name(url) ? 0 : refuse(source, "is neither a URL nor the name of a database", err);
	}
	char *complaint = NULL;
	if (is_url && is_ambiguous(url))
		return refuse(source, "has an @ behind a /; in a password, and in the name of a database, a / is written %2F and an @ %40", err);
	PQconninfoOption *parsed = PQconninfoParse(url, &complaint);
	PQfreemem(complaint);
	if (!parsed)
		return refuse(source, "is nothing that libpq understands", err);
	const char *port = keyword_value(parsed, "port");
	const char *found = keyword_value(parsed, "options");
	int rc = 0;
	if (port && port[strspn(port, "0123456789,")])
		rc = refuse(source, "has a port that is not a number", err);
	else
		*options = bf_strdup(found);
	PQconninfoFree(parsed);
	return rc;
}

static void add(struct bf_pg_target *t, const char *keyword, const char *value)
{
	if (t->count >= BF_PG_KEYWORDS_MAX)
		abort();
	t->keywords[t->count] = keyword;
	t->values[t->count++] = value;
}

/* What stands before dbname, which is the URL, yields to it; what stands behind it wins. */
static void add_keywords(struct bf_pg_target *t)
{
	if (!environment("PGCONNECT_TIMEOUT"))
		add(t, "connect_timeout", "10");
	add(t, "keepalives_idle", "30");
	add(t, "keepalives_interval", "10");
	add(t, "keepalives_count", "3");
	add(t, "tcp_user_timeout", "60000");
	if (t->application_name)
		add(t, "fallback_application_name", t->application_name);
	if (t->url)
		add(t, "dbname", t->url);
	add(t, "client_encoding", "UTF8");
}

void bf_pg_target_options(struct bf_pg_target *t, const char *ours)
{
	const char *given = t->given_options;
	if (t->options)
		t->keywords[--t->count] = NULL; /* it is the last */
	free(t->options);
	t->options = NULL;
	if (!ours)
		return;
	t->options = bf_asprintf("%s%s%s", given ? given : "", given ? " " : "", ours);
	add(t, "options", t->options);
}

void bf_pg_target_connect_within(struct bf_pg_target *t, int64_t ms)
{
	(void)snprintf(t->within, sizeof(t->within), "%d", (int)((ms + 999) / 1000));
	for (int i = 0; i < t->count; i++)
		if (strcmp(t->keywords[i], "connect_timeout") == 0) {
			t->values[i] = t->within;
			return;
		}
}

int bf_pg_target_init(struct bf_pg_target *t, const char *url, const char *application_name, struct bf_error *err)
{
	const char *source = "The address of PostgreSQL";
	*t = (struct bf_pg_target){.because = ""};
	if (!url && (url = environment("BF_DATABASE_URL"))) {
		source = "BF_DATABASE_URL";
		t->because = " It was looked for there because of BF_DATABASE_URL;";
	} else if (!url && (url = environment("DATABASE_URL"))) {
		source = "DATABASE_URL";
		t->because = " It was looked for there because of DATABASE_URL;";
	} else if (!url) {
		t->because =
			" BF_DATABASE_URL and DATABASE_URL are not set, so libpq's own variables and defaults (PGHOST, PGDATABASE, …) decided;";
	}
	BF_AUTOFREE char *options = NULL;
	BF_AUTOFREE char *escaped = url && strstr(url, "://") ? escape_secret(url) : NULL;
	url = escaped ? escaped : url;
	int rc = url ? read_url(url, source, &options, err) : 0;
	if (rc)
		return rc;
	t->url = bf_strdup(url);
	t->application_name = bf_strdup(application_name);
	t->given_options = bf_strdup(options ? options : environment("PGOPTIONS"));
	add_keywords(t);
	return 0;
}

void bf_pg_target_release(struct bf_pg_target *t)
{
	free(t->url);
	free(t->application_name);
	free(t->options);
	free(t->given_options);
	*t = (struct bf_pg_target){.because = ""};
}

char *bf_pg_where_text(const PGconn *conn)
{
	const char *host = PQhost(conn), *port = PQport(conn), *db = PQdb(conn);
	if (!host || !*host)
		host = "localhost";
	db = db ? db : "";
	port = port ? port : "";
	if (*host == '/')
		return bf_asprintf("database %s on unix socket %s/.s.PGSQL.%s", db, host, port);
	return bf_asprintf("database %s at %s:%s", db, host, port);
}

void bf_pg_reason(const PGconn *conn, struct bf_buf *out)
{
	const char *s = PQerrorMessage(conn);
	while (*s) {
		size_t len = strcspn(s, "\n");
		const char *line = s;
		s += len + (s[len] == '\n');
		if (*line == '\t' || len == 0) /* "Is the server running locally …?" */
			continue;
		const char *failed = memmem(line, len, " failed: ", 9);
		if (failed && begins_with(line, "connection to server")) {
			len -= (size_t)(failed + 9 - line);
			line = failed + 9;
		}
		bf_buf_printf(out, "%s%.*s", out->len ? "; " : "", (int)len, line);
	}
	if (out->len == 0)
		bf_buf_addstr(out, "no reason is known");
}

int bf_pg_fail_connect(const PGconn *conn, const struct bf_pg_target *t, const char *reason, struct bf_error *err)
{
	struct bf_buf own BF_AUTOBUF;
	bf_buf_init(&own, 4096);
	if (!reason) {
		bf_pg_reason(conn, &own);
		reason = own.data;
	}
	BF_AUTOFREE char *where = bf_pg_where_text(conn);
	if (strstr(reason, "FATAL:"))
		return bf_fail(err, BF_E_UNAVAILABLE, "PostgreSQL refuses the connection to %s (%s).%s `deploy/local up` starts a private one.",
					   where, reason, t->because);
	return bf_fail(err, BF_E_UNAVAILABLE, "PostgreSQL cannot be reached: %s (%s).%s `deploy/local up` starts a private one.", where, reason,
				   t->because);
}

int bf_pg_fail_broken(const char *where, bool sent, const char *reason, struct bf_error *err)
{
	if (!sent)
		return bf_fail(err, BF_E_UNAVAILABLE, "The connection to PostgreSQL (%s) is gone (%s)", where, reason);
	return bf_fail(err, BF_E_UNKNOWN_OUTCOME, "The connection to PostgreSQL (%s) broke before the answer came (%s)", where, reason);
}

int bf_pg_quote(PGconn *conn, struct bf_buf *out, const char *s, bool ident, struct bf_error *err)
{
	size_t len = strlen(s);
	if (!bf_utf8_valid(s, len))
		return bf_fail(err, BF_E_INPUT, "a value for SQL is not valid UTF-8");
	char *quoted = ident ? PQescapeIdentifier(conn, s, len) : PQescapeLiteral(conn, s, len);
	if (!quoted)
		return bf_fail(err, BF_E_INPUT, "a value for SQL cannot be quoted: %s", PQerrorMessage(conn));
	int rc = bf_buf_addstr(out, quoted);
	PQfreemem(quoted);
	return rc ? bf_fail(err, BF_E_LIMIT, "the SQL text is larger than %zu bytes", out->max) : 0;
}
