# What is not there is found before anything runs, in one list: files, programs, tables, columns, functions. What the steps make themselves is not missed.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	pg 'create table there (day date, n int)'
}
teardown() { bf_teardown; }

range=(--since=2024-01-01 --until=2024-01-03)
nothing_planned() { assert_same 'runs' 0 "$(pg 'select count(*) from bf.run')"; }

@test "everything that is missing is in one list, and nothing is planned; a dry run says the same" {
	pipeline lacks <<-'JSON'
		{"pipeline": "lacks", "chunk": {"size": 1},
		 "throttle": {"file": "sql/lag.sql", "every": "10s"},
		 "steps": [
		  {"name": "table", "kind": "sql", "file": "sql/table.sql"},
		  {"name": "column", "kind": "sql", "file": "sql/column.sql"},
		  {"name": "function", "kind": "check", "type": "metric", "file": "sql/function.sql", "error_if": "< 1"},
		  {"name": "file", "kind": "sql", "file": "sql/nosuch.sql"},
		  {"name": "program", "kind": "exec", "argv": ["bin/nosuch"]},
		  {"name": "plain", "kind": "exec", "argv": ["bin/plain"]},
		  {"name": "path", "kind": "exec", "argv": ["no-such-program-anywhere"]}]}
	JSON
	sql_file lag.sql <<<'select count(*) > 5 from no_queue'
	sql_file table.sql <<-'SQL'
		-- a comment
		insert into there values (:'since', 1);
		insert into public.nowhere
		select * from there where day = :'since';
		select 1; select 2 from "Also nowhere";
	SQL
	sql_file column.sql <<<"update there set total = 3 where day = :'since'"
	sql_file function.sql <<<"select no_such_function(count(*), :'since') from there"
	echo '#!/bin/sh' >"$made/bin/plain"
	expected=$(sed "s|@|$made|" <<-'END'
		@/pipeline.json: steps[3].file: found "sql/nosuch.sql", expected a file that exists, for step file (looked for @/sql/nosuch.sql)
		@/pipeline.json: steps[4].argv[0]: found "bin/nosuch", expected a program that exists, for step program (looked for @/bin/nosuch)
		@/pipeline.json: steps[5].argv[0]: found "bin/plain", expected a file that may be executed, for step plain (@/bin/plain is not: chmod +x)
		@/pipeline.json: steps[6].argv[0]: found "no-such-program-anywhere", expected a program that is in PATH, for step path, or with a '/' one in the pipeline's folder
		throttle: sql/lag.sql: line 1: relation "no_queue" does not exist
		step table: sql/table.sql: line 3: relation "public.nowhere" does not exist
		step table: sql/table.sql: line 5: relation "Also nowhere" does not exist
		step column: sql/column.sql: line 1: column "total" of relation "there" does not exist
		step function: sql/function.sql: line 1: function no_such_function(bigint, unknown) does not exist
		enqueue: nothing was planned: this is not there
	END
	)
	expected=${expected//@/$made}
	run -2 enqueue run lacks "${range[@]}"
	assert_same 'the list' "$expected" "$output"
	run -2 enqueue run lacks "${range[@]}" --dry-run
	assert_same 'a dry run' "$expected" "$output"
	nothing_planned
	# without the server: what is known all the same
	BF_DATABASE_URL='postgresql:///nowhere?host=/nowhere' run -2 enqueue run lacks "${range[@]}"
	assert_same 'lines' 4 "$(grep -c 'steps\[' <<<"$output")"
	[[ $output = *'nothing was planned: this is not there. Whether tables are, could not be asked: '* ]]
	# --only: what is left out need not be there
	pg 'create table "Also nowhere" (); create table nowhere (like there); create table no_queue ()'
	printf '#!/bin/sh\n' >"$made/bin/nosuch"
	chmod +x "$made/bin/nosuch" "$made/bin/plain"
	echo 'select 1;' >"$made/sql/nosuch.sql"
	sed -i 's/no-such-program-anywhere/true/' "$made/pipeline.json"
	run -2 enqueue run lacks "${range[@]}"
	assert_same 'what is left' 2 "$(grep -c '^step ' <<<"$output")"
	[[ $output = *'(--no-preflight: something outside of the pipeline will make it)' ]]
	enqueue run lacks "${range[@]}" --only=table
	enqueue run lacks "${range[@]}" --skip=table --no-preflight
}

@test "what the pipeline makes itself, or may make, or what is only out of sight, is not missed" {
	pipeline makes <<-'JSON'
		{"pipeline": "makes", "chunk": {"size": 1},
		 "steps": [
		  {"name": "one", "kind": "sql", "file": "sql/one.sql"},
		  {"name": "two", "kind": "sql", "file": "sql/two.sql"},
		  {"name": "program", "kind": "exec", "argv": ["true"]},
		  {"name": "three", "kind": "sql", "file": "sql/three.sql"},
		  {"name": "alone", "kind": "sql", "file": "sql/alone.sql", "needs": []}]}
	JSON
	pg 'create schema hidden; create table hidden.secret (n int); create function hidden.f() returns int language sql immutable as $$ select 1 $$'
	sql_file one.sql <<-'SQL'
		create temp table scratch on commit drop as select :'since'::date as day;
		insert into there select day, 1 from scratch;
		create table if not exists made_here (n int);
		select day into temp also_made from scratch;
		select * from also_made;
	SQL
	sql_file two.sql <<<"insert into MADE_HERE values (1); select :'chunk'; truncate made_here;"
	sql_file three.sql <<<'select * from made_by_the_program;'
	sql_file alone.sql <<-'SQL'
		select * from secret; select f();
		do $$ begin execute format('create temp table %I (n int)', 'dyn' || 'amic'); end $$;
		select * from dynamic;
	SQL
	enqueue run makes "${range[@]}" --run-id=makes.one
	assert_same 'runs' 1 "$(pg 'select count(*) from bf.run')"
	# the same without what makes them
	sql_file one.sql <<<"insert into there select day, 1 from scratch;"
	run -2 enqueue run makes "${range[@]}" --reprocess=completed --run-id=makes.two
	[[ $output = *'step one: sql/one.sql: line 1: relation "scratch" does not exist'* ]]
	[[ $output = *'step two: sql/two.sql: line 1: relation "made_here" does not exist'* ]]
	[[ $output != *'step three'* && $output != *'step alone'* ]]
}

@test "variables of the environment that workers will need are named, and which of them are not set here" {
	pipeline env <<-'JSON'
		{"pipeline": "env", "chunk": {"size": 1},
		 "env": {"set": {"A": "{{env.BF_TEST_SET}}", "B": "{{env.BF_TEST_OTHER|x}}"}},
		 "steps": [{"name": "one", "kind": "exec", "argv": ["true", "{{env.BF_TEST_NOT_SET}}", "{{env.BF_TEST_SET}}"]}]}
	JSON
	export BF_TEST_SET=secret-value
	run -0 enqueue run env "${range[@]}" --dry-run
	[[ $output = *'Needed in the environment of the workers: BF_TEST_NOT_SET (not set here), BF_TEST_SET.'* ]]
	[[ $output != *secret-value* ]]
	run -0 enqueue run env "${range[@]}" --json
	assert_same 'json' 'BF_TEST_NOT_SET false,BF_TEST_SET true' "$(jq -r '[.environment[] | "\(.name) \(.set_here)"] | join(",")' <<<"$output")"
}

@test "functions that may write, another search path, names in variables: what they make is not missed; a long list is cut" {
	pg "create function mk(text) returns int language plpgsql as \$f\$ begin execute format('create temp table %I (v int) on commit drop', \$1); return 1; end \$f\$;
	    create schema s2; create table s2.same (special int); create table same (n int)"
	pipeline sly <<-'JSON'
		{"pipeline": "sly", "chunk": {"size": 1}, "params": {"tmp": {"default": "some_table", "affects": "nothing"}},
		 "steps": [
		  {"name": "one", "kind": "sql", "file": "sql/one.sql", "needs": []},
		  {"name": "two", "kind": "sql", "file": "sql/two.sql", "needs": []},
		  {"name": "three", "kind": "sql", "file": "sql/three.sql", "needs": []}]}
	JSON
	sql_file one.sql <<<"select pg_sleep(0), mk('made_by_fn'); insert into made_by_fn values (1);"
	sql_file two.sql <<<"select set_config('search_path', 's2', true); select special from same;"
	sql_file three.sql <<<'create temp table :"tmp" (v int) on commit drop; select v from :"tmp";'
	enqueue_run sly.one sly "${range[@]}"
	start_worker
	wait_for_end sly.one
	assert_same 'run' done "$(run_state sly.one)"
	sql_file two.sql <<<"set local statement_timeout = '5min'; select * from never_there; select lenght('a'::text);"
	for n in {1..80}; do echo "select * from no_$n;"; done | sql_file three.sql
	run -2 enqueue run sly "${range[@]}" --reprocess=completed
	[[ $output = *'step two: sql/two.sql: line 1: relation "never_there" does not exist'* ]]
	[[ $output = *'function lenght(text) does not exist'* ]]
	assert_same 'lines' 52 "${#lines[@]}"
	[[ $output = *$'\n… and more\n'* ]]
}
