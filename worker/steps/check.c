/*
 * check: a question to the database, of which the answer is a figure, and a judgement of it that goes into the ledger's history.
 *
 * The step's query stands inside one of this program's, which counts its rows and takes its one value in the server: whatever it yields,
 * one row comes back. Both queries of `equals` are in one statement, so they see the same data. The transaction can only read. What came
 * out is recorded on the same connection, once that is ready again after the script, and then the job ends.
 */
#include <math.h>

#include "base/duration.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/ledger.h"
#include "core/sqltext.h"
#include "core/vars.h"
#include "steps/steps.h"

#define SCRIPT_MAX  ((size_t)4 * BF_SQL_FILE_MAX)
#define LATE_MS     5000 /* the server's own limit comes after the worker's, which knows why */
#define SERVER_AWAY 2000 /* ms, until the next try */
#define CONFLICT_MS 100

enum judgement { PASS, WARN, FAIL };

static const char *const judgement_names[] = {"pass", "warn", "fail"};
static const char *const type_names[] = {[BF_CHECK_METRIC] = "metric", [BF_CHECK_ROW_COUNT] = "row_count", [BF_CHECK_EQUALS] = "equals"};

struct check {
	struct bf_job *job;
	uv_prepare_t until_ready; /* looks at the connection, each turn of the loop */
	double actual, expected;
	bool has_actual;
	enum judgement judgement;
	struct bf_buf text; /* what was found, for people */
};

static const struct bf_check *spec(const struct check *k)
{
	return &k->job->step->check;
}

/* ---- the end ---- */

static void on_closed(uv_handle_t *handle)
{
	struct check *k = handle->data;

	bf_buf_release(&k->text);
	free(k);
}

/* The job ends after this, by one of the calls of steps.h; the texts of *k live until the loop's next turn. */
static struct bf_job *let_go(struct check *k)
{
	k->job->step_state = NULL;
	uv_close((uv_handle_t *)&k->until_ready, on_closed);
	return k->job;
}

static void say(const struct check *k, enum bf_log_level level)
{
	const struct bf_log_ctx *before = bf_log_push(bf_job_log(k->job));

	bf_log_write(level, "check %s: %s", judgement_names[k->judgement], k->text.data);
	bf_log_pop(before);
}

static void end_judged(struct check *k)
{
	struct bf_job *j = let_go(k);

	switch (k->judgement) {
	case PASS:
		say(k, BF_LOG_INFO);
		bf_job_done(j, -1);
		break;
	case WARN:
		say(k, BF_LOG_WARN);
		bf_job_progress(j, -1, -1, NULL, k->text.data);
		bf_job_done(j, -1);
		break;
	case FAIL:
		bf_job_failed(j, "check", true, k->text.data, NULL, 0);
		break;
	}
}

static void end_timeout(struct check *k, const char *detail)
{
	struct bf_job *j = let_go(k);
	char limit[BF_DURATION_TEXT], text[128];

	snprintf(text, sizeof(text), "the check's SQL ran longer than its timeout of %s", bf_duration_format(j->step->timeout_ms, limit));
	bf_job_failed(j, "timeout", false, text, detail, strlen(detail));
}

static bool begins_with_one_of(const char *sqlstate, const char *const *list)
{
	while (*list && strncmp(sqlstate, *list, strlen(*list)) != 0)
		list++;
	return *list;
}

/* The server answered with an error, or did not answer. */
static void end_error(struct check *k, const struct bf_error *err, const char *detail)
{
	static const char *const away[] = {"53100", "53300", "57P", NULL}; /* as in sql.c */
	static const char *const conflict[] = {"40001", "40P01", NULL};
	bool cancelled = strcmp(err->sqlstate, "57014") == 0;

	if (err->code != BF_E_SQL)
		bf_open_again(let_go(k), err->text);
	else if (cancelled && k->job->timed_out)
		end_timeout(k, detail);
	else if (cancelled && (k->job->handing_back || k->job->fenced))
		bf_job_returned(let_go(k));
	else if (begins_with_one_of(err->sqlstate, away))
		bf_job_again(let_go(k), SERVER_AWAY, err->text);
	else if (begins_with_one_of(err->sqlstate, conflict))
		bf_job_again(let_go(k), CONFLICT_MS, err->text);
	else
		bf_job_failed(let_go(k), "sql", false, err->text, detail, strlen(detail));
}

