#include <jansson.h>

#include "core/keys.h"

static const char *type_of(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
	case JSON_INTEGER:
		break;
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

static int add_element(struct bf_keys *k, const json_t *element, const char *id, struct bf_error *err)
{
	const json_t *key = id ? json_object_get(element, id) : element;
	char number[24];
	if (id && !key)
		return bf_fail(err, BF_E_INPUT, "key number %zu: found %s without \"%s\", expected an object that has it", k->count + 1,
					   json_is_object(element) ? "an object" : type_of(element), id);
	if (json_is_string(key))
		return bf_keys_add(k, json_string_value(key), json_string_length(key), err);
	if (!json_is_integer(key))
		return bf_fail(err, BF_E_INPUT, "key number %zu: found %s, expected a text or a whole number", k->count + 1, type_of(key));
	snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(key));
	return bf_keys_add(k, number, strlen(number), err);
}

static int add_array(struct bf_keys *k, const json_t *root, const char *name, const char *id, struct bf_error *err)
{
	const json_t *array = json_object_get(root, name), *element;
	size_t i;
	int rc = 0;
	if (!json_is_array(array))
		return bf_fail(err, BF_E_INPUT, "found %s\"%s\", expected an object with an array of that name", array ? "no array in " : "no ",
					   name);
	json_array_foreach (array, i, element) {
		rc = add_element(k, element, id, err);
		if (rc < 0)
			break;
	}
	return rc;
}

int bf_keys_read_file(struct bf_keys *k, const char *path, const char *array, const char *id, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf text;
	json_error_t where;
	bf_buf_init(&text, BF_KEYS_FILE_MAX);
	int rc = bf_buf_read_file(&text, path, err);
	if (rc < 0)
		return rc;
	json_t *root = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &where);
	if (!root)
		return bf_fail(err, BF_E_INPUT, "line %d: %s", where.line, where.text);
	bf_buf_release(&text);
	rc = add_array(k, root, array, id, err);
	json_decref(root);
	return rc;
}
