#include "base/mem.h"
#include "core/sqltext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *lookup(void *data, const char *name, size_t len)
{
	const char *const *pairs = data;

	for (; pairs[0]; pairs += 2)
		if (strlen(pairs[0]) == len && memcmp(pairs[0], name, len) == 0)
			return pairs[1];
	return NULL;
}

/* Not a real quoting: it shows what was asked for. */
static int quote(void *data, struct bf_buf *out, const char *value, enum bf_sqltext_kind kind, struct bf_error *err)
{
	(void)data;
	(void)err;
	return bf_buf_printf(out, kind == BF_SQL_LITERAL ? "L<%s>" : "I<%s>", value);
}

static const char *const values[] = {"x", "1", "since", "2024-01-01", "neg", "-1", "größe", "w", "bad", "1; drop", "dash", "a--", NULL};

static struct bf_error err;

static void parse(const char *text, struct bf_sqltext *t)
{
	if (bf_sqltext_parse(text, strlen(text), t, &err) < 0)
		fail_msg("%s\n%s", text, err.text);
}

static int statements(const char *text)
{
	struct bf_sqltext t;

	parse(text, &t);
	int n = t.n_statements;
	bf_sqltext_release(&t);
	return n;
}

static int variables(const char *text)
{
	struct bf_sqltext t;
	int n = 0;

	parse(text, &t);
	for (size_t i = 0; i < t.n_pieces; i++)
		n += t.pieces[i].kind != BF_SQL_TEXT;
	bf_sqltext_release(&t);
	return n;
}

static void assert_renders(const char *text, const char *expected)
{
	BF_AUTOBUF struct bf_buf out;
	struct bf_sqltext t;

	bf_buf_init(&out, 1 << 16);
	parse(text, &t);
	if (bf_sqltext_render(&t, lookup, quote, (void *)(uintptr_t)values, &out, &err) < 0)
		fail_msg("%s\n%s", text, err.text);
	assert_string_equal(out.data, expected);
	bf_sqltext_release(&t);
}

static void assert_refused(const char *text, const char *part)
{
	struct bf_sqltext t;

	assert_int_equal(bf_sqltext_parse(text, strlen(text), &t, &err), -BF_E_INPUT);
	if (!strstr(err.text, part))
		fail_msg("%s\ngave: %s\nnot:  %s", text, err.text, part);
	assert_null(t.pieces);
}

static void the_three_notations_are_variables(void **state)
{
	(void)state;
	assert_renders("select :x, :'since', :\"x\";", "select 1, L<2024-01-01>, I<1>;\n");
	assert_renders("select :größe;", "select w;\n");
	assert_renders(":'x'", "L<1>\n;\n");
}

static void a_statement_without_a_semicolon_gets_one_behind_its_last_comment(void **state)
{
	(void)state;
	assert_renders("select 1 -- end", "select 1 -- end\n;\n");
	assert_renders("select 1; -- end", "select 1; -- end\n");
	assert_renders("", "\n");
	assert_renders("\xef\xbb\xbfselect 1;", "select 1;\n");
	assert_renders("\xef\xbb\xbf\xef\xbb\xbfselect 1;", "select 1;\n");
}

static void what_is_quoted_or_a_comment_holds_no_variables(void **state)
{
	(void)state;
	assert_int_equal(variables("select ':x', 'it''s :x', \":x\", \"a\"\":x\""), 0);
	assert_int_equal(variables("select E'\\':x', e'\\\\', :x, 'a\\', :x"), 2);
	assert_int_equal(variables("select E'a'\n  -- :x\n '\\':x' , :x"), 1);
	assert_int_equal(variables("select 'a'\n'\\', :x"), 1);
	assert_int_equal(variables("select $$:x$$, $a$ :x $$ :x $b$ $a$, :x"), 1);
	assert_int_equal(variables("-- :x\n/* :x /* :x */ :x */ select :x"), 1);
	assert_int_equal(variables("select 1 +-- :x\n 2 */* :x */ 3"), 0);
	assert_int_equal(variables("select b'01', x'ff', n'a:x', u&'\\0041:x', U&\"d:x\", :x"), 1);
}

static void an_e_within_a_name_begins_no_escape_string(void **state)
{
	(void)state;
	assert_int_equal(variables("select type'\\', :x"), 1);
	assert_int_equal(variables("select 1e'\\' :x', :x"), 1);
}

static void a_dollar_in_a_name_begins_no_dollar_quote(void **state)
{
	(void)state;
	assert_int_equal(variables("select a$b$ + :x, c$b$"), 1);
	assert_int_equal(variables("select $1, $2, :x"), 1);
	assert_int_equal(variables("select 1$a$ :x $a$, :x"), 1);
}

