#include "core/json_figure.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/decimal.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/json_doc.h"

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

/* As it is written, if it is a number that can be compared. */
static bool add_decimal(struct bf_buf *out, const char *text, size_t len)
{
	return len == strlen(text) && bf_decimal_valid(text) && bf_buf_add(out, text, len) == 0;
}

static int refuse(const char *found, size_t len, const char *where, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf shown;

	bf_buf_init(&shown, 512);
	bf_text_quote(&shown, found, len, SHOWN_MAX);
	return bf_fail(err, BF_E_INPUT, "found %s at %s, expected a number, or an array or object that is counted", shown.data, where);
}

static int add_number(const struct bf_json_doc *doc, const json_t *value, const char *where, struct bf_buf *out, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf number;

	bf_buf_init(&number, SIZE_MAX - 1);
	bf_doc_number(doc, value, &number);
	if (add_decimal(out, number.data, number.len))
		return 0;
	return bf_fail(err, BF_E_INPUT, "found a number of %zu bytes at %s, expected one of up to %d digits", number.len, where,
				   BF_DECIMAL_MAX);
}

static int figure_of(const struct bf_json_doc *doc, const json_t *value, const char *where, struct bf_buf *out, struct bf_error *err)
{
	switch (json_typeof(value)) {
	case JSON_INTEGER:
	case JSON_REAL:
		return add_number(doc, value, where, out, err);
	case JSON_TRUE:
	case JSON_FALSE:
		return bf_buf_addch(out, json_is_true(value) ? '1' : '0');
	case JSON_ARRAY:
		return bf_buf_printf(out, "%zu", json_array_size(value));
	case JSON_OBJECT:
		return bf_buf_printf(out, "%zu", json_object_size(value));
	case JSON_NULL:
		return bf_fail(err, BF_E_INPUT, "found null at %s, expected a number", where);
	case JSON_STRING:
		break;
	}
	if (add_decimal(out, json_string_value(value), json_string_length(value)))
		return 0;
	return refuse(json_string_value(value), json_string_length(value), where, err);
}

int bf_json_figure(const char *text, size_t len, const char *pointer, struct bf_buf *out, struct bf_error *err)
{
	json_error_t e;
	struct bf_json_doc doc;
	json_t *value;

	if (bf_doc_load(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &doc, &e) < 0)
		return bf_fail(err, BF_E_INPUT, "not valid JSON: line %d, column %d: %s", e.line, e.column, e.text);
	int rc = find(doc.root, pointer, &value, err);
	if (rc == 0)
		rc = figure_of(&doc, value, *pointer ? pointer : "the top", out, err);
	bf_doc_release(&doc);
	return rc;
}
