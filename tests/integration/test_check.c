/*
 * The step kind check on a real PostgreSQL, in a schema of its own. This program plays the rest of the worker, and notes what the job is
 * told.
 */
#include "helpers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "core/migrate.h"
#include "core/vars.h"
#include "steps/steps.h"

#define PSQL "psql \"$BF_DATABASE_URL\" " /* how a hint begins that asks the database by hand */

enum told { NOTHING, DONE, FAILED, AGAIN, RETURNED, OPENED_AGAIN };

struct session {
	uv_loop_t loop;
	struct bf_worker worker;
	struct bf_pipeline pipeline;
	struct bf_run_def def;
	struct bf_step step;
	struct bf_check check;
	struct bf_job job;
	char chunk[32], key[32];
	struct bf_lane lane;
	int ready, told_count, closed, recorded;
	enum told told;
	bool never_again;
	char category[32], *error, *note;
	char record[256]; /* the last row of bf.check_result … */
	char violations[400];
	int n_violations; /* … and what it keeps of them */
	uv_timer_t later;
};

static struct session *at; /* the functions of job.c have no other way to it */

/* ---- the rest of the worker ---- */

static void tell(enum told what)
{
	assert_null(at->job.step_state);
	at->told = what;
	at->told_count++;
}

void bf_job_done(struct bf_job *j, int64_t rows)
{
	(void)j;
	assert_int_equal(rows, -1);
	tell(DONE);
}

void bf_job_failed(struct bf_job *j, const char *category, bool never_again, const char *error, const char *tail, size_t tail_len)
{
	(void)j;
	(void)tail;
	(void)tail_len;
	snprintf(at->category, sizeof(at->category), "%s", category);
	at->never_again = never_again;
	at->error = bf_strdup(error);
	tell(FAILED);
}

void bf_job_wait(struct bf_job *j, const struct bf_retry *pace, enum bf_blame blame, const char *why)
{
	(void)j;
	(void)blame;
	(void)pace;
	(void)why;
	tell(AGAIN);
}

void bf_job_again(struct bf_job *j, int64_t delay_ms, const char *why)
{
	(void)j;
	(void)delay_ms;
	(void)why;
	tell(AGAIN);
}

int bf_job_ahead(const struct bf_worker *w)
{
	(void)w;
	return 0;
}

void bf_job_returned(struct bf_job *j)
{
	(void)j;
	tell(RETURNED);
}

void bf_open_again(struct bf_job *j, const char *why)
{
	(void)j;
	(void)why;
	tell(OPENED_AGAIN);
}

void bf_open_again_lost(struct bf_job *j, const char *why)
{
	bf_open_again(j, why);
}

void bf_job_settled_here(struct bf_job *j, int64_t rows)
{
	(void)j;
	fail_msg("a check settled itself, %lld rows", (long long)rows);
}

void bf_job_progress(struct bf_job *j, int64_t done, int64_t total, const char *checkpoint, const char *note)
{
	(void)j;
	assert_int_equal(done, -1);
	assert_int_equal(total, -1);
	assert_null(checkpoint);
	at->note = bf_strdup(note);
}

void bf_job_vars(const struct bf_job *j, struct bf_vars *v)
{
	*v = (struct bf_vars){
		.run = j->run, .step = j->step_name, .chunk = j->chunk, .since = j->since, .until = j->until, .lookback_since = "", .key = j->key};
}

const struct bf_log_ctx *bf_job_log(const struct bf_job *j)
{
	(void)j;
	return NULL;
}

/* ---- one job ---- */

static void on_ready(struct bf_pgc *c, void *data)
{
	struct session *t = data;

	(void)c;
	t->ready++;
}

