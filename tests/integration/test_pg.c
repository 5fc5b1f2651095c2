#include "helpers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/pg.h"

static struct bf_pg *open_with(const char *url, bool read_only)
{
	const struct bf_pg_options o = {.application_name = "a-test", .url = url, .purpose = BF_PG_JOB, .read_only = read_only};
	struct bf_pg *pg;
	struct bf_error err;
	if (bf_pg_open(&o, &pg, &err))
		fail_msg("%s", err.text);
	return pg;
}

static struct bf_pg *open_shared(void)
{
	return open_with(NULL, false);
}

static void must(struct bf_pg *pg, const char *sql)
{
	struct bf_error err;
	if (bf_pg_script(pg, sql, NULL, &err))
		fail_msg("%s: %s", sql, err.text);
}

/* The single value of a query. */
static char *value_of(struct bf_pg *pg, const char *sql)
{
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	struct bf_error err;
	if (bf_pg_script(pg, sql, &r, &err))
		fail_msg("%s: %s", sql, err.text);
	assert_non_null(r);
	return bf_strdup(bf_pg_text(r, 0, 0));
}

static void assert_value(struct bf_pg *pg, const char *sql, const char *expected)
{
	BF_AUTOFREE char *value = value_of(pg, sql);
	assert_string_equal(value, expected);
}

/* ---- parameters ---- */

static void parameters_reach_the_server_as_they_were_given(void **state)
{
	static const struct bf_pg_stmt stmt = {"t_params",
										   "SELECT $1::text, $2::bigint, $3::boolean, $4::text, $5::text[], $6::bigint[], $7::text[],"
										   " ($5::text[])[1], ($5::text[])[2], ($5::text[])[3] IS NULL, array_length($5::text[], 1)"};
	static const char nasty[] = "a\"b\\c,{d} 'e'\n\t$1 %s ü NULL";
	struct bf_pg *pg = open_shared();
	struct bf_pg_params p;
	(void)state;
	bf_pg_params_init(&p);
	for (int turn = 0; turn < 2; turn++) { /* the second time it is prepared already */
		BF_AUTORESULT struct bf_pg_result *r = NULL;
		struct bf_error err;
		bf_pg_params_clear(&p);
		bf_pg_add_text(&p, nasty);
		bf_pg_add_int(&p, INT64_MIN);
		bf_pg_add_bool(&p, true);
		bf_pg_add_text(&p, NULL);
		bf_pg_array_begin(&p);
		bf_pg_array_text(&p, nasty);
		bf_pg_array_text(&p, "NULL");
		bf_pg_array_text(&p, NULL);
		bf_pg_array_text(&p, "");
		bf_pg_array_end(&p);
		bf_pg_array_begin(&p);
		bf_pg_array_int(&p, INT64_MAX);
		bf_pg_array_null(&p);
		bf_pg_array_end(&p);
		bf_pg_array_begin(&p);
		bf_pg_array_end(&p);
		if (bf_pg_exec(pg, &stmt, &p, &r, &err))
			fail_msg("%s", err.text);
		assert_int_equal(bf_pg_rows(r), 1);
		assert_int_equal(bf_pg_cols(r), 11);
		assert_string_equal(bf_pg_text(r, 0, 0), nasty);
		assert_true(bf_pg_int(r, 0, 1) == INT64_MIN);
		assert_true(bf_pg_bool(r, 0, 2));
		assert_true(bf_pg_null(r, 0, 3));
		assert_string_equal(bf_pg_text(r, 0, 3), "");
		assert_string_equal(bf_pg_text(r, 0, 5), "{9223372036854775807,NULL}");
		assert_string_equal(bf_pg_text(r, 0, 6), "{}");
		assert_string_equal(bf_pg_text(r, 0, 7), nasty);
		assert_string_equal(bf_pg_text(r, 0, 8), "NULL");
		assert_true(bf_pg_bool(r, 0, 9));
		assert_int_equal(bf_pg_int(r, 0, 10), 4);
		assert_int_equal(bf_pg_affected(r), 0);
		assert_string_equal(bf_pg_col_name(r, 10), "array_length");
	}
	bf_pg_params_release(&p);
	bf_pg_close(pg);
}

