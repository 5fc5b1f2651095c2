#include "core/json_doc.h"
#include "core/keys.h"

static const char *type_of(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		break;
	case JSON_INTEGER:
	case JSON_REAL:
		return "a number that is not whole";
	case JSON_TRUE:
	case JSON_FALSE:
		return "true or false";
	case JSON_NULL:
		return "null";
	}
	return "a value";
}

/* A whole number of any length is a key, as its digits are written; one that is not whole may be meant as another. */
static int add_number(struct bf_keys *k, const struct bf_json_doc *doc, const json_t *key, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf number;
	bf_buf_init(&number, BF_KEYS_FILE_MAX);
	bf_doc_number(doc, key, &number);
	if (number.data[strspn(number.data, "-0123456789")] == '\0')
		return bf_keys_add(k, number.data, number.len, err);
	return bf_fail(err, BF_E_INPUT, "key number %zu: found %s, expected a text or a whole number", k->count + 1, type_of(key));
}

static int add_element(struct bf_keys *k, const struct bf_json_doc *doc, const json_t *element, const char *id, struct bf_error *err)
{
	const json_t *key = id ? json_object_get(element, id) : element;
	if (id && !key)
		return bf_fail(err, BF_E_INPUT, "key number %zu: found %s without \"%s\", expected an object that has it", k->count + 1,
					   json_is_object(element) ? "an object" : type_of(element), id);
	if (json_is_string(key))
		return bf_keys_add(k, json_string_value(key), json_string_length(key), err);
	if (json_is_number(key))
		return add_number(k, doc, key, err);
	return bf_fail(err, BF_E_INPUT, "key number %zu: found %s, expected a text or a whole number", k->count + 1, type_of(key));
}

static int add_array(struct bf_keys *k, const struct bf_json_doc *doc, const char *name, const char *id, struct bf_error *err)
{
	const json_t *array = json_object_get(doc->root, name), *element;
	size_t i;
	int rc = 0;
	if (!json_is_array(array))
		return bf_fail(err, BF_E_INPUT, "found %s\"%s\", expected an object with an array of that name", array ? "no array in " : "no ",
					   name);
	json_array_foreach (array, i, element) {
		rc = add_element(k, doc, element, id, err);
		if (rc < 0)
			break;
	}
	return rc;
}

int bf_keys_read_file(struct bf_keys *k, const char *path, const char *array, const char *id, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf text;
	struct bf_json_doc doc;
	json_error_t where;
	bf_buf_init(&text, BF_KEYS_FILE_MAX);
	int rc = bf_buf_read_file(&text, path, err);
	if (rc < 0)
		return rc;
	if (bf_doc_load(text.data, text.len, JSON_REJECT_DUPLICATES, &doc, &where) < 0)
		return bf_fail(err, BF_E_INPUT, "line %d: %s", where.line, where.text);
	bf_buf_release(&text);
	rc = add_array(k, &doc, array, id, err);
	bf_doc_release(&doc);
	return rc;
}
