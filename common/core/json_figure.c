#include "core/json_figure.h"

#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

#define SHOWN_MAX 60

bool bf_json_pointer_valid(const char *pointer)
{
	if (*pointer && *pointer != '/')
		return false;
	for (const char *tilde = pointer; (tilde = strchr(tilde, '~')); tilde++)
		if (tilde[1] != '0' && tilde[1] != '1')
			return false;
	return true;
}

/* The name that begins after the '/' at *at, which moves behind it. */
static char *next_name(const char **at)
{
	size_t len = strcspn(*at + 1, "/"), n = 0;
	char *name = bf_strndup(*at + 1, len);

	*at += 1 + len;
	for (const char *c = name; *c; c++)
		if (*c == '~')
			name[n++] = *++c == '1' ? '/' : '~';
		else
			name[n++] = *c;
	name[n] = '\0';
	return name;
}

static json_t *member(json_t *in, const char *name)
{
	int64_t index;

	if (json_is_object(in))
		return json_object_get(in, name);
	if (json_is_array(in) && bf_text_int(name, 0, INT32_MAX, &index) == 0)
		return json_array_get(in, (size_t)index);
	return NULL;
}

static int find(json_t *root, const char *pointer, json_t **out, struct bf_error *err)
{
	const char *at = pointer;

	for (*out = root; *at;) {
		BF_AUTOFREE char *name = next_name(&at);

		*out = member(*out, name);
		if (!*out)
			return bf_fail(err, BF_E_INPUT, "found nothing at %.*s, expected a number", (int)(at - pointer), pointer);
	}
	return 0;
}

static bool text_is_number(const char *text, double *out)
{
	char *end;
	double number = strtod(text, &end);

	if (!*text || !strchr("-0123456789", *text) || *end || !isfinite(number))
		return false;
	*out = number;
	return true;
}

static int figure_of(const json_t *value, const char *where, double *out, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf shown;

	bf_buf_init(&shown, 512);
	switch (json_typeof(value)) {
	case JSON_INTEGER:
	case JSON_REAL:
		*out = json_number_value(value);
		return 0;
	case JSON_TRUE:
	case JSON_FALSE:
		*out = json_is_true(value) ? 1 : 0;
		return 0;
	case JSON_ARRAY:
		*out = (double)json_array_size(value);
		return 0;
	case JSON_OBJECT:
		*out = (double)json_object_size(value);
		return 0;
	case JSON_NULL:
		return bf_fail(err, BF_E_INPUT, "found null at %s, expected a number", where);
	case JSON_STRING:
		if (text_is_number(json_string_value(value), out))
			return 0;
		break;
	}
	bf_text_quote(&shown, json_string_value(value), json_string_length(value), SHOWN_MAX);
	return bf_fail(err, BF_E_INPUT, "found %s at %s, expected a number, or an array or object that is counted", shown.data, where);
}

int bf_json_figure(const char *text, size_t len, const char *pointer, double *out, struct bf_error *err)
{
	json_error_t e;
	json_auto_t *root = json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);
	json_t *value;
	int rc;

	if (!root)
		return bf_fail(err, BF_E_INPUT, "not valid JSON: line %d, column %d: %s", e.line, e.column, e.text);
	rc = find(root, pointer, &value, err);
	return rc < 0 ? rc : figure_of(value, *pointer ? pointer : "the top", out, err);
}
