#include "shared/params.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "shared/program.h"

static int unknown(const struct bf_pipeline *p, const char *name, struct bf_error *err)
{
	BF_AUTOFREE const char **known = bf_realloc_array(NULL, p->n_params + 1, sizeof(*known));
	if (p->n_params == 0)
		return bf_refuse_option("--param", name, "none: this pipeline has no parameters", err);
	for (size_t i = 0; i < p->n_params; i++)
		known[i] = p->params[i].name;
	known[p->n_params] = NULL;
	(void)bf_unknown_word("parameter", name, known, err);
	return bf_error_prefix(err, "--param");
}

int bf_param_take(const struct bf_pipeline *p, const char *text, const char **values, struct bf_error *err)
{
	const char *equals = strchr(text, '=');
	if (!equals)
		return bf_refuse_option("--param", text, "NAME=VALUE", err);
	BF_AUTOFREE char *name = bf_strndup(text, (size_t)(equals - text));
	size_t i = 0;
	while (i < p->n_params && strcmp(p->params[i].name, name) != 0)
		i++;
	if (i == p->n_params)
		return unknown(p, name, err);
	if (values[i])
		return bf_fail(err, BF_E_INPUT, "--param: %s is given twice, expected once", name);
	values[i] = equals + 1;
	return 0;
}
