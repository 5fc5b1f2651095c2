/*
 * The ledger's schema in one transaction: the numbered migrations that it lacks, then the present definition of
 * each function and view, when their hash differs from what was applied last, then what each role may do.
 */
#include "core/migrate.h"

#include "base/mem.h"
#include "bf_definitions.h"
#include "bf_grants.h"
#include "bf_migrations.h"
#include "bf_sql.h"

#define OLDEST_LINE "-- oldest program that can live with this schema: "
#define VERSION_MAX 24

/* What the ledger has had. */
struct applied {
	int latest;              /* 0: none */
	char needs[VERSION_MAX]; /* the newest of the oldest programs that can live with what this one does not know; "" */
	bool current;            /* functions and views are this program's, or a newer one's */
};

/* "0001_ledger" → 1 */
static int number_of(const struct bf_embedded *migration)
{
	return (int)strtol(migration->name, NULL, 10);
}

static int latest_known(void)
{
	int latest = 0;
	for (const struct bf_embedded *m = bf_migration_all; m->name; m++)
		latest = number_of(m);
	return latest;
}

static void oldest_program(const struct bf_embedded *migration, char out[static VERSION_MAX])
{
	size_t skip = sizeof(OLDEST_LINE) - 1;
	bool said = strncmp(migration->text, OLDEST_LINE, skip) == 0;
	const char *at = said ? migration->text + skip : BF_VERSION;
	snprintf(out, VERSION_MAX, "%.*s", (int)strcspn(at, " \r\n"), at);
}

/* Compares "0.10.2" part by part. */
static int compare_versions(const char *a, const char *b)
{
	while (*a || *b) {
		char *a_end, *b_end;
		long x = strtol(a, &a_end, 10), y = strtol(b, &b_end, 10);
		if (x != y)
			return x < y ? -1 : 1;
		a = *a_end == '.' ? a_end + 1 : "";
		b = *b_end == '.' ? b_end + 1 : "";
	}
	return 0;
}

static int plain(struct bf_pg *pg, const struct bf_pg_stmt *stmt, struct bf_pg_result **out, struct bf_error *err)
{
	struct bf_pg_params none;
	bf_pg_params_init(&none);
	int rc = bf_pg_exec(pg, stmt, &none, out, err);
	bf_pg_params_release(&none);
	return rc;
}

/* Whose functions and views are in the ledger; those of a newer program are left alone. */
static int read_definitions(struct bf_pg *pg, struct applied *out, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *row = NULL;
	int rc = plain(pg, &bf_sql_migrate_definitions, &row, err);
	if (rc < 0)
		return rc;
	bool same = strcmp(bf_pg_text(row, 0, 0), bf_definition_sha256) == 0;
	out->current = same || out->latest > latest_known() || compare_versions(bf_pg_text(row, 0, 1), BF_VERSION) > 0;
	return 0;
}

static int read_applied(struct bf_pg *pg, struct applied *out, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *there = NULL;
	BF_AUTORESULT struct bf_pg_result *rows = NULL;
	*out = (struct applied){.latest = 0};
	int rc = plain(pg, &bf_sql_migrate_exists, &there, err);
	if (rc < 0 || !bf_pg_bool(there, 0, 0))
		return rc;
	rc = plain(pg, &bf_sql_migrate_applied, &rows, err);
	for (int i = 0; rc == 0 && i < bf_pg_rows(rows); i++) {
		out->latest = (int)bf_pg_int(rows, i, 0);
		const char *oldest = bf_pg_text(rows, i, 2);
		if (out->latest > latest_known() && compare_versions(oldest, out->needs) > 0)
			snprintf(out->needs, sizeof(out->needs), "%s", oldest);
	}
	return rc == 0 && out->latest >= latest_known() ? read_definitions(pg, out, err) : rc;
}

static bool too_new(const struct applied *a)
{
	return a->latest > latest_known() && compare_versions(a->needs, BF_VERSION) > 0;
}

static int fail_too_new(struct bf_pg *pg, const struct applied *a, enum bf_errc code, struct bf_error *err)
{
	return bf_fail(err, code, "the ledger in %s is newer than this program: it has migration %d, which needs version %s, and this is %s",
				   bf_pg_where(pg), a->latest, a->needs, BF_VERSION);
}

/* Names, keys and what programs say may be any text; one that the database cannot store could never be settled. */
static int check_encoding(const struct bf_pg *pg, enum bf_errc code, struct bf_error *err)
{
	const char *encoding = bf_pg_encoding(pg);
	if (strcmp(encoding, "UTF8") == 0 || strcmp(encoding, "SQL_ASCII") == 0)
		return 0;
	return bf_fail(err, code,
				   "%s is encoded in %s, expected UTF8; `CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0` makes one that is",
				   bf_pg_where(pg), encoding);
}

