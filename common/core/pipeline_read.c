/*
 * Reads values of a pipeline's JSON with their place: each problem is noted with the path of the value, what was
 * found and what was expected, and reading goes on, so that one look finds all of them.
 */
#include <math.h>
#include <stdarg.h>

#include "base/decimal.h"
#include "base/duration.h"
#include "base/mem.h"
#include "core/pipeline_internal.h"

#define VALUE_SHOWN    60  /* bytes of a value in a message */
#define LINE_MAX_BYTES 700 /* of one problem */
#define ROOM_FOR_REST  40  /* of "… and N more" */

/* The end of a path says more than its beginning. */
static void shorten_file(char *out, size_t size, const char *file)
{
	size_t len = strlen(file);

	if (len < size) {
		memcpy(out, file, len + 1);
		return;
	}
	file += len - (size - 4);
	while (((unsigned char)*file & 0xC0) == 0x80)
		file++;
	(void)snprintf(out, size, "…%s", file);
}

void bf_reader_init(struct bf_reader *r, const char *file)
{
	*r = (struct bf_reader){0};
	shorten_file(r->shown, sizeof(r->shown), file);
	bf_buf_init(&r->lines, BF_ERROR_TEXT_MAX);
}

void bf_reader_release(struct bf_reader *r)
{
	bf_buf_release(&r->lines);
	free(r->param_names);
	free(r->step_names);
}

int bf_reader_report(struct bf_reader *r, struct bf_error *err)
{
	if (r->found == 0)
		return 0;
	if (r->kept < r->found)
		bf_buf_printf(&r->lines, "\n… and %zu more", r->found - r->kept);
	return bf_fail(err, BF_E_INPUT, "%s", r->lines.data);
}

static void add_field(struct bf_buf *out, const char *field)
{
	size_t plain = strspn(field, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	if (field[plain] == '\0' && plain > 0 && plain <= VALUE_SHOWN)
		bf_buf_addstr(out, field);
	else
		bf_text_quote(out, field, strlen(field), VALUE_SHOWN);
}

void bf_at_text(struct bf_buf *out, const struct bf_at *at)
{
	if (!at)
		return;
	bf_at_text(out, at->up);
	if (!at->field) {
		bf_buf_printf(out, "[%zu]", at->index);
		return;
	}
	if (at->up)
		bf_buf_addch(out, '.');
	add_field(out, at->field);
}

/* Once a problem did not fit, the ones after it are only counted, so that none is left out in between. */
static void keep_line(struct bf_reader *r, const struct bf_buf *line)
{
	bool fits = r->lines.len + line->len + ROOM_FOR_REST < BF_ERROR_TEXT_MAX;

	r->found++;
	if (!fits || r->kept + 1 < r->found)
		return;
	if (r->lines.len > 0)
		bf_buf_addch(&r->lines, '\n');
	bf_buf_add(&r->lines, line->data, line->len);
	r->kept++;
}

void bf_problem(struct bf_reader *r, const struct bf_at *at, const char *fmt, ...)
{
	BF_AUTOBUF struct bf_buf line;
	struct bf_error text; /* formats, and cuts at a whole character */
	char message[LINE_MAX_BYTES];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	bf_buf_init(&line, BF_ERROR_TEXT_MAX);
	bf_buf_printf(&line, "%s: ", r->shown);
	if (at) {
		bf_at_text(&line, at);
		bf_buf_addstr(&line, ": ");
	}
	(void)bf_fail(&text, BF_E_INPUT, "%s", message);
	bf_buf_addstr(&line, text.text);
	keep_line(r, &line);
}

static void describe(const struct bf_json_doc *doc, struct bf_buf *out, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		bf_buf_addstr(out, "an object");
		break;
	case JSON_ARRAY:
		bf_buf_addstr(out, json_array_size(value) ? "an array" : "an empty array");
		break;
	case JSON_STRING:
		bf_text_quote(out, json_string_value(value), json_string_length(value), VALUE_SHOWN);
		break;
	case JSON_INTEGER:
	case JSON_REAL:
		bf_doc_number(doc, value, out);
		break;
	case JSON_TRUE:
		bf_buf_addstr(out, "true");
		break;
	case JSON_FALSE:
		bf_buf_addstr(out, "false");
		break;
	case JSON_NULL:
		bf_buf_addstr(out, "null");
		break;
	}
}

