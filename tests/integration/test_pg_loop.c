/*
 * io/pg_loop.h on a real PostgreSQL: connections, statements, the scripts of jobs and how sessions are put back,
 * cancelling, and servers that go away or stand still.
 */
#include "helpers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/pg_loop.h"

/* One connection and what was called back on it. */
struct seen {
	uv_loop_t loop;
	struct bf_pgc *conn;
	int ready, lost, answers, closed;
	struct bf_error why; /* the last on_lost */
	struct bf_error err; /* of the last request; code 0: it succeeded */
	char text[256];      /* the first value of the last result, or "" */
	char detail[4096];
	int rows; /* -1: there was no result */
	int64_t affected;
	bool close_when_ready, close_when_lost, close_when_answered;
	int chain; /* so many more statements are started from the callback */
	bool behind_failed;
	enum bf_pgc_part part;
};

static const struct bf_pg_stmt one = {"t_one", "SELECT 1"};
static const struct bf_pg_stmt show_prepared = {"t_shown", "SELECT count(*) FROM pg_prepared_statements"};

static void on_closed(void *data)
{
	struct seen *s = data;
	s->closed++;
}

static void on_ready(struct bf_pgc *c, void *data)
{
	struct seen *s = data;
	s->ready++;
	assert_int_equal(bf_pgc_state(c), BF_PGC_READY);
	if (s->close_when_ready)
		bf_pgc_close(c, on_closed, s);
}

static void on_lost(struct bf_pgc *c, const struct bf_error *err, void *data)
{
	struct seen *s = data;
	s->lost++;
	s->why = *err;
	assert_int_equal(bf_pgc_state(c), BF_PGC_WAITING);
	assert_string_equal(bf_pgc_backend_start(c), "");
	assert_int_equal(bf_pgc_backend_pid(c), 0);
	if (s->close_when_lost)
		bf_pgc_close(c, on_closed, s);
}

static void note(struct seen *s, const struct bf_pg_result *result, const struct bf_error *err)
{
	s->answers++;
	s->err.code = 0;
	if (err)
		s->err = *err;
	s->rows = result ? bf_pg_rows(result) : -1;
	(void)snprintf(s->text, sizeof(s->text), "%s", s->rows > 0 ? bf_pg_text(result, 0, 0) : "");
	if (s->close_when_answered)
		bf_pgc_close(s->conn, on_closed, s);
}

static void on_result(struct bf_pgc *c, const struct bf_pg_result *result, const struct bf_error *err, void *data)
{
	struct seen *s = data;
	note(s, result, err);
	if (s->chain > 0) {
		s->chain--;
		assert_int_equal(bf_pgc_exec(c, &one, NULL, on_result, s), 0);
	}
}

static void on_script(struct bf_pgc *c, const struct bf_pgc_script *outcome, void *data)
{
	struct seen *s = data;
	(void)c;
	s->affected = outcome->affected;
	s->behind_failed = outcome->behind_failed;
	s->part = outcome->part;
	(void)snprintf(s->detail, sizeof(s->detail), "%s", outcome->detail);
	note(s, outcome->last_rows, outcome->err);
}

static void start_by(struct seen *s, struct bf_pgc_options o)
{
	struct bf_error err;
	o.application_name = "a-test";
	o.on_ready = on_ready;
	o.on_lost = on_lost;
	o.data = s;
	memset(s, 0, sizeof(*s));
	assert_int_equal(uv_loop_init(&s->loop), 0);
	if (bf_pgc_open(&s->loop, &o, &s->conn, &err))
		fail_msg("%s", err.text);
}

static void start_with(struct seen *s, const char *url)
{
	start_by(s, (struct bf_pgc_options){.url = url, .purpose = BF_PG_JOB});
}

static void start_ready(struct seen *s)
{
	start_with(s, NULL);
	run_until(&s->loop, &s->ready, 1);
}

static void finish(struct seen *s)
{
	bf_pgc_close(s->conn, on_closed, s);
	run_until(&s->loop, &s->closed, 1);
	end_loop(&s->loop);
	assert_int_equal(s->closed, 1);
}

/* Each waits until the connection is ready for the next one. */
static void ask(struct seen *s, const struct bf_pg_stmt *stmt, const struct bf_pg_params *params)
{
	int before = s->answers, ready = s->ready;
	assert_int_equal(bf_pgc_exec(s->conn, stmt, params, on_result, s), 0);
	assert_int_equal(s->answers, before); /* never from within the starter */
	assert_int_equal(bf_pgc_state(s->conn), BF_PGC_BUSY);
	run_until(&s->loop, &s->ready, ready + 1);
	assert_int_equal(s->answers, before + 1);
}

static void script(struct seen *s, const char *sql)
{
	int before = s->answers, ready = s->ready;
	assert_int_equal(bf_pgc_script_run(s->conn, sql, on_script, s), 0);
	assert_int_equal(s->answers, before);
	run_until(&s->loop, &s->ready, ready + 1);
	assert_int_equal(s->answers, before + 1);
}

