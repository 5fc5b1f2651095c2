/*
 * How long a soak lasts and how often it looks: fixed in the file, or the value of a parameter,
 * "{{param.observe}}". The pipeline has the parameter's default; bf_soak_set puts in what a run was
 * asked for.
 */
#include "base/duration.h"
#include "base/mem.h"
#include "core/pipeline_internal.h"

#define PARAM_BEGIN "{{param."
#define PARAM_END   "}}"

/*
 * The parameter that a text consists of, by its place; -1: it does not. -2: there is none of that
 * name.
 */
static int param_of(const struct bf_pipeline *p, const char *text)
{
	size_t len = strlen(text), begin = strlen(PARAM_BEGIN), end = strlen(PARAM_END);
	if (len < begin + end || strncmp(text, PARAM_BEGIN, begin) != 0 || strcmp(text + len - end, PARAM_END) != 0)
		return -1;
	for (size_t i = 0; i < p->n_params; i++)
		if (strlen(p->params[i].name) == len - begin - end && strncmp(p->params[i].name, text + begin, len - begin - end) == 0)
			return (int)i;
	return -2;
}

static void read_length(struct bf_reader *r, const struct bf_at *up, json_t *object, const char *field, int64_t *ms, int *param)
{
	struct bf_at at = bf_at_field(up, field);
	const char *text = json_string_value(json_object_get(object, field));
	struct bf_error err;

	*param = text ? param_of(r->p, text) : -1;
	if (*param == -1) {
		bf_read_duration(r, up, object, field, BF_SOAK_LEAST_MS, ms);
		return;
	}
	if (*param == -2) {
		bf_problem_word(r, &at, text, "{{param.NAME}} of a parameter of this file", r->param_names);
		return;
	}
	const char *value = r->p->params[*param].default_value;
	if (value && bf_duration_parse(value, ms, &err) < 0)
		bf_problem(r, &at, "params.%s.default: %s", r->p->params[*param].name, err.text);
}

static int check_lengths(const struct bf_soak *s, struct bf_error *err)
{
	char least[BF_DURATION_TEXT];
	if (s->interval_ms < BF_SOAK_LEAST_MS || s->duration_ms < BF_SOAK_LEAST_MS)
		return bf_fail(err, BF_E_INPUT, "found an \"interval\" or a \"duration\" that is too short, expected at least %s",
					   bf_duration_format(BF_SOAK_LEAST_MS, least));
	if (s->interval_ms > s->duration_ms)
		return bf_fail(err, BF_E_INPUT, "found an interval that is longer than \"duration\", expected at most that");
	if (s->duration_ms / s->interval_ms > BF_SAMPLES_MAX)
		return bf_fail(err, BF_E_INPUT, "found more than %d samples within \"duration\", expected at most that many", BF_SAMPLES_MAX);
	return 0;
}

void bf_read_soak_lengths(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_soak *s)
{
	struct bf_at interval = bf_at_field(up, "interval");
	struct bf_error err;

	s->interval_param = s->duration_param = -1;
	if (bf_require(r, up, object, "interval", "the time between two samples, such as \"5m\""))
		read_length(r, up, object, "interval", &s->interval_ms, &s->interval_param);
	if (bf_require(r, up, object, "duration", "how long it is watched, such as \"6h\""))
		read_length(r, up, object, "duration", &s->duration_ms, &s->duration_param);
	if (s->interval_ms > 0 && s->duration_ms > 0 && check_lengths(s, &err) < 0)
		bf_problem(r, &interval, "%s", err.text);
}

static int set_length(const struct bf_pipeline *p, int param, const char *const *values, int64_t *ms, struct bf_error *err)
{
	if (param < 0 || !values[param])
		return 0;
	int rc = bf_duration_parse(values[param], ms, err);
	return rc < 0 ? bf_error_prefix(err, "parameter %s", p->params[param].name) : 0;
}

int bf_soak_set(struct bf_pipeline *p, const char *const *values, struct bf_error *err)
{
	int rc = 0;
	for (int i = 0; rc == 0 && i < p->n_steps; i++) {
		struct bf_soak *s = &p->steps[i].soak;
		if (p->steps[i].kind != BF_KIND_SOAK || (s->interval_param < 0 && s->duration_param < 0))
			continue;
		rc = set_length(p, s->interval_param, values, &s->interval_ms, err);
		if (rc == 0)
			rc = set_length(p, s->duration_param, values, &s->duration_ms, err);
		if (rc == 0 && check_lengths(s, err) < 0)
			rc = bf_error_prefix(err, "step %s", p->steps[i].name);
	}
	return rc;
}
