#include "steps/prepared.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/sqltext.h"
#include "core/vars.h"
#include "steps/steps.h"

#define ARGUMENTS   64
#define SECRET      16 /* letters and digits in a name */
#define WORTH_WHILE 2  /* jobs of one step in a row, until it is prepared */

struct bf_prepared {
	unsigned session; /* of the connection; another one: nothing is prepared */
	char run[BF_RUN_MAX + 1], step[BF_NAME_MAX + 1];
	int jobs;      /* of that step, in a row */
	bool made;     /* this step's statement is there */
	bool names_in; /* statements of these names are there, this step's or another's */
	char secret[SECRET + 1];
};

static const char *const names[BF_PREPARED_COUNT] = {
	[BF_PREPARED_FIRST] = "bf_first", [BF_PREPARED_STEP] = "bf_step", [BF_PREPARED_SETTLE] = "bf_settle", [BF_PREPARED_TIDY] = "bf_tidy"};

static bool is_of(const struct bf_prepared *p, const struct bf_job *j)
{
	return p->session == bf_pgc_session(j->lane->conn) && strcmp(p->step, j->step_name) == 0 && strcmp(p->run, j->run) == 0;
}

static void turn_to(struct bf_prepared *p, const struct bf_job *j)
{
	unsigned session = bf_pgc_session(j->lane->conn);
	p->names_in = p->names_in && p->session == session;
	p->session = session;
	p->made = false;
	p->jobs = 0;
	snprintf(p->run, sizeof(p->run), "%s", j->run);
	snprintf(p->step, sizeof(p->step), "%s", j->step_name);
}

bool bf_prepared_use(struct bf_job *j)
{
	struct bf_prepared *p = j->lane->prepared;
	if (!p)
		p = j->lane->prepared = bf_alloc(sizeof(*p));
	if (!is_of(p, j))
		turn_to(p, j);
	p->jobs++;
	return p->made && bf_job_ahead(j->worker) > 0;
}

bool bf_prepared_is_made(const struct bf_job *j)
{
	return j->lane->prepared && j->lane->prepared->made && is_of(j->lane->prepared, j);
}

int bf_prepared_count(const struct bf_lane *lane)
{
	const struct bf_prepared *p = lane->prepared;
	return p && p->names_in && p->session == bf_pgc_session(lane->conn) ? BF_PREPARED_COUNT : 0;
}

static void add_name(const struct bf_prepared *p, const char *verb, enum bf_prepared_statement which, struct bf_buf *out)
{
	bf_buf_printf(out, "%s %s_%s", verb, names[which], p->secret);
}

void bf_prepared_execute(const struct bf_job *j, enum bf_prepared_statement which, struct bf_buf *out)
{
	add_name(j->lane->prepared, "EXECUTE", which, out);
}

/* ---- the statement with parameters, and its arguments ---- */

struct parts {
	struct bf_vars vars;
	int n; /* variables so far */
};

static const char *lookup(void *data, const char *name, size_t len)
{
	struct parts *p = data;
	return bf_vars_sql(&p->vars, name, len);
}

/* A parameter of its own for each place, for each may want another type. Spaces keep it from becoming part of a name. */
static int add_parameter(void *data, struct bf_buf *out, const char *value, enum bf_sqltext_kind kind, struct bf_error *err)
{
	struct parts *p = data;
	(void)value;
	(void)kind;
	(void)err;
	bf_buf_printf(out, " $%d ", ++p->n);
	return 0;
}

static bool can_be_prepared(const struct bf_sqltext *text)
{
	int variables = 0;
	for (size_t i = 0; i < text->n_pieces; i++) {
		if (text->pieces[i].kind == BF_SQL_RAW || text->pieces[i].kind == BF_SQL_IDENT)
			return false;
		variables += text->pieces[i].kind == BF_SQL_LITERAL;
	}
	return text->plain && text->n_statements == 1 && variables <= ARGUMENTS;
}

static void add_prepare(const struct bf_prepared *p, enum bf_prepared_statement which, const char *types, const char *as,
						struct bf_buf *out)
{
	add_name(p, "PREPARE", which, out);
	bf_buf_printf(out, "%s AS %s; ", types, as);
}