/* Another connection, to look and to end backends from outside. */
static char *from_outside(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static char *from_outside(const char *fmt, ...)
{
	const struct bf_pg_options o = {.application_name = "a-test", .purpose = BF_PG_JOB};
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	struct bf_pg *pg;
	struct bf_error err;
	char sql[512];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(sql, sizeof(sql), fmt, ap);
	va_end(ap);
	if (bf_pg_open(&o, &pg, &err) || bf_pg_script(pg, sql, &r, &err))
		fail_msg("%s: %s", sql, err.text);
	char *value = bf_strdup(r && bf_pg_rows(r) ? bf_pg_text(r, 0, 0) : "");
	bf_pg_close(pg);
	return value;
}

static void end_backend(struct seen *s)
{
	free(from_outside("SELECT pg_terminate_backend(%d, 10000)", bf_pgc_backend_pid(s->conn)));
}

/* ---- a connection ---- */

static void it_becomes_ready_and_knows_its_backend(void **state)
{
	static const struct bf_pg_stmt pid = {"t_pid", "SELECT pg_backend_pid()"};
	struct seen s;
	(void)state;
	start_with(&s, NULL);
	assert_int_equal(bf_pgc_exec(s.conn, &one, NULL, on_result, &s), -BF_E_UNAVAILABLE);
	assert_int_equal(bf_pgc_script_run(s.conn, "SELECT 1", on_script, &s), -BF_E_UNAVAILABLE);
	run_until(&s.loop, &s.ready, 1);
	ask(&s, &pid, NULL);
	assert_int_equal(strtol(s.text, NULL, 10), bf_pgc_backend_pid(s.conn));
	BF_AUTOFREE char *same = from_outside("SELECT backend_start = '%s'::timestamptz FROM pg_stat_activity WHERE pid = %d",
										  bf_pgc_backend_start(s.conn), bf_pgc_backend_pid(s.conn));
	assert_string_equal(same, "t");
	script(&s, "SELECT current_setting('DateStyle') || ' ' || current_setting('application_name')");
	assert_string_equal(s.text, "ISO, MDY a-test");
	assert_non_null(strstr(bf_pgc_where(s.conn), "database "));
	finish(&s);
	assert_int_equal(s.lost, 0);
}

static void a_statement_is_prepared_once_and_used_again(void **state)
{
	static const struct bf_pg_stmt add = {"t_add", "SELECT $1::int + $2::int"};
	struct bf_pg_params p;
	struct seen s;
	(void)state;
	start_ready(&s);
	bf_pg_params_init(&p);
	for (int i = 0; i < 5; i++) {
		bf_pg_params_clear(&p);
		bf_pg_add_int(&p, i);
		bf_pg_add_int(&p, 10);
		ask(&s, &add, &p);
		assert_int_equal(s.err.code, 0);
		assert_int_equal(strtol(s.text, NULL, 10), 10 + i);
	}
	bf_pg_params_release(&p);
	ask(&s, &show_prepared, NULL);
	assert_string_equal(s.text, "2");
	finish(&s);
}

static void statements_can_be_started_from_the_callback(void **state)
{
	struct seen s;
	(void)state;
	start_ready(&s);
	s.chain = 50;
	assert_int_equal(bf_pgc_exec(s.conn, &one, NULL, on_result, &s), 0);
	run_until(&s.loop, &s.ready, 2); /* called only when nothing was started from the callback */
	assert_int_equal(s.answers, 51);
	finish(&s);
}

static void a_statement_that_cannot_be_prepared_harms_nothing(void **state)
{
	static const struct bf_pg_stmt wrong = {"t_wrong", "SELECT nosuch"};
	static const struct bf_pg_stmt fails = {"t_fails", "SELECT 1 / $1::int"};
	struct bf_pg_params p;
	struct seen s;
	(void)state;
	start_ready(&s);
	ask(&s, &wrong, NULL);
	assert_int_equal(s.err.code, BF_E_SQL);
	assert_string_equal(s.err.sqlstate, "42703");
	assert_int_equal(s.rows, -1);
	ask(&s, &wrong, NULL);
	assert_string_equal(s.err.sqlstate, "42703");
	bf_pg_params_init(&p);
	bf_pg_add_int(&p, 0);
	ask(&s, &fails, &p); /* is prepared, and fails */
	assert_string_equal(s.err.sqlstate, "22012");
	bf_pg_params_clear(&p);
	bf_pg_add_int(&p, 1);
	ask(&s, &fails, &p);
	assert_int_equal(s.err.code, 0);
	assert_string_equal(s.text, "1");
	bf_pg_params_release(&p);
	assert_int_equal(s.lost, 0);
	finish(&s);
}

static void a_second_request_is_refused_while_one_runs(void **state)
{
	struct seen s;
	(void)state;
	start_ready(&s);
	assert_int_equal(bf_pgc_exec(s.conn, &one, NULL, on_result, &s), 0);
	assert_int_equal(bf_pgc_exec(s.conn, &one, NULL, on_result, &s), -BF_E_UNAVAILABLE);
	assert_int_equal(bf_pgc_script_run(s.conn, "SELECT 1", on_script, &s), -BF_E_UNAVAILABLE);
	run_until(&s.loop, &s.ready, 2);
	assert_int_equal(s.answers, 1);
	finish(&s);
	assert_int_equal(s.answers, 1);
}

static void large_texts_go_both_ways(void **state)
{
	static const struct bf_pg_stmt twice = {"t_twice", "SELECT length($1), $1 || $1"};
	const size_t size = (size_t)6 << 20;
	struct bf_pg_params p;
	struct seen s;
	(void)state;
	char *large = bf_alloc(size + 1);
	memset(large, 'x', size);
	start_ready(&s);
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, large);
	for (int i = 0; i < 2; i++) { /* prepared with it, and used again */
		ask(&s, &twice, &p);
		assert_int_equal(strtol(s.text, NULL, 10), size);
	}
	bf_pg_params_release(&p);
	struct bf_buf sql;
	bf_buf_init(&sql, size + 32);
	bf_buf_addstr(&sql, "SELECT length('");
	bf_buf_add(&sql, large, size);
	bf_buf_addstr(&sql, "')");
	free(large);
	script(&s, sql.data);
	assert_int_equal(strtol(s.text, NULL, 10), size);
	bf_buf_release(&sql);
	finish(&s);
}

/* ---- scripts ---- */

static void a_script_gives_its_last_rows_and_all_it_changed(void **state)
{
	struct seen s;
	(void)state;
	start_ready(&s);
	script(&s, "BEGIN; CREATE TEMP TABLE t(n int); INSERT INTO t SELECT generate_series(1, 10);"
			   "UPDATE t SET n = -n WHERE n > 7; SELECT 'settled'; COMMIT");
	assert_int_equal(s.err.code, 0);
	assert_string_equal(s.text, "settled");
	assert_int_equal(s.affected, 13);
	assert_string_equal(s.detail, "");
	script(&s, "SET search_path = public");
	assert_int_equal(s.rows, -1);
	script(&s, "");
	assert_int_equal(s.err.code, 0);
	finish(&s);
}

