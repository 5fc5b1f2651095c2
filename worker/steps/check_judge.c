#include "steps/check_judge.h"

#include "base/decimal.h"
#include "base/duration.h"
#include "base/mem.h"
#include "base/show.h"
#include "core/sqltext.h"
#include "core/vars.h"
#include "steps/check_empty.h"
#include "steps/check_outside.h"
#include "steps/check_question.h"

#define WANTED_MAX      512
#define CONDITION_SHOWN 60

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
	free(f->figure);
	free(f->expected);
}

/* ---- words ---- */

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

/* As written, but for a number too long to read. */
static void add_condition(const struct bf_condition *c, const char *word, struct bf_buf *out)
{
	if (c->op == BF_CMP_NONE)
		return;
	if (strlen(c->text) <= CONDITION_SHOWN) {
		bf_buf_printf(out, "%s if %s", word, c->text);
		return;
	}
	bf_buf_printf(out, "%s if %.*s", word, (int)strspn(c->text, "<>=! "), c->text);
	bf_decimal_show(out, c->number, NULL);
}

static void add_conditions(const struct bf_check *c, struct bf_buf *out)
{
	add_condition(&c->warn_if, "warns", out);
	if (c->warn_if.op != BF_CMP_NONE && c->error_if.op != BF_CMP_NONE)
		bf_buf_addstr(out, ", ");
	add_condition(&c->error_if, "fails", out);
}

static void add_range(const struct bf_check *c, struct bf_buf *out)
{
	if (!c->min || !c->max)
		bf_buf_addstr(out, c->min ? "at least " : "at most ");
	bf_decimal_show(out, c->min ? c->min : c->max, NULL);
	if (c->min && c->max) {
		bf_buf_addstr(out, " to ");
		bf_decimal_show(out, c->max, c->min);
	}
}

static void add_statuses(const struct bf_check *c, struct bf_buf *out)
{
	bf_buf_addstr(out, "status ");
	bf_request_add_expected(&c->http, out);
	if (c->warn_if.op != BF_CMP_NONE || c->error_if.op != BF_CMP_NONE)
		bf_buf_addstr(out, ", ");
}

/* Every digit, as far as there is room for them. */
static void add_expected(const char *number, struct bf_finding *f)
{
	if (number && strlen(number) < WANTED_MAX - 2)
		bf_buf_addstr(&f->wanted, number);
	else if (number)
		bf_decimal_show(&f->wanted, number, f->figure);
}