static void parameters_that_are_too_large_are_refused_before_they_are_sent(void **state)
{
	static const struct bf_pg_stmt stmt = {"t_large", "SELECT length($1::text)"};
	const size_t size = (size_t)65 << 20;
	struct bf_pg *pg = open_shared();
	struct bf_pg_params p;
	struct bf_error err;
	(void)state;
	char *large = bf_alloc(size + 1);
	memset(large, 'x', size);
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, large);
	free(large);
	assert_int_equal(bf_pg_exec(pg, &stmt, &p, NULL, &err), -BF_E_LIMIT);
	bf_pg_params_release(&p);
	assert_true(bf_pg_alive(pg));
	bf_pg_close(pg);
}

static void only_changed_rows_count_as_affected(void **state)
{
	static const struct bf_pg_stmt insert = {"t_insert", "INSERT INTO t_rows SELECT g FROM generate_series(1, 7) g"};
	static const struct bf_pg_stmt update = {"t_update", "UPDATE t_rows SET n = n + 1 WHERE n < 4 RETURNING n"};
	static const struct bf_pg_stmt look = {"t_look", "SELECT * FROM t_rows"};
	static const struct {
		const struct bf_pg_stmt *stmt;
		int rows, affected;
	} cases[] = {{&insert, 0, 7}, {&update, 3, 3}, {&look, 7, 0}};
	struct bf_pg *pg = open_shared();
	(void)state;
	must(pg, "CREATE TEMP TABLE t_rows(n int)");
	for (size_t i = 0; i < BF_COUNT_OF(cases); i++) {
		BF_AUTORESULT struct bf_pg_result *r = NULL;
		assert_int_equal(bf_pg_exec(pg, cases[i].stmt, NULL, &r, NULL), 0);
		assert_int_equal(bf_pg_rows(r), cases[i].rows);
		assert_int_equal(bf_pg_affected(r), cases[i].affected);
	}
	bf_pg_close(pg);
}

/* ---- errors ---- */

static void an_sql_error_has_its_state_and_message_and_the_connection_lives(void **state)
{
	static const struct bf_pg_stmt stmt = {"t_null", "INSERT INTO t_strict VALUES ($1)"};
	static const struct bf_pg_stmt wrong = {"t_wrong", "SELECT 1,\n  nosuch\nFROM pg_class"};
	struct bf_pg *pg = open_shared();
	struct bf_pg_params p;
	struct bf_error err;
	(void)state;
	must(pg, "CREATE TEMP TABLE t_strict(n int NOT NULL)");
	bf_pg_params_init(&p);
	bf_pg_add_text(&p, NULL);
	assert_int_equal(bf_pg_exec(pg, &stmt, &p, NULL, &err), -BF_E_SQL);
	assert_string_equal(err.sqlstate, "23502");
	assert_non_null(strstr(err.text, "not-null"));
	assert_non_null(strstr(err.text, "\nDETAIL: "));
	bf_pg_params_release(&p);

	assert_int_equal(bf_pg_exec(pg, &wrong, NULL, NULL, &err), -BF_E_SQL);
	assert_string_equal(err.sqlstate, "42703");
	assert_non_null(strstr(err.text, "LINE 2:   nosuch"));
	assert_true(bf_pg_alive(pg));
	assert_value(pg, "SELECT 1", "1");
	bf_pg_close(pg);
}