void bf_problem_found(struct bf_reader *r, const struct bf_at *at, const json_t *found, const char *fmt, ...)
{
	BF_AUTOBUF struct bf_buf shown;
	char expected[LINE_MAX_BYTES];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(expected, sizeof(expected), fmt, ap);
	va_end(ap);
	bf_buf_init(&shown, 512);
	describe(r->doc, &shown, found);
	bf_problem(r, at, "found %s, expected %s", shown.data, expected);
}

static void add_names(struct bf_buf *out, const char *const *names)
{
	for (size_t i = 0; names[i]; i++)
		bf_buf_printf(out, "%s%s", i == 0 ? "" : names[i + 1] ? ", " : " or ", names[i]);
}

/* A choice: few words, which are listed even where one of them is near. */
#define ONE_OF "one of"

void bf_word_text(struct bf_buf *out, const char *found, const char *what, const char *const *names)
{
	const char *near = bf_text_nearest(found, names);

	bf_buf_addstr(out, "found ");
	bf_text_quote(out, found, strlen(found), VALUE_SHOWN);
	bf_buf_printf(out, ", expected %s", what);
	if (near && strcmp(what, ONE_OF) != 0) {
		bf_buf_printf(out, " (did you mean \"%s\"?)", near);
	} else if (names[0]) {
		bf_buf_addstr(out, ": ");
		add_names(out, names);
		if (near)
			bf_buf_printf(out, " (did you mean \"%s\"?)", near);
	}
}

void bf_problem_word(struct bf_reader *r, const struct bf_at *at, const char *found, const char *what, const char *const *names)
{
	BF_AUTOBUF struct bf_buf text;

	bf_buf_init(&text, LINE_MAX_BYTES);
	bf_word_text(&text, found, what, names);
	bf_problem(r, at, "%s", text.data);
}

void bf_check_fields(struct bf_reader *r, const struct bf_at *at, json_t *object, const char *const *known)
{
	const char *field;
	json_t *value;

	json_object_foreach (object, field, value) {
		size_t i = 0;

		while (known[i] && strcmp(known[i], field) != 0)
			i++;
		if (!known[i])
			bf_problem_word(r, at, field, "a known field", known);
	}
}

static const char *type_name(json_type type)
{
	switch (type) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "a text in quotes";
	case JSON_INTEGER:
		return "a whole number";
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "true or false";
	case JSON_NULL:
		break;
	}
	return "nothing";
}

json_t *bf_read(struct bf_reader *r, const struct bf_at *up, json_t *object, const char *field, json_type type)
{
	struct bf_at at = bf_at_field(up, field);
	json_t *value = json_object_get(object, field);

	if (!value || json_typeof(value) == type)
		return value;
	if ((type == JSON_REAL && json_is_integer(value)) || (type == JSON_TRUE && json_is_false(value)))
		return value;
	bf_problem_found(r, &at, value, "%s", type_name(type));
	return NULL;
}

json_t *bf_read_object(struct bf_reader *r, const struct bf_at *up, json_t *object, const char *field, const char *const *known)
{
	struct bf_at at = bf_at_field(up, field);
	json_t *value = bf_read(r, up, object, field, JSON_OBJECT);

	if (value)
		bf_check_fields(r, &at, value, known);
	return value;
}

const char *bf_read_text(struct bf_reader *r, const struct bf_at *up, json_t *object, const char *field)
{
	return json_string_value(bf_read(r, up, object, field, JSON_STRING));
}

bool bf_read_bool(struct bf_reader *r, const struct bf_at *up, json_t *object, const char *field, bool otherwise)
{
	json_t *value = bf_read(r, up, object, field, JSON_TRUE);

	return value ? json_is_true(value) : otherwise;
}

