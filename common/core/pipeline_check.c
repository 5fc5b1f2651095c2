#include "base/decimal.h"
#include "base/duration.h"
#include "base/mem.h"
#include "core/json_figure.h"
#include "core/pipeline_internal.h"

static const char *const type_names[] = {"metric",   "row_count",    "equals", "rows", "range", "freshness",
										 "coverage", "success_rate", "http",   "json", NULL};
static const char *const severity_names[] = {"error", "warning", NULL};
static const char *const on_empty_names[] = {"pass", "warn", "fail", NULL}; /* as enum bf_on_empty, without the first */
static const char *const figure_names[] = {"status", "latency", "value", NULL};

/* What the types are told by; every check has a type, and a soak's a name. */
#define OF(type) (1u << (type))
#define FIGURES                                                                                                          \
	(OF(BF_CHECK_METRIC) | OF(BF_CHECK_ROW_COUNT) | OF(BF_CHECK_ROWS) | OF(BF_CHECK_FRESHNESS) | OF(BF_CHECK_COVERAGE) | \
	 OF(BF_CHECK_SUCCESS_RATE) | OF(BF_CHECK_HTTP) | OF(BF_CHECK_JSON))
#define COUNTED (OF(BF_CHECK_METRIC) | OF(BF_CHECK_RANGE) | OF(BF_CHECK_EQUALS) | OF(BF_CHECK_ROWS))
static const struct {
	const char *field;
	unsigned types;
	const char *shown;
} own_fields[] = {
	{"file", ~(OF(BF_CHECK_COVERAGE) | OF(BF_CHECK_SUCCESS_RATE) | OF(BF_CHECK_HTTP) | OF(BF_CHECK_JSON)),
	 "metric, row_count, equals, rows, range and freshness"},
	{"expected", OF(BF_CHECK_EQUALS) | OF(BF_CHECK_COVERAGE), "equals and coverage"},
	{"present", OF(BF_CHECK_COVERAGE), "coverage"},
	{"of", OF(BF_CHECK_COVERAGE) | OF(BF_CHECK_SUCCESS_RATE), "coverage and success_rate"},
	{"tolerance", OF(BF_CHECK_EQUALS), "equals"},
	{"min", OF(BF_CHECK_RANGE), "range"},
	{"max", OF(BF_CHECK_RANGE), "range"},
	{"severity", OF(BF_CHECK_EQUALS) | OF(BF_CHECK_RANGE), "equals and range"},
	{"count", COUNTED, "metric, range, equals and rows"},
	{"on_empty", COUNTED | OF(BF_CHECK_COVERAGE) | OF(BF_CHECK_FRESHNESS) | OF(BF_CHECK_SUCCESS_RATE),
	 "metric, range, equals, rows, coverage, freshness and success_rate"},
	{"warn_if", FIGURES, "metric, row_count, rows, freshness, coverage, success_rate, http and json"},
	{"error_if", FIGURES, "metric, row_count, rows, freshness, coverage, success_rate, http and json"},
	{"method", OF(BF_CHECK_HTTP), "http"},
	{"url", OF(BF_CHECK_HTTP), "http"},
	{"headers", OF(BF_CHECK_HTTP), "http"},
	{"body", OF(BF_CHECK_HTTP), "http"},
	{"redirects", OF(BF_CHECK_HTTP), "http"},
	{"expected_status", OF(BF_CHECK_HTTP), "http"},
	{"figure", OF(BF_CHECK_HTTP), "http"},
	{"pointer", OF(BF_CHECK_HTTP) | OF(BF_CHECK_JSON), "http and json"},
	{"json_file", OF(BF_CHECK_JSON), "json"},
};

static const struct {
	const char *text; /* what begins with another comes before it */
	enum bf_cmp op;
} comparisons[] = {
	{"<=", BF_CMP_LE}, {"<>", BF_CMP_NE}, {"<", BF_CMP_LT},  {">=", BF_CMP_GE},
	{">", BF_CMP_GT},  {"!=", BF_CMP_NE}, {"==", BF_CMP_EQ}, {"=", BF_CMP_EQ},
};

const char *bf_check_type_name(enum bf_check_type type)
{
	return type_names[type];
}

/* ---- conditions ---- */

