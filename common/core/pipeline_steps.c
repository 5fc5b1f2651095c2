#include "base/mem.h"
#include "core/pipeline_internal.h"
#include "core/vars.h"

#define ATTEMPTS_MAX 1000
#define LOOKBACK_MAX 3660 /* days, or keys */
#define ARGV_MAX     1000

#define APPROVAL_MIN_MS 1000
#define SOAK_CHECKS_MAX 50

static const char *const step_fields[] = {
	"name",        "kind",
	"per",         "needs",
	"concurrency", "order",
	"chunk",       "lookback",
	"on_failure",  "max_failed_ratio",
	"retry",       "timeout",
	"file",        "argv",
	"type",        "expected",
	"present",     "of",
	"tolerance",   "min",
	"max",         "severity",
	"warn_if",     "error_if",
	"checks",      "interval",
	"duration",    "failure_limit",
	"on_timeout",  "review",
	"method",      "url",
	"headers",     "body",
	"redirects",   "expected_status",
	"figure",      "pointer",
	"json_file",   "rollback",
	"split",       "wait_for",
	"count",       "on_empty",
	"phase",       NULL,
};
static const char *const kind_names[] = {"sql", "exec", "check", "noop", "approval", "soak", "http", NULL}; /* as enum bf_kind */
static const char *const per_names[] = {"chunk", "run", NULL};
static const char *const wait_for_names[] = {"step", "chunk", NULL};
static const char *const order_names[] = {"asc", "desc", NULL};
static const char *const retry_fields[] = {"attempts", "first", "factor", "max", "jitter", "patience", NULL};
static const char *const lookback_fields[] = {"days", "keys", "warmup", NULL};
static const char *const warmup_names[] = {"allow", "block", NULL};
static const char *const sample_fields[] = {"name",      "type",    "file",      "expected", "present",   "of",
											"tolerance", "min",     "max",       "severity", "warn_if",   "error_if",
											"method",    "url",     "headers",   "body",     "redirects", "expected_status",
											"figure",    "pointer", "json_file", "count",    "on_empty",  NULL};
static const char *const rollback_fields[] = {"file", "changed", "verify", NULL};
static const char *const on_timeout_names[] = {"reject", "approve", NULL};
const char *const bf_on_failure_names[] = {"halt", "continue", NULL};