static void a_script_leaves_nothing_behind_in_the_session(void **state)
{
	struct seen s;
	(void)state;
	start_with(&s, NULL);
	run_until(&s.loop, &s.ready, 1);
	int pid = bf_pgc_backend_pid(s.conn);
	ask(&s, &one, NULL);
	script(&s, "SET work_mem = '9MB'; SET search_path = pg_catalog; SET bf.trace = 'x'; CREATE TEMP TABLE t_left(n int);"
			   "SELECT pg_advisory_lock(42); LISTEN t_left; NOTIFY t_left; PREPARE t_left AS SELECT 1; SET ROLE pg_monitor");
	assert_int_equal(s.err.code, 0);
	script(&s,
		   "SELECT concat_ws(' ', current_setting('work_mem'), current_setting('search_path'), current_setting('bf.trace', true),"
		   " to_regclass('t_left'), (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),"
		   " (SELECT count(*) FROM pg_listening_channels()), (SELECT count(*) FROM pg_prepared_statements), current_user = session_user)");
	assert_string_equal(s.text, "4MB \"$user\", public  0 0 0 t");
	ask(&s, &one, NULL); /* its preparation is gone as well, and is made again */
	assert_string_equal(s.text, "1");
	assert_int_equal(bf_pgc_backend_pid(s.conn), pid);
	finish(&s);
}

static void transaction(struct seen *s, const struct bf_pgc_transaction *t)
{
	int before = s->answers, ready = s->ready;
	assert_int_equal(bf_pgc_transaction_run(s->conn, t, on_script, s), 0);
	run_until(&s->loop, &s->ready, ready + 1);
	assert_int_equal(s->answers, before + 1);
}

#define FIRST "SELECT 0"

static void make_function_that_leaves(void)
{
	free(from_outside("CREATE OR REPLACE FUNCTION t_io_leave() RETURNS void LANGUAGE plpgsql AS 'BEGIN"
					  " CREATE TEMP TABLE t_left(n int); EXECUTE ''PREPARE t_left AS SELECT 1''; LISTEN t_left;"
					  " EXECUTE ''DECLARE t_left CURSOR WITH HOLD FOR SELECT 1''; END'"));
}

#define LEAVES_BEHIND \
	"SELECT set_config('work_mem', '9MB', false), t_io_leave(), pg_advisory_lock(42), set_config('role', 'pg_monitor', false);\n"
#define WHAT_IS_THERE                                                                                    \
	"SELECT concat_ws(' ', current_setting('work_mem'), current_setting('role'), to_regclass('t_left')," \
	" (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),"           \
	" (SELECT count(*) FROM pg_listening_channels()), (SELECT count(*) FROM pg_prepared_statements),"    \
	" (SELECT count(*) FROM pg_cursors WHERE name = 't_left'));\n"

static const struct bf_pgc_transaction leaves = {.first = FIRST, .sql = LEAVES_BEHIND, .statements = 1, .plain = true},
									   looks = {.first = FIRST,
												.sql = WHAT_IS_THERE,
												.statements = 1,
												.keep_rows = 1,
												.plain = true,
												.read_only = true};

static void what_functions_leave_behind_a_plain_transaction_is_put_back_before_the_next_one(void **state)
{
	struct seen s;
	(void)state;
	make_function_that_leaves();
	start_with(&s, NULL);
	run_until(&s.loop, &s.ready, 1);
	for (int i = 0; i < 2; i++) {
		transaction(&s, &leaves);
		assert_string_equal(s.err.code ? s.err.text : "", "");
		transaction(&s, &looks);
		assert_string_equal(s.text, "4MB none 0 0 0 0");
	}
	transaction(&s, &leaves);
	script(&s, WHAT_IS_THERE);
	assert_string_equal(s.text, "4MB none 0 0 0 0");
	finish(&s);
}

/* What the owner has prepared stays as long as it is alone. */
static void statements_that_functions_prepare_are_taken_away(void **state)
{
	struct seen s;
	(void)state;
	make_function_that_leaves();
	start_ready(&s);
	struct bf_pgc_transaction t = {
		.first = FIRST, .sql = "SELECT 1;\n", .statements = 1, .behind = "PREPARE t_io AS SELECT 2", .keep_rows = 1, .plain = true};
	unsigned session = bf_pgc_session(s.conn);
	transaction(&s, &t);
	t.behind = NULL;
	t.prepared = 1;
	t.sql = "EXECUTE t_io;\n";
	transaction(&s, &t);
	assert_string_equal(s.text, "2");
	assert_int_equal(bf_pgc_session(s.conn), session);
	t.sql = LEAVES_BEHIND;
	transaction(&s, &t);
	assert_int_equal(s.err.code, 0);
	assert_int_not_equal(bf_pgc_session(s.conn), session);
	transaction(&s, &looks);
	assert_string_equal(s.text, "4MB none 0 0 0 0");
	finish(&s);
}

/* The text of a message is parsed, and literals are quoted, by the settings that are found when it begins. */
static void settings_of_one_transaction_do_not_change_how_the_next_one_is_read(void **state)
{
	static const char *const settings[] = {"'standard_conforming_strings', 'off'", "'client_encoding', 'LATIN1'",
										   "'backslash_quote', 'on'"};
	struct seen s;
	(void)state;
	start_ready(&s);
	for (size_t i = 0; i < BF_COUNT_OF(settings); i++) {
		for (int plain = 0; plain < 2; plain++) {
			BF_AUTOBUF struct bf_buf sql;
			BF_AUTOBUF struct bf_buf quoted;
			bf_buf_init(&sql, 1000);
			bf_buf_init(&quoted, 1000);
			bf_buf_printf(&sql, "SELECT set_config(%s, false);\n", settings[i]);
			const struct bf_pgc_transaction turns = {.first = FIRST, .sql = sql.data, .statements = 1, .plain = plain == 1};
			transaction(&s, &turns);
			assert_int_equal(s.err.code, 0);
			assert_int_equal(bf_pgc_quote_literal(s.conn, &quoted, "a\\'é", NULL), 0);
			bf_buf_clear(&sql);
			bf_buf_printf(&sql, "SELECT 'C:\\new\\temp é' || %s;\n", quoted.data);
			const struct bf_pgc_transaction reads = {.first = FIRST, .sql = sql.data, .statements = 1, .keep_rows = 1, .plain = true};
			transaction(&s, &reads);
			assert_string_equal(s.text, "C:\\new\\temp éa\\'é");
		}
	}
	finish(&s);
}

static void assert_ended(struct seen *s, const char *sql, int statements, const char *tag)
{
	const struct bf_pgc_transaction t = {.first = FIRST, .sql = sql, .statements = statements, .last = "SELECT 'last'", .plain = true};
	transaction(s, &t);
	assert_int_equal(s->err.code, BF_E_SQL);
	assert_string_equal(s->err.sqlstate, BF_PGC_NOT_OURS);
	assert_int_equal(s->part, BF_PGC_AROUND);
	assert_non_null(strstr(s->err.text, tag));
}

