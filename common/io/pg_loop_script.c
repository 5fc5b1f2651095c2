/*
 * What the message of a job's transaction is made of, and what its answers have to look like (io/pg_loop.h). The server parses a
 * message whole before it executes any of it, with the settings that it finds: hence what puts the session back stands at the end
 * of the message that has changed it, never at the head of the next one (docs/decisions/0044).
 */
#include <limits.h>
#include <string.h>

#include "base/mem.h"
#include "io/pg_loop_internal.h"

/*
 * Ends what the text may have left to run later: deferred triggers fire now, and a cursor WITH HOLD would run its query at COMMIT.
 * Whoever the text has become, `last` runs as the session's own user: its own role is what RESET goes to, which may be another than
 * the one that SET SESSION AUTHORIZATION leads to.
 */
#define OWN_AGAIN            "SET CONSTRAINTS ALL IMMEDIATE; CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ROLE"
#define OWN_AGAIN_STATEMENTS 4

/* Plans stay: they are checked against what they depend on anyway, and making those of bf.settle again
 * costs more than the job. Of prepared statements, those of a plain transaction stay, too. */
#define PUT_BACK_PLAIN            "UNLISTEN *; DISCARD TEMP; DISCARD SEQUENCES"
#define PUT_BACK_PLAIN_STATEMENTS 3

/* ---- the message ---- */

struct bf_pgc_places bf_pgc_script_places(void)
{
	return (struct bf_pgc_places){.own = INT_MAX, .last = INT_MAX, .commit = INT_MAX, .tidy = INT_MAX};
}

static struct bf_pgc_places find_places(const struct bf_pgc *c, const struct bf_pgc_transaction *t)
{
	struct bf_pgc_places p = {.sql = 2, .tidy = INT_MAX, .prepared = t->prepared + (int)c->prepared.count};
	p.own = p.sql + t->statements;
	p.last = p.own + OWN_AGAIN_STATEMENTS;
	p.commit = p.last + (t->last != NULL);
	if (t->plain)
		p.tidy = p.commit + 2 + c->ours.again_statements + PUT_BACK_PLAIN_STATEMENTS;
	return p;
}

char *bf_pgc_transaction_text(struct bf_pgc *c, const struct bf_pgc_transaction *t)
{
	struct bf_pgc_request *r = &c->request;
	struct bf_buf text;
	bf_buf_init(&text, SIZE_MAX); /* the caller has bounded what it gives */
	bf_buf_printf(&text, "BEGIN ISOLATION LEVEL READ COMMITTED%s; %s;\n", t->read_only ? " READ ONLY" : "", t->first);
	r->before = text.len;
	bf_buf_printf(&text, "%s" OWN_AGAIN "; %s%sCOMMIT; ", t->sql, t->last ? t->last : "", t->last ? "; " : "");
	bf_buf_printf(&text, "RESET ALL; %s", c->ours.again);
	if (t->plain)
		bf_buf_printf(&text, PUT_BACK_PLAIN "; %s", t->tidy ? t->tidy : BF_PGC_TIDY);
	else
		bf_buf_addstr(&text, BF_PG_DISCARD);
	if (t->plain && t->behind)
		bf_buf_printf(&text, ";\n%s", t->behind);
	r->place = find_places(c, t);
	r->transaction = true;
	r->read_only = t->read_only;
	r->plain = t->plain;
	r->keep_rows = t->keep_rows;
	return bf_buf_detach(&text);
}

/* ---- its answers ---- */

enum bf_pgc_part bf_pgc_part_of(const struct bf_pgc_request *r)
{
	if (r->answered == r->place.last && r->place.last < r->place.commit)
		return BF_PGC_IN_LAST;
	bool of_the_text = r->answered >= r->place.sql && r->answered < r->place.last;
	return of_the_text || r->answered == 0 ? BF_PGC_IN_SQL : BF_PGC_AROUND;
}

bool bf_pgc_is_raised(const PGresult *error)
{
	static const char *const functions[] = {"exec_stmt_raise", "pgfdw_report_error", "dblink_res_error", "PLy_elog_impl"};
	const char *function = PQresultErrorField(error, PG_DIAG_SOURCE_FUNCTION);
	for (size_t i = 0; function && i < BF_COUNT_OF(functions); i++)
		if (strcmp(function, functions[i]) == 0)
			return true;
	return false;
}

static bool is_transaction_control(const char *tag)
{
	static const char *const tags[] = {"BEGIN", "START TRANSACTION", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PREPARE TRANSACTION"};
	for (size_t i = 0; i < BF_COUNT_OF(tags); i++)
		if (strncmp(tag, tags[i], strlen(tags[i])) == 0)
			return true;
	return false;
}

static void refuse(struct bf_pgc_request *r, const char *tag)
{
	if (r->err.code)
		return;
	r->part = BF_PGC_AROUND;
	bf_fail(&r->err, BF_E_SQL,
			"the SQL ended the transaction it was given: the server answered %s to its statement %d, expected no transaction control; "
			"what stood before that may be committed although the job is not done",
			tag, r->answered - r->place.sql + 1);
	memcpy(r->err.sqlstate, BF_PGC_NOT_OURS, sizeof(BF_PGC_NOT_OURS));
}

/* Only one COMMIT is the transaction's: the one at its own place, when all that stands before was answered as it has to be. */
static void check_tag(struct bf_pgc_request *r, const char *tag)
{
	if (r->answered == r->place.commit && strcmp(tag, "COMMIT") == 0 && !r->err.code)
		r->settled = r->committed = true;
	else if (r->answered == r->place.commit || (r->answered > 0 && is_transaction_control(tag)))
		refuse(r, tag);
}

static bool is_to_be_kept(const struct bf_pgc_request *r)
{
	return r->keep_rows > 0 && r->answered >= r->place.sql && r->answered < r->place.own;
}

static void keep_row(struct bf_pgc_request *r, const PGresult *row)
{
	if (r->kept_at != r->answered) {
		PQclear(r->kept);
		r->kept = PQcopyResult(row, PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
		r->kept_at = r->answered;
		return;
	}
	int n = PQntuples(r->kept);
	for (int col = 0; n < r->keep_rows && col < PQnfields(row); col++)
		(void)PQsetvalue(r->kept, n, col, PQgetvalue(row, 0, col), PQgetisnull(row, 0, col) ? -1 : PQgetlength(row, 0, col));
}

void bf_pgc_take_row(struct bf_pgc_request *r, const PGresult *row)
{
	size_t width = 0;
	for (int col = 0; col < PQnfields(row); col++)
		width += (size_t)PQgetlength(row, 0, col);
	if (width > r->widest)
		r->widest = width;
	if (r->answered == r->place.tidy && r->committed)
		r->stained |= bf_pg_int(bf_pg_wrap((PGresult *)(uintptr_t)row), 0, 0) != r->place.prepared;
	else if (is_to_be_kept(r))
		keep_row(r, row);
}

void bf_pgc_take_end(struct bf_pgc_request *r, PGresult *res)
{
	if (r->transaction && !r->committed)
		check_tag(r, PQcmdStatus(res));
	r->affected += r->committed ? 0 : bf_pg_affected(bf_pg_wrap(res));
	if (is_to_be_kept(r) && PQresultStatus(res) == PGRES_TUPLES_OK && r->kept_at != r->answered) { /* it has no row */
		PQclear(r->kept);
		r->kept = bf_steal(&res);
		r->kept_at = r->answered;
	}
	r->answered++;
	PQclear(res);
}
