#include "core/json_identity.h"

#include <jansson.h>

#include "base/mem.h"

char *bf_identity_param(const char *identity, const char *name)
{
	json_auto_t *object = json_loads(identity, 0, NULL);
	return bf_strdup(json_string_value(json_object_get(object, name)));
}

char *bf_identity_text(const struct bf_pipeline *p, const char *const *values)
{
	json_auto_t *object = json_object();
	for (size_t i = 0; i < p->n_params; i++)
		if (p->params[i].identity)
			json_object_set_new(object, p->params[i].name, json_string(values[i]));
	BF_AUTOFREE char *text = json_dumps(object, JSON_SORT_KEYS);
	return bf_strdup(text ? text : "{}");
}

bool bf_identity_same(const char *a, const char *b)
{
	json_auto_t *x = json_loads(a, 0, NULL), *y = json_loads(b, 0, NULL);
	return x && y && json_equal(x, y);
}
