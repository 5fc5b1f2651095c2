#include "base/mem.h"
#include "core/pipeline_internal.h"
#include "core/vars.h"

#define ATTEMPTS_MAX 1000
#define LOOKBACK_MAX 3660 /* days */
#define ARGV_MAX     1000

static const char *const step_fields[] = {
	"name", "kind", "per",  "needs",    "concurrency", "order",   "chunk",    "lookback", "on_failure", "retry", "timeout", /* all kinds */
	"file", "argv", "type", "expected", "tolerance",   "warn_if", "error_if", NULL,
};
static const char *const kind_names[] = {"sql", "exec", "check", "noop", NULL}; /* as enum bf_kind */
static const char *const per_names[] = {"chunk", "run", NULL};
static const char *const order_names[] = {"asc", "desc", NULL};
static const char *const retry_fields[] = {"attempts", "first", "factor", "max", "jitter", NULL};
static const char *const lookback_fields[] = {"days", NULL};
const char *const bf_on_failure_names[] = {"halt", "continue", NULL};

/* The fields that not every kind has. */
#define OF(kind) (1u << (kind))
static const struct {
	const char *field;
	unsigned kinds;
	const char *shown;
} own_fields[] = {
	{"file", OF(BF_KIND_SQL) | OF(BF_KIND_CHECK), "sql and check"},
	{"argv", OF(BF_KIND_EXEC), "exec"},
	{"type", OF(BF_KIND_CHECK), "check"},
	{"expected", OF(BF_KIND_CHECK), "check"},
	{"tolerance", OF(BF_KIND_CHECK), "check"},
	{"warn_if", OF(BF_KIND_CHECK), "check"},
	{"error_if", OF(BF_KIND_CHECK), "check"},
};

const char *bf_kind_name(enum bf_kind k)
{
	return kind_names[k];
}

static void check_own_fields(struct bf_reader *r, const struct bf_at *up, json_t *object, enum bf_kind kind)
{
	for (size_t i = 0; i < BF_COUNT_OF(own_fields); i++) {
		struct bf_at at = bf_at_field(up, own_fields[i].field);

		if (json_object_get(object, own_fields[i].field) && !(own_fields[i].kinds & OF(kind)))
			bf_problem(r, &at, "found on a step of kind %s, expected only on %s", kind_names[kind], own_fields[i].shown);
	}
}

void bf_read_retry(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_retry *retry)
{
	struct bf_at at = bf_at_field(up, "retry");
	json_t *o = bf_read_object(r, up, object, "retry", retry_fields);

	if (!o)
		return;
	bf_read_int(r, &at, o, "attempts", 1, ATTEMPTS_MAX, &retry->attempts);
	bf_read_duration(r, &at, o, "first", 0, &retry->first_ms);
	bf_read_number(r, &at, o, "factor", 1, 100, &retry->factor);
	bf_read_duration(r, &at, o, "max", 0, &retry->max_ms);
	bf_read_number(r, &at, o, "jitter", 0, 1, &retry->jitter);
	if (retry->first_ms > retry->max_ms)
		bf_problem(r, &at, "found a \"first\" wait that is longer than \"max\", expected at most that");
}

static void read_sql(struct bf_reader *r, const struct bf_at *at, json_t *object, struct bf_step *s)
{
	struct bf_sql_use use = {.lookback = json_object_get(object, "lookback")};
	struct bf_at file = bf_at_field(at, "file");

	if (bf_require(r, at, object, "file", "the name of an SQL file, such as \"sql/daily.sql\""))
		bf_read_sql(r, &file, json_object_get(object, "file"), &use, &s->sql);
}

void bf_check_template(struct bf_reader *r, const struct bf_at *at, json_t *text)
{
	BF_AUTOBUF struct bf_buf where;
	struct bf_error err;

	bf_buf_init(&where, 512);
	bf_at_text(&where, at);
	if (!json_is_string(text))
		bf_problem_found(r, at, text, "a text in quotes");
	else if (bf_template_check(json_string_value(text), r->param_names, r->p->n_params, where.data, &err) < 0)
		bf_problem(r, NULL, "%s", err.text);
}

static void read_exec(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_step *s)
{
	struct bf_at at = bf_at_field(up, "argv");
	json_t *argv = bf_read(r, up, object, "argv", JSON_ARRAY), *arg;
	size_t n = json_array_size(argv), i;

	if (!bf_require(r, up, object, "argv", "the program and its arguments, such as [\"bin/export\", \"{{since}}\"]") || !argv)
		return;
	if (n == 0 || n > ARGV_MAX) {
		bf_problem(r, &at, "found %zu elements, expected 1 to %d: the program and its arguments", n, ARGV_MAX);
		return;
	}
	s->argv = bf_alloc((n + 1) * sizeof(*s->argv));
	json_array_foreach (argv, i, arg) {
		struct bf_at element = bf_at_index(&at, i);

		if (i == 0) {
			s->argv[0] = bf_read_program(r, &element, arg);
		} else {
			bf_check_template(r, &element, arg);
			s->argv[i] = bf_strdup(json_string_value(arg));
		}
		if (!s->argv[i]) /* reported; NULL would end the array */
			s->argv[i] = bf_strdup("");
	}
}

static void read_kind(struct bf_reader *r, const struct bf_at *at, json_t *object, struct bf_step *s)
{
	check_own_fields(r, at, object, s->kind);
	switch (s->kind) {
	case BF_KIND_SQL:
		read_sql(r, at, object, s);
		break;
	case BF_KIND_EXEC:
		read_exec(r, at, object, s);
		break;
	case BF_KIND_CHECK:
		bf_read_check(r, at, object, &s->check);
		break;
	case BF_KIND_NOOP:
		break;
	}
}

