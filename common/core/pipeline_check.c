#include <math.h>

#include "base/mem.h"
#include "core/pipeline_internal.h"

static const char *const type_names[] = {"metric", "row_count", "equals", NULL}; /* as enum bf_check_type */

static const struct {
	const char *text; /* what begins with another comes before it */
	enum bf_cmp op;
} comparisons[] = {
	{"<=", BF_CMP_LE}, {"<>", BF_CMP_NE}, {"<", BF_CMP_LT},  {">=", BF_CMP_GE},
	{">", BF_CMP_GT},  {"!=", BF_CMP_NE}, {"==", BF_CMP_EQ}, {"=", BF_CMP_EQ},
};

/* As JSON writes a number, whatever the locale. */
static bool parse_number(const char *text, double *out)
{
	json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
	bool ok = json_is_number(value);

	if (ok)
		*out = json_number_value(value);
	json_decref(value);
	return ok;
}

static bool parse_condition(const char *text, struct bf_condition *out)
{
	if (strlen(text) >= sizeof(out->text))
		return false;
	for (size_t i = 0; i < BF_COUNT_OF(comparisons); i++) {
		size_t len = strlen(comparisons[i].text);

		if (strncmp(text, comparisons[i].text, len) != 0)
			continue;
		if (!parse_number(text + len, &out->value))
			return false;
		out->op = comparisons[i].op;
		memcpy(out->text, text, strlen(text) + 1);
		return true;
	}
	return false;
}

static void read_condition(struct bf_reader *r, const struct bf_at *up, json_t *object, const char *field, struct bf_condition *out)
{
	struct bf_at at = bf_at_field(up, field);
	json_t *value = json_object_get(object, field);

	if (value && (!json_is_string(value) || !parse_condition(json_string_value(value), out)))
		bf_problem_found(r, &at, value, "a comparison with a number (<, <=, >, >=, = or !=), such as \"< 1.0\"");
}

static void read_expected(struct bf_reader *r, const struct bf_at *up, json_t *object, const struct bf_sql_use *use, struct bf_check *c)
{
	struct bf_at at = bf_at_field(up, "expected");
	json_t *expected = json_object_get(object, "expected");

	if (!bf_require(r, up, object, "expected", "a number, or the name of an SQL file that yields it"))
		return;
	if (json_is_string(expected)) {
		bf_read_sql(r, &at, expected, use, &c->expected);
	} else if (json_is_number(expected)) {
		c->expected_is_number = true;
		c->expected_number = json_number_value(expected);
	} else {
		bf_problem_found(r, &at, expected, "a number, or the name of an SQL file that yields it");
	}
}

/* `field` belongs to the other types. */
static void refuse_field(struct bf_reader *r, const struct bf_at *up, json_t *object, const char *field, const char *type,
						 const char *types)
{
	struct bf_at at = bf_at_field(up, field);

	if (json_object_get(object, field))
		bf_problem(r, &at, "found on a check of type %s, expected only on %s", type, types);
}

static void read_figure(struct bf_reader *r, const struct bf_at *at, json_t *object, const char *type, struct bf_check *c)
{
	refuse_field(r, at, object, "expected", type, "equals");
	refuse_field(r, at, object, "tolerance", type, "equals");
	read_condition(r, at, object, "warn_if", &c->warn_if);
	read_condition(r, at, object, "error_if", &c->error_if);
	if (!json_object_get(object, "warn_if") && !json_object_get(object, "error_if"))
		bf_problem(r, at, "found neither \"error_if\" nor \"warn_if\", expected one of them, such as \"error_if\": \"< 1.0\"");
}

static void read_equals(struct bf_reader *r, const struct bf_at *at, json_t *object, const struct bf_sql_use *use, struct bf_check *c)
{
	refuse_field(r, at, object, "warn_if", "equals", "metric and row_count");
	refuse_field(r, at, object, "error_if", "equals", "metric and row_count");
	read_expected(r, at, object, use, c);
	bf_read_number(r, at, object, "tolerance", 0, INFINITY, &c->tolerance);
}

void bf_read_check(struct bf_reader *r, const struct bf_at *at, json_t *object, struct bf_check *c)
{
	static const struct bf_sql_use use = {.single = true};
	struct bf_at file = bf_at_field(at, "file");
	int type = bf_read_choice(r, at, object, "type", type_names, -1);

	if (bf_require(r, at, object, "file", "the name of an SQL file that yields the figure"))
		bf_read_sql(r, &file, json_object_get(object, "file"), &use, &c->query);
	if (!bf_require(r, at, object, "type", "metric, row_count or equals") || type < 0)
		return;
	c->type = (enum bf_check_type)type;
	switch (c->type) {
	case BF_CHECK_METRIC:
	case BF_CHECK_ROW_COUNT:
		read_figure(r, at, object, type_names[type], c);
		break;
	case BF_CHECK_EQUALS:
		read_equals(r, at, object, &use, c);
		break;
	}
}