static void casts_assignments_and_array_slices_are_no_variables(void **state)
{
	(void)state;
	assert_int_equal(variables("select x::date, a[1:2], a[:3], f(a := 1), a[1:'2']"), 0);
	assert_int_equal(variables("select :x::int, :::x"), 2);
	assert_int_equal(variables("select :' x', :'x, :'"), 0);
}

static void statements_are_counted_without_those_of_space_and_comments(void **state)
{
	(void)state;
	assert_int_equal(statements(""), 0);
	assert_int_equal(statements(" ;; -- a\n /* b */ ; "), 0);
	assert_int_equal(statements("select 1; select 2"), 2);
	assert_int_equal(statements("select ';'; select \";\"; select $$;$$; :'x'"), 4);
	assert_int_equal(statements("create rule r as on insert to t do (select 1; select 2); select 3;"), 2);
}

static void the_semicolons_of_an_atomic_function_end_no_statement(void **state)
{
	(void)state;
	assert_int_equal(statements("create or replace function f() returns int language sql begin atomic "
								"select case when true then 1 end; select 2; end; select 3;"),
					 2);
	assert_int_equal(statements("CREATE PROCEDURE p() LANGUAGE sql BEGIN ATOMIC SELECT 1; END"), 1);
	assert_refused("create function f() returns int begin atomic select 1;", "line 1: found a block BEGIN ATOMIC that is never closed");
	assert_refused("create function begin() returns int language sql as $$select 1$$; commit", "found \"commit\"");
}

static void a_call_into_the_ledgers_schema_is_refused(void **state)
{
	static const char *const calls[] = {"select bf.settle('r', 's', 1, 1)", "select BF . /* - */ Settle (1)", "select \"bf\".settle(1)",
										"select \"bf\".\"settle\"\n(1)", "insert into t select bf.advance(:'x')"};
	static const char *const others[] = {
		"select * from bf.job where (true)",        "insert into bf.meta (one) values (1)",
		"insert into \"bf\".meta (one) values (1)", "select x.bf(1), bf(1), 'bf.settle(1)', b.bf.c from bf (1)",
		"select \"BF\".settle(1) -- bf.settle(1)",  "select abf.settle(1), bf.x + (1)"};
	(void)state;
	for (size_t i = 0; i < BF_COUNT_OF(calls); i++)
		assert_refused(calls[i], "no call into schema bf");
	for (size_t i = 0; i < BF_COUNT_OF(others); i++)
		assert_int_equal(statements(others[i]), 1);
}

static void transaction_control_is_refused_at_the_start_of_a_statement_only(void **state)
{
	static const char *const control[] = {
		"begin",
		"BEGIN WORK",
		"Start Transaction",
		"commit",
		"commit prepared 'x'",
		"end",
		"rollback",
		"rollback to s",
		"abort",
		"savepoint s",
		"release s",
		"prepare transaction 'x'",
		"set transaction read only",
		"set local transaction read only",
		"set session transaction read only",
		"start/**/transaction",
		"-- x\ncommit",
	};

	(void)state;
	for (size_t i = 0; i < BF_COUNT_OF(control); i++) {
		BF_AUTOFREE char *second = bf_asprintf("select 1;\n %s;", control[i]);

		assert_refused(control[i], "transaction control");
		assert_refused(second, "transaction control");
	}
	assert_int_equal(statements("select 1 as begin; select commit from t; set local work_mem = '1MB'; prepare p as select 1; "
								"comment on table t is 'commit'; (select 1); \"commit\";"),
					 7);
	assert_int_equal(statements("do $$ begin perform 1; end $$; committed;"), 2);
}

static void a_variable_cannot_be_a_statements_first_word(void **state)
{
	(void)state;
	assert_refused(":x work", "first word");
	assert_refused("select 1; com:x", "first word");
	assert_refused("start :x", "first word");
	assert_refused("prepare :x 'a'", "first word");
	assert_int_equal(statements("set :x = 1; select :x"), 2);
}

static void what_is_never_closed_is_named_with_the_line_it_began_on(void **state)
{
	(void)state;
	assert_refused("select 1,\n 'abc\n\n", "line 2: found a quote ' that is never closed");
	assert_refused("\n\nselect E'abc\\'", "line 3: found a quote E' that is never closed");
	assert_refused("select E'a'\n'b", "line 2: found a quote E'");
	assert_refused("select \"abc", "line 1: found a quoted name \"");
	assert_refused("select\n$tag$ abc $tag", "line 2: found a dollar quote \"$tag$\" that is never closed");
	assert_refused("select 1 /* a\n /* b */", "line 1: found a comment /*");
	assert_refused("select 1;\nselect (2;\n", "line 2: found a parenthesis (");
}

