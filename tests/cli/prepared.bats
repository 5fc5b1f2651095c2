# Short jobs of a sql step, whose statement is prepared on the worker's connections: what they do is what they would do anyway.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() { bf_setup; }
teardown() { bf_teardown; }

# keyed NAME COUNT [OPTION JSON]: a pipeline of so many keys with one sql step, whose file is read from standard input
keyed() {
	pipeline "$1" <<-JSON
		{"pipeline": "$1", "chunk": {"keys": {"sql": "keys.sql"}}, "concurrency": {"default": 40, "max": 100},
		 "defaults": {"retry": {"attempts": 2, "first": "50ms", "jitter": 0}},
		 "steps": [{"name": "load", "kind": "sql", "file": "sql/load.sql"}]}
	JSON
	echo "select k from keys order by n" >"$made/keys.sql"
	pg "create table keys (n int, k text); insert into keys select n, n::text from generate_series(1, $2) n;
	    create table seen (k text, prepared boolean)"
	sql_file load.sql
}

is_prepared="current_query() like '%EXECUTE' || ' bf_step%'"

work_off() { # RUN
	enqueue_run "$1" "${1%%.*}"
	timeout 60 worker --slots=2 --drain 2>"$BATS_TEST_TMPDIR/worker.log"
}

@test "short jobs of one step in a row are prepared, and each has its own values and its effect exactly once" {
	keyed short 300 <<<"insert into seen select :'key', $is_prepared -- the last line is a comment"
	pg "insert into keys values (301, 'it''s'), (302, 'a\\b'), (303, E'new\nline'), (304, 'ä€𝄞'), (305, '\$1'), (306, '; drop table seen; --')"
	work_off short.a
	assert_same 'keys without exactly one effect' '' "$(pg "select k from keys left join seen using (k) group by k having count(seen) <> 1")"
	assert_same 'jobs done' 306 "$(pg "select count(*) from bf.job where run = 'short.a' and state = 'done' and attempts = 0 and rows = 1")"
	# Two on each of two connections come before it is worth while.
	at_least 250 "select count(*) from seen where prepared"
	at_least 4 "select count(*) from seen where not prepared"
}

@test "another step on the same connection is prepared anew, with its own statement" {
	pipeline pair <<-'JSON'
		{"pipeline": "pair", "chunk": {"keys": {"sql": "keys.sql"}}, "concurrency": {"default": 40, "max": 100},
		 "steps": [{"name": "one", "kind": "sql", "file": "sql/one.sql"}, {"name": "two", "kind": "sql", "file": "sql/two.sql"}]}
	JSON
	echo "select n::text from generate_series(1, 60) n" >"$made/keys.sql"
	pg 'create table seen (step text, k text, prepared boolean)'
	sql_file one.sql <<<"insert into seen select 'one', :'key', $is_prepared"
	sql_file two.sql <<<"insert into seen select 'two', :'key', $is_prepared"
	enqueue_run pair.a pair
	timeout 60 worker --slots=1 --drain 2>"$BATS_TEST_TMPDIR/worker.log"
	assert_same 'effects' 'one|60
two|60' "$(pg 'select step, count(distinct k) from seen group by step having count(*) = 60 order by 1')"
	at_least 50 "select count(*) from seen where step = 'two' and prepared"
}

@test "what cannot be prepared is run as it is, and costs no try" {
	keyed typed 60 <<<"insert into seen select :'key' || (date :'run_day' - date '2024-01-01'), $is_prepared"
	sed -i 's/"steps"/"params": {"run_day": {"default": "2024-01-05", "affects": "nothing"}},\n &/' "$made/pipeline.json"
	work_off typed.a
	assert_same 'effects' '60|0' "$(pg "select count(distinct k), count(*) filter (where prepared) from seen where k like '%4'")"
	assert_same 'tries' 0 "$(pg "select count(*) from bf.attempt")"
	! grep -E ' (warn|error) ' "$BATS_TEST_TMPDIR/worker.log"
}

@test "several statements and unquoted variables are never prepared" {
	keyed several 40 <<<"insert into seen select :'key', $is_prepared; select :key;"
	work_off several.a
	assert_same 'effects' '40|0' "$(pg "select count(distinct k), count(*) filter (where prepared) from seen")"
}

@test "a job that fails among prepared ones is tried again and fails alone, with what the server said" {
	keyed failing 100 <<<"insert into seen select :'key', $is_prepared where 1 / (:'key' <> '77')::int = 1"
	enqueue_run failing.a failing
	run timeout 60 worker --slots=2 --drain
	assert_same 'effects' 99 "$(pg 'select count(distinct k) from seen having count(*) = 99')"
	assert_same 'the job' 'failed|2|sql|division by zero' "$(pg "select state, attempts, error_category, error from bf.job where key = '77'")"
	at_least 60 "select count(*) from seen where prepared"
}

@test "a statement that comes to yield other columns is prepared no more, and that costs no try" {
	keyed changing 60 <<<"select note(:'key'), shape.* from shape"
	pg "alter table seen add altered boolean; create table shape (a int); insert into shape values (1); create table gate (n int); insert into gate values (1);
	    create function note(p text) returns int language plpgsql as \$\$ begin
	      insert into seen select p, $is_prepared, exists (select from pg_attribute where attrelid = 'shape'::regclass and attname = 'b');
	      while p = '30' and exists (select from gate) loop perform pg_sleep(0.02); end loop;
	      return 1; end \$\$"
	enqueue_run changing.a changing
	start_worker --slots=1
	wait_until "is 1 \"select count(*) from bf.job where key = '30' and state = 'running'\" && at_least 1 \"select count(*) from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()\""
	enqueue stop changing.a
	pg 'delete from gate'
	wait_until "is stopped \"select state from bf.run where run = 'changing.a'\""
	pg 'alter table shape add b int'
	enqueue resume changing.a
	wait_for_end changing.a
	assert_same 'effects' 60 "$(pg 'select count(distinct k) from seen having count(*) = 60')"
	assert_same 'tries' 0 "$(pg "select count(*) from bf.attempt")"
	assert_same 'was prepared before and not after' 'f|t
t|f' "$(pg "select altered, bool_or(prepared) from seen group by 1 order by 1")"
}
