/*
 * sql: the step's file and the settling of the job are one transaction, sent as one message (PROTOCOL L3). A lost answer to the
 * COMMIT is not a failure but a question, put to the ledger by opening the job again (L5).
 */
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/mem.h"
#include "core/sqltext.h"
#include "core/vars.h"
#include "steps/prepared.h"
#include "steps/steps.h"
#include "steps/trouble.h"

#define SCRIPT_MAX               (8u << 20)
#define STATEMENT_TIMEOUT_MAX_MS INT32_MAX /* PostgreSQL's; a longer timeout is kept by the worker alone */

struct render {
	struct bf_job *job;
	struct bf_vars vars;
};

static const char *lookup(void *data, const char *name, size_t len)
{
	struct render *r = data;
	return bf_vars_sql(&r->vars, name, len);
}

static int quote(void *data, struct bf_buf *out, const char *value, enum bf_sqltext_kind kind, struct bf_error *err)
{
	struct render *r = data;
	struct bf_pgc *c = r->job->lane->conn;
	return kind == BF_SQL_IDENT ? bf_pgc_quote_ident(c, out, value, err) : bf_pgc_quote_literal(c, out, value, err);
}

int bf_job_render_sql(struct bf_job *j, const char *sql, struct bf_buf *out, struct bf_pgc_transaction *t, struct bf_error *err)
{
	struct bf_sqltext text;
	struct render r = {.job = j};
	bf_job_vars(j, &r.vars);
	int rc = bf_sqltext_parse(sql, strlen(sql), &text, err);
	if (rc < 0)
		return rc;
	t->plain = text.plain;
	t->statements = text.n_statements;
	t->prepared = bf_prepared_count(j->lane);
	rc = bf_sqltext_render(&text, lookup, quote, &r, out, err);
	bf_sqltext_release(&text);
	return rc;
}

/* Its result has other columns now, or it is gone. */
static bool is_not_prepared(const char *sqlstate)
{
	return strcmp(sqlstate, "0A000") == 0 || strcmp(sqlstate, "26000") == 0;
}

static void failed(struct bf_job *j, const struct bf_pgc_script *o)
{
	const struct bf_error *err = o->err;
	bool ours = o->part != BF_PGC_IN_SQL; /* the step's SQL may raise any state, too */
	if (strcmp(err->sqlstate, "BF001") == 0 && o->part == BF_PGC_IN_LAST) {
		j->fenced = true;
		bf_job_returned(j);
	} else if (is_not_prepared(err->sqlstate) && bf_prepared_is_made(j)) {
		bf_prepared_made(j, false);
		bf_job_again(j, 0, err->text);
	} else if (bf_is_trouble(err, true)) {
		bf_trouble_wait(j, err, o->raised);
	} else if (strcmp(err->sqlstate, "57014") == 0 && j->timed_out) {
		bf_job_failed(j, "timeout", false, "the step's SQL ran longer than its timeout", o->detail, strlen(o->detail));
	} else if (strcmp(err->sqlstate, "57014") == 0 && (j->handing_back || j->fenced)) {
		bf_job_returned(j);
	} else {
		bf_job_failed(j, "sql", ours && strcmp(err->sqlstate, BF_PGC_NOT_OURS) == 0, err->text, o->detail, strlen(o->detail));
	}
}

static void on_answer(struct bf_pgc *c, const struct bf_pgc_script *o, void *data)
{
	struct bf_job *j = data;
	(void)c;
	if (!o->err) {
		if (BF_FAILPOINT("after_commit")) {
			bf_open_again(j, "fail point after_commit");
			return;
		}
		bf_job_settled_here(j, o->affected);
	} else if (o->err->code == BF_E_SQL) {
		failed(j, o);
	} else {
		bf_open_again_lost(j, o->err->text);
	}
}

static void on_answer_and_prepared(struct bf_pgc *c, const struct bf_pgc_script *o, void *data)
{
	if (!o->err)
		bf_prepared_made(data, !o->behind_failed);
	on_answer(c, o, data);
}