/* As JSON writes a number, whatever the locale; spaces around it are none of it. */
static bool parse_number(const char *text, char **out)
{
	const char *at = text + strspn(text, " ");
	BF_AUTOFREE char *number = bf_strdup(at);
	size_t len = strlen(number);

	while (len > 0 && number[len - 1] == ' ')
		number[--len] = '\0';
	if (!bf_decimal_valid(number))
		return false;
	*out = bf_steal(&number);
	return true;
}

static bool parse_age(const char *text, char **out)
{
	int64_t ms;

	if (bf_duration_parse(text + strspn(text, " "), &ms, NULL) < 0)
		return false;
	*out = bf_asprintf("%lld", (long long)ms);
	return true;
}

static bool parse_condition(const char *text, bool age, struct bf_condition *out)
{
	for (size_t i = 0; i < BF_COUNT_OF(comparisons); i++) {
		size_t len = strlen(comparisons[i].text);

		if (strncmp(text, comparisons[i].text, len) != 0)
			continue;
		if (!(age ? parse_age : parse_number)(text + len, &out->number))
			return false;
		out->op = comparisons[i].op;
		out->text = bf_strdup(text);
		return true;
	}
	return false;
}

static void read_condition(struct bf_reader *r, const struct bf_at *up, json_t *object, const char *field, bool age,
						   struct bf_condition *out)
{
	struct bf_at at = bf_at_field(up, field);
	json_t *value = json_object_get(object, field);

	if (value && (!json_is_string(value) || !parse_condition(json_string_value(value), age, out)))
		bf_problem_found(r, &at, value, "a comparison with %s (<, <=, >, >=, = or !=), such as %s", age ? "an age" : "a number",
						 age ? "\"> 24h\"" : "\"< 1.0\"");
}

static void otherwise(struct bf_condition *c, const char *text)
{
	(void)parse_condition(text, false, c);
}

/* Some types have a condition that goes without saying: no row that should not be there, and nothing missing. */
static void read_conditions(struct bf_reader *r, const struct bf_at *at, json_t *object, struct bf_check *c)
{
	bool age = c->type == BF_CHECK_FRESHNESS || c->figure == BF_FIGURE_LATENCY;

	read_condition(r, at, object, "warn_if", age, &c->warn_if);
	read_condition(r, at, object, "error_if", age, &c->error_if);
	if (json_object_get(object, "warn_if") || json_object_get(object, "error_if"))
		return;
	if (c->type == BF_CHECK_ROWS)
		otherwise(&c->error_if, "> 0");
	else if (c->type == BF_CHECK_COVERAGE)
		otherwise(&c->error_if, "< 1");
	else if (c->type == BF_CHECK_HTTP && c->figure == BF_FIGURE_STATUS)
		return; /* an unexpected one fails anyway */
	else
		bf_problem(r, at, "found neither \"error_if\" nor \"warn_if\", expected one of them, such as \"error_if\": \"%s\"",
				   age ? "> 48h" : "< 1.0");
}

/* ---- the types ---- */

static void read_expected_figure(struct bf_reader *r, const struct bf_at *up, json_t *object, const struct bf_sql_use *use,
								 struct bf_check *c)
{
	struct bf_at at = bf_at_field(up, "expected");
	json_t *expected = json_object_get(object, "expected");

	if (!bf_require(r, up, object, "expected", "a number, or the name of an SQL file that yields it"))
		return;
	if (json_is_string(expected)) {
		bf_read_sql(r, &at, expected, use, &c->expected);
	} else if (json_is_number(expected)) {
		bf_read_decimal(r, up, object, "expected", NULL, &c->expected_number);
	} else {
		bf_problem_found(r, &at, expected, "a number, or the name of an SQL file that yields it");
	}
}

static void read_range(struct bf_reader *r, const struct bf_at *at, json_t *object, struct bf_check *c)
{
	bool min = bf_read_decimal(r, at, object, "min", NULL, &c->min);
	bool max = bf_read_decimal(r, at, object, "max", NULL, &c->max);

	if (!json_object_get(object, "min") && !json_object_get(object, "max"))
		bf_problem(r, at, "found neither \"min\" nor \"max\", expected at least one of them");
	else if (min && max && bf_decimal_cmp(c->min, c->max) > 0)
		bf_problem(r, at, "found a \"min\" above \"max\", expected at most that");
}

static void read_of(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_check *c)
{
	struct bf_at at = bf_at_field(up, "of");
	const char *name = bf_read_text(r, up, object, "of");

	if (!name)
		return;
	c->of = bf_step_ordinal(r, name);
	if (c->of < 0)
		bf_problem_word(r, &at, name, "the name of a step of this file", r->step_names);
}