static int set_up(void **state)
{
	struct session *t = bf_alloc(sizeof(*t));
	struct bf_error err;

	uv_loop_init(&t->loop);
	uv_timer_init(&t->loop, &t->later);
	t->worker = (struct bf_worker){.loop = &t->loop};
	t->pipeline = (struct bf_pipeline){.dir = (char *)(uintptr_t) "/p/weather"};
	t->def.pipeline = &t->pipeline;
	t->step = (struct bf_step){
		.kind = BF_KIND_CHECK, .timeout_ms = 3600000, .retry = {.attempts = 3, .first_ms = 30000}, .checks = &t->check, .n_checks = 1};
	snprintf(t->chunk, sizeof(t->chunk), "2012-01-01..2012-01-31");
	t->job = (struct bf_job){.worker = &t->worker,
							 .run = "check.test",
							 .step_name = "complete",
							 .chunk = t->chunk,
							 .key = t->key,
							 .since = "2012-01-01",
							 .until = "2012-01-31",
							 .seq = 1,
							 .epoch = 5,
							 .def = &t->def,
							 .step = &t->step};
	struct bf_pgc_options o = {.application_name = "test_check", .purpose = BF_PG_JOB, .on_ready = on_ready, .data = t};
	assert_int_equal(bf_pgc_open(&t->loop, &o, &t->lane.conn, &err), 0);
	t->job.lane = &t->lane;
	run_until(&t->loop, &t->ready, 1);
	*state = at = t;
	return 0;
}

static void on_closed(void *data)
{
	struct session *t = data;

	t->closed++;
}

static int tear_down(void **state)
{
	struct session *t = *state;

	bf_pgc_close(t->lane.conn, on_closed, t);
	uv_close((uv_handle_t *)&t->later, NULL);
	run_until(&t->loop, &t->closed, 1);
	end_loop(&t->loop);
	free(t->error);
	free(t->note);
	free(t);
	return 0;
}

static const struct bf_pg_stmt last_record = {
	"t_last_record", "select concat_ws('|', type, coalesce(actual::text, 'none'), expected, outcome), left(violations::text, 399),"
					 " jsonb_array_length(violations) from bf.check_result"
					 " where run = 'check.test' order by id desc limit 1"};

static void on_record(struct bf_pgc *c, const struct bf_pg_result *r, const struct bf_error *err, void *data)
{
	struct session *t = data;

	(void)c;
	assert_null(err);
	snprintf(t->record, sizeof(t->record), "%s", bf_pg_rows(r) ? bf_pg_text(r, 0, 0) : "");
	snprintf(t->violations, sizeof(t->violations), "%s", bf_pg_rows(r) ? bf_pg_text(r, 0, 1) : "");
	t->n_violations = bf_pg_rows(r) ? (int)bf_pg_int(r, 0, 2) : 0;
	t->recorded++;
}

static struct bf_sql_file sql(const char *text)
{
	return (struct bf_sql_file){.name = (char *)(uintptr_t) "sql/q.sql", .text = (char *)(uintptr_t)text};
}

/* Forgets what the check before this one told, in a test that runs several. */
static void forget(struct session *t)
{
	free(t->error);
	free(t->note);
	t->error = t->note = NULL;
	t->told = NOTHING;
	t->told_count = t->recorded = 0;
}