static int add_settle(struct bf_job *j, bool prepared, struct bf_buf *out, struct bf_error *err)
{
	if (prepared)
		bf_prepared_execute(j, BF_PREPARED_SETTLE, out);
	else
		bf_buf_addstr(out, "SELECT bf.settle");
	bf_buf_addch(out, '(');
	int rc = bf_pgc_quote_literal(j->lane->conn, out, j->run, err);
	bf_buf_addstr(out, ", ");
	if (rc == 0)
		rc = bf_pgc_quote_literal(j->lane->conn, out, j->step_name, err);
	bf_buf_printf(out, ", %d, %d)", j->seq, j->epoch);
	return rc;
}

#define FIRST_FORMAT                                                                                          \
	"SELECT pg_catalog.set_config('bf.transaction', pg_catalog.pg_current_xact_id()::pg_catalog.text, true)," \
	" pg_catalog.set_config('statement_timeout', %s, true)"

static void add_first(struct bf_job *j, bool prepared, struct bf_buf *out)
{
	int64_t limit = j->step->timeout_ms < STATEMENT_TIMEOUT_MAX_MS ? j->step->timeout_ms : STATEMENT_TIMEOUT_MAX_MS;
	char text[24];
	snprintf(text, sizeof(text), "'%lld'", (long long)limit);
	if (prepared) {
		bf_prepared_execute(j, BF_PREPARED_FIRST, out);
		bf_buf_printf(out, "(%s)", text);
	} else {
		bf_buf_printf(out, FIRST_FORMAT, text);
	}
}

static void add_behind(struct bf_job *j, struct bf_buf *out)
{
	char first[sizeof(FIRST_FORMAT) + 8];
	snprintf(first, sizeof(first), FIRST_FORMAT, "$1");
	bf_prepared_text(j, first, out);
}

/* The texts that one message is made of. */
struct texts {
	struct bf_buf first, sql, settle, tidy, behind;
};

static void texts_init(struct texts *m)
{
	bf_buf_init(&m->first, 400);
	bf_buf_init(&m->sql, SCRIPT_MAX);
	bf_buf_init(&m->settle, 1000);
	bf_buf_init(&m->tidy, 100);
	bf_buf_init(&m->behind, SCRIPT_MAX);
}

static void texts_release(struct texts *m)
{
	bf_buf_release(&m->first);
	bf_buf_release(&m->sql);
	bf_buf_release(&m->settle);
	bf_buf_release(&m->tidy);
	bf_buf_release(&m->behind);
}

static int render_texts(struct bf_job *j, struct texts *m, struct bf_pgc_transaction *t, struct bf_error *err)
{
	bool prepared = bf_prepared_use(j);
	add_first(j, prepared, &m->first);
	int rc = prepared ? bf_prepared_call(j, &m->sql, t, err) : bf_job_render_sql(j, j->step->sql.text, &m->sql, t, err);
	if (rc == 0)
		rc = add_settle(j, prepared, &m->settle, err);
	if (rc == 0 && m->sql.overflow)
		rc = bf_fail(err, BF_E_LIMIT, "the step's SQL is longer than %u bytes with its variables filled in", SCRIPT_MAX);
	if (rc < 0)
		return rc;
	if (prepared)
		bf_prepared_execute(j, BF_PREPARED_TIDY, &m->tidy);
	else if (t->plain)
		add_behind(j, &m->behind);
	t->first = m->first.data;
	t->sql = m->sql.data;
	t->last = m->settle.data;
	t->tidy = prepared ? m->tidy.data : NULL;
	t->behind = m->behind.len > 0 ? m->behind.data : NULL;
	return 0;
}

static void send_message(struct bf_job *j, const struct bf_pgc_transaction *t)
{
	if (BF_FAILPOINT("before_commit")) {
		bf_open_again(j, "fail point before_commit");
		return;
	}
	if (bf_pgc_transaction_run(j->lane->conn, t, t->behind ? on_answer_and_prepared : on_answer, j) < 0)
		bf_open_again(j, "its connection is not ready");
}

static int start(struct bf_job *j, struct bf_error *err)
{
	struct bf_pgc_transaction transaction = {.first = NULL};
	struct texts texts;
	texts_init(&texts);
	int rc = render_texts(j, &texts, &transaction, err);
	if (rc == 0)
		send_message(j, &transaction);
	texts_release(&texts);
	return rc;
}

static void stop(struct bf_job *j)
{
	bf_pgc_cancel(j->lane->conn);
}

const struct bf_step_kind bf_step_sql = {.kind = BF_KIND_SQL, .needs_connection = true, .start = start, .stop = stop};