/* ---- what people read ---- */

static void add_number(struct bf_buf *out, double x)
{
	char text[32];

	if (x == trunc(x) && fabs(x) < 1e15)
		bf_buf_addstr(out, bf_text_group((int64_t)x, text));
	else
		bf_buf_printf(out, "%.10g", x);
}

/* 'it'\''s': one word for any shell. */
static void add_shell_word(struct bf_buf *out, const char *s)
{
	bf_buf_addch(out, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			bf_buf_addstr(out, "'\\''");
		else
			bf_buf_addch(out, *s);
	}
	bf_buf_addch(out, '\'');
}

static bool used_before(const struct bf_sqltext *sql, size_t i)
{
	const struct bf_sqltext_piece *a = &sql->pieces[i];

	for (size_t n = 0; n < i; n++) {
		const struct bf_sqltext_piece *b = &sql->pieces[n];
		if (b->kind != BF_SQL_TEXT && a->len == b->len && memcmp(a->start, b->start, a->len) == 0)
			return true;
	}
	return false;
}

/* The command that runs the step's query by hand, with the variables that it uses. */
static void add_psql(struct check *k, struct bf_buf *out)
{
	const struct bf_sql_file *file = &spec(k)->query;
	BF_AUTOFREE char *path = bf_asprintf("%s/%s", k->job->def->pipeline->dir, file->name);
	struct bf_sqltext sql;
	struct bf_vars v;

	if (bf_sqltext_parse(file->text, strlen(file->text), &sql, NULL) < 0)
		return;
	bf_job_vars(k->job, &v);
	bf_buf_addstr(out, "psql");
	for (size_t i = 0; i < sql.n_pieces; i++) {
		const struct bf_sqltext_piece *p = &sql.pieces[i];
		const char *value = p->kind == BF_SQL_TEXT ? NULL : bf_vars_sql(&v, p->start, p->len);
		if (!value || used_before(&sql, i))
			continue;
		bf_buf_printf(out, " -v %.*s=", (int)p->len, p->start);
		add_shell_word(out, value);
	}
	bf_buf_addstr(out, " -f ");
	add_shell_word(out, path);
	bf_sqltext_release(&sql);
}

static void add_conditions(const struct bf_check *c, struct bf_buf *out)
{
	if (c->warn_if.op != BF_CMP_NONE)
		bf_buf_printf(out, "warns if %s", c->warn_if.text);
	if (c->warn_if.op != BF_CMP_NONE && c->error_if.op != BF_CMP_NONE)
		bf_buf_addstr(out, ", ");
	if (c->error_if.op != BF_CMP_NONE)
		bf_buf_printf(out, "fails if %s", c->error_if.text);
}

static void describe(struct check *k)
{
	const struct bf_check *c = spec(k);
	struct bf_buf *out = &k->text;

	bf_buf_printf(out, "%s: ", k->job->step_name);
	add_number(out, k->actual);
	if (c->type == BF_CHECK_ROW_COUNT)
		bf_buf_addstr(out, k->actual == 1 ? " row" : " rows");
	bf_buf_addstr(out, " found, ");
	if (c->type == BF_CHECK_EQUALS) {
		add_number(out, k->expected);
		bf_buf_addstr(out, " expected (tolerance ");
		add_number(out, c->tolerance);
		bf_buf_addch(out, ')');
	} else {
		add_conditions(c, out);
	}
	if (k->judgement == PASS)
		return;
	bf_buf_addstr(out, c->type == BF_CHECK_ROW_COUNT ? ". Show them: " : ". Ask again: ");
	add_psql(k, out);
}

/* ---- the figure ---- */

static bool holds(const struct bf_condition *c, double figure)
{
	switch (c->op) {
	case BF_CMP_NONE:
		return false;
	case BF_CMP_LT:
		return figure < c->value;
	case BF_CMP_LE:
		return figure <= c->value;
	case BF_CMP_GT:
		return figure > c->value;
	case BF_CMP_GE:
		return figure >= c->value;
	case BF_CMP_EQ:
		return figure == c->value;
	case BF_CMP_NE:
		return figure != c->value;
	}
	return false;
}

static void judge(struct check *k)
{
	const struct bf_check *c = spec(k);

	if (c->type == BF_CHECK_EQUALS)
		k->judgement = fabs(k->actual - k->expected) <= c->tolerance ? PASS : FAIL;
	else
		k->judgement = holds(&c->error_if, k->actual) ? FAIL : holds(&c->warn_if, k->actual) ? WARN : PASS;
	describe(k);
}