static void read_lookback(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_step *s)
{
	struct bf_at at = bf_at_field(up, "lookback");
	json_t *lookback = bf_read_object(r, up, object, "lookback", lookback_fields);

	if (lookback && bf_require(r, &at, lookback, "days", "the number of days"))
		bf_read_int(r, &at, lookback, "days", 1, LOOKBACK_MAX, &s->lookback_days);
}

static void check_contradictions(struct bf_reader *r, const struct bf_at *up, json_t *object, const struct bf_step *s)
{
	static const char *const of_chunks[] = {"chunk", "order", "lookback"};
	struct bf_at lookback = bf_at_field(up, "lookback"), order = bf_at_field(up, "order");
	bool has_lookback = json_object_get(object, "lookback");

	for (size_t i = 0; s->per == BF_PER_RUN && i < BF_COUNT_OF(of_chunks); i++) {
		struct bf_at at = bf_at_field(up, of_chunks[i]);

		if (json_object_get(object, of_chunks[i]))
			bf_problem(r, &at, "found on a step per run, expected only on a step per chunk");
	}
	if (has_lookback && s->order == BF_ORDER_DESC)
		bf_problem(r, &order, "found \"desc\" beside \"lookback\", expected \"asc\": what is looked back at must be there first");
	if (has_lookback && s->kind == BF_KIND_CHECK)
		bf_problem(r, &lookback, "found on a step of kind check, expected only on sql, exec and noop");
	if (has_lookback && s->chunk.by_key)
		bf_problem(r, &lookback, "found in a pipeline of keys, expected only where chunks are dates");
}

static void read_step(struct bf_reader *r, const struct bf_at *at, json_t *object, const struct bf_step_defaults *defaults,
					  struct bf_step *s)
{
	int kind = bf_read_choice(r, at, object, "kind", kind_names, -1);
	bool check = kind == BF_KIND_CHECK;

	bf_check_fields(r, at, object, step_fields);
	if (bf_require(r, at, object, "name", "a name"))
		bf_read_name(r, at, object, "name", s->name);
	bf_require(r, at, object, "kind", "sql, exec, check or noop");
	s->per = bf_read_choice(r, at, object, "per", per_names, check ? BF_PER_RUN : BF_PER_CHUNK) == BF_PER_RUN ? BF_PER_RUN : BF_PER_CHUNK;
	s->order = bf_read_choice(r, at, object, "order", order_names, BF_ORDER_ASC) == BF_ORDER_DESC ? BF_ORDER_DESC : BF_ORDER_ASC;
	s->has_order = json_object_get(object, "order");
	s->on_failure =
		bf_read_choice(r, at, object, "on_failure", bf_on_failure_names, (int)defaults->on_failure) == BF_CONTINUE ? BF_CONTINUE : BF_HALT;
	bf_read_int(r, at, object, "concurrency", 1, BF_CONCURRENCY_MAX, &s->concurrency);
	s->chunk = r->p->chunk;
	s->has_chunk = json_object_get(object, "chunk");
	bf_read_chunking(r, at, object, true, &s->chunk);
	read_lookback(r, at, object, s);
	s->retry = defaults->retry;
	bf_read_retry(r, at, object, &s->retry);
	s->timeout_ms = defaults->timeout_ms;
	bf_read_duration(r, at, object, "timeout", 1, &s->timeout_ms);
	bf_read_needs(r, at, object, s);
	if (kind < 0)
		return;
	s->kind = (enum bf_kind)kind;
	check_contradictions(r, at, object, s);
	read_kind(r, at, object, s);
}

static void collect_names(struct bf_reader *r, const struct bf_at *up, json_t *steps)
{
	json_t *step;
	size_t i;

	r->step_names = bf_alloc((json_array_size(steps) + 1) * sizeof(*r->step_names));
	json_array_foreach (steps, i, step) {
		const char *name = json_string_value(json_object_get(step, "name"));
		struct bf_at element = bf_at_index(up, i), at = bf_at_field(&element, "name");

		r->step_names[i] = name ? name : "";
		for (size_t k = 0; name && k < i; k++) {
			if (strcmp(r->step_names[k], name) != 0)
				continue;
			bf_problem_found(r, &at, json_object_get(step, "name"), "a name that no other step has (steps[%zu] has it)", k);
			break;
		}
	}
}

void bf_read_steps(struct bf_reader *r, json_t *root, const struct bf_step_defaults *defaults)
{
	struct bf_at at = bf_at_field(NULL, "steps");
	json_t *steps = bf_read(r, NULL, root, "steps", JSON_ARRAY), *step;
	size_t n = json_array_size(steps), i;

	if (!bf_require(r, NULL, root, "steps", "an array of steps") || !steps)
		return;
	if (n < 1 || n > BF_STEPS_MAX) {
		bf_problem(r, &at, "found %zu steps, expected 1 to %d", n, BF_STEPS_MAX);
		return;
	}
	collect_names(r, &at, steps);
	r->p->n_steps = (int)n;
	r->p->steps = bf_alloc(n * sizeof(*r->p->steps));
	json_array_foreach (steps, i, step) {
		struct bf_at element = bf_at_index(&at, i);

		r->p->steps[i].ordinal = (int)i;
		if (json_is_object(step))
			read_step(r, &element, step, defaults, &r->p->steps[i]);
		else
			bf_problem_found(r, &element, step, "an object that describes a step");
	}
	bf_check_cycles(r);
}
