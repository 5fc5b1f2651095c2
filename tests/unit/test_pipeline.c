#include "base/mem.h"
#include "core/pipeline.h"

#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/*
 * Each test has a folder of its own with sql/a.sql, sql/one.sql, plan.json and an executable bin/run. Pipelines are written with ' for ".
 */

static char folder[64];
static struct bf_error err;

static char *path_of(const char *name)
{
	return bf_asprintf("%s/%s", folder, name);
}

static void write_bytes(const char *name, const char *text, size_t len)
{
	BF_AUTOFREE char *path = path_of(name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void write_file(const char *name, const char *text)
{
	write_bytes(name, text, strlen(text));
}

static void make_folder(const char *name)
{
	BF_AUTOFREE char *path = path_of(name);

	assert_int_equal(mkdir(path, 0755), 0);
}

static int setup(void **state)
{
	(void)state;
	memcpy(folder, "/tmp/test_pipeline.XXXXXX", sizeof("/tmp/test_pipeline.XXXXXX"));
	assert_non_null(mkdtemp(folder));
	make_folder("sql");
	make_folder("bin");
	write_file("sql/a.sql", "insert into t select :'since'::date, :'until'::date;\n");
	write_file("sql/one.sql", "select 1;\n");
	write_file("sql/run.sql", "select :'run'::date;\n");
	write_file("plan.json", "{}");
	write_file("bin/run", "#!/bin/sh\n");
	BF_AUTOFREE char *program = path_of("bin/run");
	return chmod(program, 0755);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	return nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static char *json_of(const char *text)
{
	char *json = bf_strdup(text);

	for (char *p = json; *p; p++)
		if (*p == '\'')
			*p = '"';
	return json;
}

static int load(const char *text, struct bf_pipeline **p)
{
	BF_AUTOFREE char *json = json_of(text), *path = path_of("pipeline.json");

	write_file("pipeline.json", json);
	memset(&err, 0, sizeof(err));
	*p = NULL;
	return bf_pipeline_load_file(path, p, &err);
}

static struct bf_pipeline *good(const char *text)
{
	struct bf_pipeline *p;

	if (load(text, &p) < 0)
		fail_msg("%s\n%s", text, err.text);
	return p;
}

static void assert_says(const char *part)
{
	if (!strstr(err.text, part))
		fail_msg("gave: %s\nnot:  %s", err.text, part);
}

static void assert_refused(const char *text, const char *part)
{
	struct bf_pipeline *p;

	if (load(text, &p) == 0)
		fail_msg("accepted: %s", text);
	assert_int_equal(err.code, BF_E_INPUT);
	assert_null(p);
	assert_says(folder); /* the file is named */
	assert_says(part);
}

/* A pipeline of one noop step and these fields; or of these steps; or of one step with these fields */
#define WITH(fields)         "{'pipeline': 'x', " fields ", 'steps': [{'name': 'a', 'kind': 'noop'}]}"
#define STEPS(steps)         "{'pipeline': 'x', 'steps': [" steps "]}"
#define STEP(fields)         STEPS("{'name': 'a', " fields "}")
#define SOAK(fields, checks) STEP("'kind': 'soak', " fields ", 'checks': [" checks "]")
#define NOOP(name, needs)    "{'name': '" name "', 'kind': 'noop', 'needs': [" needs "]}"

static const char full[] =
	"{'pipeline': 'weather', 'description': 'A sample', 'queue': 'backfill',"
	" 'chunk': {'unit': 'day', 'size': 2, 'max': 20}, 'concurrency': {'default': 4, 'max': 8}, 'rate': '20/minute', 'pause': '1s',"
	" 'env': {'pass': ['HOME', '_x1'], 'set': {'WINDOW': '{{param.season}}', 'A': '1'}},"
	" 'params': {'season': {'default': '2021', 'identity': true}, 'rows_min': {'affects': 'nothing'}},"
	" 'defaults': {'timeout': '2h', 'retry': {'attempts': 5, 'first': '1s'}, 'on_failure': 'continue'},"
	" 'steps': ["
	"  {'name': 'daily', 'kind': 'sql', 'file': 'sql/a.sql'},"
	"  {'name': 'rolling', 'kind': 'sql', 'file': 'sql/b.sql', 'concurrency': 1, 'lookback': {'days': 30}, 'on_failure': 'halt',"
	"   'retry': {'factor': 1.5, 'max': '1m', 'jitter': 0}, 'timeout': '90s'},"
	"  {'name': 'export', 'kind': 'exec', 'argv': ['bin/run', '--from={{since}}', '{{env.HOME|}}'], 'chunk': {'unit': 'month'},"
	"   'order': 'desc', 'needs': ['daily', 'rolling']},"
	"  {'name': 'shell', 'kind': 'exec', 'per': 'run', 'argv': ['sh', '-c', 'true'], 'needs': []},"
	"  {'name': 'complete', 'kind': 'check', 'type': 'equals', 'file': 'sql/one.sql', 'expected': 'sql/one.sql', 'tolerance': 0.5},"
	"  {'name': 'few', 'kind': 'check', 'per': 'chunk', 'type': 'row_count', 'file': 'sql/one.sql', 'warn_if': '>= 2', 'error_if': '<> "
	"1e3'},"
	"  {'name': 'nothing', 'kind': 'noop', 'needs': ['last']},"
	"  {'name': 'last', 'kind': 'noop', 'needs': []}]}";

static struct bf_pipeline *load_full(void)
{
	write_file("sql/b.sql", "select :'lookback_since', :'run', :'step', :'chunk', :'key', :rows_min, :\"season\"");
	return good(full);
}

static void every_field_reaches_the_model(void **state)
{
	struct bf_pipeline *p = load_full();

	(void)state;
	assert_string_equal(p->name, "weather");
	assert_string_equal(p->description, "A sample");
	assert_string_equal(p->queue, "backfill");
	assert_string_equal(p->dir, folder);
	assert_true(!p->chunk.by_key && p->chunk.unit == BF_UNIT_DAY && p->chunk.size == 2 && p->chunk.max == 20);
	assert_true(p->concurrency_default == 4 && p->concurrency_max == 8 && p->pause_ms == 1000);
	assert_true(p->rate_interval_ms > 2999 && p->rate_interval_ms < 3001);
	assert_string_equal(p->env_pass[0], "HOME");
	assert_string_equal(p->env_pass[1], "_x1");
	assert_null(p->env_pass[2]);
	assert_int_equal(p->n_env_set, 2);
	assert_string_equal(p->env_set[0].name, "WINDOW");
	assert_string_equal(p->env_set[0].value, "{{param.season}}");
	assert_int_equal(p->n_params, 2);
	assert_true(p->params[0].identity && !p->params[1].identity);
	assert_string_equal(p->params[0].default_value, "2021");
	assert_null(p->params[1].default_value);
	assert_int_equal(p->n_steps, 8);
	bf_pipeline_free(p);
}

static void every_field_of_a_step_reaches_the_model(void **state)
{
	struct bf_pipeline *p = load_full();
	const struct bf_step *daily = bf_pipeline_step(p, "daily"), *rolling = &p->steps[1], *export = &p->steps[2];
	BF_AUTOFREE char *program = path_of("bin/run");

	(void)state;
	assert_true(daily->kind == BF_KIND_SQL && daily->per == BF_PER_CHUNK && daily->n_needs == 0 && daily->concurrency == 0);
	assert_string_equal(daily->sql.name, "sql/a.sql");
	assert_string_equal(daily->sql.text, "insert into t select :'since'::date, :'until'::date;\n");
	assert_true(daily->timeout_ms == 7200000 && daily->retry.attempts == 5 && daily->retry.first_ms == 1000);
	assert_true(daily->retry.max_ms == 600000 && daily->on_failure == BF_CONTINUE && !daily->has_chunk && daily->chunk.size == 2);
	assert_true(rolling->n_needs == 1 && rolling->needs[0] == 0 && rolling->lookback == 30 && rolling->on_failure == BF_HALT);
	assert_true(rolling->retry.attempts == 5 && rolling->retry.max_ms == 60000 && rolling->timeout_ms == 90000);
	assert_true(export->has_chunk && export->chunk.unit == BF_UNIT_MONTH && export->chunk.size == 1 && export->chunk.max == 12);
	assert_true(export->order == BF_ORDER_DESC && export->n_needs == 2 && export->needs[1] == 1);
	assert_string_equal(export->argv[0], program);
	assert_string_equal(export->argv[1], "--from={{since}}");
	assert_null(export->argv[3]);
	assert_string_equal(p->steps[3].argv[0], "sh");
	assert_true(p->steps[3].per == BF_PER_RUN && p->steps[3].n_needs == 0);
	assert_true(p->steps[6].needs[0] == 7);
	bf_pipeline_free(p);
}

static void every_field_of_a_check_reaches_the_model(void **state)
{
	struct bf_pipeline *p = load_full();
	const struct bf_check *equals = p->steps[4].checks, *few = p->steps[5].checks;

	(void)state;
	assert_true(p->steps[4].per == BF_PER_RUN && p->steps[5].per == BF_PER_CHUNK);
	assert_true(equals->type == BF_CHECK_EQUALS && !equals->expected_number);
	assert_string_equal(equals->tolerance, "0.5");
	assert_string_equal(equals->query.text, "select 1;\n");
	assert_string_equal(equals->expected.name, "sql/one.sql");
	assert_true(few->type == BF_CHECK_ROW_COUNT && few->warn_if.op == BF_CMP_GE && few->error_if.op == BF_CMP_NE);
	assert_string_equal(few->error_if.number, "1e3");
	assert_string_equal(few->warn_if.text, ">= 2");
	bf_pipeline_free(p);
	p = good(STEP("'kind': 'check', 'type': 'equals', 'file': 'sql/one.sql', 'expected': 5"));
	assert_string_equal(p->steps[0].checks->expected_number, "5");
	bf_pipeline_free(p);
}

static void the_other_types_of_checks_reach_the_model(void **state)
{
	struct bf_pipeline *p =
		good(STEPS("{'name': 'a', 'kind': 'noop'},"
				   "{'name': 'b', 'kind': 'check', 'type': 'range', 'file': 'sql/one.sql', 'min': -1.5, 'severity': 'warning'},"
				   "{'name': 'c', 'kind': 'check', 'type': 'freshness', 'file': 'sql/one.sql', 'error_if': '> 48h'},"
				   "{'name': 'd', 'kind': 'check', 'type': 'rows', 'file': 'sql/one.sql'},"
				   "{'name': 'e', 'kind': 'check', 'type': 'coverage', 'of': 'a'},"
				   "{'name': 'f', 'kind': 'check', 'type': 'success_rate', 'error_if': '< 0.99'}"));
	const struct bf_step *s = p->steps;

	(void)state;
	assert_true(s[1].checks->type == BF_CHECK_RANGE && s[1].checks->only_warns && !s[1].checks->max);
	assert_string_equal(s[1].checks->min, "-1.5");
	assert_true(s[2].checks->type == BF_CHECK_FRESHNESS && s[2].checks->error_if.op == BF_CMP_GT);
	assert_string_equal(s[2].checks->error_if.number, "172800000");
	assert_string_equal(s[3].checks->error_if.text, "> 0");
	assert_true(s[4].checks->type == BF_CHECK_COVERAGE && s[4].checks->of == 0);
	assert_string_equal(s[4].checks->error_if.text, "< 1");
	assert_true(s[5].checks->type == BF_CHECK_SUCCESS_RATE && s[5].checks->of == -1);
	bf_pipeline_free(p);
}

static void requests_reach_the_model(void **state)
{
	struct bf_pipeline *p = good(
		"{'pipeline': 'x', 'params': {'p': {'default': 'data'}}, 'steps': ["
		"{'name': 'a', 'kind': 'http', 'url': 'HTTPS://h/{{key}}', 'body': {'k': ['{{key}}', 1]}, 'headers': {'X-A': '{{env.A|b}}'},"
		" 'expected_status': [200, 409], 'redirects': 3},"
		"{'name': 'b', 'kind': 'http', 'url': '{{env.A}}'}, {'name': 'c', 'kind': 'http', 'url': 'http://h', 'body': 'x', 'method': 'PUT'},"
		"{'name': 'd', 'kind': 'check', 'type': 'http', 'url': 'http://h', 'pointer': '/a', 'error_if': '< 1', 'expected_status': 204},"
		"{'name': 'e', 'kind': 'check', 'type': 'http', 'url': 'http://h', 'figure': 'latency', 'warn_if': '> 2s'},"
		"{'name': 'f', 'kind': 'check', 'type': 'json', 'json_file': '{{param.p}}/x.json', 'error_if': '< 1'}"
		"]}");
	const struct bf_step *s = p->steps;

	(void)state;
	assert_true(s[0].kind == BF_KIND_HTTP && s[0].per == BF_PER_CHUNK && s[0].http.body_is_json && s[0].http.redirects == 3);
	assert_string_equal(s[0].http.method, "POST");
	assert_string_equal(s[0].http.body, "{\"k\":[\"{{key}}\",1]}");
	assert_string_equal(s[0].http.headers[0].value, "{{env.A|b}}");
	assert_true(s[0].http.n_statuses == 2 && s[0].http.statuses[1] == 409 && s[1].http.n_statuses == 0);
	assert_string_equal(s[1].http.method, "GET");
	assert_true(!s[1].http.body && !s[2].http.body_is_json);
	assert_string_equal(s[2].http.method, "PUT");
	assert_true(s[3].checks->figure == BF_FIGURE_VALUE && s[3].checks->http.statuses[0] == 204);
	assert_true(s[4].checks->figure == BF_FIGURE_LATENCY && strcmp(s[4].checks->warn_if.number, "2000") == 0);
	assert_true(s[5].checks->type == BF_CHECK_JSON && strcmp(s[5].checks->pointer, "") == 0);
	assert_string_equal(s[5].checks->json_file, "{{param.p}}/x.json");
	assert_string_equal(bf_guarantee(&s[0]), "at least once, with an idempotency key");
	bf_pipeline_free(p);
}

static void a_split_goes_only_where_the_order_is_free(void **state)
{
	struct bf_pipeline *p = good(STEP("'kind': 'noop', 'split': true"));

	(void)state;
	assert_true(p->steps[0].split);
	bf_pipeline_free(p);
	assert_refused(STEP("'kind': 'noop', 'split': true, 'concurrency': 1"),
				   "steps[0].split: found beside \"concurrency\": 1, expected neither");
	assert_refused(STEP("'kind': 'noop', 'split': true, 'lookback': {'days': 3}"), "steps[0].split: found beside \"lookback\"");
	assert_refused(STEP("'kind': 'noop', 'split': true, 'per': 'run'"), "steps[0].split: found on a step per run");
	assert_refused(STEP("'kind': 'approval', 'split': true"),
				   "found on a step of kind approval, expected only on sql, exec, http and noop");
	assert_refused(STEP("'kind': 'noop', 'split': 'yes'"), "steps[0].split: found \"yes\", expected true or false");
}

static void a_throttle_reaches_the_model(void **state)
{
	struct bf_pipeline *p = good(WITH("'throttle': {'file': 'sql/one.sql', 'every': '7s'}"));

	(void)state;
	assert_true(p->throttle_ms == 7000);
	assert_string_equal(p->throttle.name, "sql/one.sql");
	bf_pipeline_free(p);
	assert_refused(WITH("'throttle': {'every': '7s'}"), "throttle: found no \"file\"");
	assert_refused(WITH("'throttle': {'file': 'sql/one.sql', 'every': '1s'}"), "throttle.every: found \"1s\", expected");
	assert_refused(WITH("'throttle': 'sql/one.sql'"), "throttle: found \"sql/one.sql\", expected an object");
}

static void a_rollback_reaches_the_model(void **state)
{
	struct bf_pipeline *p = good(
		STEPS("{'name': 'a', 'kind': 'noop', 'rollback': 'sql/one.sql'},"
			  "{'name': 'b', 'kind': 'noop', 'rollback': {'file': 'sql/one.sql', 'changed': 'sql/one.sql', 'verify': 'sql/one.sql'}}"));

	(void)state;
	assert_string_equal(p->steps[0].rollback.file.name, "sql/one.sql");
	assert_null(p->steps[0].rollback.changed.name);
	assert_non_null(p->steps[1].rollback.verify.text);
	bf_pipeline_free(p);
	assert_refused(STEP("'kind': 'noop', 'rollback': 7"), "steps[0].rollback: found 7, expected the name of an SQL file, or {");
	assert_refused(STEP("'kind': 'noop', 'rollback': {}"), "steps[0].rollback: found no \"file\"");
	assert_refused(STEP("'kind': 'noop', 'rollback': {'fil': 'x'}"), "(did you mean \"file\"?)");
	assert_refused(STEP("'kind': 'noop', 'rollback': 'sql/none.sql'"),
				   "steps[0].rollback: found \"sql/none.sql\", expected a file that exists");
	assert_refused(STEP("'kind': 'approval', 'rollback': 'sql/one.sql'"),
				   "found on a step of kind approval, expected only on sql, exec, http and noop");
}

static void an_approval_a_soak_and_gaps_reach_the_model(void **state)
{
	struct bf_pipeline *p = good(STEPS(
		"{'name': 'a', 'kind': 'noop', 'expected': 'sql/one.sql', 'present': 'sql/one.sql', 'max_failed_ratio': 0.25},"
		"{'name': 'b', 'kind': 'approval', 'timeout': '72h', 'on_timeout': 'approve', 'review': 'see {{run}}'},"
		"{'name': 'c', 'kind': 'approval'},"
		"{'name': 'd', 'kind': 'soak', 'interval': '5m', 'duration': '6h', 'failure_limit': 3, 'checks': ["
		" {'name': 'x', 'type': 'metric', 'file': 'sql/one.sql', 'error_if': '< 1'}, {'name': 'y', 'type': 'coverage', 'of': 'a'}]}"));
	const struct bf_step *s = p->steps;

	(void)state;
	assert_string_equal(s[0].expected.name, "sql/one.sql");
	assert_non_null(s[0].present.text);
	assert_true(s[0].max_failed_ratio > 0.24 && s[0].max_failed_ratio < 0.26 && s[1].max_failed_ratio < 0);
	assert_true(s[1].kind == BF_KIND_APPROVAL && s[1].per == BF_PER_RUN && s[1].approval.timeout_ms == 72LL * 3600 * 1000);
	assert_true(s[1].approval.approve_on_timeout && s[2].approval.timeout_ms == 0 && !s[2].approval.review);
	assert_string_equal(s[1].approval.review, "see {{run}}");
	assert_true(s[3].kind == BF_KIND_SOAK && s[3].n_checks == 2 && s[3].soak.interval_ms == 300000 && s[3].soak.failure_limit == 3);
	assert_true(s[3].soak.duration_ms == 6 * 3600 * 1000 && s[3].checks[1].of == 0);
	assert_string_equal(s[3].checks[0].name, "x");
	assert_string_equal(bf_guarantee(&s[1]), "a person decides");
	bf_pipeline_free(p);
}

#define WATCH(param, fields)                                                               \
	"{'pipeline': 'x', 'params': {'time': {" param "}}, 'steps': [{'name': 'a', 'phase': " \
	"'one', 'kind': 'noop'}, {'name': 'b', 'phase': 'two', 'kind': 'soak', " fields        \
	", 'checks': [{'name': 'c', 'type': 'success_rate', 'error_if': '< 1'}]}]}"

static void phases_and_lengths_that_parameters_say_reach_the_model(void **state)
{
	static const char watched[] = WATCH("'default': '6h'", "'interval': '5m', 'duration': '{{param.time}}'");
	const char *shorter[] = {"10m"}, *none[] = {NULL}, *word[] = {"soon"}, *too_short[] = {"1m"};
	struct bf_pipeline *p = good(watched);
	(void)state;
	assert_string_equal(p->steps[0].phase, "one");
	assert_string_equal(p->steps[1].phase, "two");
	assert_int_equal(p->steps[1].soak.duration_ms, 6 * 3600 * 1000);
	assert_int_equal(bf_soak_set(p, shorter, &err), 0);
	assert_int_equal(p->steps[1].soak.duration_ms, 600 * 1000);
	assert_int_equal(bf_soak_set(p, none, &err), 0);
	assert_int_equal(bf_soak_set(p, word, &err), -BF_E_INPUT);
	assert_says("parameter time: ");
	assert_int_equal(bf_soak_set(p, too_short, &err), -BF_E_INPUT);
	assert_says("step b: found an interval that is longer than \"duration\"");
	bf_pipeline_free(p);

	bf_pipeline_free(good(WATCH("", "'interval': '5m', 'duration': '{{param.time}}'")));
	assert_refused(WATCH("'default': '1m'", "'interval': '5m', 'duration': '{{param.time}}'"),
				   "steps[1].interval: found an interval that is longer");
	assert_refused(WATCH("'default': 'x'", "'interval': '5m', 'duration': '{{param.time}}'"), "steps[1].duration: params.time.default: ");
	assert_refused(WATCH("'default': '6h'", "'interval': '5m', 'duration': '{{param.tiem}}'"), "steps[1].duration: ");
	assert_refused(WATCH("'default': '6h'", "'interval': '5m', 'duration': '{{param.time}} '"), "steps[1].duration: ");
	assert_refused(STEPS("{'name': 'a', 'phase': 'b', 'kind': 'noop'}, {'name': 'b', 'kind': 'noop'}"),
				   "steps[0].phase: found b, which is the name of a step, expected another");
	assert_refused(STEP("'kind': 'noop', 'phase': 'Two'"), "steps[0].phase: ");
}

static void artifacts_reach_the_model(void **state)
{
	struct bf_pipeline *p =
		good("{'pipeline': 'x', 'artifacts': {'a/summary.md': {'what': 'summary'},"
			 " 'logs/batch_*.json': {'what': 'batches', 'step': 'a', 'size': 10}, 's.md': {'what': 'soak', 'step': 'b'}},"
			 " 'steps': [{'name': 'a', 'kind': 'noop'}, {'name': 'b', 'kind': 'soak', 'interval': '1s', 'duration': '1s',"
			 " 'checks': [{'name': 'x', 'type': 'rows', 'file': 'sql/one.sql'}]}]}");

	(void)state;
	assert_int_equal(p->n_artifacts, 3);
	assert_string_equal(p->artifacts[0].file, "a/summary.md");
	assert_true(p->artifacts[0].what == BF_ARTIFACT_SUMMARY);
	assert_true(p->artifacts[1].what == BF_ARTIFACT_BATCHES && p->artifacts[1].size == 10);
	assert_true(p->artifacts[2].what == BF_ARTIFACT_SOAK);
	bf_pipeline_free(p);
	assert_refused(WITH("'artifacts': {'/etc/x': {'what': 'summary'}}"), "artifacts.\"/etc/x\": found this name, expected that of a file");
	assert_refused(WITH("'artifacts': {'a/../../x': {'what': 'summary'}}"), "found this name");
	assert_refused(WITH("'artifacts': {'x': 5}"), "artifacts.x: found 5, expected an object");
	assert_refused(WITH("'artifacts': {'x': {}}"), "artifacts.x: found no \"what\"");
	assert_refused(WITH("'artifacts': {'x': {'what': 'sumary'}}"), "(did you mean \"summary\"?)");
	assert_refused(WITH("'artifacts': {'x': {'what': 'batches'}}"), "artifacts.x: found 0 '*' in the name, expected one");
	assert_refused(WITH("'artifacts': {'x*': {'what': 'summary'}}"), "found 1 '*' in the name, expected none");
	assert_refused(WITH("'artifacts': {'x': {'what': 'summary', 'step': 'a'}}"), "artifacts.x.step: found beside \"what\": \"summary\"");
	assert_refused("{'pipeline': 'x', 'artifacts': {'x*': {'what': 'batches', 'step': 'a'}}}", "found no \"steps\"");
	assert_refused(WITH("'artifacts': {'x': {'what': 'soak'}}"), "artifacts.x: found no \"step\"");
	assert_refused(WITH("'artifacts': {'x': {'what': 'soak', 'step': 'a'}}"), "artifacts.x.step: found a, expected a step of kind soak");
	assert_refused(WITH("'artifacts': {'x': {'what': 'violations', 'step': 'a'}}"),
				   "artifacts.x.step: found a, expected a step of kind check");
	assert_refused(WITH("'artifacts': {'x': {'what': 'rollback', 'step': ['a']}}"),
				   "step[0]: found a, expected a step with a \"rollback\" file");
	assert_refused(WITH("'artifacts': {'x': {'what': 'checks', 'step': []}}"), "artifacts.x.step: found no name");
	assert_refused(WITH("'artifacts': {'x': {'what': 'checks', 'step': ['b']}}"), "step[0]: found \"b\", expected the name of a step");
	assert_refused(WITH("'artifacts': {'x': {'what': 'checks', 'array': 'y'}}"), "artifacts.x.array: found beside \"what\": \"checks\"");
	assert_refused(WITH("'artifacts': {'x_{{day}}': {'what': 'summary'}}"), "found \"{{\" in the name, expected only {{date}}");
	bf_pipeline_free(good(WITH("'artifacts': {'x_{{date}}.sql': {'what': 'rollback'}}")));
	assert_refused(WITH("'artifacts': {'x': {'what': 'summary', 'size': 3}}"), "artifacts.x.size: found beside");
	assert_refused(WITH("'artifacts': {'x*': {'what': 'batches', 'size': 0}}"), "artifacts.\"x*\".size: found 0");
}

static void what_is_not_written_has_its_default(void **state)
{
	struct bf_pipeline *p = good(STEP("'kind': 'noop'"));
	const struct bf_step *s = &p->steps[0];

	(void)state;
	assert_string_equal(p->description, "");
	assert_string_equal(p->queue, "default");
	assert_true(p->chunk.size == 3 && p->chunk.max == 30 && p->concurrency_default == 3 && p->concurrency_max == 10);
	assert_true(p->pause_ms == 0 && p->n_params == 0 && p->n_env_set == 0);
	assert_null(p->env_pass[0]);
	assert_true(s->retry.attempts == 3 && s->retry.first_ms == 30000 && s->retry.max_ms == 600000 && s->timeout_ms == 3600000);
	assert_true(s->on_failure == BF_HALT && s->order == BF_ORDER_ASC && s->lookback == 0);
	bf_pipeline_free(p);
	p = good(WITH("'chunk': {'max': 2}, 'concurrency': {'max': 1}"));
	assert_true(p->chunk.size == 2 && p->concurrency_default == 1);
	bf_pipeline_free(p);
}

static void only_one_at_a_time_is_chronological_and_only_sql_is_exactly_once(void **state)
{
	struct bf_pipeline *p = load_full();

	(void)state;
	assert_true(bf_step_chronological(&p->steps[1]));
	assert_false(bf_step_chronological(&p->steps[0]));
	assert_string_equal(bf_guarantee(&p->steps[0]), "exactly once");
	assert_string_equal(bf_guarantee(&p->steps[2]), "at least once, with an idempotency key");
	assert_string_equal(bf_kind_name(p->steps[2].kind), "exec");
	assert_null(bf_pipeline_step(p, "dail"));
	bf_pipeline_free(p);
}

static void a_pinned_body_gives_the_same_pipeline_and_the_same_body(void **state)
{
	BF_AUTOBUF struct bf_buf first, second;
	struct bf_pipeline *p = load_full(), *pinned = NULL;

	(void)state;
	bf_buf_init(&first, 1 << 20);
	bf_buf_init(&second, 1 << 20);
	assert_int_equal(bf_pipeline_body(p, &first, &err), 0);
	assert_non_null(strstr(first.data, "\"files\":{\"sql/a.sql\":\"insert into t"));
	assert_int_equal(teardown(state), 0); /* nothing of it is needed any more */
	assert_int_equal(setenv("BF_PIPELINES", "/some/where", 1), 0);
	if (bf_pipeline_load_body(first.data, first.len, folder, &pinned, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(bf_pipeline_body(pinned, &second, &err), 0);
	assert_string_equal(first.data, second.data);
	assert_string_equal(pinned->dir, "/some/where/weather");
	assert_string_equal(pinned->steps[2].argv[0], "/some/where/weather/bin/run");
	assert_string_equal(pinned->steps[1].sql.text, p->steps[1].sql.text);
	bf_pipeline_free(pinned);
	assert_int_equal(bf_pipeline_load_body(first.data, first.len, "/", &pinned, &err), 0);
	assert_string_equal(pinned->dir, "/");
	bf_pipeline_free(pinned);
	bf_pipeline_free(p);
	assert_int_equal(unsetenv("BF_PIPELINES"), 0);
	assert_int_equal(setup(state), 0);
}

static void assert_body_refused(const char *text, const char *part)
{
	BF_AUTOFREE char *json = json_of(text);
	struct bf_pipeline *p = NULL;

	assert_int_equal(bf_pipeline_load_body(json, strlen(json), folder, &p, &err), -BF_E_INPUT);
	assert_null(p);
	assert_says(part);
}

static void a_pinned_body_has_exactly_the_files_that_it_names(void **state)
{
	(void)state;
	assert_body_refused(STEP("'kind': 'noop'"), "found no \"files\"");
	assert_body_refused("{'files': {'b.sql': ''}, 'pipeline': 'x', 'steps': [{'kind': 'noop', 'name': 'a'}]}",
						"files.\"b.sql\": found a file that nothing");
	assert_body_refused("{'files': {}, 'pipeline': 'x', 'steps': [{'file': 'a.sql', 'kind': 'sql', 'name': 'a'}]}", "one of \"files\"");
	assert_body_refused("{'files': {'a.sql': 1}, 'pipeline': 'x', 'steps': [{'file': 'a.sql', 'kind': 'sql', 'name': 'a'}]}",
						"the text of the file");
	assert_refused("{'files': {}, 'pipeline': 'x', 'steps': [{'kind': 'noop', 'name': 'a'}]}", "found \"files\", expected a known field");
}

/* The first is nobody's to read; the second may be of a newer program. */
static void a_pinned_body_that_nobody_reads_is_told_from_one_that_another_version_may(void **state)
{
	static const char cut[] = "{\"files\": {}, \"pipeline\": \"x\", \"steps\": [{\"kind\": \"no";
	struct bf_pipeline *p = NULL;

	(void)state;
	assert_int_equal(bf_pipeline_load_body(cut, strlen(cut), folder, &p, &err), -BF_E_LIMIT);
	assert_null(p);
	assert_says("pinned pipeline");
	assert_body_refused("{'files': {}, 'pipeline': 'x', 'novel': 1, 'steps': [{'kind': 'noop', 'name': 'a'}]}", "\"novel\"");
}

static void keys_come_from_a_query_or_a_file(void **state)
{
	struct bf_pipeline *p;
	BF_AUTOFREE char *plan = path_of("plan.json");

	(void)state;
	write_file("keys.sql", "select id from s where season = :'season'");
	p = good(WITH("'params': {'season': {}}, 'chunk': {'keys': {'sql': 'keys.sql'}}"));
	assert_true(p->chunk.by_key && p->steps[0].chunk.by_key);
	assert_string_equal(p->chunk.keys_sql.name, "keys.sql");
	bf_pipeline_free(p);
	p = good(WITH("'chunk': {'keys': {'file': 'plan.json', 'array': 'sessions', 'id': 'id'}}"));
	assert_string_equal(p->chunk.keys_file, plan);
	assert_string_equal(p->chunk.keys_array, "sessions");
	assert_string_equal(p->chunk.keys_id, "id");
	bf_pipeline_free(p);
	assert_refused(WITH("'chunk': {'keys': {'sql': 'sql/a.sql'}}"), "found \"since\", expected no variable");
	assert_refused(WITH("'chunk': {'keys': {}}"), "chunk.keys: found neither");
	assert_refused(WITH("'chunk': {'keys': {'sql': 'sql/one.sql', 'file': 'plan.json'}}"), "found \"sql\" and \"file\"");
	assert_refused(WITH("'chunk': {'keys': {'file': 'plan.json'}}"), "found no \"array\"");
	assert_refused(WITH("'chunk': {'keys': {'file': 'nowhere.json', 'array': 'a'}}"), "nowhere.json");
	assert_refused(WITH("'chunk': {'size': 1, 'keys': {'sql': 'sql/one.sql'}}"), "expected keys or dates");
}

static void a_file_that_is_not_json_is_named_with_line_and_column(void **state)
{
	(void)state;
	assert_refused("", "pipeline.json:1:0: not valid JSON");
	assert_refused("{'pipeline': 'x',\n 'steps': [", "pipeline.json:2:11: not valid JSON");
	assert_refused("{'pipeline': 'x'} x", "not valid JSON");
	assert_refused("[]", "found an array, expected an object");
	assert_refused("{'a': '\xff'}", "not valid JSON");
	assert_refused("{'queue': 'a',\n 'queue': 'b'}", "pipeline.json:2:8: found a field for the second time");
	assert_refused("{'a': '\\u0000'}", "not valid JSON");
}

static void a_file_nested_ten_thousand_deep_is_refused(void **state)
{
	BF_AUTOFREE char *deep = bf_alloc(10001);

	(void)state;
	memset(deep, '[', 10000);
	assert_refused(deep, "depth");
}

static void a_file_of_two_gigabytes_is_refused_by_its_size(void **state)
{
	BF_AUTOFREE char *path = path_of("pipeline.json"), *sql = path_of("sql/big.sql");
	struct bf_pipeline *p;

	(void)state;
	write_file("pipeline.json", "{");
	assert_int_equal(truncate(path, 2LL << 30), 0);
	assert_int_equal(bf_pipeline_load_file(path, &p, &err), -BF_E_INPUT);
	assert_says("larger than");
	write_file("sql/big.sql", "");
	assert_int_equal(truncate(sql, 2LL << 30), 0);
	assert_refused(STEP("'kind': 'sql', 'file': 'sql/big.sql'"), "steps[0].file: ");
	assert_says("larger than");
}

static void an_unknown_field_suggests_the_near_one_or_lists_all(void **state)
{
	(void)state;
	assert_refused(WITH("'concurency': {}"), "found \"concurency\", expected a known field (did you mean \"concurrency\"?)");
	assert_refused(STEP("'kind': 'noop', 'nedes': []"), "steps[0]: found \"nedes\", expected a known field (did you mean \"needs\"?)");
	assert_refused(WITH("'zzz': 'UTC'"), "expected a known field: pipeline, description, timezone, queue");
	assert_refused(STEP("'kind': 'noop', 'undo': 'x'"), "steps[0]: found \"undo\"");
	assert_refused(STEP("'kind': 'noop', 'retry': {'attemps': 1}"), "steps[0].retry: found \"attemps\"");
	assert_refused(WITH("'a\\nb': 1"), "found \"a\\nb\"");
	assert_refused(STEP("'kind': 'grpc'"),
				   "steps[0].kind: found \"grpc\", expected one of: sql, exec, check, noop, approval, soak or http");
	assert_refused(STEP("'kind': 'nop'"), "(did you mean \"noop\"?)");
}

static void a_wrong_name_is_shown_and_the_right_form_is_said(void **state)
{
	BF_AUTOFREE char *name = bf_alloc(301), *long_name = NULL;

	(void)state;
	memset(name, 'a', 300);
	long_name = bf_asprintf("{'pipeline': '%s', 'steps': [{'name': 'a', 'kind': 'noop'}]}", name);
	assert_refused(long_name, "pipeline: found \"aaaa");
	assert_says("aaa…\", expected a name: a letter a-z, then up to 39 of a-z, 0-9 and '-'");
	assert_refused(STEPS("{'name': 'a/b', 'kind': 'noop'}"), "steps[0].name: found \"a/b\", expected a name");
	assert_refused(STEPS("{'name': 'a b', 'kind': 'noop'}"), "steps[0].name: found \"a b\", expected a name");
	assert_refused(WITH("'queue': ''"), "queue: found \"\", expected a name");
	assert_refused(STEPS("{'name': 'a', 'kind': 'noop'}, {'name': 'a', 'kind': 'noop'}"),
				   "steps[1].name: found \"a\", expected a name that no other step has (steps[0]");
}

static void a_wrong_value_is_shown_with_what_is_right(void **state)
{
	static const char *const cases[][2] = {
		{WITH("'queue': 5"), "queue: found 5, expected a text in quotes"},
		{WITH("'description': null"), "description: found null, expected a text"},
		{WITH("'chunk': {'size': 0}"), "chunk.size: found 0, expected a whole number from 1 to 30"},
		{WITH("'chunk': {'size': 31}"), "chunk.size: found 31, expected a whole number from 1 to 30"},
		{WITH("'chunk': {'size': 99999999999}"), "chunk.size: found 99999999999"},
		{WITH("'chunk': {'size': 1.5}"), "chunk.size: found 1.5"},
		{WITH("'chunk': {'unit': 'week'}"), "chunk.unit: found \"week\", expected one of: day or month"},
		{WITH("'chunk': {'unit': 'days'}"), "chunk.unit: found \"days\", expected one of: day or month (did you mean \"day\"?)"},
		{WITH("'concurrency': 3"), "concurrency: found 3, expected an object"},
		{WITH("'concurrency': {'max': 10001}"), "concurrency.max: found 10001"},
		{WITH("'concurrency': {'default': 11}"), "concurrency: found a default of 11, expected at most max, which is 10"},
		{WITH("'rate': 'often'"), "rate: found \"often\""},
		{WITH("'pause': '1'"), "pause: found \"1\""},
		{WITH("'env': {'pass': ['A B']}"), "env.pass[0]: found \"A B\""},
		{WITH("'env': {'pass': ['A'], 'set': {'A': 'x'}}"), "env.pass[0]: found \"A\", expected a variable that is passed or set"},
		{WITH("'env': {'set': {'1A': 'x'}}"), "env.set.1A: found this name"},
		{WITH("'env': {'set': {'A': '{{param.x}}'}}"), "env.set.A: found \"{{param.x}}\""},
		{WITH("'env': {'set': {'A': 1}}"), "env.set.A: found 1"},
		{WITH("'params': {'since': {}}"), "params.since: found the name of a built-in variable"},
		{WITH("'params': {'a-b': {}}"), "params.a-b: found this name"},
		{WITH("'params': {'a': '1'}"), "params.a: found \"1\", expected an object"},
		{WITH("'params': {'a': {'identity': 'yes'}}"), "params.a.identity: found \"yes\", expected true or false"},
		{WITH("'defaults': {'timeout': '0s'}"), "defaults.timeout: found \"0s\", expected at least 1ms"},
		{STEP("'kind': 'noop', 'per': 'day'"), "steps[0].per: found \"day\", expected one of: chunk or run"},
		{STEP("'kind': 'noop', 'retry': {'factor': 0.5}"), "steps[0].retry.factor: found 0.5, expected a number from 1 to 100"},
		{STEP("'kind': 'noop', 'retry': {'first': '1h'}"), "steps[0].retry: found a \"first\" wait that is longer"},
		{STEP("'kind': 'noop', 'retry': {'jitter': 2}"), "steps[0].retry.jitter: found 2"},
		{STEP("'kind': 'noop', 'needs': 'b'"), "steps[0].needs: found \"b\", expected an array"},
		{STEP("'kind': 'noop', 'lookback': {}"), "steps[0].lookback: found no \"days\""},
		{STEP("'kind': 'noop', 'lookback': {'days': 1, 'warmup': 'maybe'}"),
		 "steps[0].lookback.warmup: found \"maybe\", expected one of: allow or block"},
		{STEP("'kind': 'sql'"), "steps[0]: found no \"file\""},
		{STEP("'kind': 'exec'"), "steps[0]: found no \"argv\""},
		{STEP("'kind': 'exec', 'argv': []"), "steps[0].argv: found 0 elements"},
		{STEP("'kind': 'exec', 'argv': ['sh', 5]"), "steps[0].argv[1]: found 5"},
		{STEP("'kind': 'exec', 'argv': ['sh', '{{sinse}}']"), "steps[0].argv[1]: found \"{{sinse}}\""},
		{STEP("'kind': 'exec', 'argv': ['{{env.X}}']"), "steps[0].argv[0]: found \"{{env.X}}\", expected a program"},
		{STEP("'per': 'run'"), "steps[0]: found no \"kind\""},
		{STEPS("5"), "steps[0]: found 5, expected an object"},
		{STEPS("{'kind': 'noop'}"), "steps[0]: found no \"name\""},
		{STEPS(""), "steps: found 0 steps, expected 1 to 64"},
		{"{'pipeline': 'x'}", "found no \"steps\""},
		{"{}", "found no \"pipeline\""},
	};

	(void)state;
	for (size_t i = 0; i < BF_COUNT_OF(cases); i++)
		assert_refused(cases[i][0], cases[i][1]);
}

static void fields_that_contradict_each_other_are_errors(void **state)
{
	static const char *const cases[][2] = {
		{STEP("'kind': 'noop', 'order': 'desc', 'lookback': {'days': 1}"), "steps[0].order: found \"desc\" beside \"lookback\""},
		{STEP("'kind': 'check', 'per': 'chunk', 'type': 'metric', 'file': 'sql/one.sql', 'error_if': '< 1', 'lookback': {'days': 1}"),
		 "steps[0].lookback: found on a step of kind check"},
		{STEP("'kind': 'noop', 'per': 'run', 'lookback': {'days': 1}"), "steps[0].lookback: found on a step per run"},
		{STEP("'kind': 'noop', 'per': 'run', 'chunk': {}"), "steps[0].chunk: found on a step per run"},
		{STEP("'kind': 'noop', 'per': 'run', 'order': 'asc'"), "steps[0].order: found on a step per run"},
		{STEP("'kind': 'sql', 'file': 'sql/a.sql', 'argv': ['sh']"), "steps[0].argv: found on a step of kind sql, expected only on exec"},
		{STEP("'kind': 'exec', 'argv': ['sh'], 'file': 'x'"),
		 "steps[0].file: found on a step of kind exec, expected only on sql and check"},
		{STEP("'kind': 'noop', 'error_if': '< 1'"), "steps[0].error_if: found on a step of kind noop"},
		{STEP("'kind': 'noop', 'review': 'x'"), "steps[0].review: found on a step of kind noop, expected only on approval"},
		{STEP("'kind': 'noop', 'interval': '1s'"), "steps[0].interval: found on a step of kind noop, expected only on soak"},
		{STEP("'kind': 'noop', 'on_failure': 'halt', 'max_failed_ratio': 0.5"), "steps[0].max_failed_ratio: found beside \"on_failure\""},
		{STEP("'kind': 'noop', 'max_failed_ratio': 1.5"), "steps[0].max_failed_ratio: found 1.5, expected a number from 0 to 1"},
		{STEP("'kind': 'noop', 'per': 'run', 'max_failed_ratio': 0.5"), "steps[0].max_failed_ratio: found on a step per run"},
		{STEP("'kind': 'noop', 'per': 'run', 'expected': 'sql/one.sql'"), "steps[0].expected: found on a step per run"},
		{STEP("'kind': 'noop', 'present': 'sql/run.sql'"), "sql/run.sql: line 1: found \"run\", expected a variable that exists here"},
		{STEP("'kind': 'approval', 'per': 'chunk'"), "steps[0].per: found \"chunk\" on a step of kind approval, expected \"run\""},
		{STEP("'kind': 'approval', 'retry': {}"), "steps[0].retry: found on a step of kind approval"},
		{STEP("'kind': 'approval', 'on_timeout': 'approve'"), "steps[0].on_timeout: found without \"timeout\""},
		{STEP("'kind': 'approval', 'timeout': '10ms'"), "steps[0].timeout: found \"10ms\", expected at least 1s"},
		{STEP("'kind': 'approval', 'review': '{{param.x}}'"), "steps[0].review: found \"{{param.x}}\""},
		{STEP("'kind': 'approval', 'review': 5"), "steps[0].review: found 5, expected a text"},
		{STEP("'kind': 'soak'"), "steps[0]: found no \"interval\""},
		{SOAK("'interval': '2h', 'duration': '1h'", ""), "steps[0].interval: found an interval that is longer than \"duration\""},
		{SOAK("'interval': '100ms', 'duration': '24h'", ""), "steps[0].interval: found more than 100000 samples"},
		{SOAK("'interval': '1m', 'duration': '1h', 'failure_limit': 0", ""), "steps[0].failure_limit: found 0"},
		{SOAK("'interval': '1m', 'duration': '1h'", ""), "steps[0].checks: found 0 checks, expected 1 to 50"},
		{SOAK("'interval': '1m', 'duration': '1h'", "5"), "steps[0].checks[0]: found 5, expected an object"},
		{SOAK("'interval': '1m', 'duration': '1h'", "{'type': 'rows', 'file': 'sql/one.sql'}"), "steps[0].checks[0]: found no \"name\""},
		{SOAK("'interval': '1m', 'duration': '1h'",
			  "{'name': 'x', 'type': 'rows', 'file': 'sql/one.sql'}, {'name': 'x', 'type': 'rows', 'file': 'sql/one.sql'}"),
		 "steps[0].checks[1]: found the name x for the second time"},
		{SOAK("'interval': '1m', 'duration': '1h'", "{'name': 'x', 'type': 'rows', 'file': 'sql/one.sql', 'argv': []}"),
		 "steps[0].checks[0]: found \"argv\", expected a known field"},
		{STEP("'kind': 'noop', 'chunk': {'keys': {'sql': 'sql/one.sql'}}"), "steps[0].chunk: found \"keys\""},
		{"{'pipeline': 'x', 'chunk': {'keys': {'sql': 'sql/one.sql'}}, 'steps': [{'name': 'a', 'kind': 'noop', 'chunk': {'size': 1}}]}",
		 "steps[0].chunk: found dates"},
		{"{'pipeline': 'x', 'chunk': {'keys': {'sql': 'sql/one.sql'}}, 'steps': [{'name': 'a', 'kind': 'noop', 'lookback': {'days': 1}}]}",
		 "steps[0].lookback: found \"days\", expected \"keys\": the chunks of this pipeline are keys"},
		{STEP("'kind': 'noop', 'lookback': {'keys': 1}"),
		 "steps[0].lookback: found \"keys\", expected \"days\": the chunks of this pipeline are dates"},
		{STEP("'kind': 'noop', 'wait_for': 'day'"), "steps[0].wait_for: found \"day\", expected one of: step or chunk"},
		{STEP("'kind': 'noop', 'wait_for': 'chunk'"), "steps[0].wait_for: found \"chunk\", but nothing that this step needs has chunks"},
		{STEP("'kind': 'noop', 'per': 'run', 'wait_for': 'chunk'"), "steps[0].wait_for: found \"chunk\" on a step per run"},
		{STEP("'kind': 'noop', 'split': true}, {'name': 'b', 'kind': 'noop', 'wait_for': 'chunk'"),
		 "steps[1].wait_for: found \"chunk\" although a has \"split\""},
	};

	(void)state;
	for (size_t i = 0; i < BF_COUNT_OF(cases); i++)
		assert_refused(cases[i][0], cases[i][1]);
}

#define CHECK(fields) STEP("'kind': 'check', 'file': 'sql/one.sql', " fields)

static void a_check_needs_what_its_type_needs(void **state)
{
	static const char *const cases[][2] = {
		{CHECK("'type': 'metric'"), "steps[0]: found neither \"error_if\" nor \"warn_if\""},
		{CHECK("'type': 'metric', 'error_if': '< 1', 'expected': 1"), "steps[0].expected: found on a check of type metric"},
		{CHECK("'type': 'equals'"), "steps[0]: found no \"expected\""},
		{CHECK("'type': 'equals', 'expected': 1, 'warn_if': '< 1'"), "steps[0].warn_if: found on a check of type equals"},
		{CHECK("'type': 'equals', 'expected': true"), "steps[0].expected: found true, expected a number, or"},
		{CHECK("'type': 'equals', 'expected': 1, 'tolerance': -1"), "steps[0].tolerance: found -1, expected a number of at least 0"},
		{CHECK("'type': 'metric', 'error_if': '1.0'"), "steps[0].error_if: found \"1.0\", expected a comparison"},
		{CHECK("'type': 'metric', 'error_if': '<'"), "steps[0].error_if: found \"<\""},
		{CHECK("'type': 'metric', 'error_if': '< nan'"), "steps[0].error_if: found \"< nan\""},
		{CHECK("'type': 'metric', 'error_if': '< 1 2'"), "steps[0].error_if: found \"< 1 2\""},
		{CHECK("'type': 'metric', 'error_if': 1"), "steps[0].error_if: found 1"},
		{CHECK("'type': 'sum'"), "steps[0].type: found \"sum\", expected one of: metric, row_count, equals, rows, range, freshness"},
		{CHECK("'type': 'coverage', 'of': 'a'"), "steps[0].file: found on a check of type coverage"},
		{STEP("'kind': 'check', 'type': 'coverage'"), "steps[0]: found neither \"of\" nor \"expected\" and \"present\""},
		{STEP("'kind': 'check', 'type': 'coverage', 'expected': 'sql/one.sql'"), "steps[0]: found no \"present\""},
		{STEP("'kind': 'check', 'type': 'coverage', 'of': 'b'"), "steps[0].of: found \"b\", expected the name of a step of this file"},
		{STEPS("{'name': 'a', 'kind': 'noop'}, {'name': 'b', 'kind': 'check', 'type': 'coverage', 'of': 'a', 'needs': []}"),
		 "steps[1].of: found a, expected a step that comes before this one by \"needs\""},
		{STEPS("{'name': 'a', 'kind': 'noop', 'per': 'run'}, {'name': 'b', 'kind': 'check', 'type': 'coverage', 'of': 'a'}"),
		 "steps[1].of: found a, expected a step of kind sql, exec or noop that is per chunk"},
		{CHECK("'type': 'range'"), "steps[0]: found neither \"min\" nor \"max\""},
		{CHECK("'type': 'range', 'min': 2, 'max': 1"), "steps[0]: found a \"min\" above \"max\""},
		{CHECK("'type': 'range', 'min': 2, 'error_if': '< 1'"), "steps[0].error_if: found on a check of type range"},
		{CHECK("'type': 'metric', 'severity': 'warning', 'error_if': '< 1'"), "steps[0].severity: found on a check of type metric"},
		{CHECK("'type': 'range', 'min': 2, 'severity': 'low'"), "steps[0].severity: found \"low\", expected one of: error or warning"},
		{CHECK("'type': 'freshness', 'error_if': '> 2'"), "steps[0].error_if: found \"> 2\", expected a comparison with an age"},
		{CHECK("'type': 'freshness'"),
		 "steps[0]: found neither \"error_if\" nor \"warn_if\", expected one of them, such as \"error_if\": \"> 48h\""},
		{CHECK("'error_if': '< 1'"), "steps[0]: found no \"type\""},
		{STEP("'kind': 'check', 'type': 'metric', 'error_if': '< 1'"), "steps[0]: found no \"file\""},
	};

	(void)state;
	for (size_t i = 0; i < BF_COUNT_OF(cases); i++)
		assert_refused(cases[i][0], cases[i][1]);
	write_file("sql/one.sql", "select 1; select 2");
	assert_refused(CHECK("'type': 'metric', 'error_if': '< 1'"), "sql/one.sql: found 2 statements, expected one");
}

static void a_cycle_is_written_out(void **state)
{
	(void)state;
	assert_refused(STEPS(NOOP("a", "'c'") "," NOOP("b", "'a'") "," NOOP("c", "'b'")), "steps[0].needs: found a cycle: a -> c -> b -> a");
	assert_refused(STEPS(NOOP("a", "'a'")), "found a cycle: a -> a");
	assert_refused(STEPS(NOOP("x", "'b'") "," NOOP("b", "'c'") "," NOOP("c", "'b'")), "steps[1].needs: found a cycle: b -> c -> b");
}

static void needs_name_steps_of_the_file_each_once(void **state)
{
	(void)state;
	assert_refused(STEPS("{'name': 'raw-complete', 'kind': 'noop'}," NOOP("b", "'rawcomplete'")),
				   "steps[1].needs[0]: found \"rawcomplete\", expected the name of a step of this file (did you mean \"raw-complete\"?)");
	assert_refused(STEPS(NOOP("a", "") "," NOOP("b", "'a', 'a'")), "steps[1].needs[1]: found \"a\", expected each step once");
	assert_refused(STEPS(NOOP("a", "5")), "steps[0].needs[0]: found 5");
	assert_refused(STEPS(NOOP("a", "''")), "steps[0].needs[0]: found \"\"");
}

static void missing_files_and_programs_are_reported_all_at_once(void **state)
{
	BF_AUTOFREE char *plain = path_of("bin/plain");

	(void)state;
	write_file("bin/plain", "");
	assert_int_equal(chmod(plain, 0644), 0);
	assert_refused(STEPS("{'name': 'a', 'kind': 'sql', 'file': 'sql/no.sql'},"
						 "{'name': 'b', 'kind': 'exec', 'argv': ['bin/no']},"
						 "{'name': 'c', 'kind': 'exec', 'argv': ['bin/plain']},"
						 "{'name': 'd', 'kind': 'exec', 'argv': ['no-such-program-anywhere']},"
						 "{'name': 'e', 'kind': 'exec', 'argv': ['./sql']}"),
				   "steps[0].file: found \"sql/no.sql\", expected a file that exists");
	assert_says("steps[1].argv[0]: found \"bin/no\", expected a program that exists, for step b");
	assert_says("steps[2].argv[0]: found \"bin/plain\", expected a file that may be executed");
	assert_says("steps[3].argv[0]: found \"no-such-program-anywhere\", expected a program that is in PATH");
	assert_says("steps[4].argv[0]: found \"./sql\", expected a program, for step e (");
}

static void a_file_stays_in_the_pipelines_folder(void **state)
{
	static const char *const outside[] = {"../x.sql", "sql/../../x.sql", "/etc/passwd", "..", "sql/..", ""};

	(void)state;
	for (size_t i = 0; i < BF_COUNT_OF(outside); i++) {
		BF_AUTOFREE char *text = bf_asprintf(STEP("'kind': 'sql', 'file': '%s'"), outside[i]);

		assert_refused(text, "expected the name of a file in the pipeline's folder");
	}
	assert_refused(STEP("'kind': 'sql', 'file': 'sql'"), "expected a regular file, for step a (");
	write_file("sql/..b.sql", "select 1");
	bf_pipeline_free(good(STEP("'kind': 'sql', 'file': 'sql/..b.sql'")));
}

static void wrong_sql_is_named_with_its_file_and_line(void **state)
{
	(void)state;
	write_file("sql/a.sql", "select 1,\n 'abc\n");
	assert_refused(STEP("'kind': 'sql', 'file': 'sql/a.sql'"), "steps[0].file: sql/a.sql: line 2: found a quote ' that is never closed");
	write_file("sql/a.sql", "select 1;\ncommit;");
	assert_refused(STEP("'kind': 'sql', 'file': 'sql/a.sql'"), "sql/a.sql: line 2: found \"commit\"");
	write_file("sql/a.sql", "-- nothing\n");
	assert_refused(STEP("'kind': 'sql', 'file': 'sql/a.sql'"), "sql/a.sql: found no statement");
	write_bytes("sql/a.sql", "select '\xff'", 10);
	assert_refused(STEP("'kind': 'sql', 'file': 'sql/a.sql'"), "a file of UTF-8 text");
	write_bytes("sql/a.sql", "select \0", 8);
	assert_refused(STEP("'kind': 'sql', 'file': 'sql/a.sql'"), "a file of UTF-8 text");
}

static void unknown_variables_are_named_each_once(void **state)
{
	(void)state;
	write_file("sql/a.sql", "select :'sinse',\n :nosuch, :'sinse', :'lookback_since'");
	assert_refused(STEP("'kind': 'sql', 'file': 'sql/a.sql'"),
				   "sql/a.sql: line 1: found \"sinse\", expected a variable that exists here (did you mean \"since\"?)");
	assert_says("line 2: found \"nosuch\", expected a variable that exists here: run, step, chunk, since, until or key");
	assert_says("found \"lookback_since\", expected \"lookback\": {\"days\": N} on this step");
	assert_null(strstr(strstr(err.text, "sinse") + 1, "sinse"));
}

static void many_problems_are_all_counted_and_the_first_are_shown(void **state)
{
	BF_AUTOBUF struct bf_buf text;
	int lines = 1, more = 0;

	(void)state;
	bf_buf_init(&text, 1 << 16);
	bf_buf_addstr(&text, "{'pipeline': 'x', 'steps': [");
	for (int i = 0; i < 60; i++)
		bf_buf_printf(&text, "%s{'name': 's%d', 'kind': 'sql', 'file': 'sql/no%d.sql'}", i ? "," : "", i, i);
	bf_buf_addstr(&text, "]}");
	assert_refused(text.data, "steps[0].file");
	assert_true(strlen(err.text) < BF_ERROR_TEXT_MAX - 1);
	for (const char *p = err.text; (p = strchr(p, '\n')); p++)
		lines++;
	assert_int_equal(sscanf(strrchr(err.text, '\n'), "\n… and %d more", &more), 1);
	assert_int_equal(lines - 1 + more, 60);
}

static void a_pipeline_is_found_by_its_name_or_its_path(void **state)
{
	BF_AUTOFREE char *weather = path_of("weather/pipeline.json"), *flat = path_of("flat.json"), *dir = path_of("weather");
	char *path;

	(void)state;
	make_folder("weather");
	make_folder("empty");
	write_file("weather/pipeline.json", "{}");
	write_file("flat.json", "{}");
	assert_int_equal(setenv("BF_PIPELINES", folder, 1), 0);
	const char *const found[][2] = {{"weather", weather}, {"flat", flat}, {dir, weather}, {flat, flat}};
	for (size_t i = 0; i < BF_COUNT_OF(found); i++) {
		assert_int_equal(bf_pipeline_find(found[i][0], &path, &err), 0);
		assert_string_equal(path, found[i][1]);
		free(path);
	}
	assert_int_equal(bf_pipeline_find("wether", &path, &err), -BF_E_NOT_FOUND);
	assert_says("found no pipeline \"wether\"");
	assert_says("(did you mean \"weather\"?): flat, plan, weather");
	assert_int_equal(bf_pipeline_find("a b", &path, &err), -BF_E_NOT_FOUND);
	assert_int_equal(bf_pipeline_find("./no.json", &path, &err), -BF_E_NOT_FOUND);
	assert_int_equal(setenv("BF_PIPELINES", "/no/such/folder", 1), 0);
	assert_int_equal(bf_pipeline_find("weather", &path, &err), -BF_E_NOT_FOUND);
	assert_says("/no/such/folder (BF_PIPELINES) cannot be read");
	assert_int_equal(unsetenv("BF_PIPELINES"), 0);
}

/* `listed` is "a, b or c" of an error: each has to be a property somewhere in the schema. */
static void assert_in_schema(const char *schema, const char *listed)
{
	while (*listed && *listed != '\n') {
		size_t len = strspn(listed, "abcdefghijklmnopqrstuvwxyz_");
		BF_AUTOFREE char *property = bf_asprintf("\"%.*s\": ", (int)len, listed);

		assert_true(len > 0);
		if (!strstr(schema, property))
			fail_msg("docs/pipeline.schema.json has no %s", property);
		listed += len;
		listed += strncmp(listed, ", ", 2) == 0 ? 2 : strncmp(listed, " or ", 4) == 0 ? 4 : 0;
	}
}

static void the_published_schema_has_every_field(void **state)
{
	static const char *const cases[] = {
		WITH("'wwwwwwww': 1"),
		WITH("'chunk': {'wwwwwwww': 1}"),
		WITH("'chunk': {'keys': {'wwwwwwww': 1}}"),
		WITH("'concurrency': {'wwwwwwww': 1}"),
		WITH("'env': {'wwwwwwww': 1}"),
		WITH("'throttle': {'wwwwwwww': 1}"),
		WITH("'params': {'a': {'wwwwwwww': 1}}"),
		WITH("'defaults': {'wwwwwwww': 1}"),
		STEP("'kind': 'noop', 'wwwwwwww': 1"),
		STEP("'kind': 'noop', 'retry': {'wwwwwwww': 1}"),
		STEP("'kind': 'noop', 'lookback': {'wwwwwwww': 1}"),
	};
	static const char found[] = "found \"wwwwwwww\", expected a known field: ";
	BF_AUTOFREE char *tests = bf_strndup(__FILE__, (size_t)(strrchr(__FILE__, '/') - __FILE__));
	BF_AUTOFREE char *path = bf_asprintf("%s/../../docs/pipeline.schema.json", tests);
	BF_AUTOBUF struct bf_buf schema;

	(void)state;
	bf_buf_init(&schema, 1 << 20);
	if (bf_buf_read_file(&schema, path, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < BF_COUNT_OF(cases); i++) {
		assert_refused(cases[i], found);
		assert_in_schema(schema.data, strstr(err.text, found) + strlen(found));
	}
}

static void mutated_files_are_loaded_or_refused_and_nothing_else(void **state)
{
	static const char parts[] = "\"{}[]:,\\x 019.-eE\x01\xff\xc3truefalsn/";
	BF_AUTOFREE char *json = json_of(full), *path = path_of("pipeline.json");
	uint64_t random = 99;
	size_t whole = strlen(json);

	(void)state;
	bf_pipeline_free(load_full());
	for (int round = 0; round < 3000; round++) {
		BF_AUTOFREE char *text = bf_strdup(json);
		struct bf_pipeline *p = NULL;
		size_t len = whole;

		for (int change = 0; change < 1 + round % 3; change++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			text[(random >> 33) % whole] = parts[(random >> 20) % (sizeof(parts) - 1)];
		}
		if (round % 10 == 0)
			len -= (random >> 40) % whole;
		if (round % 2) {
			write_bytes("pipeline.json", text, len);
			(void)bf_pipeline_load_file(path, &p, &err);
		} else {
			(void)bf_pipeline_load_body(text, len, "/", &p, &err);
		}
		bf_pipeline_free(p);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_field_reaches_the_model),
		TEST(every_field_of_a_step_reaches_the_model),
		TEST(every_field_of_a_check_reaches_the_model),
		TEST(the_other_types_of_checks_reach_the_model),
		TEST(requests_reach_the_model),
		TEST(a_split_goes_only_where_the_order_is_free),
		TEST(a_throttle_reaches_the_model),
		TEST(a_rollback_reaches_the_model),
		TEST(an_approval_a_soak_and_gaps_reach_the_model),
		TEST(phases_and_lengths_that_parameters_say_reach_the_model),
		TEST(artifacts_reach_the_model),
		TEST(what_is_not_written_has_its_default),
		TEST(only_one_at_a_time_is_chronological_and_only_sql_is_exactly_once),
		TEST(a_pinned_body_gives_the_same_pipeline_and_the_same_body),
		TEST(a_pinned_body_has_exactly_the_files_that_it_names),
		TEST(a_pinned_body_that_nobody_reads_is_told_from_one_that_another_version_may),
		TEST(keys_come_from_a_query_or_a_file),
		TEST(a_file_that_is_not_json_is_named_with_line_and_column),
		TEST(a_file_nested_ten_thousand_deep_is_refused),
		TEST(a_file_of_two_gigabytes_is_refused_by_its_size),
		TEST(an_unknown_field_suggests_the_near_one_or_lists_all),
		TEST(a_wrong_name_is_shown_and_the_right_form_is_said),
		TEST(a_wrong_value_is_shown_with_what_is_right),
		TEST(fields_that_contradict_each_other_are_errors),
		TEST(a_check_needs_what_its_type_needs),
		TEST(a_cycle_is_written_out),
		TEST(needs_name_steps_of_the_file_each_once),
		TEST(missing_files_and_programs_are_reported_all_at_once),
		TEST(a_file_stays_in_the_pipelines_folder),
		TEST(wrong_sql_is_named_with_its_file_and_line),
		TEST(unknown_variables_are_named_each_once),
		TEST(many_problems_are_all_counted_and_the_first_are_shown),
		TEST(a_pipeline_is_found_by_its_name_or_its_path),
		TEST(the_published_schema_has_every_field),
		TEST(mutated_files_are_loaded_or_refused_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