static void read_coverage(struct bf_reader *r, const struct bf_at *up, json_t *object, const struct bf_sql_use *use, struct bf_check *c)
{
	struct bf_at expected = bf_at_field(up, "expected"), present = bf_at_field(up, "present"), of = bf_at_field(up, "of");
	bool files = json_object_get(object, "expected") || json_object_get(object, "present");

	if (json_object_get(object, "of")) {
		read_of(r, up, object, c);
		if (files)
			bf_problem(r, &of, "found beside \"expected\" or \"present\", expected the step, or both files");
		return;
	}
	if (!files) {
		bf_problem(r, up,
				   "found neither \"of\" nor \"expected\" and \"present\", expected \"of\": \"STEP\", or the names of two SQL files");
		return;
	}
	if (bf_require(r, up, object, "expected", "the name of an SQL file that yields what should be there"))
		bf_read_sql(r, &expected, json_object_get(object, "expected"), use, &c->expected);
	if (bf_require(r, up, object, "present", "the name of an SQL file that yields what is there"))
		bf_read_sql(r, &present, json_object_get(object, "present"), use, &c->present);
}

static void refuse_fields_of_others(struct bf_reader *r, const struct bf_at *up, json_t *object, enum bf_check_type type)
{
	for (size_t i = 0; i < BF_COUNT_OF(own_fields); i++) {
		struct bf_at at = bf_at_field(up, own_fields[i].field);

		if (json_object_get(object, own_fields[i].field) && !(own_fields[i].types & OF(type)))
			bf_problem(r, &at, "found on a check of type %s, expected only on %s", type_names[type], own_fields[i].shown);
	}
}

static void read_query(struct bf_reader *r, const struct bf_at *at, json_t *object, const struct bf_sql_use *use, const char *what,
					   struct bf_check *c)
{
	struct bf_at file = bf_at_field(at, "file");

	if (bf_require(r, at, object, "file", what))
		bf_read_sql(r, &file, json_object_get(object, "file"), use, &c->query);
}

static void read_pointer(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_check *c)
{
	struct bf_at at = bf_at_field(up, "pointer");
	const char *text = bf_read_text(r, up, object, "pointer");

	if (!text)
		return;
	if (!bf_json_pointer_valid(text))
		bf_problem_found(r, &at, json_object_get(object, "pointer"), "a JSON pointer, such as \"/data/0/count\"");
	c->pointer = bf_strdup(text);
}

static void read_http_figure(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_check *c)
{
	struct bf_at figure = bf_at_field(up, "figure"), pointer = bf_at_field(up, "pointer");
	bool has_pointer = json_object_get(object, "pointer");

	bf_read_http(r, up, object, &c->http);
	read_pointer(r, up, object, c);
	c->figure =
		(enum bf_http_figure)bf_read_choice(r, up, object, "figure", figure_names, has_pointer ? BF_FIGURE_VALUE : BF_FIGURE_STATUS);
	if (c->figure == BF_FIGURE_VALUE && !has_pointer)
		bf_problem(r, &figure, "found \"value\" without \"pointer\", expected both: where in the answer the number is");
	else if (c->figure != BF_FIGURE_VALUE && has_pointer)
		bf_problem(r, &pointer, "found beside a figure that is not \"value\", expected one of them");
	if (c->figure == BF_FIGURE_VALUE && strcmp(c->http.method, "HEAD") == 0)
		bf_problem(r, &pointer, "found beside the method HEAD, which has no answer to look into; expected another");
}

static void read_json_file(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_check *c)
{
	struct bf_at at = bf_at_field(up, "json_file");
	json_t *name = json_object_get(object, "json_file");

	read_pointer(r, up, object, c);
	if (!c->pointer)
		c->pointer = bf_strdup("");
	if (!bf_require(r, up, object, "json_file", "the name of a JSON file"))
		return;
	bf_check_template(r, &at, name);
	c->json_file = bf_strdup(json_string_value(name));
}