static void a_conflict_is_tried_again_but_not_inside_a_transaction(void **state)
{
	static const struct bf_pg_stmt stmt = {"t_conflict", "SELECT pg_temp.third_time()"};
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	struct bf_pg *pg = open_shared();
	struct bf_error err;
	(void)state;
	must(pg, "CREATE TEMP SEQUENCE t_tries;"
			 "CREATE FUNCTION pg_temp.third_time() RETURNS text LANGUAGE plpgsql AS $$ BEGIN"
			 " IF nextval('t_tries') < 3 THEN RAISE EXCEPTION 'not yet' USING ERRCODE = '40001'; END IF; RETURN 'now'; END $$");
	assert_int_equal(bf_pg_exec(pg, &stmt, NULL, &r, &err), 0);
	assert_string_equal(bf_pg_text(r, 0, 0), "now");

	must(pg, "SELECT setval('t_tries', 1, false)");
	assert_int_equal(bf_pg_begin(pg, &err), 0);
	assert_int_equal(bf_pg_exec(pg, &stmt, NULL, NULL, &err), -BF_E_SQL);
	assert_string_equal(err.sqlstate, "40001");
	bf_pg_rollback(pg);
	assert_value(pg, "SELECT last_value FROM t_tries", "1");

	must(pg, "DROP SEQUENCE t_tries; CREATE TEMP SEQUENCE t_tries MINVALUE -100 START -100");
	assert_int_equal(bf_pg_exec(pg, &stmt, NULL, NULL, &err), -BF_E_SQL);
	assert_value(pg, "SELECT last_value FROM t_tries", "-96"); /* five times */
	bf_pg_close(pg);
}

static void a_connection_that_was_ended_while_idle_is_unavailable(void **state)
{
	static const struct bf_pg_stmt one = {"t_one", "SELECT 1"};
	char sql[96];
	struct bf_pg *pg = open_shared(), *other = open_shared();
	struct bf_error err;
	(void)state;
	assert_int_equal(bf_pg_exec(pg, &one, NULL, NULL, &err), 0);
	BF_AUTOFREE char *pid = value_of(pg, "SELECT pg_backend_pid()");
	(void)snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%s, 10000)", pid);
	assert_value(other, sql, "t");
	assert_int_equal(bf_pg_exec(pg, &one, NULL, NULL, &err), -BF_E_UNAVAILABLE);
	assert_false(bf_pg_alive(pg));
	assert_int_equal(bf_pg_exec(pg, &one, NULL, NULL, &err), -BF_E_UNAVAILABLE);
	assert_int_equal(bf_pg_begin(pg, &err), -BF_E_UNAVAILABLE);
	assert_int_equal(bf_pg_script(pg, "SELECT 1", NULL, &err), -BF_E_UNAVAILABLE);
	bf_pg_rollback(pg);
	bf_pg_close(pg);
	bf_pg_close(other);
}

static void a_connection_that_breaks_under_a_statement_leaves_the_outcome_unknown(void **state)
{
	static const struct bf_pg_stmt die = {"t_die", "SELECT pg_terminate_backend(pg_backend_pid())"};
	struct bf_pg *pg = open_shared();
	struct bf_error err;
	(void)state;
	assert_int_equal(bf_pg_exec(pg, &die, NULL, NULL, &err), -BF_E_UNKNOWN_OUTCOME);
	assert_non_null(strstr(err.text, "terminating connection"));
	bf_pg_close(pg);

	pg = open_shared();
	assert_int_equal(bf_pg_script(pg, "SELECT 1; SELECT pg_terminate_backend(pg_backend_pid()); SELECT 2", NULL, &err),
					 -BF_E_UNKNOWN_OUTCOME);
	assert_false(bf_pg_alive(pg));
	bf_pg_close(pg);
}

/* ---- transactions and scripts ---- */

static void a_statement_without_an_answer_in_time_leaves_the_outcome_unknown_and_the_connection_broken(void **state)
{
	static const struct bf_pg_stmt sleeps = {"t_sleeps", "SELECT pg_sleep($1::float8 / 1000)"};
	const struct bf_pg_options o = {.application_name = "a-test", .timeout_ms = 200};
	struct bf_pg_params p;
	struct bf_pg *pg;
	struct bf_error err;
	(void)state;
	assert_int_equal(bf_pg_open(&o, &pg, &err), 0);
	bf_pg_params_init(&p);
	bf_pg_add_int(&p, 100);
	assert_int_equal(bf_pg_exec(pg, &sleeps, &p, NULL, &err), 0);
	bf_pg_params_clear(&p);
	bf_pg_add_int(&p, 5000);
	assert_int_equal(bf_pg_exec(pg, &sleeps, &p, NULL, &err), -BF_E_UNKNOWN_OUTCOME);
	assert_non_null(strstr(err.text, "no answer for 200 ms"));
	assert_false(bf_pg_alive(pg));
	assert_int_equal(bf_pg_exec(pg, &sleeps, &p, NULL, &err), -BF_E_UNAVAILABLE);
	bf_pg_params_release(&p);
	bf_pg_close(pg);
}