/* The number in columns `col` (rows yielded) and `col + 1` (the value, if one). Otherwise says what is wrong with `file`, and fails. */
static bool read_number(struct check *k, const struct bf_pg_result *r, int col, const struct bf_sql_file *file, double *out)
{
	int64_t rows = bf_pg_int(r, 0, col);
	const char *value = bf_pg_text(r, 0, col + 1);
	char *end, count[28];

	*out = strtod(value, &end);
	if (rows == 1 && *value && *end == '\0' && isfinite(*out))
		return true;
	k->judgement = FAIL;
	bf_buf_printf(&k->text, "%s: %s yielded ", k->job->step_name, file->name);
	if (rows != 1)
		bf_buf_printf(&k->text, "%s rows", rows ? bf_text_group(rows, count) : "no");
	else if (bf_pg_null(r, 0, col + 1))
		bf_buf_addstr(&k->text, "NULL");
	else
		bf_text_quote(&k->text, value, strlen(value), 60);
	bf_buf_addstr(&k->text, "; expected one number");
	return false;
}

static void read_figures(struct check *k, const struct bf_pg_result *r)
{
	const struct bf_check *c = spec(k);

	k->expected = c->expected_number;
	if (c->type == BF_CHECK_ROW_COUNT) {
		k->actual = (double)bf_pg_int(r, 0, 0);
		k->has_actual = true;
	} else {
		k->has_actual = read_number(k, r, 0, &c->query, &k->actual);
	}
	if (!k->has_actual)
		return;
	if (c->type == BF_CHECK_EQUALS && !c->expected_is_number && !read_number(k, r, 2, &c->expected, &k->expected))
		return;
	judge(k);
}

/* ---- the record ---- */

static void on_recorded(struct bf_pgc *c, const struct bf_pg_result *r, const struct bf_error *err, void *data)
{
	struct check *k = data;

	(void)c;
	(void)r;
	if (err)
		end_error(k, err, "");
	else
		end_judged(k);
}

static void bind_record(struct check *k, struct bf_pg_params *p)
{
	const struct bf_check *c = spec(k);
	char actual[32];
	BF_AUTOBUF struct bf_buf expected;

	bf_buf_init(&expected, 256);
	if (c->type == BF_CHECK_EQUALS)
		bf_buf_printf(&expected, "= %.15g", k->expected);
	else
		add_conditions(c, &expected);
	snprintf(actual, sizeof(actual), "%.17g", k->actual);
	bf_pg_add_text(p, k->job->run);
	bf_pg_add_text(p, k->job->step_name);
	bf_pg_add_int(p, k->job->seq);
	bf_pg_add_int(p, k->job->epoch);
	bf_pg_add_text(p, type_names[c->type]);
	bf_pg_add_text(p, k->has_actual ? actual : NULL);
	bf_pg_add_text(p, expected.data);
	bf_pg_add_text(p, judgement_names[k->judgement]);
}

static void record(struct check *k)
{
	struct bf_pg_params p;

	bf_pg_params_init(&p);
	bind_record(k, &p);
	if (bf_pgc_exec(k->job->lane->conn, &bf_sql_record_check, &p, on_recorded, k) < 0)
		bf_open_again(let_go(k), "its connection is not ready to record the check");
	bf_pg_params_release(&p);
}

static void on_turn(uv_prepare_t *prepare)
{
	struct check *k = prepare->data;

	if (k->job->worker->left) { /* with all its connections */
		bf_open_again(let_go(k), "the worker leaves");
		return;
	}

	bf_pgc_put_back(k->job->lane->conn);
	switch (bf_pgc_state(k->job->lane->conn)) {
	case BF_PGC_BUSY: /* the session is being put back after the script */
		return;
	case BF_PGC_READY:
		uv_prepare_stop(prepare);
		if (k->job->fenced)
			bf_job_returned(let_go(k));
		else
			record(k);
		return;
	case BF_PGC_CONNECTING:
	case BF_PGC_WAITING:
	case BF_PGC_CLOSING:
		bf_open_again(let_go(k), "its connection was lost");
		return;
	}
}

