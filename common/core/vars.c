#include "core/vars.h"

#include "base/mem.h"
#include "base/text.h"

#define SHOWN_MAX 60 /* bytes of a template's part in a message */

static const char known[] = "{{since}}, {{until}}, {{key}}, {{run}}, {{chunk}}, {{step}}, {{param.NAME}} or {{env.NAME|default}}";

char *bf_job_key(const struct bf_vars *v)
{
	if (v->redone == 0)
		return bf_asprintf("%s/%s/%s", v->run, v->step, v->chunk);
	return bf_asprintf("%s/%s/%s/%d", v->run, v->step, v->chunk, v->redone + 1);
}

static bool is(const char *name, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(name, word, len) == 0;
}

static const char *param_value(const struct bf_vars *v, const char *name, size_t len)
{
	for (size_t i = 0; i < v->n_params; i++)
		if (is(name, len, v->param_names[i]))
			return v->param_values[i];
	return NULL;
}

/* Points to the field of a variable that templates and SQL both have, or returns NULL. */
static const char *const *common_field(const struct bf_vars *v, const char *name, size_t len)
{
	const struct {
		const char *name;
		const char *const *field;
	} fields[] = {
		{"since", &v->since}, {"until", &v->until}, {"key", &v->key}, {"run", &v->run}, {"chunk", &v->chunk}, {"step", &v->step},
	};

	for (size_t i = 0; i < BF_COUNT_OF(fields); i++)
		if (is(name, len, fields[i].name))
			return fields[i].field;
	return NULL;
}

static const char *field_value(const struct bf_vars *v, const char *name, size_t len)
{
	const char *const *field = common_field(v, name, len);

	return field ? *field : NULL;
}

const char *bf_vars_sql(const struct bf_vars *v, const char *name, size_t len)
{
	const char *const *field = common_field(v, name, len);

	if (field)
		return *field;
	if (is(name, len, "lookback_since"))
		return v->lookback_since;
	if (is(name, len, "lookback_key"))
		return v->lookback_key;
	if (is(name, len, "started_at"))
		return v->started_at;
	if (is(name, len, "finished_at"))
		return v->finished_at;
	return param_value(v, name, len);
}

enum part_kind { PART_TEXT, PART_FIELD, PART_PARAM, PART_ENV };

/* A piece of a template. For PART_TEXT, `name` is the text. */
struct part {
	enum part_kind kind;
	const char *name;
	size_t name_len;
	const char *otherwise; /* env: the default, or NULL */
	size_t otherwise_len;
	const char *shown; /* {{…}} as written */
	size_t shown_len;
};

static int refuse(const struct part *part, const char *what, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf shown;

	bf_buf_init(&shown, 512);
	bf_text_quote(&shown, part->shown, part->shown_len, SHOWN_MAX);
	return bf_fail(err, BF_E_INPUT, "found %s, %s", shown.data, what);
}

static bool env_name_valid(const char *name, size_t len)
{
	if (len == 0 || (name[0] >= '0' && name[0] <= '9'))
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return true;
}

static int classify(struct part *part, const char *inside, size_t len, struct bf_error *err)
{
	static const struct bf_vars none;

	part->name = inside;
	part->name_len = len;
	if (common_field(&none, inside, len)) {
		part->kind = PART_FIELD;
		return 0;
	}
	if (len > 6 && memcmp(inside, "param.", 6) == 0) {
		part->kind = PART_PARAM;
		part->name += 6;
		part->name_len -= 6;
		return 0;
	}
	if (len > 4 && memcmp(inside, "env.", 4) == 0) {
		const char *bar = memchr(inside, '|', len);

		part->kind = PART_ENV;
		part->name += 4;
		part->name_len = (bar ? (size_t)(bar - inside) : len) - 4;
		part->otherwise = bar ? bar + 1 : NULL;
		part->otherwise_len = bar ? (size_t)(inside + len - bar - 1) : 0;
		if (env_name_valid(part->name, part->name_len))
			return 0;
	}
	BF_AUTOBUF struct bf_buf expected;
	bf_buf_init(&expected, 256);
	bf_buf_printf(&expected, "expected %s", known);
	return refuse(part, expected.data, err);
}

/* The part that begins at *text, which is not empty; *text moves behind it. */
static int next_part(const char **text, struct part *part, struct bf_error *err)
{
	const char *open = strstr(*text, "{{"), *close;

	*part = (struct part){.kind = PART_TEXT, .name = *text};
	if (open != *text) {
		part->name_len = open ? (size_t)(open - *text) : strlen(*text);
		*text += part->name_len;
		return 0;
	}
	part->shown = open;
	close = strstr(open, "}}");
	if (!close) {
		part->shown_len = strlen(open);
		return refuse(part, "expected a closing }}", err);
	}
	part->shown_len = (size_t)(close - open) + 2;
	*text = close + 2;
	return classify(part, open + 2, (size_t)(close - open) - 2, err);
}