static void a_transaction_is_kept_or_left_as_a_whole(void **state)
{
	struct bf_pg *pg = open_shared();
	struct bf_error err;
	(void)state;
	must(pg, "CREATE TEMP TABLE t_tx(n int)");
	assert_int_equal(bf_pg_begin(pg, &err), 0);
	must(pg, "INSERT INTO t_tx VALUES (1)");
	bf_pg_rollback(pg);
	assert_value(pg, "SELECT count(*) FROM t_tx", "0");
	assert_int_equal(bf_pg_begin(pg, &err), 0);
	must(pg, "INSERT INTO t_tx VALUES (1)");
	assert_int_equal(bf_pg_commit(pg, &err), 0);
	assert_value(pg, "SELECT count(*) FROM t_tx", "1");
	bf_pg_rollback(pg); /* nothing is open: nothing happens */
	bf_pg_close(pg);
}

static void the_commit_of_a_failed_transaction_is_an_error(void **state)
{
	struct bf_pg *pg = open_shared();
	struct bf_error err;
	(void)state;
	assert_int_equal(bf_pg_begin(pg, &err), 0);
	assert_int_equal(bf_pg_script(pg, "SELECT 1/0", NULL, &err), -BF_E_SQL);
	assert_string_equal(err.sqlstate, "22012");
	assert_int_equal(bf_pg_commit(pg, &err), -BF_E_SQL);
	assert_string_equal(err.sqlstate, "25P02");
	bf_pg_close(pg);
}

static void a_script_gives_its_last_rows_or_its_first_error(void **state)
{
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	struct bf_pg *pg = open_shared();
	struct bf_error err;
	(void)state;
	assert_int_equal(bf_pg_script(pg, "SELECT 1; SELECT 2 AS two; CREATE TEMP TABLE t_s(n int);", &r, &err), 0);
	assert_string_equal(bf_pg_col_name(r, 0), "two");
	struct bf_pg_result *none;
	assert_int_equal(bf_pg_script(pg, "SET work_mem = '4MB'", &none, &err), 0);
	assert_null(none);
	assert_int_equal(bf_pg_script(pg, "", &none, &err), 0);
	assert_null(none);
	assert_int_equal(bf_pg_script(pg, "SELECT 1;\n-- übung\nSELECT nosuch;\nSELECT 1/0", &none, &err), -BF_E_SQL);
	assert_non_null(strstr(err.text, "LINE 3: SELECT nosuch;"));
	assert_null(none);
	assert_int_equal(bf_pg_script(pg, "COPY t_s FROM STDIN", NULL, &err), -BF_E_SQL);
	assert_int_equal(bf_pg_script(pg, "COPY (SELECT generate_series(1, 100000)) TO STDOUT; SELECT 5", NULL, &err), 0);
	assert_value(pg, "SELECT 1", "1");
	bf_pg_close(pg);
}

static int count_to_three(void *data, const struct bf_pg_result *r)
{
	int *seen = data;
	assert_int_equal(bf_pg_rows(r), 1);
	assert_int_equal(bf_pg_int(r, 0, 0), ++*seen);
	return *seen == 3 ? 42 : 0;
}

static int count_all(void *data, const struct bf_pg_result *r)
{
	int *seen = data;
	*seen += bf_pg_rows(r);
	return 0;
}