/* With the value \ the first would be E'\\'';delete from t;--' : the quote goes on, and what is in it is not where it seems to be. */
static void a_quote_that_goes_on_with_a_variable_is_refused(void **state)
{
	(void)state;
	assert_refused("select :'a'';delete from t;--'", "line 1: found \":'a'\", expected an operator");
	assert_refused("select 1,\n:'a' -- and\n  'b'", "line 2: found \":'a'\", expected an operator");
	struct bf_sqltext t;
	parse("select :'a' || 'b', :'a', 'b' as \"x\" where :'a'='b'", &t);
	bf_sqltext_release(&t);
}

static void what_only_psql_can_do_is_refused(void **state)
{
	(void)state;
	assert_refused("select 1\n\\gexec", "line 2: found \"\\\\gexec\"");
	assert_refused("\\set a 1", "backslash");
	assert_refused("copy t from stdin", "COPY");
	assert_refused("COPY t (a, b)\n FROM STDIN with csv;", "line 2: found \"STDIN\"");
	assert_refused("copy (select 1) to stdout", "COPY");
	assert_refused("copy t from :x", "COPY");
	assert_refused("select :{?x}", ":name");
	assert_int_equal(statements("copy t from '/tmp/x'; select 1 from stdin"), 2);
}

static void bytes_that_are_no_text_are_refused(void **state)
{
	struct bf_sqltext t;

	(void)state;
	assert_refused("select 1;\nselect '\xff';\n", "line 2: found bytes that are not UTF-8");
	assert_int_equal(bf_sqltext_parse("a\0b", 3, &t, &err), -BF_E_INPUT);
	assert_int_equal(bf_sqltext_parse("", 0, &t, &err), 0);
	bf_sqltext_release(&t);
}

static void an_unquoted_value_is_a_number_a_date_or_a_word(void **state)
{
	BF_AUTOBUF struct bf_buf out;
	struct bf_sqltext t;
	static const char *const refused[] = {"select :bad", "select :dash", "select 1,\n:nothing"};

	(void)state;
	bf_buf_init(&out, 1 << 16);
	for (size_t i = 0; i < BF_COUNT_OF(refused); i++) {
		parse(refused[i], &t);
		assert_int_equal(bf_sqltext_render(&t, lookup, quote, (void *)(uintptr_t)values, &out, &err), -BF_E_INPUT);
		bf_sqltext_release(&t);
	}
	assert_non_null(strstr(err.text, "line 2: there is no variable \"nothing\""));
	assert_renders("select 5 -:neg", "select 5 - -1\n;\n");
	assert_renders("select :since", "select 2024-01-01\n;\n");
}

static void a_result_beyond_its_ceiling_is_an_error(void **state)
{
	BF_AUTOBUF struct bf_buf out;
	struct bf_sqltext t;

	(void)state;
	bf_buf_init(&out, 8);
	parse("select 1, 2, 3", &t);
	assert_int_equal(bf_sqltext_render(&t, lookup, quote, (void *)(uintptr_t)values, &out, &err), -BF_E_LIMIT);
	bf_sqltext_release(&t);
}

/* The pieces put together again, with what makes a variable, are the text. */
static void assert_whole(const struct bf_sqltext *t, const char *text, size_t len)
{
	const char *at = text;

	for (size_t i = 0; i < t->n_pieces; i++) {
		const struct bf_sqltext_piece *p = &t->pieces[i];
		size_t mark = p->kind == BF_SQL_TEXT ? 0 : p->kind == BF_SQL_RAW ? 1 : 2;

		assert_ptr_equal(p->start, at + mark);
		at = p->start + p->len + (mark == 2);
	}
	assert_ptr_equal(at, text + len);
}