static void only_one_commit_is_the_transactions_own(void **state)
{
	struct seen s;
	(void)state;
	start_ready(&s);
	assert_ended(&s, "SELECT 1; COMMIT; SELECT 2;\n", 3, "the server answered COMMIT to its statement 2");
	assert_ended(&s, "SELECT 1; ROLLBACK; SELECT 2;\n", 3, "ROLLBACK");
	assert_ended(&s, "COMMIT; BEGIN; SELECT 2;\n", 3, "COMMIT to its statement 1");
	assert_ended(&s, "COMMIT; START TRANSACTION;\n", 2, "COMMIT");
	assert_ended(&s, "SAVEPOINT a; SELECT 2;\n", 2, "SAVEPOINT");
	assert_ended(&s, "SELECT 1; SELECT 2;\n", 1, "expected no transaction control"); /* more statements than it was said to have */
	assert_ended(&s, "SELECT 1; SELECT 2;\n", 3, "COMMIT");
	ask(&s, &one, NULL);
	assert_int_equal(s.err.code, 0);
	finish(&s);
}

static void an_error_tells_which_part_of_the_message_it_answers(void **state)
{
	static const struct {
		const char *first, *sql, *last;
		enum bf_pgc_part part;
	} cases[] = {{"SELECT 1 / 0", "SELECT 1;\n", "SELECT 1", BF_PGC_AROUND},
				 {"SELECT 1", "SELECT 1 / 0;\n", "SELECT 1", BF_PGC_IN_SQL},
				 {"SELECT 1", "SELECT nosuch;\n", "SELECT 1", BF_PGC_IN_SQL},
				 {"SELECT 1", "SELECT ];\n", "SELECT 1", BF_PGC_IN_SQL},
				 {"SELECT 1", "INSERT INTO t_io_deferred VALUES (1);\n", "SELECT 1", BF_PGC_IN_SQL},
				 {"SELECT 1", "SELECT 1;\n", "SELECT 1 / 0", BF_PGC_IN_LAST}};
	struct seen s;
	(void)state;
	free(from_outside("DROP TABLE IF EXISTS t_io_deferred; CREATE TABLE t_io_deferred(n int CONSTRAINT t_io_deferred_key UNIQUE DEFERRABLE"
					  " INITIALLY DEFERRED); INSERT INTO t_io_deferred VALUES (1)"));
	start_ready(&s);
	for (size_t i = 0; i < BF_COUNT_OF(cases); i++) {
		const struct bf_pgc_transaction t = {
			.first = cases[i].first, .sql = cases[i].sql, .statements = 1, .last = cases[i].last, .plain = true};
		transaction(&s, &t);
		assert_int_equal(s.err.code, BF_E_SQL);
		assert_int_equal(s.part, cases[i].part);
	}
	finish(&s);
	free(from_outside("DROP TABLE t_io_deferred"));
}

static void the_last_statement_runs_as_the_sessions_own_user_when_nothing_else_can_run_any_more(void **state)
{
	struct seen s;
	(void)state;
	start_ready(&s);
	const struct bf_pgc_transaction t = {
		.first = FIRST,
		.sql = "SET ROLE pg_monitor; DECLARE t_held CURSOR WITH HOLD FOR SELECT 1 / (n - 1) FROM generate_series(1, 2) n;\n",
		.statements = 2,
		.last = "DO $$ BEGIN IF current_user <> session_user THEN RAISE 'is %', current_user; END IF; END $$"};
	transaction(&s, &t);
	assert_string_equal(s.err.code ? s.err.text : "", "");
	finish(&s);
}

static void as_many_rows_are_kept_as_are_wanted(void **state)
{
	struct seen s;
	(void)state;
	start_ready(&s);
	struct bf_pgc_transaction t = {.first = FIRST,
								   .sql = "SELECT n, NULL, 'ü' FROM generate_series(1, 1000) n;\n",
								   .statements = 1,
								   .last = "SELECT 'last'",
								   .keep_rows = 10,
								   .plain = true};
	transaction(&s, &t);
	assert_int_equal(s.rows, 10);
	assert_string_equal(s.text, "1");
	t.keep_rows = 0;
	transaction(&s, &t);
	assert_int_equal(s.rows, -1);
	t.keep_rows = 1;
	t.sql = "SELECT 1 WHERE false;\n";
	transaction(&s, &t);
	assert_int_equal(s.rows, 0);
	finish(&s);
}

static void a_connection_that_held_a_giant_row_is_given_up_after_its_answer(void **state)
{
	struct seen s;
	(void)state;
	start_ready(&s);
	int pid = bf_pgc_backend_pid(s.conn), ready = s.ready;
	const struct bf_pgc_transaction t = {.first = FIRST, .sql = "SELECT repeat('x', 20000000);\n", .statements = 1, .plain = true};
	assert_int_equal(bf_pgc_transaction_run(s.conn, &t, on_script, &s), 0);
	run_until(&s.loop, &s.ready, ready + 1);
	assert_int_equal(s.answers, 1);
	assert_int_equal(s.err.code, 0);
	assert_int_equal(s.lost, 1);
	assert_non_null(strstr(s.why.text, "row of 19 MB"));
	assert_int_not_equal(bf_pgc_backend_pid(s.conn), pid);
	finish(&s);
}

static void what_goes_wrong_behind_a_transaction_is_not_its_own(void **state)
{
	struct seen s;
	(void)state;
	start_ready(&s);
	struct bf_pgc_transaction t = {
		.first = FIRST, .sql = "SELECT 1;\n", .statements = 1, .behind = "PREPARE t_io AS SELECT 2", .keep_rows = 1, .plain = true};
	unsigned session = bf_pgc_session(s.conn);
	transaction(&s, &t);
	assert_false(s.behind_failed);
	assert_int_equal(bf_pgc_session(s.conn), session);
	t.sql = "EXECUTE t_io;\n";
	t.prepared = 1;
	t.behind = "DO 'BEGIN EXECUTE ''PREPARE t_io AS SELECT date $1''; END'";
	transaction(&s, &t);
	assert_int_equal(s.err.code, 0);
	assert_string_equal(s.text, "2");
	assert_true(s.behind_failed);
	assert_int_not_equal(bf_pgc_session(s.conn), session); /* so what was prepared is gone */
	t.behind = NULL;
	transaction(&s, &t);
	assert_string_equal(s.err.sqlstate, "26000");
	finish(&s);
}

