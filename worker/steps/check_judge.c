#include "steps/check_judge.h"

#include <math.h>

#include "base/duration.h"
#include "base/mem.h"
#include "base/show.h"
#include "core/sqltext.h"
#include "core/vars.h"
#include "steps/check_empty.h"
#include "steps/check_outside.h"
#include "steps/check_question.h"

#define WANTED_MAX 512

const char *bf_judgement_name(enum bf_judgement j)
{
	static const char *const names[] = {"pass", "warn", "fail"};
	return names[j];
}

void bf_finding_init(struct bf_finding *f)
{
	*f = (struct bf_finding){.judgement = BF_FAIL};
	bf_buf_init(&f->text, BF_ERROR_MAX);
	bf_buf_init(&f->wanted, WANTED_MAX);
	bf_buf_addstr(&f->text, "");
	bf_buf_addstr(&f->wanted, "");
}

void bf_finding_release(struct bf_finding *f)
{
	bf_buf_release(&f->text);
	bf_buf_release(&f->wanted);
	free(f->violations);
}

/* ---- words ---- */

static void add_number(struct bf_buf *out, double x)
{
	char text[32];

	if (x == trunc(x) && fabs(x) < 1e15)
		bf_buf_addstr(out, bf_text_group((int64_t)x, text));
	else
		bf_buf_printf(out, "%.10g", x);
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

/* The database, by the name of the variable that says where it is: its value may be a secret. */
static void add_database(struct bf_buf *out)
{
	static const char *const names[] = {"BF_DATABASE_URL", "DATABASE_URL"};
	const char *name = NULL;

	for (size_t i = 0; !name && i < BF_COUNT_OF(names); i++)
		name = getenv(names[i]) && *getenv(names[i]) ? names[i] : NULL;
	if (name)
		bf_buf_printf(out, " \"$%s\"", name);
}

/* The command that runs a query by hand, with the variables that it uses. */
static void add_psql(const struct bf_job *j, const struct bf_sql_file *file, struct bf_buf *out)
{
	BF_AUTOFREE char *path = bf_asprintf("%s/%s", j->def->pipeline->dir, file->name);
	struct bf_sqltext sql;
	struct bf_vars v;

	if (bf_sqltext_parse(file->text, strlen(file->text), &sql, NULL) < 0)
		return;
	bf_job_vars(j, &v);
	bf_buf_addstr(out, "psql");
	add_database(out);
	for (size_t i = 0; i < sql.n_pieces; i++) {
		const struct bf_sqltext_piece *p = &sql.pieces[i];
		const char *value = p->kind == BF_SQL_TEXT ? NULL : bf_vars_sql(&v, p->start, p->len);
		if (!value || used_before(&sql, i))
			continue;
		bf_buf_printf(out, " -v %.*s=", (int)p->len, p->start);
		bf_show_word(out, value);
	}
	bf_buf_addstr(out, " -f ");
	bf_show_word(out, path);
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

static void add_range(const struct bf_check *c, struct bf_buf *out)
{
	if (isfinite(c->min) && isfinite(c->max)) {
		add_number(out, c->min);
		bf_buf_addstr(out, " to ");
		add_number(out, c->max);
	} else {
		bf_buf_addstr(out, isfinite(c->min) ? "at least " : "at most ");
		add_number(out, isfinite(c->min) ? c->min : c->max);
	}
}

static void add_statuses(const struct bf_check *c, struct bf_buf *out)
{
	bf_buf_addstr(out, "status ");
	bf_request_add_expected(&c->http, out);
	if (c->warn_if.op != BF_CMP_NONE || c->error_if.op != BF_CMP_NONE)
		bf_buf_addstr(out, ", ");
}

/* What would be right, as the ledger keeps it. */
static void add_wanted(const struct bf_check *c, struct bf_finding *f)
{
	switch (c->type) {
	case BF_CHECK_EQUALS:
		bf_buf_printf(&f->wanted, "= %.15g", f->expected);
		break;
	case BF_CHECK_RANGE:
		add_range(c, &f->wanted);
		break;
	case BF_CHECK_HTTP:
		add_statuses(c, &f->wanted);
		add_conditions(c, &f->wanted);
		break;
	case BF_CHECK_JSON:
	case BF_CHECK_METRIC:
	case BF_CHECK_ROW_COUNT:
	case BF_CHECK_ROWS:
	case BF_CHECK_FRESHNESS:
	case BF_CHECK_COVERAGE:
	case BF_CHECK_SUCCESS_RATE:
		add_conditions(c, &f->wanted);
		break;
	}
}

static const char *things(const struct bf_job *j, int64_t n)
{
	if (j->def->pipeline->chunk.by_key)
		return n == 1 ? "key" : "keys";
	return n == 1 ? "day" : "days";
}

/* "99.69 %": never 100 % while something is missing. */
static void add_percent(struct bf_buf *out, double ratio)
{
	double percent = floor(ratio * 10000) / 100;

	bf_buf_printf(out, "%.10g %%", percent);
}

static void add_coverage(const struct bf_job *j, const struct bf_pg_result *r, double ratio, struct bf_buf *out)
{
	int64_t missing = bf_pg_int(r, 0, BF_ANSWER_EXPECTED_ROWS), wanted = bf_pg_int(r, 0, BF_ANSWER_EXPECTED);
	char a[28], b[28];

	bf_buf_printf(out, "%s of %s %s there (", bf_text_group(wanted - missing, a), bf_text_group(wanted, b), things(j, wanted));
	add_percent(out, ratio);
	bf_buf_addstr(out, "), ");
}

static void add_figure(const struct bf_job *j, const struct bf_check *c, const struct bf_pg_result *r, const struct bf_finding *f,
					   struct bf_buf *out)
{
	char text[BF_DURATION_TEXT];
	int64_t all;

	switch (c->type) {
	case BF_CHECK_METRIC:
	case BF_CHECK_EQUALS:
	case BF_CHECK_RANGE:
		add_number(out, f->figure);
		bf_buf_addstr(out, " found, ");
		break;
	case BF_CHECK_ROW_COUNT:
		add_number(out, f->figure);
		bf_buf_printf(out, " %s found, ", f->figure == 1 ? "row" : "rows");
		break;
	case BF_CHECK_ROWS:
		all = bf_pg_int(r, 0, BF_ANSWER_EXPECTED);
		add_number(out, f->figure);
		bf_buf_printf(out, " %s found", f->figure == 1 ? "violation" : "violations");
		if ((double)all > f->figure)
			bf_buf_printf(out, " and %lld that only warn", (long long)((double)all - f->figure));
		bf_buf_addstr(out, ", ");
		break;
	case BF_CHECK_FRESHNESS:
		bf_buf_printf(out, "%s old, ", bf_duration_human(f->figure > 0 ? (int64_t)f->figure : 0, text));
		break;
	case BF_CHECK_COVERAGE:
		add_coverage(j, r, f->figure, out);
		break;
	case BF_CHECK_SUCCESS_RATE:
		all = bf_pg_int(r, 0, BF_ANSWER_EXPECTED);
		add_percent(out, f->figure);
		bf_buf_printf(out, " of %lld %s done, ", (long long)all, all == 1 ? "job" : "jobs");
		break;
	case BF_CHECK_HTTP:
	case BF_CHECK_JSON: /* bf_check_judge_outside */
		break;
	}
}

/* ---- what to do about it ---- */

static void add_missing(const struct bf_pg_result *r, struct bf_buf *out)
{
	int64_t missing = bf_pg_int(r, 0, BF_ANSWER_EXPECTED_ROWS);

	bf_buf_printf(out, ". Missing: %s", bf_pg_text(r, 0, BF_ANSWER_FIRST));
	if (missing > 5)
		bf_buf_printf(out, " and %lld more", (long long)(missing - 5));
}

/* The parameters that were given, for a command. */
static void add_params(const struct bf_job *j, struct bf_buf *out)
{
	const struct bf_run_def *def = j->def;

	for (size_t i = 0; i < def->n_params && i < def->pipeline->n_params; i++) {
		const char *usual = def->pipeline->params[i].default_value;
		if (usual && strcmp(usual, def->param_values[i]) == 0)
			continue;
		bf_buf_printf(out, " --param=%s=", def->param_names[i]);
		bf_show_word(out, def->param_values[i]);
	}
}

static void add_filling(const struct bf_job *j, const struct bf_step *of, const struct bf_pg_result *r, struct bf_buf *out)
{
	bf_buf_printf(out, ". Fill them: enqueue run %s --only=%s", j->def->pipeline->name, of->name);
	if (!j->def->pipeline->chunk.by_key)
		bf_buf_printf(out, " --since=%s --until=%s", bf_pg_text(r, 0, BF_ANSWER_SINCE), bf_pg_text(r, 0, BF_ANSWER_UNTIL));
	add_params(j, out);
	bf_buf_printf(out, "; then enqueue retry %s --step=%s", j->run, j->step_name);
}

static void add_next(const struct bf_job *j, const struct bf_check *c, const struct bf_pg_result *r, struct bf_buf *out)
{
	switch (c->type) {
	case BF_CHECK_METRIC:
	case BF_CHECK_EQUALS:
	case BF_CHECK_RANGE:
	case BF_CHECK_FRESHNESS:
		bf_buf_addstr(out, ". Ask again: ");
		add_psql(j, &c->query, out);
		break;
	case BF_CHECK_ROW_COUNT:
	case BF_CHECK_ROWS:
		bf_buf_addstr(out, ". Show them: ");
		add_psql(j, &c->query, out);
		break;
	case BF_CHECK_COVERAGE:
		add_missing(r, out);
		if (c->of >= 0) {
			add_filling(j, &j->def->pipeline->steps[c->of], r, out);
		} else {
			bf_buf_addstr(out, ". What is there: ");
			add_psql(j, &c->present, out);
		}
		break;
	case BF_CHECK_SUCCESS_RATE:
		bf_buf_printf(out, ". Show them: bfstat failures %s", j->run);
		break;
	case BF_CHECK_HTTP:
	case BF_CHECK_JSON:
		bf_buf_printf(out, ". Ask again: enqueue retry %s --step=%s", j->run, j->step_name);
		break;
	}
}

static void describe(const struct bf_job *j, const struct bf_check *c, const struct bf_pg_result *r, struct bf_finding *f)
{
	struct bf_buf *out = &f->text;

	add_figure(j, c, r, f, out);
	if (c->type == BF_CHECK_EQUALS) {
		add_number(out, f->expected);
		bf_buf_addstr(out, " expected (tolerance ");
		add_number(out, c->tolerance);
		bf_buf_addch(out, ')');
	} else {
		bf_buf_printf(out, "%s%s", c->type == BF_CHECK_RANGE ? "expected " : "", f->wanted.data);
	}
	if (f->judgement != BF_PASS)
		add_next(j, c, r, out);
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

static enum bf_judgement by_conditions(const struct bf_check *c, double figure)
{
	if (holds(&c->error_if, figure))
		return BF_FAIL;
	return holds(&c->warn_if, figure) ? BF_WARN : BF_PASS;
}

static enum bf_judgement judge(const struct bf_check *c, const struct bf_pg_result *r, const struct bf_finding *f)
{
	enum bf_judgement bad = c->only_warns ? BF_WARN : BF_FAIL;

	if (c->type == BF_CHECK_EQUALS)
		return fabs(f->figure - f->expected) <= c->tolerance ? BF_PASS : bad;
	if (c->type == BF_CHECK_RANGE)
		return f->figure >= c->min && f->figure <= c->max ? BF_PASS : bad;
	if (c->type == BF_CHECK_ROWS && !holds(&c->error_if, f->figure) && (double)bf_pg_int(r, 0, BF_ANSWER_EXPECTED) > f->figure)
		return BF_WARN; /* rows that name themselves warnings */
	return by_conditions(c, f->figure);
}

/* The number in columns `col` (rows yielded) and `col + 1` (the value, if one). Otherwise says what is wrong with `file`. */
static bool read_number(const struct bf_pg_result *r, int col, const struct bf_sql_file *file, const char *what, double *out,
						struct bf_finding *f)
{
	int64_t rows = bf_pg_int(r, 0, col);
	const char *value = bf_pg_text(r, 0, col + 1);
	char *end, count[28];

	*out = strtod(value, &end);
	if (rows == 1 && *value && *end == '\0' && isfinite(*out))
		return true;
	bf_buf_printf(&f->text, "%s yielded ", file->name);
	if (rows != 1)
		bf_buf_printf(&f->text, "%s rows", rows ? bf_text_group(rows, count) : "no");
	else if (bf_pg_null(r, 0, col + 1))
		bf_buf_addstr(&f->text, "NULL");
	else
		bf_text_quote(&f->text, value, strlen(value), 60);
	bf_buf_printf(&f->text, "; expected one %s", what);
	return false;
}

/* The figure of the ledger's own: `why` it may be missing. */
static bool read_counted(const struct bf_pg_result *r, const char *why, struct bf_finding *f)
{
	f->figure = strtod(bf_pg_text(r, 0, BF_ANSWER_FIGURE), NULL);
	if (bf_pg_int(r, 0, BF_ANSWER_ROWS) == 1)
		return true;
	bf_buf_addstr(&f->text, why);
	return false;
}

static bool read_figures(const struct bf_check *c, const struct bf_pg_result *r, struct bf_finding *f)
{
	switch (c->type) {
	case BF_CHECK_ROW_COUNT:
	case BF_CHECK_ROWS:
		return read_counted(r, "", f);
	case BF_CHECK_METRIC:
	case BF_CHECK_RANGE:
		return read_number(r, BF_ANSWER_ROWS, &c->query, "number", &f->figure, f);
	case BF_CHECK_EQUALS:
		f->expected = c->expected_number;
		return read_number(r, BF_ANSWER_ROWS, &c->query, "number", &f->figure, f) &&
			   (c->expected_is_number || read_number(r, BF_ANSWER_EXPECTED_ROWS, &c->expected, "number", &f->expected, f));
	case BF_CHECK_FRESHNESS:
		return read_number(r, BF_ANSWER_ROWS, &c->query, "time", &f->figure, f);
	case BF_CHECK_COVERAGE:
		return read_counted(r, "what is expected has a NULL in it; expected days, or keys", f);
	case BF_CHECK_SUCCESS_RATE:
		return read_counted(r, "no job has been tried; expected some, to count those that succeeded", f);
	case BF_CHECK_HTTP:
	case BF_CHECK_JSON:
		return false;
	}
	return false;
}

static void add_name(const struct bf_job *j, const struct bf_check *c, struct bf_buf *out)
{
	bf_buf_printf(out, "%s%s%s: ", j->step_name, *c->name ? "/" : "", c->name);
}

/* Nothing had to be tried, or nothing came and the file says what that is. */
static bool judge_without_figure(const struct bf_check *c, const struct bf_pg_result *answer, struct bf_finding *out)
{
	bool to_try = !bf_check_had_nothing_to_try(c, answer);

	if (to_try && !bf_check_allows_null(c, answer))
		return false;
	add_wanted(c, out);
	out->judgement = to_try || c->on_empty != BF_EMPTY_USUAL ? bf_check_judge_empty(c, BF_PASS) : BF_PASS;
	if (to_try)
		bf_buf_printf(&out->text, "judged on nothing: %s yielded no figure, %s", c->query.name, out->wanted.data);
	else
		bf_buf_printf(&out->text, "no job had to be tried, %s", out->wanted.data);
	return true;
}

void bf_check_judge(const struct bf_job *j, const struct bf_check *c, const struct bf_pg_result *answer, struct bf_finding *out)
{
	add_name(j, c, &out->text);
	if (judge_without_figure(c, answer, out))
		return;
	out->has_figure = read_figures(c, answer, out);
	add_wanted(c, out);
	if (!out->has_figure)
		return;
	if (bf_pg_cols(answer) > BF_ANSWER_VIOLATIONS && !bf_pg_null(answer, 0, BF_ANSWER_VIOLATIONS))
		out->violations = bf_strdup(bf_pg_text(answer, 0, BF_ANSWER_VIOLATIONS));
	out->judgement = judge(c, answer, out);
	if (bf_check_is_empty(c, answer, &out->text)) {
		out->judgement = bf_check_judge_empty(c, out->judgement);
		bf_buf_addstr(&out->text, "; judged on nothing: ");
	}
	describe(j, c, answer, out);
}

void bf_check_judge_outside(const struct bf_job *j, const struct bf_check *c, const struct bf_outside_answer *a, struct bf_finding *out)
{
	bool counted = c->type == BF_CHECK_JSON || c->figure == BF_FIGURE_VALUE; /* otherwise the text says the figure */

	add_name(j, c, &out->text);
	add_wanted(c, out);
	out->has_figure = a->has_figure;
	out->figure = a->figure;
	out->passing = !a->has_figure && a->passing;
	if (a->has_figure && counted) {
		add_number(&out->text, a->figure);
		bf_buf_addstr(&out->text, " found: ");
	}
	bf_buf_addstr(&out->text, a->text);
	if (a->has_figure) {
		out->judgement = by_conditions(c, a->figure);
		bf_buf_printf(&out->text, ", %s", out->wanted.data);
	}
	if (out->judgement != BF_PASS)
		add_next(j, c, NULL, &out->text);
}