static void mutated_text_is_parsed_or_refused_and_nothing_else(void **state)
{
	static const char seed_text[] =
		"create or replace function f() returns int language sql begin atomic select case when :x then 1 end; end;\n"
		"/* a /* b */ */ select E'a\\'' 'b', $q$ ; $q$, \"i\"\"d\", :'since'::date, a[1:2] -- c\n from t where y := :\"z\";"
		"copy t to '/x'; (select (1)); u&'x' \\";
	static const char parts[] = "'\"$:;()\\/*-\nEe$a$begin end case:x:'x'\xc3\xa4\xff copy from stdin";
	uint64_t random = 42;
	int parsed = 0;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t len = sizeof(seed_text) - 3; /* without the backslash */
		char *text = malloc(len);           /* its exact size, so that a read past its end is seen */
		struct bf_sqltext t;

		assert_non_null(text);
		memcpy(text, seed_text, len);
		for (int change = 0; change < 1 + round % 4; change++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			text[(random >> 33) % len] = parts[(random >> 20) % (sizeof(parts) - 1)];
		}
		size_t used = len - (random >> 40) % (round % 2 ? len : 1);
		char *exact = realloc(text, used);
		assert_non_null(exact);
		if (bf_sqltext_parse(exact, used, &t, &err) == 0) {
			assert_whole(&t, exact, used);
			bf_sqltext_release(&t);
			parsed++;
		} else {
			assert_non_null(strstr(err.text, "line "));
		}
		free(exact);
	}
	assert_true(parsed > 100);
}

static void text_of_data_statements_alone_is_plain(void **state)
{
	static const struct {
		const char *sql;
		bool plain;
	} cases[] = {
		{"insert into t select 1; WITH x AS (select 1) delete from t; (select 2)", true},
		{"-- set work_mem\nlock table t; truncate t; values (1)", true},
		{"set work_mem = '1GB'; select 1", false},
		{"select 1; create temporary table t (x int)", false},
		{"listen x", false},
		{"call p()", false},
	};
	(void)state;
	for (size_t i = 0; i < BF_COUNT_OF(cases); i++) {
		struct bf_sqltext t;
		assert_int_equal(bf_sqltext_parse(cases[i].sql, strlen(cases[i].sql), &t, &err), 0);
		assert_int_equal(t.plain, cases[i].plain);
		bf_sqltext_release(&t);
	}
}

static void statements_are_told_apart_with_their_lines(void **state)
{
	static const char sql[] =
		"-- a comment; no statement\nselect ';', (1); ;\n\n  insert into t\n values ($$;$$)\n;/* x */ call p() -- last\n";
	static const struct {
		const char *text;
		int line;
		bool plain;
	} expected[] = {{"select ';', (1)", 2, true}, {"insert into t\n values ($$;$$)\n", 4, true}, {"call p() -- last\n", 6, false}};
	struct bf_sqltext t;
	(void)state;
	parse(sql, &t);
	assert_int_equal(t.n_statements, BF_COUNT_OF(expected));
	for (size_t i = 0; i < BF_COUNT_OF(expected); i++) {
		const struct bf_sqltext_statement *s = &t.statements[i];
		assert_int_equal(s->len, strlen(expected[i].text));
		assert_memory_equal(s->start, expected[i].text, s->len);
		assert_int_equal(s->line, expected[i].line);
		assert_int_equal(s->plain, expected[i].plain);
	}
	bf_sqltext_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statements_are_told_apart_with_their_lines),
		cmocka_unit_test(text_of_data_statements_alone_is_plain),
		cmocka_unit_test(the_three_notations_are_variables),
		cmocka_unit_test(a_statement_without_a_semicolon_gets_one_behind_its_last_comment),
		cmocka_unit_test(what_is_quoted_or_a_comment_holds_no_variables),
		cmocka_unit_test(an_e_within_a_name_begins_no_escape_string),
		cmocka_unit_test(a_dollar_in_a_name_begins_no_dollar_quote),
		cmocka_unit_test(casts_assignments_and_array_slices_are_no_variables),
		cmocka_unit_test(statements_are_counted_without_those_of_space_and_comments),
		cmocka_unit_test(the_semicolons_of_an_atomic_function_end_no_statement),
		cmocka_unit_test(a_call_into_the_ledgers_schema_is_refused),
		cmocka_unit_test(transaction_control_is_refused_at_the_start_of_a_statement_only),
		cmocka_unit_test(a_variable_cannot_be_a_statements_first_word),
		cmocka_unit_test(what_is_never_closed_is_named_with_the_line_it_began_on),
		cmocka_unit_test(a_quote_that_goes_on_with_a_variable_is_refused),
		cmocka_unit_test(what_only_psql_can_do_is_refused),
		cmocka_unit_test(bytes_that_are_no_text_are_refused),
		cmocka_unit_test(an_unquoted_value_is_a_number_a_date_or_a_word),
		cmocka_unit_test(a_result_beyond_its_ceiling_is_an_error),
		cmocka_unit_test(mutated_text_is_parsed_or_refused_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