int bf_migrate_check(struct bf_pg *pg, struct bf_error *err)
{
	struct applied a;
	int rc = check_encoding(pg, BF_E_UNAVAILABLE, err);
	if (rc == 0)
		rc = read_applied(pg, &a, err);
	if (rc < 0)
		return rc;
	if (a.latest == 0)
		return bf_fail(err, BF_E_UNAVAILABLE, "there is no ledger in %s: `enqueue migrate` makes one", bf_pg_where(pg));
	if (a.latest < latest_known())
		return bf_fail(err, BF_E_UNAVAILABLE,
					   "the ledger in %s is older than this program: it has migration %d of %d; `enqueue migrate` brings it up to date",
					   bf_pg_where(pg), a.latest, latest_known());
	if (too_new(&a))
		return fail_too_new(pg, &a, BF_E_UNAVAILABLE, err);
	if (!a.current)
		return bf_fail(err, BF_E_UNAVAILABLE,
					   "the functions of the ledger in %s are not those of this program, version %s; "
					   "`enqueue migrate` replaces them",
					   bf_pg_where(pg), BF_VERSION);
	return 0;
}

static int record(struct bf_pg *pg, const struct bf_embedded *migration, struct bf_error *err)
{
	struct bf_pg_params p;
	BF_AUTORESULT struct bf_pg_result *ignored = NULL;
	char oldest[VERSION_MAX];
	oldest_program(migration, oldest);
	bf_pg_params_init(&p);
	bf_pg_add_int(&p, number_of(migration));
	bf_pg_add_text(&p, migration->name);
	bf_pg_add_text(&p, oldest);
	int rc = bf_pg_exec(pg, &bf_sql_migrate_record, &p, &ignored, err);
	bf_pg_params_release(&p);
	return rc;
}

static int apply_migration(struct bf_pg *pg, const struct bf_embedded *migration, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *ignored = NULL;
	int rc = bf_pg_script(pg, migration->text, &ignored, err);
	if (rc == 0)
		rc = record(pg, migration, err);
	return rc < 0 ? bf_error_prefix(err, "migration %s", migration->name) : 0;
}

static int record_definitions(struct bf_pg *pg, struct bf_error *err)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, bf_definition_sha256);
	bf_pg_add_text(&p, BF_VERSION);
	int rc = bf_pg_exec(pg, &bf_sql_migrate_define, &p, NULL, err);
	bf_pg_params_release(&p);
	return rc;
}

/* Their order is the alphabet's, so a body may call what is made after it: bodies are checked when they are called. */
static int apply_definitions(struct bf_pg *pg, struct bf_error *err)
{
	int rc = bf_pg_script(pg, "set local check_function_bodies = off", NULL, err);
	for (const struct bf_embedded *d = bf_definition_all; rc == 0 && d->name; d++) {
		rc = bf_pg_script(pg, d->text, NULL, err);
		if (rc < 0)
			(void)bf_error_prefix(err, "definition of %s", d->name);
	}
	return rc == 0 ? record_definitions(pg, err) : rc;
}

/* Each time: the roles may be newer than the ledger. */
static int grant(struct bf_pg *pg, struct bf_error *err)
{
	int rc = bf_pg_script(pg, bf_grants_all->text, NULL, err);
	return rc < 0 ? bf_error_prefix(err, "the grants to the roles") : 0;
}

/* Within a transaction. before: what the ledger had when this process got the lock. */
static int bring_up_to_date(struct bf_pg *pg, struct applied *before, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *locked = NULL;
	int rc = plain(pg, &bf_sql_migrate_lock, &locked, err);
	if (rc == 0)
		rc = read_applied(pg, before, err);
	if (rc == 0 && too_new(before))
		return fail_too_new(pg, before, BF_E_CONFLICT, err);
	for (const struct bf_embedded *m = bf_migration_all; rc == 0 && m->name; m++)
		if (number_of(m) > before->latest)
			rc = apply_migration(pg, m, err);
	if (rc == 0 && !before->current)
		rc = apply_definitions(pg, err);
	return rc == 0 ? grant(pg, err) : rc;
}

static int bring_up_to_date_in_transaction(struct bf_pg *pg, struct applied *before, struct bf_error *err)
{
	int rc = bf_pg_begin(pg, err);
	if (rc == 0)
		rc = bring_up_to_date(pg, before, err);
	if (rc == 0)
		return bf_pg_commit(pg, err);
	bf_pg_rollback(pg);
	return rc;
}

int bf_migrate(struct bf_pg *pg, void (*report)(void *data, const char *name), void *data, int *applied, struct bf_error *err)
{
	struct applied before = {.latest = 0};
	*applied = 0;
	int rc = check_encoding(pg, BF_E_CONFLICT, err);
	if (rc == 0)
		rc = bring_up_to_date_in_transaction(pg, &before, err);
	if (rc < 0)
		return rc;
	for (const struct bf_embedded *m = bf_migration_all; m->name; m++) {
		if (number_of(m) <= before.latest)
			continue;
		(*applied)++;
		if (report)
			report(data, m->name);
	}
	if (!before.current) {
		(*applied)++;
		if (report)
			report(data, "functions and views");
	}
	return 0;
}