static void a_transaction_tells_the_line_of_its_own_text(void **state)
{
	struct seen s;
	(void)state;
	start_ready(&s);
	const struct bf_pgc_transaction fine = {.first = FIRST, .sql = "SELECT 2;\n", .statements = 1, .keep_rows = 1, .plain = true},
									wrong = {.first = FIRST, .sql = "SELECT 1;\nSELECT nosuch;\n", .statements = 2, .plain = true};
	for (int i = 0; i < 2; i++) {
		transaction(&s, &wrong);
		assert_int_equal(s.err.code, BF_E_SQL);
		assert_string_equal(s.detail, "LINE 2: SELECT nosuch;");
		transaction(&s, &fine);
		assert_int_equal(s.err.code, 0);
		assert_string_equal(s.text, "2");
	}
	finish(&s);
}

static void a_script_that_fails_is_rolled_back_and_says_where(void **state)
{
	struct seen s;
	(void)state;
	start_ready(&s);
	free(from_outside("DROP TABLE IF EXISTS t_io_fails; CREATE TABLE t_io_fails(n int PRIMARY KEY)"));
	script(&s, "BEGIN;\nINSERT INTO t_io_fails VALUES (1);\n-- ü\nINSERT INTO t_io_fails VALUES (nosuch, 1);\nCOMMIT");
	assert_int_equal(s.err.code, BF_E_SQL);
	assert_string_equal(s.err.sqlstate, "42703");
	assert_non_null(strstr(s.detail, "LINE 4: INSERT INTO t_io_fails VALUES (nosuch, 1);"));
	script(&s, "BEGIN; INSERT INTO t_io_fails VALUES (1); INSERT INTO t_io_fails VALUES (1); COMMIT");
	assert_string_equal(s.err.sqlstate, "23505");
	assert_string_equal(s.detail, "DETAIL: Key (n)=(1) already exists.");
	script(&s, "BEGIN; DO $$ BEGIN RAISE EXCEPTION 'no' USING HINT = 'do', DETAIL = 'this'; END $$; COMMIT");
	assert_non_null(strstr(s.detail, "DETAIL: this\nHINT: do\nCONTEXT: PL/pgSQL function inline_code_block line 1"));
	script(&s, "BEGIN; INSERT INTO t_io_fails VALUES (2)");
	assert_int_equal(s.err.code, BF_E_SQL); /* it forgot its COMMIT */
	BF_AUTOFREE char *left = from_outside("SELECT count(*) FROM t_io_fails");
	assert_string_equal(left, "0");
	free(from_outside("DROP TABLE t_io_fails"));
	assert_int_equal(s.lost, 0);
	finish(&s);
}

static void a_long_detail_is_cut(void **state)
{
	struct seen s;
	(void)state;
	start_ready(&s);
	script(&s, "DO $$ BEGIN RAISE EXCEPTION 'long' USING DETAIL = repeat('ü', 100000), HINT = 'short'; END $$");
	assert_int_equal(s.err.code, BF_E_SQL);
	assert_true(strlen(s.detail) < 4000);
	assert_non_null(strstr(s.detail, "ü…\nHINT: short"));
	finish(&s);
}

static void a_copy_in_a_script_does_not_hang(void **state)
{
	struct seen s;
	(void)state;
	start_ready(&s);
	script(&s, "CREATE TEMP TABLE t_copy(n int); COPY t_copy FROM STDIN; SELECT 1");
	assert_int_equal(s.err.code, BF_E_SQL);
	assert_non_null(strstr(s.err.text, "COPY FROM STDIN is not possible here"));
	script(&s, "COPY (SELECT generate_series(1, 200000)) TO STDOUT; SELECT 5");
	assert_int_equal(s.err.code, 0);
	assert_string_equal(s.text, "5");
	ask(&s, &one, NULL);
	assert_string_equal(s.text, "1");
	finish(&s);
}

/* ---- cancelling ---- */

static void a_cancelled_request_ends_and_the_next_one_is_not_hit(void **state)
{
	static const struct bf_pg_stmt slow = {"t_slow", "SELECT pg_sleep(600)"};
	struct seen s;
	(void)state;
	start_ready(&s);
	bf_pgc_cancel(s.conn); /* nothing runs: nothing happens */
	for (int i = 0; i < 10; i++) {
		int answers = s.answers, ready = s.ready;
		if (i % 2)
			assert_int_equal(bf_pgc_exec(s.conn, &slow, NULL, on_result, &s), 0);
		else
			assert_int_equal(bf_pgc_script_run(s.conn, "BEGIN; SELECT pg_sleep(600); COMMIT", on_script, &s), 0);
		/* A cancel that comes before the statement is ignored by the server: asked until it is answered. */
		while (s.answers == answers) {
			bf_pgc_cancel(s.conn);
			uv_run(&s.loop, UV_RUN_ONCE);
		}
		assert_string_equal(s.err.sqlstate, "57014");
		run_until(&s.loop, &s.ready, ready + 1);
		ask(&s, &one, NULL);
		assert_int_equal(s.err.code, 0);
		script(&s, "SELECT 'fine'");
		assert_string_equal(s.text, "fine");
	}
	assert_int_equal(s.lost, 0);
	finish(&s);
}

static void closing_while_a_cancel_is_on_its_way_is_safe(void **state)
{
	struct seen s;
	(void)state;
	for (int turns = 0; turns < 4; turns++) {
		start_ready(&s);
		assert_int_equal(bf_pgc_script_run(s.conn, "SELECT pg_sleep(600)", on_script, &s), 0);
		bf_pgc_cancel(s.conn);
		for (int i = 0; i < turns; i++)
			uv_run(&s.loop, UV_RUN_NOWAIT);
		finish(&s);
		assert_int_equal(s.answers, 1);
		assert_true(s.err.code == BF_E_UNKNOWN_OUTCOME || s.err.code == BF_E_SQL);
	}
}

/* ---- losing it ---- */

static void a_backend_ended_while_idle_is_told_and_replaced(void **state)
{
	struct seen s;
	(void)state;
	start_ready(&s);
	int pid = bf_pgc_backend_pid(s.conn);
	ask(&s, &one, NULL);
	end_backend(&s);
	run_until(&s.loop, &s.lost, 1);
	assert_int_equal(s.why.code, BF_E_UNAVAILABLE);
	assert_non_null(strstr(s.why.text, "terminating connection due to administrator command"));
	run_until(&s.loop, &s.ready, 3);
	assert_int_not_equal(bf_pgc_backend_pid(s.conn), pid);
	ask(&s, &one, NULL);
	assert_string_equal(s.text, "1");
	assert_int_equal(s.lost, 1);
	finish(&s);
}