static void rows_come_one_by_one_until_stopped(void **state)
{
	struct bf_pg *pg = open_shared();
	struct bf_error err;
	int seen = 0;
	(void)state;
	assert_int_equal(bf_pg_each_row(pg, "SELECT generate_series(1, 2000000000)", count_to_three, &seen, &err), 42);
	assert_int_equal(seen, 3);
	seen = 0;
	assert_int_equal(bf_pg_each_row(pg, "SELECT generate_series(1, 50000)", count_all, &seen, &err), 0);
	assert_int_equal(seen, 50000);
	seen = 0;
	assert_int_equal(bf_pg_each_row(pg, "SELECT 1 / (3 - g) FROM generate_series(1, 5) g", count_all, &seen, &err), -BF_E_SQL);
	assert_string_equal(err.sqlstate, "22012");
	assert_value(pg, "SELECT 1", "1");
	bf_pg_close(pg);
}

static void quoted_text_comes_back_as_it_was(void **state)
{
	static const char nasty[] = "it's \"x\"; \\ DROP TABLE \n $$ ü --";
	struct bf_pg *pg = open_shared();
	struct bf_error err;
	struct bf_buf sql;
	(void)state;
	bf_buf_init(&sql, 4096);
	bf_buf_addstr(&sql, "SELECT ");
	assert_int_equal(bf_pg_quote_literal(pg, &sql, nasty, &err), 0);
	bf_buf_addstr(&sql, " AS ");
	assert_int_equal(bf_pg_quote_ident(pg, &sql, nasty, &err), 0);
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	assert_int_equal(bf_pg_script(pg, sql.data, &r, &err), 0);
	assert_string_equal(bf_pg_text(r, 0, 0), nasty);
	assert_string_equal(bf_pg_col_name(r, 0), nasty);
	assert_int_equal(bf_pg_quote_literal(pg, &sql, "\xff", &err), -BF_E_INPUT);
	bf_buf_release(&sql);
	bf_pg_close(pg);
}

/* ---- COPY ---- */

static const struct bf_pg_stmt copy_in = {"t_copy", "COPY t_copy(n, s) FROM STDIN"};

static void copied_rows_arrive_as_they_were(void **state)
{
	static const char *const texts[] = {"plain", "tab\there", "line\nbreak\r", "back\\slash", "", "\\N", NULL};
	struct bf_pg *pg = open_shared();
	struct bf_error err;
	struct bf_buf row;
	int64_t rows;
	(void)state;
	must(pg, "CREATE TEMP TABLE t_copy(n int, s text)");
	bf_buf_init(&row, 4096);
	assert_int_equal(bf_pg_copy_begin(pg, &copy_in, &err), 0);
	for (size_t i = 0; i < BF_COUNT_OF(texts); i++) {
		bf_buf_clear(&row);
		bf_buf_printf(&row, "%zu\t", i);
		bf_pg_copy_escape(&row, texts[i]);
		bf_buf_addch(&row, '\n');
		assert_int_equal(bf_pg_copy_put(pg, row.data, row.len, &err), 0);
	}
	assert_int_equal(bf_pg_copy_end(pg, &rows, &err), 0);
	assert_int_equal(rows, BF_COUNT_OF(texts));
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	assert_int_equal(bf_pg_script(pg, "SELECT s FROM t_copy ORDER BY n", &r, &err), 0);
	for (size_t i = 0; i + 1 < BF_COUNT_OF(texts); i++)
		assert_string_equal(bf_pg_text(r, (int)i, 0), texts[i]);
	assert_true(bf_pg_null(r, (int)BF_COUNT_OF(texts) - 1, 0));
	bf_buf_release(&row);
	bf_pg_close(pg);
}

static void a_copy_that_fails_or_is_given_up_leaves_nothing(void **state)
{
	static const struct bf_pg_stmt none = {"t_none", "COPY no_such_table FROM STDIN"};
	static const struct bf_pg_stmt no_copy = {"t_no_copy", "SELECT 1"};
	struct bf_pg *pg = open_shared();
	struct bf_error err;
	(void)state;
	must(pg, "CREATE TEMP TABLE t_copy(n int, s text)");
	assert_int_equal(bf_pg_copy_begin(pg, &none, &err), -BF_E_SQL);
	assert_int_equal(bf_pg_copy_begin(pg, &no_copy, &err), -BF_E_INTERNAL);

	assert_int_equal(bf_pg_copy_begin(pg, &copy_in, &err), 0);
	assert_int_equal(bf_pg_copy_put(pg, "x\ty\n", 4, &err), 0);
	assert_int_equal(bf_pg_copy_end(pg, NULL, &err), -BF_E_SQL);
	assert_string_equal(err.sqlstate, "22P02");

	assert_int_equal(bf_pg_begin(pg, &err), 0);
	assert_int_equal(bf_pg_copy_begin(pg, &copy_in, &err), 0);
	assert_int_equal(bf_pg_copy_put(pg, "1\ty\n", 4, &err), 0);
	bf_pg_rollback(pg);
	assert_value(pg, "SELECT count(*) FROM t_copy", "0");
	bf_pg_close(pg);
}