static int check_param(const struct part *part, const char *const *names, size_t count, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf expected;

	bf_buf_init(&expected, 512);
	bf_buf_addstr(&expected, count ? "expected a parameter of this pipeline:" : "but this pipeline has no parameters");
	for (size_t i = 0; i < count; i++) {
		if (is(part->name, part->name_len, names[i]))
			return 0;
		bf_buf_printf(&expected, "%s %s", i ? "," : "", names[i]);
	}
	return refuse(part, expected.data, err);
}

int bf_template_check(const char *text, const char *const *param_names, size_t n_params, const char *where, struct bf_error *err)
{
	while (*text) {
		struct part part;
		int rc = next_part(&text, &part, err);

		if (rc == 0 && part.kind == PART_PARAM)
			rc = check_param(&part, param_names, n_params, err);
		if (rc < 0) {
			bf_error_prefix(err, "%s", where);
			return rc;
		}
	}
	return 0;
}

/* ---- rendering ---- */

static void add_url(struct bf_buf *out, const char *s, size_t len)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"; /* RFC 3986, 2.3 */

	for (size_t i = 0; i < len; i++) {
		if (memchr(unreserved, s[i], sizeof(unreserved) - 1))
			bf_buf_addch(out, s[i]);
		else
			bf_buf_printf(out, "%%%02X", (unsigned char)s[i]);
	}
}

static void add_json(struct bf_buf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '"' || s[i] == '\\')
			bf_buf_printf(out, "\\%c", s[i]);
		else if ((unsigned char)s[i] < 0x20)
			bf_buf_printf(out, "\\u%04x", (unsigned)(unsigned char)s[i]);
		else
			bf_buf_addch(out, s[i]);
	}
}

static void add_value(struct bf_buf *out, const char *s, enum bf_escape escape)
{
	switch (escape) {
	case BF_ESCAPE_NONE:
		bf_buf_addstr(out, s);
		break;
	case BF_ESCAPE_URL:
	case BF_ESCAPE_URL_SHOWN:
		add_url(out, s, strlen(s));
		break;
	case BF_ESCAPE_JSON:
		add_json(out, s, strlen(s));
		break;
	}
}

static int render_env(const struct part *part, enum bf_escape escape, struct bf_buf *out, struct bf_error *err)
{
	BF_AUTOFREE char *name = bf_strndup(part->name, part->name_len);
	const char *value = getenv(name);

	if (escape == BF_ESCAPE_URL_SHOWN)
		bf_buf_add(out, part->shown, part->shown_len);
	else if (value)
		add_value(out, value, escape == BF_ESCAPE_URL ? BF_ESCAPE_NONE : escape);
	else if (part->otherwise)
		bf_buf_add(out, part->otherwise, part->otherwise_len);
	else
		return refuse(part, "but the environment has no such variable, and no default is given as {{env.NAME|default}}", err);
	return 0;
}

static int render_part(const struct part *part, const struct bf_vars *v, enum bf_escape escape, struct bf_buf *out, struct bf_error *err)
{
	const char *value = NULL;

	switch (part->kind) {
	case PART_TEXT:
		bf_buf_add(out, part->name, part->name_len);
		return 0;
	case PART_ENV:
		return render_env(part, escape, out, err);
	case PART_FIELD:
		value = field_value(v, part->name, part->name_len);
		break;
	case PART_PARAM:
		value = param_value(v, part->name, part->name_len);
		if (!value)
			return refuse(part, "but there is no such parameter", err);
		break;
	}
	add_value(out, value ? value : "", escape);
	return 0;
}

int bf_template_render(const char *text, const struct bf_vars *v, enum bf_escape escape, struct bf_buf *out, struct bf_error *err)
{
	while (*text) {
		struct part part;
		int rc = next_part(&text, &part, err);

		if (rc == 0)
			rc = render_part(&part, v, escape, out, err);
		if (rc < 0)
			return rc;
	}
	if (out->overflow)
		return bf_fail(err, BF_E_LIMIT, "a template with its variables replaced is longer than %zu bytes", out->max);
	return 0;
}

void bf_template_each_env(const char *text, void (*each)(const char *name, size_t len, bool has_default, void *data), void *data)
{
	struct part part;

	while (*text && next_part(&text, &part, NULL) == 0)
		if (part.kind == PART_ENV)
			each(part.name, part.name_len, part.otherwise, data);
}