static void read_type(struct bf_reader *r, const struct bf_at *at, json_t *object, struct bf_check *c)
{
	static const struct bf_sql_use use = {.single = true};

	switch (c->type) {
	case BF_CHECK_METRIC:
	case BF_CHECK_ROW_COUNT:
	case BF_CHECK_ROWS:
		read_query(r, at, object, &use, "the name of an SQL file that yields the figure, or the rows", c);
		read_conditions(r, at, object, c);
		break;
	case BF_CHECK_FRESHNESS:
		read_query(r, at, object, &use, "the name of an SQL file that yields a time", c);
		read_conditions(r, at, object, c);
		break;
	case BF_CHECK_EQUALS:
		read_query(r, at, object, &use, "the name of an SQL file that yields the figure", c);
		read_expected_figure(r, at, object, &use, c);
		bf_read_decimal(r, at, object, "tolerance", "0", &c->tolerance);
		break;
	case BF_CHECK_RANGE:
		read_query(r, at, object, &use, "the name of an SQL file that yields the figure", c);
		read_range(r, at, object, c);
		break;
	case BF_CHECK_COVERAGE:
		read_coverage(r, at, object, &use, c);
		read_conditions(r, at, object, c);
		break;
	case BF_CHECK_SUCCESS_RATE:
		read_of(r, at, object, c);
		read_conditions(r, at, object, c);
		break;
	case BF_CHECK_HTTP:
		read_http_figure(r, at, object, c);
		read_conditions(r, at, object, c);
		break;
	case BF_CHECK_JSON:
		read_json_file(r, at, object, c);
		read_conditions(r, at, object, c);
		break;
	}
}

/* What is judged may be nothing at all. */
static void read_empty(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_check *c)
{
	static const struct bf_sql_use use = {.single = true};
	struct bf_at at = bf_at_field(up, "count");
	json_t *count = json_object_get(object, "count");

	if (count && (OF(c->type) & COUNTED))
		bf_read_sql(r, &at, count, &use, &c->count);
	c->on_empty = (enum bf_on_empty)(bf_read_choice(r, up, object, "on_empty", on_empty_names, -1) + 1);
}

void bf_read_check(struct bf_reader *r, const struct bf_at *at, json_t *object, struct bf_check *c)
{
	int type = bf_read_choice(r, at, object, "type", type_names, -1);

	*c = (struct bf_check){.of = -1};
	if (!bf_require(r, at, object, "type", "metric, row_count, equals, rows, range, freshness, coverage, success_rate, http or json") ||
		type < 0)
		return;
	c->type = (enum bf_check_type)type;
	refuse_fields_of_others(r, at, object, c->type);
	read_type(r, at, object, c);
	read_empty(r, at, object, c);
	c->only_warns = bf_read_choice(r, at, object, "severity", severity_names, 0) == 1;
}

/* ---- what a check is of ---- */

/* Is the step that is asked about over when this one starts? */
static bool comes_after(const struct bf_pipeline *p, const struct bf_step *s, int ordinal, bool *seen)
{
	for (size_t i = 0; i < s->n_needs; i++) {
		int need = s->needs[i];

		if (need == ordinal)
			return true;
		if (seen[need])
			continue;
		seen[need] = true;
		if (comes_after(p, &p->steps[need], ordinal, seen))
			return true;
	}
	return false;
}

static void check_of(struct bf_reader *r, const struct bf_at *at, const struct bf_step *s, const struct bf_check *c)
{
	struct bf_at of = bf_at_field(at, "of");
	const struct bf_step *other = &r->p->steps[c->of];
	bool seen[BF_STEPS_MAX] = {false};

	if (!comes_after(r->p, s, c->of, seen))
		bf_problem(r, &of, "found %s, expected a step that comes before this one by \"needs\": otherwise it may not be over", other->name);
	else if (c->type == BF_CHECK_COVERAGE && (other->per == BF_PER_RUN || other->kind == BF_KIND_CHECK))
		bf_problem(r, &of, "found %s, expected a step of kind sql, exec or noop that is per chunk: others cover no days or keys",
				   other->name);
}

void bf_check_ofs(struct bf_reader *r)
{
	struct bf_at steps = bf_at_field(NULL, "steps");

	for (int i = 0; i < r->p->n_steps; i++) {
		const struct bf_step *s = &r->p->steps[i];
		struct bf_at step = bf_at_index(&steps, (size_t)i), checks = bf_at_field(&step, "checks");

		for (size_t n = 0; n < s->n_checks; n++) {
			struct bf_at element = bf_at_index(&checks, n);

			if (s->checks[n].of >= 0)
				check_of(r, s->kind == BF_KIND_SOAK ? &element : &step, s, &s->checks[n]);
		}
	}
}