/* ---- connecting ---- */

static void a_read_only_connection_cannot_write_and_keeps_the_options_it_was_given(void **state)
{
	struct bf_pg *pg = open_with(NULL, true);
	struct bf_error err;
	(void)state;
	assert_int_equal(bf_pg_script(pg, "CREATE TABLE t_never(n int)", NULL, &err), -BF_E_SQL);
	assert_string_equal(err.sqlstate, "25006");
	assert_false(bf_pg_is_read_only(pg)); /* the server is not: we are */
	bf_pg_close(pg);

	setenv("PGOPTIONS", "-c work_mem=7MB", 1);
	pg = open_with(NULL, true);
	assert_value(pg, "SHOW work_mem", "7MB");
	assert_value(pg, "SHOW default_transaction_read_only", "on");
	bf_pg_close(pg);
	setenv("PGOPTIONS", "-c default_transaction_read_only=on", 1);
	pg = open_with(NULL, false);
	assert_true(bf_pg_is_read_only(pg));
	bf_pg_close(pg);
	unsetenv("PGOPTIONS");
	pg = open_with(NULL, false);
	assert_false(bf_pg_is_read_only(pg));
	assert_true(bf_pg_server_version(pg) >= 140000);
	assert_value(pg, "SHOW application_name", "a-test");
	assert_value(pg, "SHOW client_encoding", "UTF8");
	bf_pg_close(pg);
}

static int try_open(const char *url, struct bf_error *err)
{
	const struct bf_pg_options o = {.application_name = "a-test", .url = url};
	struct bf_pg *pg;
	int rc = bf_pg_open(&o, &pg, err);
	if (rc == 0)
		bf_pg_close(pg);
	return rc;
}

static void an_unreachable_server_is_told_with_where_and_what_to_do(void **state)
{
	char *before = bf_strdup(getenv("BF_DATABASE_URL"));
	struct bf_error err;
	(void)state;
	setenv("BF_DATABASE_URL", "postgresql://me:s3cret@/weather?host=/nowhere&port=5433", 1);
	assert_int_equal(try_open(NULL, &err), -BF_E_UNAVAILABLE);
	assert_string_equal(err.text,
						"PostgreSQL cannot be reached: database weather on unix socket /nowhere/.s.PGSQL.5433 (No such file or directory). "
						"It was looked for there because of BF_DATABASE_URL; `deploy/local up` starts a private one.");
	setenv("BF_DATABASE_URL", before, 1);
	free(before);

	assert_int_equal(try_open("postgresql://me:s3cret@127.0.0.1:1/weather", &err), -BF_E_UNAVAILABLE);
	assert_non_null(strstr(err.text, "database weather at 127.0.0.1:1 (Connection refused)"));
	assert_null(strstr(err.text, "s3cret"));
}

static void a_database_that_does_not_exist_is_told(void **state)
{
	struct bf_pg *pg = open_shared();
	struct bf_error err;
	char url[256];
	(void)state;
	BF_AUTOFREE char *dir = value_of(pg, "SELECT split_part(current_setting('unix_socket_directories'), ',', 1)");
	BF_AUTOFREE char *port = value_of(pg, "SHOW port");
	BF_AUTOFREE char *user = value_of(pg, "SELECT current_user");
	bf_pg_close(pg);
	(void)snprintf(url, sizeof(url), "host=%s port=%s user=%s dbname=no_such_database", dir, port, user);
	assert_int_equal(try_open(url, &err), -BF_E_UNAVAILABLE);
	assert_non_null(strstr(err.text, "refuses"));
	assert_non_null(strstr(err.text, "no_such_database"));
}