static void on_answer(struct bf_pgc *c, const struct bf_pgc_script *o, void *data)
{
	struct check *k = data;

	(void)c;
	if (o->err) {
		end_error(k, o->err, o->detail);
		return;
	}
	read_figures(k, o->last_rows);
	uv_prepare_start(&k->until_ready, on_turn);
}

/* ---- the question ---- */

/* The length of a query without the ';' that ends it and what comes after: the last ';' before which the statement is not ended. */
static size_t without_end(const char *sql)
{
	size_t len = strlen(sql);

	for (size_t n = len; n > 0; n--) {
		struct bf_sqltext before;
		bool here = sql[n - 1] == ';' && bf_sqltext_parse(sql, n - 1, &before, NULL) == 0;

		if (!here)
			continue;
		here = before.n_statements == 1 && before.unended;
		bf_sqltext_release(&before);
		if (here)
			return n - 1;
	}
	return len;
}

/* The query as a table; its own first line is the first of the text, and a comment may be its last. */
static void add_table(struct bf_buf *out, const struct bf_sql_file *file)
{
	bf_buf_addstr(out, "(");
	bf_buf_add(out, file->text, without_end(file->text));
	bf_buf_addstr(out, "\n)");
}

static void add_number_of(struct bf_buf *out, const struct bf_sql_file *file, const char *name)
{
	bf_buf_addstr(out, "(select count(*) as n, min(bf_figure::text collate \"C\") as figure from ");
	add_table(out, file);
	bf_buf_printf(out, " as yielded (bf_figure)) as %s", name);
}

static int add_question(struct bf_job *j, struct bf_buf *script, bool *plain, struct bf_error *err)
{
	const struct bf_check *c = &j->step->check;
	BF_AUTOBUF struct bf_buf sql;

	bf_buf_init(&sql, SCRIPT_MAX);
	switch (c->type) {
	case BF_CHECK_ROW_COUNT:
		bf_buf_addstr(&sql, "select count(*) from ");
		add_table(&sql, &c->query);
		bf_buf_addstr(&sql, " as yielded");
		break;
	case BF_CHECK_METRIC:
		bf_buf_addstr(&sql, "select actual.n, actual.figure from ");
		add_number_of(&sql, &c->query, "actual");
		break;
	case BF_CHECK_EQUALS:
		bf_buf_printf(&sql, "select actual.n, actual.figure%s from ", c->expected_is_number ? "" : ", expected.n, expected.figure");
		add_number_of(&sql, &c->query, "actual");
		if (!c->expected_is_number) {
			bf_buf_addstr(&sql, ", ");
			add_number_of(&sql, &c->expected, "expected");
		}
		break;
	}
	return bf_job_render_sql(j, sql.data, script, plain, err);
}

static struct check *check_new(struct bf_job *j)
{
	struct check *k = bf_alloc(sizeof(*k));

	k->job = j;
	bf_buf_init(&k->text, BF_ERROR_MAX);
	uv_prepare_init(j->worker->loop, &k->until_ready);
	k->until_ready.data = k;
	return k;
}

static int start(struct bf_job *j, struct bf_error *err)
{
	int64_t limit = j->step->timeout_ms + LATE_MS;
	BF_AUTOBUF struct bf_buf question;
	char first[120];
	struct bf_pgc_transaction transaction = {.first = first, .read_only = true};

	bf_buf_init(&question, SCRIPT_MAX);
	snprintf(first, sizeof(first), "SELECT " BF_PGC_UNLOCK ", set_config('statement_timeout', '%lld', true)",
			 (long long)(limit < INT32_MAX ? limit : INT32_MAX));
	int rc = add_question(j, &question, &transaction.plain, err);
	if (rc < 0)
		return question.overflow ? bf_fail(err, BF_E_LIMIT, "the check's SQL is longer than %zu bytes", SCRIPT_MAX) : rc;
	struct check *k = j->step_state = check_new(j);
	transaction.sql = question.data;
	if (bf_pgc_transaction_run(j->lane->conn, &transaction, on_answer, k) < 0)
		bf_open_again(let_go(k), "its connection is not ready");
	return 0;
}

/* Between the answer and the record there is nothing to cancel; both are short. */
static void stop(struct bf_job *j)
{
	if (j->step_state)
		bf_pgc_cancel(j->lane->conn);
}

const struct bf_step_kind bf_step_check = {.kind = BF_KIND_CHECK, .needs_connection = true, .start = start, .stop = stop};