static void add_statements(struct bf_job *j, const struct bf_sqltext *text, const char *first, struct bf_buf *out)
{
	struct bf_prepared *p = j->lane->prepared;
	struct parts parts = {.n = 0};
	for (int i = 0; p->names_in && i < BF_PREPARED_COUNT; i++) {
		add_name(p, "DEALLOCATE", (enum bf_prepared_statement)i, out);
		bf_buf_addstr(out, "; ");
	}
	bf_text_random(p->secret, SECRET);
	add_prepare(p, BF_PREPARED_FIRST, " (text)", first, out);
	add_prepare(p, BF_PREPARED_SETTLE, " (text, text, int, int)", "SELECT bf.settle($1, $2, $3, $4)", out);
	add_prepare(p, BF_PREPARED_TIDY, "", BF_PGC_TIDY, out);
	add_name(p, "PREPARE", BF_PREPARED_STEP, out);
	bf_buf_addstr(out, " AS ");
	bf_job_vars(j, &parts.vars);
	(void)bf_sqltext_render(text, lookup, add_parameter, &parts, out, NULL);
}

/* The server parses a message whole before it executes any of it: what it may not be able to parse, such as date $1, is hidden from that in
 * a literal. */
static void add_hidden(struct bf_job *j, const char *statements, struct bf_buf *out)
{
	BF_AUTOBUF struct bf_buf body;
	bf_buf_init(&body, out->max);
	bf_buf_addstr(&body, "BEGIN EXECUTE ");
	int rc = bf_pgc_quote_literal(j->lane->conn, &body, statements, NULL);
	bf_buf_addstr(&body, "; END");
	bf_buf_addstr(out, "DO ");
	if (rc < 0 || bf_pgc_quote_literal(j->lane->conn, out, body.data, NULL) < 0 || body.overflow || out->overflow)
		bf_buf_clear(out);
}

void bf_prepared_text(struct bf_job *j, const char *first, struct bf_buf *out)
{
	const struct bf_prepared *p = j->lane->prepared;
	struct bf_sqltext text;
	if (p->made || p->jobs < WORTH_WHILE || bf_job_ahead(j->worker) == 0 || j->def->unpreparable[j->step->ordinal])
		return;
	if (bf_sqltext_parse(j->step->sql.text, strlen(j->step->sql.text), &text, NULL) < 0)
		return; /* it was parsed before */
	BF_AUTOBUF struct bf_buf statements;
	bf_buf_init(&statements, out->max);
	if (can_be_prepared(&text))
		add_statements(j, &text, first, &statements);
	if (statements.len > 0 && !statements.overflow)
		add_hidden(j, statements.data, out);
	if (out->len == 0)
		j->def->unpreparable[j->step->ordinal] = true;
	bf_sqltext_release(&text);
}

void bf_prepared_made(struct bf_job *j, bool ok)
{
	struct bf_prepared *p = j->lane->prepared;
	p->made = p->names_in = ok;
	if (!ok)
		j->def->unpreparable[j->step->ordinal] = true;
}

int bf_prepared_call(struct bf_job *j, struct bf_buf *out, struct bf_pgc_transaction *t, struct bf_error *err)
{
	struct bf_sqltext text;
	struct bf_vars vars;
	int n = 0, rc = bf_sqltext_parse(j->step->sql.text, strlen(j->step->sql.text), &text, err);
	if (rc < 0)
		return rc;
	t->plain = true;
	t->statements = 1;
	t->prepared = bf_prepared_count(j->lane);
	bf_job_vars(j, &vars);
	bf_prepared_execute(j, BF_PREPARED_STEP, out);
	for (size_t i = 0; rc == 0 && i < text.n_pieces; i++) {
		const struct bf_sqltext_piece *piece = &text.pieces[i];
		if (piece->kind != BF_SQL_LITERAL)
			continue;
		bf_buf_addstr(out, n++ == 0 ? " (" : ", ");
		rc = bf_pgc_quote_literal(j->lane->conn, out, bf_vars_sql(&vars, piece->start, piece->len), err);
	}
	bf_buf_addstr(out, n > 0 ? ");\n" : ";\n");
	bf_sqltext_release(&text);
	return rc;
}

void bf_prepared_free(struct bf_lane *lane)
{
	free(lane->prepared);
	lane->prepared = NULL;
}