static void a_password_that_nobody_escaped_is_a_password_and_never_shown(void **state)
{
	static const char *const urls[] = {
		"postgresql://me:s3@cret@127.0.0.1:1/weather",     "postgresql://me:@s3cret@127.0.0.1:1/weather",
		"postgresql://me:s3@c@ret@127.0.0.1:1/weather?",   "postgresql://me:s3?c@ret@127.0.0.1:1/weather",
		"postgresql://me:s3%40cret@127.0.0.1:1/weather",   "postgres://me:s3@cret@127.0.0.1:1/weather?application_name=you@here",
		"postgresql://me@you:s3cret@127.0.0.1:1/weather?",
	};
	(void)state;
	for (size_t i = 0; i < BF_COUNT_OF(urls); i++) {
		struct bf_error err;
		assert_int_equal(try_open(urls[i], &err), -BF_E_UNAVAILABLE);
		if (!strstr(err.text, "database weather at 127.0.0.1:1 (Connection refused)") || strstr(err.text, "s3") || strstr(err.text, "cret"))
			fail_msg("%s: %s", urls[i], err.text);
	}
}

static void an_address_that_is_none_is_refused_and_not_shown(void **state)
{
	static const char *const urls[] = {
		"mysql://me:s3cret@h/db",           "postgres//me:s3cret@h/db",         "postgresql://me:s3cret/x@h/db",
		"postgresql://me:12/s3cret@h/db",   "postgresql://me:p@12/s3cret@h/db", "postgresql://me:s3cret%zz@h/db",
		"postgresql://me:s3cret@h/db?no=1", "host=h password=s3cret nothing",   "me:s3cret@h",
		"host=h password='s3cret",
	};
	(void)state;
	for (size_t i = 0; i < BF_COUNT_OF(urls); i++) {
		struct bf_error err;
		int rc = try_open(urls[i], &err);
		if (rc != -BF_E_INPUT || strstr(err.text, "s3cret"))
			fail_msg("%s: %d, %s", urls[i], rc, err.text);
		assert_non_null(strstr(err.text, "postgresql://"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_reach_the_server_as_they_were_given),
		cmocka_unit_test(parameters_that_are_too_large_are_refused_before_they_are_sent),
		cmocka_unit_test(only_changed_rows_count_as_affected),
		cmocka_unit_test(an_sql_error_has_its_state_and_message_and_the_connection_lives),
		cmocka_unit_test(a_conflict_is_tried_again_but_not_inside_a_transaction),
		cmocka_unit_test(a_connection_that_was_ended_while_idle_is_unavailable),
		cmocka_unit_test(a_connection_that_breaks_under_a_statement_leaves_the_outcome_unknown),
		cmocka_unit_test(a_statement_without_an_answer_in_time_leaves_the_outcome_unknown_and_the_connection_broken),
		cmocka_unit_test(a_transaction_is_kept_or_left_as_a_whole),
		cmocka_unit_test(the_commit_of_a_failed_transaction_is_an_error),
		cmocka_unit_test(a_script_gives_its_last_rows_or_its_first_error),
		cmocka_unit_test(rows_come_one_by_one_until_stopped),
		cmocka_unit_test(quoted_text_comes_back_as_it_was),
		cmocka_unit_test(copied_rows_arrive_as_they_were),
		cmocka_unit_test(a_copy_that_fails_or_is_given_up_leaves_nothing),
		cmocka_unit_test(a_read_only_connection_cannot_write_and_keeps_the_options_it_was_given),
		cmocka_unit_test(an_unreachable_server_is_told_with_where_and_what_to_do),
		cmocka_unit_test(a_database_that_does_not_exist_is_told),
		cmocka_unit_test(a_password_that_nobody_escaped_is_a_password_and_never_shown),
		cmocka_unit_test(an_address_that_is_none_is_refused_and_not_shown),
	};
	need_env("BF_DATABASE_URL");
	start_watchdog(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