static void a_request_to_a_backend_that_is_gone_is_refused(void **state)
{
	struct seen s;
	(void)state;
	start_ready(&s);
	ask(&s, &one, NULL);
	end_backend(&s);
	assert_int_equal(bf_pgc_exec(s.conn, &one, NULL, on_result, &s), -BF_E_UNAVAILABLE);
	run_until(&s.loop, &s.lost, 1);
	assert_int_equal(s.answers, 1);
	run_until(&s.loop, &s.ready, 3);
	ask(&s, &one, NULL);
	finish(&s);
}

static void a_backend_ended_under_a_request_leaves_the_outcome_unknown(void **state)
{
	static const struct bf_pg_stmt die = {"t_die", "SELECT pg_terminate_backend(pg_backend_pid())"};
	struct seen s;
	(void)state;
	start_ready(&s);
	assert_int_equal(bf_pgc_exec(s.conn, &die, NULL, on_result, &s), 0);
	run_until(&s.loop, &s.lost, 1);
	assert_int_equal(s.answers, 1);
	assert_int_equal(s.err.code, BF_E_UNKNOWN_OUTCOME);
	assert_non_null(strstr(s.err.text, "terminating connection"));
	run_until(&s.loop, &s.ready, 2);

	assert_int_equal(bf_pgc_script_run(s.conn, "BEGIN; SELECT pg_terminate_backend(pg_backend_pid()); COMMIT", on_script, &s), 0);
	run_until(&s.loop, &s.lost, 2);
	assert_int_equal(s.answers, 2);
	assert_int_equal(s.err.code, BF_E_UNKNOWN_OUTCOME);
	run_until(&s.loop, &s.ready, 3);

	assert_int_equal(bf_pgc_script_run(s.conn, "SELECT pg_sleep(600)", on_script, &s), 0);
	end_backend(&s);
	run_until(&s.loop, &s.ready, 4);
	assert_int_equal(s.answers, 3);
	assert_int_equal(s.err.code, BF_E_UNKNOWN_OUTCOME);
	finish(&s);
}

/* The address of the test's database, for another user; the caller frees. */
static char *as_user(const char *user)
{
	const char *url = getenv("BF_DATABASE_URL");
	const char *at = url ? strchr(url, '@') : NULL;
	assert_non_null(at);
	return bf_asprintf("postgresql://%s%s", user, at);
}

static void a_setting_that_only_a_superuser_may_put_right_is_told(void **state)
{
	struct seen s;
	(void)state;
	free(from_outside("DROP ROLE IF EXISTS t_io_replica; CREATE ROLE t_io_replica LOGIN;"
					  " ALTER ROLE t_io_replica SET session_replication_role = replica"));
	BF_AUTOFREE char *url = as_user("t_io_replica");
	start_with(&s, url);
	run_until(&s.loop, &s.lost, 1);
	assert_non_null(strstr(s.why.text, "session_replication_role"));
	assert_int_equal(s.ready, 0);
	finish(&s);
	free(from_outside("DROP ROLE t_io_replica"));
}

#define HOSTILE                                                                                                         \
	"SELECT concat_ws('|', current_setting('DateStyle'), current_setting('TimeZone'), current_setting('array_nulls'), " \
	"current_setting('synchronous_commit'), current_setting('session_replication_role'), current_setting('lock_timeout'))"

/* What the database, the role and PGOPTIONS say; and again after the session was put back. */
static void no_setting_of_others_reaches_a_session_or_comes_back_in_it(void **state)
{
	struct seen s;
	(void)state;
	setenv("PGDATESTYLE", "German", 1);
	setenv("PGTZ", "Pacific/Kiritimati", 1);
	setenv("PGOPTIONS", "-c array_nulls=off -c synchronous_commit=off -c session_replication_role=replica -c lock_timeout=1", 1);
	start_with(&s, NULL);
	run_until(&s.loop, &s.ready, 1);
	for (int i = 0; i < 2; i++) {
		script(&s, "RESET ALL; SET lock_timeout = 5");
		script(&s, HOSTILE);
		assert_string_equal(s.text, "ISO, MDY|UTC|on|on|origin|0");
	}
	finish(&s);
	unsetenv("PGDATESTYLE");
	unsetenv("PGTZ");
	unsetenv("PGOPTIONS");
}

/* ---- connecting ---- */

static void an_absent_server_is_told_once(void **state)
{
	struct seen s;
	(void)state;
	start_with(&s, "postgresql://me:s3cret@/weather?host=/nowhere&port=5433");
	run_until(&s.loop, &s.lost, 1);
	assert_int_equal(s.why.code, BF_E_UNAVAILABLE);
	assert_non_null(strstr(s.why.text, "database weather on unix socket /nowhere/.s.PGSQL.5433 (No such file or directory)"));
	assert_null(strstr(s.why.text, "s3cret"));
	finish(&s);
	start_with(&s, "postgresql://me@127.0.0.1:1/weather");
	run_until(&s.loop, &s.lost, 1);
	assert_non_null(strstr(s.why.text, "Connection refused"));
	finish(&s);
}

static void the_second_host_of_a_list_is_tried(void **state)
{
	char url[512];
	struct seen s;
	(void)state;
	BF_AUTOFREE char *dir = from_outside("SELECT split_part(current_setting('unix_socket_directories'), ',', 1)");
	BF_AUTOFREE char *port = from_outside("SHOW port");
	BF_AUTOFREE char *user = from_outside("SELECT current_user");
	BF_AUTOFREE char *db = from_outside("SELECT current_database()");
	(void)snprintf(url, sizeof(url), "host=/nowhere,127.0.0.1,%s port=1,1,%s user=%s dbname=%s", dir, port, user, db);
	start_with(&s, url);
	run_until(&s.loop, &s.ready, 1);
	assert_non_null(strstr(bf_pgc_where(s.conn), dir));
	ask(&s, &one, NULL);
	assert_string_equal(s.text, "1");
	assert_int_equal(s.lost, 0);
	finish(&s);
}