/* What would be right, as the ledger keeps it. */
static void add_wanted(const struct bf_check *c, struct bf_finding *f)
{
	switch (c->type) {
	case BF_CHECK_EQUALS:
		bf_buf_addstr(&f->wanted, "= ");
		add_expected(f->expected ? f->expected : c->expected_number, f);
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

/* "99.69 %": rounded down, so never 100 % while something is missing. */
static void add_percent(struct bf_buf *out, int64_t part, int64_t all)
{
	int hundredths = all > 0 ? (int)(part * 10000 / all) : 10000;
	int whole = hundredths / 100, rest = hundredths % 100;

	if (rest % 10 != 0)
		bf_buf_printf(out, "%d.%02d %%", whole, rest);
	else if (rest != 0)
		bf_buf_printf(out, "%d.%d %%", whole, rest / 10);
	else
		bf_buf_printf(out, "%d %%", whole);
}

static void add_coverage(const struct bf_job *j, const struct bf_pg_result *r, struct bf_buf *out)
{
	int64_t missing = bf_pg_int(r, 0, BF_ANSWER_EXPECTED_ROWS), wanted = bf_pg_int(r, 0, BF_ANSWER_EXPECTED);
	char a[28], b[28];

	bf_buf_printf(out, "%s of %s %s there (", bf_text_group(wanted - missing, a), bf_text_group(wanted, b), things(j, wanted));
	add_percent(out, wanted - missing, wanted);
	bf_buf_addstr(out, "), ");
}

/* What the figure is compared with, so that of long numbers the digits are shown that differ. */
static const char *against(const struct bf_check *c, const struct bf_finding *f)
{
	if (c->type == BF_CHECK_EQUALS)
		return f->expected;
	if (c->type == BF_CHECK_RANGE)
		return c->min ? c->min : c->max;
	return c->error_if.number ? c->error_if.number : c->warn_if.number;
}

static void add_figure(const struct bf_job *j, const struct bf_check *c, const struct bf_pg_result *r, const struct bf_finding *f,
					   struct bf_buf *out)
{
	char text[BF_DURATION_TEXT];
	int64_t all, violations;

	switch (c->type) {
	case BF_CHECK_METRIC:
	case BF_CHECK_EQUALS:
	case BF_CHECK_RANGE:
		bf_decimal_show(out, f->figure, against(c, f));
		bf_buf_addstr(out, " found, ");
		break;
	case BF_CHECK_ROW_COUNT:
		bf_decimal_show(out, f->figure, NULL);
		bf_buf_printf(out, " %s found, ", strcmp(f->figure, "1") == 0 ? "row" : "rows");
		break;
	case BF_CHECK_ROWS:
		all = bf_pg_int(r, 0, BF_ANSWER_EXPECTED);
		violations = bf_pg_int(r, 0, BF_ANSWER_FIGURE);
		bf_decimal_show(out, f->figure, NULL);
		bf_buf_printf(out, " %s found", violations == 1 ? "violation" : "violations");
		if (all > violations)
			bf_buf_printf(out, " and %lld that only warn", (long long)(all - violations));
		bf_buf_addstr(out, ", ");
		break;
	case BF_CHECK_FRESHNESS:
		all = strtoll(f->figure, NULL, 10);
		bf_buf_printf(out, "%s old, ", bf_duration_human(all > 0 ? all : 0, text));
		break;
	case BF_CHECK_COVERAGE:
		add_coverage(j, r, out);
		break;
	case BF_CHECK_SUCCESS_RATE:
		all = bf_pg_int(r, 0, BF_ANSWER_EXPECTED);
		add_percent(out, all - bf_pg_int(r, 0, BF_ANSWER_EXPECTED_ROWS), all);
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

static const char *tolerance_of(const struct bf_check *c)
{
	return c->tolerance ? c->tolerance : "0";
}

static void describe(const struct bf_job *j, const struct bf_check *c, const struct bf_pg_result *r, struct bf_finding *f)
{
	struct bf_buf *out = &f->text;

	add_figure(j, c, r, f, out);
	if (c->type == BF_CHECK_EQUALS) {
		bf_decimal_show(out, f->expected, f->figure);
		bf_buf_addstr(out, " expected (tolerance ");
		bf_decimal_show(out, tolerance_of(c), NULL);
		bf_buf_addch(out, ')');
	} else {
		bf_buf_printf(out, "%s%s", c->type == BF_CHECK_RANGE ? "expected " : "", f->wanted.data);
	}
	if (f->judgement != BF_PASS)
		add_next(j, c, r, out);
}

/* ---- the figure ---- */

static bool holds(const struct bf_condition *c, const char *figure)
{
	int order = c->op == BF_CMP_NONE ? 0 : bf_decimal_cmp(figure, c->number);

	switch (c->op) {
	case BF_CMP_NONE:
		return false;
	case BF_CMP_LT:
		return order < 0;
	case BF_CMP_LE:
		return order <= 0;
	case BF_CMP_GT:
		return order > 0;
	case BF_CMP_GE:
		return order >= 0;
	case BF_CMP_EQ:
		return order == 0;
	case BF_CMP_NE:
		return order != 0;
	}
	return false;
}

static bool in_range(const struct bf_check *c, const char *figure)
{
	return (!c->min || bf_decimal_cmp(figure, c->min) >= 0) && (!c->max || bf_decimal_cmp(figure, c->max) <= 0);
}

static enum bf_judgement by_conditions(const struct bf_check *c, const char *figure)
{
	if (holds(&c->error_if, figure))
		return BF_FAIL;
	return holds(&c->warn_if, figure) ? BF_WARN : BF_PASS;
}

static enum bf_judgement judge(const struct bf_check *c, const struct bf_pg_result *r, const struct bf_finding *f)
{
	enum bf_judgement bad = c->only_warns ? BF_WARN : BF_FAIL;

	if (c->type == BF_CHECK_EQUALS)
		return bf_decimal_within(f->figure, f->expected, tolerance_of(c)) ? BF_PASS : bad;
	if (c->type == BF_CHECK_RANGE)
		return in_range(c, f->figure) ? BF_PASS : bad;
	if (c->type == BF_CHECK_ROWS && !holds(&c->error_if, f->figure) &&
		bf_pg_int(r, 0, BF_ANSWER_EXPECTED) > bf_pg_int(r, 0, BF_ANSWER_FIGURE))
		return BF_WARN; /* rows that name themselves warnings */
	return by_conditions(c, f->figure);
}

/* The number in columns `col` (rows yielded) and `col + 1` (the value, if one). Otherwise says what is wrong with `file`. */
static bool read_number(const struct bf_pg_result *r, int col, const struct bf_sql_file *file, const char *what, char **out,
						struct bf_finding *f)
{
	int64_t rows = bf_pg_int(r, 0, col);
	const char *value = bf_pg_text(r, 0, col + 1);
	char count[28];

	if (rows == 1 && bf_decimal_valid(value)) {
		*out = bf_strdup(value);
		return true;
	}
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
	if (bf_pg_int(r, 0, BF_ANSWER_ROWS) == 1) {
		f->figure = bf_strdup(bf_pg_text(r, 0, BF_ANSWER_FIGURE));
		return true;
	}
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
		f->expected = bf_strdup(c->expected_number);
		return read_number(r, BF_ANSWER_ROWS, &c->query, "number", &f->figure, f) &&
			   (f->expected || read_number(r, BF_ANSWER_EXPECTED_ROWS, &c->expected, "number", &f->expected, f));
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
	bool found = read_figures(c, answer, out);
	add_wanted(c, out);
	if (!found) {
		free(bf_steal(&out->figure)); /* of two, the other was none */
		return;
	}
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
	out->figure = bf_strdup(a->figure);
	out->passing = !a->figure && a->passing;
	if (a->figure && counted) {
		bf_decimal_show(&out->text, a->figure, against(c, out));
		bf_buf_addstr(&out->text, " found: ");
	}
	bf_buf_addstr(&out->text, a->text);
	if (a->figure) {
		out->judgement = by_conditions(c, a->figure);
		bf_buf_printf(&out->text, ", %s", out->wanted.data);
	}
	if (out->judgement != BF_PASS)
		add_next(j, c, NULL, &out->text);
}