static void start(struct session *t)
{
	struct bf_error err = {.text = ""};

	forget(t);
	if (bf_step_check.start(&t->job, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(t->told_count, 0); /* later, never from within */
}

/* Runs the check to its end, and looks up what was recorded. */
static void run(struct session *t)
{
	start(t);
	run_until(&t->loop, &t->told_count, 1);
	while (bf_pgc_state(t->lane.conn) != BF_PGC_READY)
		uv_run(&t->loop, UV_RUN_ONCE);
	assert_int_equal(bf_pgc_exec(t->lane.conn, &last_record, NULL, on_record, t), 0);
	run_until(&t->loop, &t->recorded, 1);
	assert_int_equal(t->told_count, 1);
}

/* What the model owns, and here nobody frees. */
static char *text(const char *constant)
{
	return (char *)(uintptr_t)constant;
}

static struct bf_condition condition(enum bf_cmp op, const char *number, const char *written)
{
	return (struct bf_condition){.op = op, .number = text(number), .text = text(written)};
}

static void metric(struct session *t, const char *text)
{
	t->check = (struct bf_check){.type = BF_CHECK_METRIC,
								 .query = sql(text),
								 .warn_if = condition(BF_CMP_LT, "0.99", "< 0.99"),
								 .error_if = condition(BF_CMP_LT, "0.9", "< 0.9")};
	run(t);
}

static void equals(struct session *t, const char *actual, const char *expected, const char *tolerance)
{
	t->check = (struct bf_check){.type = BF_CHECK_EQUALS, .query = sql(actual), .expected = sql(expected), .tolerance = text(tolerance)};
	run(t);
}

static void expect_failed(const struct session *t, const char *category, const char *text, bool never_again)
{
	assert_int_equal(t->told, FAILED);
	assert_string_equal(t->category, category);
	assert_string_equal(t->error, text);
	assert_int_equal(t->never_again, never_again);
}

/* ---- the tests ---- */

static void an_attempt_that_no_longer_holds_the_job_records_nothing(void **state)
{
	struct session *t = *state;
	char before[sizeof(t->record)];

	metric(t, "select 0.97");
	snprintf(before, sizeof(before), "%s", t->record);
	t->job.epoch = 4;
	metric(t, "select 0.42");
	assert_string_equal(t->record, before);
}

static void a_metric_within_its_limits_passes(void **state)
{
	struct session *t = *state;

	metric(t, "select 1.0 -- of what; and why\n; -- end; of it");
	assert_int_equal(t->told, DONE);
	assert_null(t->note);
	assert_string_equal(t->record, "metric|1.0|warns if < 0.99, fails if < 0.9|pass");
}

static void a_metric_beyond_the_first_limit_warns_and_is_done(void **state)
{
	struct session *t = *state;

	metric(t, "select 0.95 as figure, 'another column' as figure");
	assert_int_equal(t->told, DONE);
	assert_string_equal(t->note, "complete: 0.95 found, warns if < 0.99, fails if < 0.9. Ask again: " PSQL "-f /p/weather/sql/q.sql");
	assert_string_equal(t->record, "metric|0.95|warns if < 0.99, fails if < 0.9|warn");
}

static void a_metric_beyond_the_second_fails_for_good(void **state)
{
	struct session *t = *state;

	metric(t, "select 0.5 where :'since' < :'until' and :'since' = '2012-01-01'");
	expect_failed(t, "check",
				  "complete: 0.5 found, warns if < 0.99, fails if < 0.9. Ask again: " PSQL "-v since=2012-01-01 -v until=2012-01-31 -f "
				  "/p/weather/sql/q.sql",
				  true);
	assert_string_equal(t->record, "metric|0.5|warns if < 0.99, fails if < 0.9|fail");
}

static void a_metric_must_be_one_number(void **state)
{
	struct session *t = *state;

	metric(t, "select n from generate_series(1, 1461) n");
	expect_failed(t, "check", "complete: sql/q.sql yielded 1,461 rows; expected one number", true);
	assert_string_equal(t->record, "metric|none|warns if < 0.99, fails if < 0.9|fail");
}

static void no_row_is_no_number(void **state)
{
	metric(*state, "select 1 where false");
	expect_failed(*state, "check", "complete: sql/q.sql yielded no rows; expected one number", true);
}

static void null_is_no_number(void **state)
{
	metric(*state, "select sum(n) from generate_series(1, 0) n");
	expect_failed(*state, "check", "complete: sql/q.sql yielded NULL; expected one number", true);
}

static void text_is_no_number(void **state)
{
	metric(*state, "select '12 apples'");
	expect_failed(*state, "check", "complete: sql/q.sql yielded \"12 apples\"; expected one number", true);
}

static void not_a_number_is_no_number(void **state)
{
	metric(*state, "select 'NaN'::numeric");
	expect_failed(*state, "check", "complete: sql/q.sql yielded \"NaN\"; expected one number", true);
}

static void rows_are_counted_and_shown_by_a_command(void **state)
{
	struct session *t = *state;

	snprintf(t->key, sizeof(t->key), "it's; 1");
	t->check = (struct bf_check){.type = BF_CHECK_ROW_COUNT,
								 .query = sql("with v as (select n, :'key' as key from generate_series(1, 3) n)\n"
											  "select *, :'key' from v where key = 'it''s; 1' order by n;\n"),
								 .error_if = condition(BF_CMP_GT, "0", "> 0")};
	run(t);
	expect_failed(t, "check", "complete: 3 rows found, fails if > 0. Show them: " PSQL "-v key='it'\\''s; 1' -f /p/weather/sql/q.sql",
				  true);
	assert_string_equal(t->record, "row_count|3|fails if > 0|fail");
}

static void equal_numbers_pass(void **state)
{
	struct session *t = *state;

	equals(t, "select count(*) from generate_series(1, 1461)", "select 1461.0;", NULL);
	assert_int_equal(t->told, DONE);
	assert_string_equal(t->record, "equals|1461|= 1461.0|pass");
}

static void unequal_numbers_fail_and_both_are_named(void **state)
{
	struct session *t = *state;

	equals(t, "select 1460", "select 1461", NULL);
	expect_failed(t, "check", "complete: 1,460 found, 1,461 expected (tolerance 0). Ask again: " PSQL "-f /p/weather/sql/q.sql", true);
	assert_string_equal(t->record, "equals|1460|= 1461|fail");
}

static void numbers_within_the_tolerance_are_equal(void **state)
{
	equals(*state, "select 1460", "select 1461", "1");
	assert_int_equal(((struct session *)*state)->told, DONE);
}

static void numbers_that_differ_in_their_last_digit_are_not_equal(void **state)
{
	static const char *const pairs[][2] = {{"9007199254740992", "9007199254740993"},
										   {"12345678901234567890.12", "12345678901234567890.13"},
										   {"18446744073709551614", "18446744073709551615"},
										   {"-9223372036854775807", "-9223372036854775808"}};
	struct session *t = *state;

	for (size_t i = 0; i < BF_COUNT_OF(pairs); i++) {
		BF_AUTOFREE char *a = bf_asprintf("select %s", pairs[i][0]), *b = bf_asprintf("select %s", pairs[i][1]);
		BF_AUTOFREE char *kept = bf_asprintf("equals|%s|= %s|fail", pairs[i][0], pairs[i][1]);
		equals(t, a, b, NULL);
		assert_int_equal(t->told, FAILED);
		assert_string_equal(t->record, kept);
		equals(t, a, a, NULL);
		assert_int_equal(t->told, DONE);
	}
	equals(t, "select 9007199254740992", "select 9007199254740993", "0.999");
	expect_failed(t, "check",
				  "complete: 9,007,199,254,740,992 found, 9,007,199,254,740,993 expected (tolerance 0.999). Ask again: " PSQL
				  "-f /p/weather/sql/q.sql",
				  true);
}

static void thresholds_and_ranges_are_as_exact_as_figures(void **state)
{
	struct session *t = *state;

	t->check = (struct bf_check){.type = BF_CHECK_METRIC,
								 .query = sql("select 9007199254740993"),
								 .error_if = condition(BF_CMP_GT, "9007199254740992", "> 9007199254740992")};
	run(t);
	assert_int_equal(t->told, FAILED);
	t->check = (struct bf_check){.type = BF_CHECK_RANGE, .query = sql("select 9007199254740993"), .max = text("9007199254740992")};
	run(t);
	assert_string_equal(t->record, "range|9007199254740993|at most 9,007,199,254,740,992|fail");
}

static void what_is_not_a_finite_number_is_no_figure(void **state)
{
	static const char *const values[] = {"'NaN'::float8", "'Infinity'::float8", "'-Infinity'::numeric", "'0x10'", "' 1'",
										 "true",          "'1e99999'"};
	struct session *t = *state;

	for (size_t i = 0; i < BF_COUNT_OF(values); i++) {
		BF_AUTOFREE char *query = bf_asprintf("select %s", values[i]);
		metric(t, query);
		assert_int_equal(t->told, FAILED);
		assert_non_null(strstr(t->error, "expected one number"));
	}
	metric(t, "select 1e20::float8"); /* "1e+20" */
	assert_int_equal(t->told, DONE);
	metric(t, "select 1e-5::float8"); /* "1e-05" */
	assert_int_equal(t->told, FAILED);
}

static void a_number_may_be_expected_without_a_query(void **state)
{
	struct session *t = *state;

	t->check = (struct bf_check){.type = BF_CHECK_EQUALS, .query = sql("select 2.5"), .expected_number = text("2.5")};
	run(t);
	assert_int_equal(t->told, DONE);
	assert_string_equal(t->record, "equals|2.5|= 2.5|pass");
}

static void a_figure_within_its_range_passes_and_its_ends_belong_to_it(void **state)
{
	struct session *t = *state;

	t->check = (struct bf_check){.type = BF_CHECK_RANGE, .query = sql("select 3"), .min = text("1"), .max = text("3")};
	run(t);
	assert_int_equal(t->told, DONE);
	assert_string_equal(t->record, "range|3|1 to 3|pass");
}

static void a_figure_outside_of_its_range_fails(void **state)
{
	struct session *t = *state;

	t->check = (struct bf_check){.type = BF_CHECK_RANGE, .query = sql("select 3.5"), .min = text("4")};
	run(t);
	expect_failed(t, "check", "complete: 3.5 found, expected at least 4. Ask again: " PSQL "-f /p/weather/sql/q.sql", true);
	assert_string_equal(t->record, "range|3.5|at least 4|fail");
}

static void a_figure_that_only_warns_is_a_note(void **state)
{
	struct session *t = *state;

	t->check = (struct bf_check){.type = BF_CHECK_RANGE, .query = sql("select 3.5"), .max = text("3"), .only_warns = true};
	run(t);
	assert_int_equal(t->told, DONE);
	assert_string_equal(t->record, "range|3.5|at most 3|warn");
	assert_string_equal(t->note, "complete: 3.5 found, expected at most 3. Ask again: " PSQL "-f /p/weather/sql/q.sql");
}

#define VIOLATIONS \
	"select n as day, case when n > 2 then 'warning' else 'error' end as severity, 'no' as message from generate_series(1, 3) n"

static void each_row_is_a_violation_but_those_that_only_warn(void **state)
{
	struct session *t = *state;

	t->check = (struct bf_check){.type = BF_CHECK_ROWS, .query = sql(VIOLATIONS), .error_if = condition(BF_CMP_GT, "0", "> 0")};
	run(t);
	expect_failed(t, "check", "complete: 2 violations found and 1 that only warn, fails if > 0. Show them: " PSQL "-f /p/weather/sql/q.sql",
				  true);
	assert_string_equal(t->record, "rows|2|fails if > 0|fail");
	assert_string_equal(t->violations, "[{\"day\": 1, \"message\": \"no\", \"severity\": \"error\"},"
									   " {\"day\": 2, \"message\": \"no\", \"severity\": \"error\"},"
									   " {\"day\": 3, \"message\": \"no\", \"severity\": \"warning\"}]");
}

static void rows_that_only_warn_warn_and_none_pass(void **state)
{
	struct session *t = *state;

	t->check = (struct bf_check){.type = BF_CHECK_ROWS,
								 .query = sql("select * from (" VIOLATIONS ") v where day > 2"),
								 .error_if = condition(BF_CMP_GT, "0", "> 0")};
	run(t);
	assert_int_equal(t->told, DONE);
	assert_string_equal(t->record, "rows|0|fails if > 0|warn");
}

static void a_million_violations_are_counted_and_a_hundred_kept(void **state)
{
	struct session *t = *state;

	t->check = (struct bf_check){
		.type = BF_CHECK_ROWS, .query = sql("select n from generate_series(1, 1000000) n"), .error_if = condition(BF_CMP_GT, "0", "> 0")};
	run(t);
	assert_string_equal(t->record, "rows|1000000|fails if > 0|fail");
	assert_int_equal(t->n_violations, 100);
}

static void violations_that_are_too_long_are_left_out(void **state)
{
	struct session *t = *state;

	t->check = (struct bf_check){.type = BF_CHECK_ROWS,
								 .query = sql("select repeat('x', 150000) as x from generate_series(1, 3) n"),
								 .error_if = condition(BF_CMP_GT, "0", "> 0")};
	run(t);
	assert_string_equal(t->record, "rows|3|fails if > 0|fail");
	assert_int_equal(t->n_violations, 1);
}

static void freshness(struct session *t, const char *text)
{
	t->check = (struct bf_check){.type = BF_CHECK_FRESHNESS,
								 .query = sql(text),
								 .warn_if = condition(BF_CMP_GT, "86400000", "> 24h"),
								 .error_if = condition(BF_CMP_GT, "172800000", "> 48h")};
	run(t);
}

static void the_age_of_a_time_is_judged(void **state)
{
	struct session *t = *state;

	freshness(t, "select now() - interval '30 hours'");
	assert_int_equal(t->told, DONE);
	assert_non_null(strstr(t->record, "|warns if > 24h, fails if > 48h|warn"));
	assert_string_equal(t->note, "complete: 1 d 6 h old, warns if > 24h, fails if > 48h. Ask again: " PSQL "-f /p/weather/sql/q.sql");
}

static void what_is_too_old_fails(void **state)
{
	freshness(*state, "select (now() - interval '3 days')::text");
	expect_failed(*state, "check", "complete: 3 d 0 h old, warns if > 24h, fails if > 48h. Ask again: " PSQL "-f /p/weather/sql/q.sql",
				  true);
}

static void no_time_is_no_age(void **state)
{
	freshness(*state, "select max(n)::timestamptz from (select null::timestamptz as n) v");
	expect_failed(*state, "check", "complete: sql/q.sql yielded NULL; expected one time", true);
}

static void what_is_no_time_is_an_error_of_the_sql(void **state)
{
	freshness(*state, "select 'yesterday noon or so'");
	expect_failed(*state, "sql", "invalid input syntax for type timestamp with time zone: \"yesterday noon or so\"", false);
}

static void coverage(struct session *t, const char *expected, const char *present)
{
	t->check = (struct bf_check){.type = BF_CHECK_COVERAGE,
								 .of = -1,
								 .expected = sql(expected),
								 .present = sql(present),
								 .error_if = condition(BF_CMP_LT, "1", "< 1")};
	run(t);
}

#define DAYS(from, to) "select d::date from generate_series('" from "'::date, '" to "', interval '1 day') d"

static void all_that_is_expected_is_there(void **state)
{
	coverage(*state, DAYS("2011-12-20", "2012-02-10"), DAYS("2012-01-01", "2012-01-31"));
	assert_int_equal(((struct session *)*state)->told, DONE);
	assert_string_equal(((struct session *)*state)->record, "coverage|1|fails if < 1|pass"); /* only the run's range counts */
}

static void what_is_missing_is_named(void **state)
{
	struct session *t = *state;

	coverage(t, DAYS("2012-01-01", "2012-01-31") " union all " DAYS("2012-01-01", "2012-01-31"), DAYS("2012-01-08", "2012-01-30"));
	expect_failed(
		t, "check",
		"complete: 23 of 31 days there (74.19 %), fails if < 1. Missing: 2012-01-01, 2012-01-02, 2012-01-03, 2012-01-04, 2012-01-05"
		" and 3 more. What is there: " PSQL "-f /p/weather/sql/q.sql",
		true);
	assert_int_equal(t->n_violations, 8);
}

static void almost_all_is_never_shown_as_all(void **state)
{
	coverage(*state, "select '2012-01-01'::date + n % 31 from generate_series(1, 62) n where n <> 99 union all select '2012-01-01'",
			 DAYS("2012-01-02", "2012-01-31"));
	expect_failed(
		*state, "check",
		"complete: 30 of 31 days there (96.77 %), fails if < 1. Missing: 2012-01-01. What is there: " PSQL "-f /p/weather/sql/q.sql", true);
}

static void an_expected_null_is_no_day(void **state)
{
	coverage(*state, "select null::date", DAYS("2012-01-02", "2012-01-31"));
	expect_failed(*state, "check", "complete: what is expected has a NULL in it; expected days, or keys", true);
}

static void nothing_expected_is_a_warning(void **state)
{
	coverage(*state, "select now()::date where false", DAYS("2012-01-02", "2012-01-31"));
	assert_string_equal(((struct session *)*state)->record, "coverage|1|fails if < 1|warn");
}

static void a_rate_of_nothing_to_try_is_met(void **state)
{
	struct session *t = *state;

	t->check = (struct bf_check){.type = BF_CHECK_SUCCESS_RATE, .of = -1, .error_if = condition(BF_CMP_LT, "0.99", "< 0.99")};
	run(t);
	assert_string_equal(t->record, "success_rate|none|fails if < 0.99|pass");
}

static void the_expected_number_must_be_one_too(void **state)
{
	equals(*state, "select 1", "select n from generate_series(1, 2) n", NULL);
	expect_failed(*state, "check", "complete: sql/q.sql yielded 2 rows; expected one number", true);
}

static void an_sql_error_is_the_server_s_message(void **state)
{
	struct session *t = *state;

	metric(t, "select 1 / 0");
	expect_failed(t, "sql", "division by zero", false);
	assert_string_equal(t->record, ""); /* of this run nothing was recorded yet */
}

static void a_check_can_write_nothing(void **state)
{
	struct session *t = *state;

	metric(t, "select nextval('bf.t_check')");
	expect_failed(t, "sql", "cannot execute nextval() in a read-only transaction", false);
}

static void stop_it(uv_timer_t *timer)
{
	struct session *t = timer->data;

	bf_step_check.stop(&t->job);
}

/* Cancels, again and again, until the job has ended. */
static void run_and_stop(struct session *t)
{
	t->later.data = t;
	uv_timer_start(&t->later, stop_it, 0, 20);
	metric(t, "select pg_sleep(1000)");
	uv_timer_stop(&t->later);
}

static void a_timeout_cancels_it_and_names_the_limit(void **state)
{
	struct session *t = *state;

	t->job.timed_out = true;
	run_and_stop(t);
	expect_failed(t, "timeout", "the check ran longer than its timeout of 1h", false);
}

static void handed_back_it_is_no_try(void **state)
{
	struct session *t = *state;

	t->job.handing_back = true;
	run_and_stop(t);
	assert_int_equal(t->told, RETURNED);
}

static void a_very_long_timeout_is_possible(void **state)
{
	struct session *t = *state;

	t->step.timeout_ms = 366LL * 24 * 3600 * 1000;
	metric(t, "select 1");
	assert_int_equal(t->told, DONE);
}

static void a_backend_that_is_ended_is_no_try(void **state)
{
	struct session *t = *state;

	t->check = (struct bf_check){.type = BF_CHECK_METRIC, .query = sql("select pg_terminate_backend(pg_backend_pid())")};
	start(t);
	run_until(&t->loop, &t->told_count, 1);
	assert_true(t->told == AGAIN || t->told == OPENED_AGAIN);
}

/* ---- the schema ---- */

static int prepare(void **state)
{
	static const char script[] =
		"delete from bf.check_result where run = 'check.test'; delete from bf.job where run = 'check.test'; "
		"insert into bf.job (run, step, seq, chunk, state, epoch) values ('check.test', 'complete', 1, 'x', 'running', 5); "
		"create sequence if not exists bf.t_check;";
	struct bf_pg_options o = {.application_name = "test_check"};
	struct bf_error err;
	struct bf_pg *pg;
	int applied;

	(void)state;
	if (bf_pg_open(&o, &pg, &err) < 0 || bf_migrate(pg, NULL, NULL, &applied, &err) < 0 || bf_pg_script(pg, script, NULL, &err) < 0)
		fail_msg("%s", err.text);
	bf_pg_close(pg);
	return 0;
}

static int clean(void **state)
{
	static const char script[] = "delete from bf.check_result where run = 'check.test'; delete from bf.job where run = 'check.test'; "
								 "drop sequence bf.t_check;";
	struct bf_pg_options o = {.application_name = "test_check"};
	struct bf_error err;
	struct bf_pg *pg;

	(void)state;
	if (bf_pg_open(&o, &pg, &err) < 0 || bf_pg_script(pg, script, NULL, &err) < 0)
		fail_msg("%s", err.text);
	bf_pg_close(pg);
	return 0;
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(an_sql_error_is_the_server_s_message),
		WITH(a_check_can_write_nothing),
		WITH(an_attempt_that_no_longer_holds_the_job_records_nothing),
		WITH(a_metric_within_its_limits_passes),
		WITH(a_metric_beyond_the_first_limit_warns_and_is_done),
		WITH(a_metric_beyond_the_second_fails_for_good),
		WITH(a_metric_must_be_one_number),
		WITH(no_row_is_no_number),
		WITH(null_is_no_number),
		WITH(text_is_no_number),
		WITH(not_a_number_is_no_number),
		WITH(rows_are_counted_and_shown_by_a_command),
		WITH(equal_numbers_pass),
		WITH(unequal_numbers_fail_and_both_are_named),
		WITH(numbers_within_the_tolerance_are_equal),
		WITH(numbers_that_differ_in_their_last_digit_are_not_equal),
		WITH(thresholds_and_ranges_are_as_exact_as_figures),
		WITH(what_is_not_a_finite_number_is_no_figure),
		WITH(a_number_may_be_expected_without_a_query),
		WITH(the_expected_number_must_be_one_too),
		WITH(a_figure_within_its_range_passes_and_its_ends_belong_to_it),
		WITH(a_figure_outside_of_its_range_fails),
		WITH(a_figure_that_only_warns_is_a_note),
		WITH(each_row_is_a_violation_but_those_that_only_warn),
		WITH(rows_that_only_warn_warn_and_none_pass),
		WITH(a_million_violations_are_counted_and_a_hundred_kept),
		WITH(violations_that_are_too_long_are_left_out),
		WITH(the_age_of_a_time_is_judged),
		WITH(what_is_too_old_fails),
		WITH(no_time_is_no_age),
		WITH(what_is_no_time_is_an_error_of_the_sql),
		WITH(all_that_is_expected_is_there),
		WITH(what_is_missing_is_named),
		WITH(almost_all_is_never_shown_as_all),
		WITH(an_expected_null_is_no_day),
		WITH(nothing_expected_is_a_warning),
		WITH(a_rate_of_nothing_to_try_is_met),
		WITH(a_timeout_cancels_it_and_names_the_limit),
		WITH(handed_back_it_is_no_try),
		WITH(a_very_long_timeout_is_possible),
		WITH(a_backend_that_is_ended_is_no_try),
	};

	need_env("BF_DATABASE_URL");
	start_watchdog(170);
	return cmocka_run_group_tests(tests, prepare, clean);
}