/* The fields that not every kind has. */
#define OF(kind) (1u << (kind))
#define WORK     (OF(BF_KIND_SQL) | OF(BF_KIND_EXEC) | OF(BF_KIND_HTTP) | OF(BF_KIND_CHECK) | OF(BF_KIND_NOOP)) /* what workers execute */
#define EFFECT   (OF(BF_KIND_SQL) | OF(BF_KIND_EXEC) | OF(BF_KIND_HTTP) | OF(BF_KIND_NOOP))
#define ASKING   (OF(BF_KIND_HTTP) | OF(BF_KIND_CHECK))
static const struct {
	const char *field;
	unsigned kinds;
	const char *shown;
} own_fields[] = {
	{"file", OF(BF_KIND_SQL) | OF(BF_KIND_CHECK), "sql and check"},
	{"argv", OF(BF_KIND_EXEC), "exec"},
	{"method", ASKING, "http and check"},
	{"url", ASKING, "http and check"},
	{"headers", ASKING, "http and check"},
	{"body", ASKING, "http and check"},
	{"redirects", ASKING, "http and check"},
	{"expected_status", ASKING, "http and check"},
	{"split", EFFECT, "sql, exec, http and noop"},
	{"rollback", EFFECT, "sql, exec, http and noop"},
	{"figure", OF(BF_KIND_CHECK), "check"},
	{"pointer", OF(BF_KIND_CHECK), "check"},
	{"json_file", OF(BF_KIND_CHECK), "check"},
	{"type", OF(BF_KIND_CHECK), "check"},
	{"expected", WORK, "sql, exec, http, check and noop"},
	{"present", WORK, "sql, exec, http, check and noop"},
	{"of", OF(BF_KIND_CHECK), "check"},
	{"min", OF(BF_KIND_CHECK), "check"},
	{"max", OF(BF_KIND_CHECK), "check"},
	{"severity", OF(BF_KIND_CHECK), "check"},
	{"checks", OF(BF_KIND_SOAK), "soak"},
	{"interval", OF(BF_KIND_SOAK), "soak"},
	{"duration", OF(BF_KIND_SOAK), "soak"},
	{"failure_limit", OF(BF_KIND_SOAK), "soak"},
	{"tolerance", OF(BF_KIND_CHECK), "check"},
	{"warn_if", OF(BF_KIND_CHECK), "check"},
	{"count", OF(BF_KIND_CHECK), "check"},
	{"on_empty", OF(BF_KIND_CHECK), "check"},
	{"error_if", OF(BF_KIND_CHECK), "check"},
	{"on_timeout", OF(BF_KIND_APPROVAL), "approval"},
	{"review", OF(BF_KIND_APPROVAL), "approval"},
	{"retry", WORK | OF(BF_KIND_SOAK), "sql, exec, http, check, noop and soak"},
	{"concurrency", WORK, "sql, exec, http, check and noop"},
	{"max_failed_ratio", WORK, "sql, exec, http, check and noop"},
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
	bf_read_duration(r, &at, o, "patience", 0, &retry->patience_ms);
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

static void read_approval(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_step *s)
{
	struct bf_at timeout = bf_at_field(up, "timeout"), on_timeout = bf_at_field(up, "on_timeout"), review = bf_at_field(up, "review");
	json_t *text = json_object_get(object, "review");

	if (json_object_get(object, "timeout"))
		s->approval.timeout_ms = s->timeout_ms;
	s->timeout_ms = 0; /* no attempt is made */
	s->approval.approve_on_timeout = bf_read_choice(r, up, object, "on_timeout", on_timeout_names, 0) == 1;
	if (json_object_get(object, "on_timeout") && !json_object_get(object, "timeout"))
		bf_problem(r, &on_timeout, "found without \"timeout\", expected both: how long a person is asked, and what then");
	if (s->approval.timeout_ms > 0 && s->approval.timeout_ms < APPROVAL_MIN_MS)
		bf_problem_found(r, &timeout, json_object_get(object, "timeout"), "at least 1s: a person is to decide");
	if (!text)
		return;
	bf_check_template(r, &review, text);
	s->approval.review = bf_strdup(json_string_value(text));
}

/* The days or keys that should be there, and those that are: what a run takes is the difference. */
static void read_gaps(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_step *s)
{
	static const struct bf_sql_use use = {.range = true, .single = true};
	struct bf_at expected = bf_at_field(up, "expected"), present = bf_at_field(up, "present");
	bool has_expected = json_object_get(object, "expected"), has_present = json_object_get(object, "present");

	if (s->kind == BF_KIND_CHECK || (!has_expected && !has_present))
		return;
	if (s->per == BF_PER_RUN)
		bf_problem(r, has_expected ? &expected : &present, "found on a step per run, expected only on a step per chunk");
	if (has_expected)
		bf_read_sql(r, &expected, json_object_get(object, "expected"), &use, &s->expected);
	if (has_present)
		bf_read_sql(r, &present, json_object_get(object, "present"), &use, &s->present);
}

static void read_rollback(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_step *s)
{
	static const struct bf_sql_use statements = {.undo = true}, query = {.undo = true, .single = true};
	struct bf_at at = bf_at_field(up, "rollback"), file = bf_at_field(&at, "file"), changed = bf_at_field(&at, "changed"),
				 verify = bf_at_field(&at, "verify");
	json_t *value = json_object_get(object, "rollback");

	if (!value)
		return;
	if (json_is_string(value)) {
		bf_read_sql(r, &at, value, &statements, &s->rollback.file);
		return;
	}
	if (!json_is_object(value)) {
		bf_problem_found(r, &at, value, "the name of an SQL file, or {\"file\": …, \"changed\": …, \"verify\": …}");
		return;
	}
	bf_check_fields(r, &at, value, rollback_fields);
	if (bf_require(r, &at, value, "file", "the name of an SQL file that undoes what a job has done"))
		bf_read_sql(r, &file, json_object_get(value, "file"), &statements, &s->rollback.file);
	if (json_object_get(value, "changed"))
		bf_read_sql(r, &changed, json_object_get(value, "changed"), &query, &s->rollback.changed);
	if (json_object_get(value, "verify"))
		bf_read_sql(r, &verify, json_object_get(value, "verify"), &query, &s->rollback.verify);
}

static void read_sample(struct bf_reader *r, const struct bf_at *at, json_t *object, struct bf_step *s)
{
	struct bf_check *c = &s->checks[s->n_checks++];
	char name[BF_NAME_MAX + 1] = "";

	if (!json_is_object(object)) {
		*c = (struct bf_check){.of = -1};
		bf_problem_found(r, at, object, "an object that describes a check");
		return;
	}
	bf_check_fields(r, at, object, sample_fields);
	if (bf_require(r, at, object, "name", "a name, under which its figures are kept"))
		bf_read_name(r, at, object, "name", name);
	bf_read_check(r, at, object, c);
	memcpy(c->name, name, sizeof(c->name));
	for (size_t i = 0; *name && i + 1 < s->n_checks; i++)
		if (strcmp(s->checks[i].name, name) == 0)
			bf_problem(r, at, "found the name %s for the second time, expected one that no other check of this soak has", name);
}

static void read_soak(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_step *s)
{
	struct bf_at at = bf_at_field(up, "checks");
	json_t *checks = bf_read(r, up, object, "checks", JSON_ARRAY), *check;
	size_t n = json_array_size(checks), i;

	s->soak.failure_limit = 1;
	bf_read_int(r, up, object, "failure_limit", 1, BF_SAMPLES_MAX, &s->soak.failure_limit);
	bf_read_soak_lengths(r, up, object, &s->soak);
	if (!bf_require(r, up, object, "checks", "an array of checks") || !checks)
		return;
	if (n < 1 || n > SOAK_CHECKS_MAX) {
		bf_problem(r, &at, "found %zu checks, expected 1 to %d", n, SOAK_CHECKS_MAX);
		return;
	}
	s->checks = bf_alloc(n * sizeof(*s->checks));
	json_array_foreach (checks, i, check) {
		struct bf_at element = bf_at_index(&at, i);

		read_sample(r, &element, check, s);
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
	case BF_KIND_HTTP:
		bf_read_http(r, at, object, &s->http);
		break;
	case BF_KIND_CHECK:
		s->checks = bf_alloc(sizeof(*s->checks));
		s->n_checks = 1;
		bf_read_check(r, at, object, s->checks);
		break;
	case BF_KIND_SOAK:
		read_soak(r, at, object, s);
		break;
	case BF_KIND_APPROVAL:
		read_approval(r, at, object, s);
		break;
	case BF_KIND_NOOP:
		break;
	}
}

static void read_lookback(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_step *s)
{
	struct bf_at at = bf_at_field(up, "lookback");
	json_t *lookback = bf_read_object(r, up, object, "lookback", lookback_fields);

	if (!lookback)
		return;
	const char *unit = s->chunk.by_key ? "keys" : "days", *other = s->chunk.by_key ? "days" : "keys";
	if (json_object_get(lookback, other))
		bf_problem(r, &at, "found \"%s\", expected \"%s\": the chunks of this pipeline are %s", other, unit,
				   s->chunk.by_key ? "keys" : "dates");
	else if (bf_require(r, &at, lookback, unit, s->chunk.by_key ? "the number of keys" : "the number of days"))
		bf_read_int(r, &at, lookback, unit, 1, LOOKBACK_MAX, &s->lookback);
	s->lookback_blocks = bf_read_choice(r, &at, lookback, "warmup", warmup_names, 0) == 1;
}

static void check_contradictions(struct bf_reader *r, const struct bf_at *up, json_t *object, const struct bf_step *s)
{
	static const char *const of_chunks[] = {"chunk", "order", "lookback", "max_failed_ratio", "split"};
	struct bf_at lookback = bf_at_field(up, "lookback"), order = bf_at_field(up, "order"), per = bf_at_field(up, "per"),
				 ratio = bf_at_field(up, "max_failed_ratio"), split = bf_at_field(up, "split");
	struct bf_at wait = bf_at_field(up, "wait_for");
	bool has_lookback = json_object_get(object, "lookback"), has_ratio = json_object_get(object, "max_failed_ratio");

	for (size_t i = 0; s->per == BF_PER_RUN && i < BF_COUNT_OF(of_chunks); i++) {
		struct bf_at at = bf_at_field(up, of_chunks[i]);

		if (json_object_get(object, of_chunks[i]))
			bf_problem(r, &at, "found on a step per run, expected only on a step per chunk");
	}
	if (s->per == BF_PER_RUN && s->wait_for_chunk)
		bf_problem(r, &wait, "found \"chunk\" on a step per run, expected only on a step per chunk");
	if ((s->kind == BF_KIND_APPROVAL || s->kind == BF_KIND_SOAK) && s->per == BF_PER_CHUNK)
		bf_problem(r, &per, "found \"chunk\" on a step of kind %s, expected \"run\"", kind_names[s->kind]);
	if (s->kind == BF_KIND_APPROVAL && json_object_get(object, "on_failure")) {
		struct bf_at at = bf_at_field(up, "on_failure");
		bf_problem(r, &at, "found on a step of kind approval, expected none: what needs it is done only after a yes");
	}
	if (has_ratio && json_object_get(object, "on_failure"))
		bf_problem(r, &ratio, "found beside \"on_failure\", expected one of them: a ratio says when failures stop what comes after");
	if (has_lookback && s->order == BF_ORDER_DESC)
		bf_problem(r, &order, "found \"desc\" beside \"lookback\", expected \"asc\": what is looked back at must be there first");
	if (has_lookback && s->kind == BF_KIND_CHECK)
		bf_problem(r, &lookback, "found on a step of kind check, expected only on sql, exec, http and noop");
	if (s->split && (s->concurrency == 1 || has_lookback))
		bf_problem(r, &split, "found beside %s, expected neither: the halves would come after all other chunks",
				   has_lookback ? "\"lookback\"" : "\"concurrency\": 1");
	if (s->split && s->chunk.by_key)
		bf_problem(r, &split, "found in a pipeline of keys, expected only where chunks are dates");
}

/* Steps of a phase are run alone by its name, beside which no step may have the same. */
static void read_phase(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_step *s)
{
	struct bf_at at = bf_at_field(up, "phase");

	if (!json_object_get(object, "phase"))
		return;
	bf_read_name(r, up, object, "phase", s->phase);
	for (size_t i = 0; s->phase[0] && r->step_names[i]; i++)
		if (strcmp(r->step_names[i], s->phase) == 0)
			bf_problem(r, &at, "found %s, which is the name of a step, expected another", s->phase);
}

static void read_step(struct bf_reader *r, const struct bf_at *at, json_t *object, const struct bf_step_defaults *defaults,
					  struct bf_step *s)
{
	int kind = bf_read_choice(r, at, object, "kind", kind_names, -1);
	bool for_run = kind == BF_KIND_CHECK || kind == BF_KIND_APPROVAL || kind == BF_KIND_SOAK;

	bf_check_fields(r, at, object, step_fields);
	if (bf_require(r, at, object, "name", "a name"))
		bf_read_name(r, at, object, "name", s->name);
	bf_require(r, at, object, "kind", "sql, exec, http, check, noop, approval or soak");
	read_phase(r, at, object, s);
	s->per = bf_read_choice(r, at, object, "per", per_names, for_run ? BF_PER_RUN : BF_PER_CHUNK) == BF_PER_RUN ? BF_PER_RUN : BF_PER_CHUNK;
	s->order = bf_read_choice(r, at, object, "order", order_names, BF_ORDER_ASC) == BF_ORDER_DESC ? BF_ORDER_DESC : BF_ORDER_ASC;
	s->has_order = json_object_get(object, "order");
	s->on_failure =
		bf_read_choice(r, at, object, "on_failure", bf_on_failure_names, (int)defaults->on_failure) == BF_CONTINUE ? BF_CONTINUE : BF_HALT;
	s->max_failed_ratio = -1;
	bf_read_number(r, at, object, "max_failed_ratio", 0, 1, &s->max_failed_ratio);
	bf_read_int(r, at, object, "concurrency", 1, BF_CONCURRENCY_MAX, &s->concurrency);
	s->split = bf_read_bool(r, at, object, "split", false);
	s->wait_for_chunk = bf_read_choice(r, at, object, "wait_for", wait_for_names, 0) == 1;
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
	read_gaps(r, at, object, s);
	read_rollback(r, at, object, s);
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
	bf_check_waits(r);
	bf_check_ofs(r);
}