static void take_and_say_nothing(uv_stream_t *listener, int status)
{
	uv_pipe_t *peer = listener->data;
	assert_int_equal(status, 0);
	if (peer->data)
		return; /* one is enough */
	peer->data = peer;
	uv_pipe_init(listener->loop, peer, 0);
	assert_int_equal(uv_accept(listener, (uv_stream_t *)peer), 0);
}

static void a_server_that_says_nothing_is_given_up(void **state)
{
	char dir[] = "/tmp/bf-pg-XXXXXX", path[64], url[128];
	uv_pipe_t listener, peer = {.data = NULL};
	struct seen s;
	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", dir);
	(void)snprintf(url, sizeof(url), "host=%s port=5432 user=me dbname=silent connect_timeout=1", dir);
	start_with(&s, url);
	uv_pipe_init(&s.loop, &listener, 0);
	listener.data = &peer;
	assert_int_equal(uv_pipe_bind(&listener, path), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&listener, 8, take_and_say_nothing), 0);
	run_until(&s.loop, &s.lost, 1);
	assert_non_null(strstr(s.why.text, "no answer in time"));
	uv_close((uv_handle_t *)&listener, NULL);
	uv_close((uv_handle_t *)&peer, NULL);
	finish(&s);
	(void)unlink(path);
	(void)rmdir(dir);
}

/* ---- closing ---- */

/* ---- a server that is silent on an open connection ---- */

static const struct bf_pg_stmt sleeps = {"t_sleeps", "SELECT pg_sleep($1::float8 / 1000)"};

static int ask_to_sleep(struct seen *s, int64_t ms)
{
	struct bf_pg_params p;
	bf_pg_params_init(&p);
	bf_pg_add_int(&p, ms);
	int rc = bf_pgc_exec(s->conn, &sleeps, &p, on_result, s);
	bf_pg_params_release(&p);
	return rc;
}

static void a_statement_without_an_answer_in_time_loses_the_connection_and_its_outcome(void **state)
{
	struct seen s;
	(void)state;
	start_by(&s, (struct bf_pgc_options){.timeout_ms = 200});
	run_until(&s.loop, &s.ready, 1);
	assert_int_equal(ask_to_sleep(&s, 5000), 0);
	run_until(&s.loop, &s.answers, 1);
	assert_int_equal(s.err.code, BF_E_UNKNOWN_OUTCOME);
	assert_non_null(strstr(s.err.text, "no answer for 200 ms"));
	run_until(&s.loop, &s.ready, 2); /* and it connects again */
	assert_int_equal(s.lost, 1);
	ask(&s, &one, NULL);
	assert_int_equal(s.err.code, 0);
	finish(&s);
}

/* As when the process is stopped, and goes on: the clock is over the limit, and the answer is there. */
static void an_answer_that_has_come_while_this_process_stood_still_counts(void **state)
{
	struct seen s;
	(void)state;
	start_by(&s, (struct bf_pgc_options){.timeout_ms = 200});
	run_until(&s.loop, &s.ready, 1);
	assert_int_equal(ask_to_sleep(&s, 1), 0);
	usleep(500 * 1000);
	while (s.answers == 0) /* the timer comes first, and then there is nothing to wait for */
		uv_run(&s.loop, UV_RUN_NOWAIT);
	assert_int_equal(s.err.code, 0);
	ask(&s, &one, NULL); /* its time begins anew */
	finish(&s);
	assert_int_equal(s.lost, 0);
}

static void wait_until_it_sleeps(const struct seen *s)
{
	for (bool sleeps_now = false; !sleeps_now;) {
		BF_AUTOFREE char *event = from_outside("SELECT wait_event FROM pg_stat_activity WHERE pid = %d", bf_pgc_backend_pid(s->conn));
		sleeps_now = strcmp(event, "PgSleep") == 0;
	}
}

static void a_script_may_take_longer_but_not_once_it_is_cancelled(void **state)
{
	struct seen s;
	(void)state;
	start_by(&s, (struct bf_pgc_options){.timeout_ms = 200});
	run_until(&s.loop, &s.ready, 1);
	script(&s, "SELECT pg_sleep(0.5)");
	assert_int_equal(s.err.code, 0);
	/* A statement that heeds no cancel request for as long as this test takes. */
	assert_int_equal(bf_pgc_script_run(s.conn,
									   "DO $$ DECLARE v_end timestamptz := clock_timestamp() + interval '5 s'; BEGIN"
									   " WHILE clock_timestamp() < v_end LOOP"
									   " BEGIN PERFORM pg_sleep(5); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$",
									   on_script, &s),
					 0);
	wait_until_it_sleeps(&s);
	while (s.answers == 1) { /* asked again and again, it has as long as asked once */
		bf_pgc_cancel(s.conn);
		uv_run(&s.loop, UV_RUN_ONCE);
	}
	assert_int_equal(s.err.code, BF_E_UNKNOWN_OUTCOME);
	assert_non_null(strstr(s.err.text, "no answer for 200 ms"));
	finish(&s);
}

static void closing_calls_back_what_is_pending_and_then_closed(void **state)
{
	struct seen s;
	(void)state;
	start_ready(&s);
	assert_int_equal(bf_pgc_script_run(s.conn, "SELECT pg_sleep(600)", on_script, &s), 0);
	free(from_outside("SELECT 1"));
	int pid = bf_pgc_backend_pid(s.conn);
	bf_pgc_close(s.conn, on_closed, &s);
	bf_pgc_close(s.conn, on_closed, &s); /* once is enough, twice does no harm */
	assert_int_equal(s.answers, 0);
	assert_int_equal(bf_pgc_state(s.conn), BF_PGC_CLOSING);
	assert_int_equal(bf_pgc_exec(s.conn, &one, NULL, on_result, &s), -BF_E_UNAVAILABLE);
	run_until(&s.loop, &s.closed, 1);
	assert_int_equal(s.answers, 1);
	assert_int_equal(s.err.code, BF_E_UNKNOWN_OUTCOME);
	end_loop(&s.loop);
	assert_int_equal(s.lost, 0);
	free(from_outside("SELECT pg_terminate_backend(%d, 10000)", pid)); /* it sleeps on */
}