bool bf_read_int(struct bf_reader *r, const struct bf_at *up, json_t *object, const char *field, int min, int max, int *out)
{
	struct bf_at at = bf_at_field(up, field);
	json_t *value = json_object_get(object, field);

	if (!value)
		return false;
	if (!json_is_integer(value) || json_integer_value(value) < min || json_integer_value(value) > max) {
		bf_problem_found(r, &at, value, "a whole number from %d to %d", min, max);
		return false;
	}
	*out = (int)json_integer_value(value);
	return true;
}

bool bf_read_number(struct bf_reader *r, const struct bf_at *up, json_t *object, const char *field, double min, double max, double *out)
{
	struct bf_at at = bf_at_field(up, field);
	json_t *value = json_object_get(object, field);

	if (!value)
		return false;
	if (!json_is_number(value) || json_number_value(value) < min || json_number_value(value) > max) {
		if (isfinite(max))
			bf_problem_found(r, &at, value, "a number from %g to %g", min, max);
		else
			bf_problem_found(r, &at, value, "a number of at least %g", min);
		return false;
	}
	*out = json_number_value(value);
	return true;
}

char *bf_number_text(const struct bf_reader *r, const json_t *number)
{
	struct bf_buf text;
	bf_buf_init(&text, BF_PIPELINE_FILE_MAX);
	bf_doc_number(r->doc, number, &text);
	return bf_buf_detach(&text);
}

bool bf_read_decimal(struct bf_reader *r, const struct bf_at *up, json_t *object, const char *field, const char *min, char **out)
{
	struct bf_at at = bf_at_field(up, field);
	json_t *value = json_object_get(object, field);
	BF_AUTOFREE char *text = json_is_number(value) ? bf_number_text(r, value) : NULL;

	if (!value)
		return false;
	if (text && bf_decimal_valid(text) && (!min || bf_decimal_cmp(text, min) >= 0)) {
		*out = bf_steal(&text);
		return true;
	}
	bf_problem_found(r, &at, value, "a number%s%s of up to %d digits", min ? " of at least " : "", min ? min : "", BF_DECIMAL_MAX);
	return false;
}

bool bf_read_duration(struct bf_reader *r, const struct bf_at *up, json_t *object, const char *field, int64_t min_ms, int64_t *out)
{
	struct bf_at at = bf_at_field(up, field);
	const char *text = bf_read_text(r, up, object, field);
	struct bf_error err;
	char least[BF_DURATION_TEXT];
	int64_t ms;

	if (!text)
		return false;
	if (bf_duration_parse(text, &ms, &err) < 0) {
		bf_problem(r, &at, "%s", err.text);
		return false;
	}
	if (ms < min_ms) {
		bf_problem(r, &at, "found \"%s\", expected at least %s", text, bf_duration_format(min_ms, least));
		return false;
	}
	*out = ms;
	return true;
}

int bf_read_choice(struct bf_reader *r, const struct bf_at *up, json_t *object, const char *field, const char *const *names, int otherwise)
{
	struct bf_at at = bf_at_field(up, field);
	const char *text = bf_read_text(r, up, object, field);

	if (!text)
		return otherwise;
	for (int i = 0; names[i]; i++)
		if (strcmp(names[i], text) == 0)
			return i;
	bf_problem_word(r, &at, text, ONE_OF, names);
	return otherwise;
}

void bf_read_name(struct bf_reader *r, const struct bf_at *up, json_t *object, const char *field, char out[static BF_NAME_MAX + 1])
{
	struct bf_at at = bf_at_field(up, field);
	json_t *value = bf_read(r, up, object, field, JSON_STRING);

	if (!value)
		return;
	if (!bf_name_valid(json_string_value(value)))
		bf_problem_found(r, &at, value, "a name: a letter a-z, then up to %d of a-z, 0-9 and '-'", BF_NAME_MAX - 1);
	else
		memcpy(out, json_string_value(value), json_string_length(value) + 1);
}

bool bf_require(struct bf_reader *r, const struct bf_at *at, json_t *object, const char *field, const char *expected)
{
	if (json_object_get(object, field))
		return true;
	bf_problem(r, at, "found no \"%s\", expected %s", field, expected);
	return false;
}

bool bf_env_name_valid(const char *s)
{
	if (*s >= '0' && *s <= '9')
		return false;
	return *s && s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == '\0';
}