/* From just opened over connecting and setting up to a request and the putting back after it. */
static void closing_is_safe_at_each_moment(void **state)
{
	static const char *const urls[] = {NULL, "postgresql://me@127.0.0.1:1/x", "host=/nowhere dbname=x"};
	(void)state;
	for (size_t u = 0; u < BF_COUNT_OF(urls); u++) {
		for (int turns = 0; turns < 12; turns++) {
			struct seen s;
			start_with(&s, urls[u]);
			for (int i = 0; i < turns; i++)
				uv_run(&s.loop, UV_RUN_NOWAIT);
			finish(&s);
		}
	}
	for (int turns = 0; turns < 12; turns++) {
		struct seen s;
		start_ready(&s);
		if (turns % 2)
			assert_int_equal(bf_pgc_exec(s.conn, &one, NULL, on_result, &s), 0);
		else
			assert_int_equal(bf_pgc_script_run(s.conn, "BEGIN; SELECT 1/0; COMMIT", on_script, &s), 0);
		for (int i = 0; i < turns / 2 && s.ready < 2; i++)
			uv_run(&s.loop, i ? UV_RUN_ONCE : UV_RUN_NOWAIT);
		finish(&s);
		assert_int_equal(s.answers, 1);
	}
}

static void closing_is_safe_in_every_callback(void **state)
{
	struct seen s;
	(void)state;
	start_with(&s, NULL);
	s.close_when_ready = true;
	run_until(&s.loop, &s.closed, 1);
	end_loop(&s.loop);

	start_with(&s, "host=/nowhere dbname=x");
	s.close_when_lost = true;
	run_until(&s.loop, &s.closed, 1);
	end_loop(&s.loop);

	for (int i = 0; i < 3; i++) {
		start_ready(&s);
		s.close_when_answered = true;
		if (i == 0)
			assert_int_equal(bf_pgc_exec(s.conn, &one, NULL, on_result, &s), 0);
		else
			assert_int_equal(
				bf_pgc_script_run(s.conn, i == 1 ? "SELECT 1" : "SELECT pg_terminate_backend(pg_backend_pid())", on_script, &s), 0);
		run_until(&s.loop, &s.closed, 1);
		end_loop(&s.loop);
		assert_int_equal(s.answers, 1);
	}
}

static void quoted_text_comes_back_as_it_was(void **state)
{
	struct seen s;
	struct bf_buf sql;
	struct bf_error err;
	(void)state;
	start_with(&s, NULL);
	bf_buf_init(&sql, 4096);
	assert_int_equal(bf_pgc_quote_literal(s.conn, &sql, "x", &err), -BF_E_UNAVAILABLE);
	run_until(&s.loop, &s.ready, 1);
	bf_buf_addstr(&sql, "SELECT ");
	assert_int_equal(bf_pgc_quote_literal(s.conn, &sql, "it's \\ \"x\";\n--", &err), 0);
	bf_buf_addstr(&sql, " AS ");
	assert_int_equal(bf_pgc_quote_ident(s.conn, &sql, "a\"b", &err), 0);
	assert_int_equal(bf_pgc_quote_ident(s.conn, &sql, "\xc3", &err), -BF_E_INPUT);
	script(&s, sql.data);
	assert_string_equal(s.text, "it's \\ \"x\";\n--");
	bf_buf_release(&sql);
	finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_becomes_ready_and_knows_its_backend),
		cmocka_unit_test(a_statement_is_prepared_once_and_used_again),
		cmocka_unit_test(statements_can_be_started_from_the_callback),
		cmocka_unit_test(a_statement_that_cannot_be_prepared_harms_nothing),
		cmocka_unit_test(a_second_request_is_refused_while_one_runs),
		cmocka_unit_test(large_texts_go_both_ways),
		cmocka_unit_test(a_script_gives_its_last_rows_and_all_it_changed),
		cmocka_unit_test(a_script_leaves_nothing_behind_in_the_session),
		cmocka_unit_test(what_functions_leave_behind_a_plain_transaction_is_put_back_before_the_next_one),
		cmocka_unit_test(statements_that_functions_prepare_are_taken_away),
		cmocka_unit_test(settings_of_one_transaction_do_not_change_how_the_next_one_is_read),
		cmocka_unit_test(only_one_commit_is_the_transactions_own),
		cmocka_unit_test(an_error_tells_which_part_of_the_message_it_answers),
		cmocka_unit_test(the_last_statement_runs_as_the_sessions_own_user_when_nothing_else_can_run_any_more),
		cmocka_unit_test(as_many_rows_are_kept_as_are_wanted),
		cmocka_unit_test(a_connection_that_held_a_giant_row_is_given_up_after_its_answer),
		cmocka_unit_test(what_goes_wrong_behind_a_transaction_is_not_its_own),
		cmocka_unit_test(a_transaction_tells_the_line_of_its_own_text),
		cmocka_unit_test(a_script_that_fails_is_rolled_back_and_says_where),
		cmocka_unit_test(a_long_detail_is_cut),
		cmocka_unit_test(a_copy_in_a_script_does_not_hang),
		cmocka_unit_test(a_cancelled_request_ends_and_the_next_one_is_not_hit),
		cmocka_unit_test(closing_while_a_cancel_is_on_its_way_is_safe),
		cmocka_unit_test(a_backend_ended_while_idle_is_told_and_replaced),
		cmocka_unit_test(a_request_to_a_backend_that_is_gone_is_refused),
		cmocka_unit_test(a_backend_ended_under_a_request_leaves_the_outcome_unknown),
		cmocka_unit_test(a_setting_that_only_a_superuser_may_put_right_is_told),
		cmocka_unit_test(no_setting_of_others_reaches_a_session_or_comes_back_in_it),
		cmocka_unit_test(an_absent_server_is_told_once),
		cmocka_unit_test(the_second_host_of_a_list_is_tried),
		cmocka_unit_test(a_server_that_says_nothing_is_given_up),
		cmocka_unit_test(a_statement_without_an_answer_in_time_loses_the_connection_and_its_outcome),
		cmocka_unit_test(an_answer_that_has_come_while_this_process_stood_still_counts),
		cmocka_unit_test(a_script_may_take_longer_but_not_once_it_is_cancelled),
		cmocka_unit_test(closing_calls_back_what_is_pending_and_then_closed),
		cmocka_unit_test(closing_is_safe_at_each_moment),
		cmocka_unit_test(closing_is_safe_in_every_callback),
		cmocka_unit_test(quoted_text_comes_back_as_it_was),
	};
	need_env("BF_DATABASE_URL");
	start_watchdog(150);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
