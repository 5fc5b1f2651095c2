# What puts a job off without being a try: it is shown, its waits grow, and a step's own error of that kind counts in the end.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() { bf_setup; }
teardown() { bf_teardown; }

# step NAME [COUNT]: a pipeline of so many keys (1) with one sql step, whose file is read from standard input; $attempts tries, $patience
step() {
	pipeline "$1" <<-JSON
		{"pipeline": "$1", "chunk": {"keys": {"sql": "keys.sql"}}, "concurrency": {"default": 40, "max": 100},
		 "defaults": {"retry": {"attempts": ${attempts:-1}, "first": "10ms", "jitter": 0, "patience": "${patience:-1h}"}},
		 "steps": [{"name": "work", "kind": "sql", "file": "sql/work.sql"}]}
	JSON
	echo "select n::text from generate_series(1, ${2:-1}) n" >"$made/keys.sql"
	sql_file work.sql
}

function_that_raises() {
	pg 'create function raises(code text) returns void language plpgsql as $$ begin raise exception $q$of mine$q$ using errcode = code; end $$'
}

put_off() { bfstat "$1" --json | jq -e ".put_off$2" >/dev/null; } # RUN CONDITION

@test "a step that raises what stands for a server that is away counts a try when its patience is over, and fails in the end" {
	function_that_raises
	codes=(25006 53100 53300 57p03 40001 40p01 55p03)
	for code in "${codes[@]}"; do
		attempts=2 patience=1s step "raises-$code" <<<"select raises(upper('$code'));"
		enqueue_run "raises-$code.a" "raises-$code"
	done
	start_worker --drain
	for code in "${codes[@]}"; do
		wait_for_end "raises-$code.a" 60
		assert_same "the job of $code" 'failed|2|patience' "$(pg "select state, attempts, error_category from bf.job where run = 'raises-$code.a'")"
		[[ $(pg "select error from bf.job where run = 'raises-$code.a'") = 'of mine (put off '*' times for this, for '*' it counts as a try)' ]]
	done
	assert_same 'what is left of the waits' 0 "$(pg 'select count(*) from bf.job where waits is not null or waits_since is not null or waits_why is not null')"
}

@test "a step that cannot write, while the ledger can, counts a try in the end" {
	pg 'create table effect (k text)'
	attempts=2 patience=1s step readonly <<<"select set_config('transaction_read_only', 'on', true); insert into effect values (:'key');"
	enqueue_run readonly.a readonly
	start_worker --drain
	wait_for_end readonly.a 60
	assert_same 'the job' 'failed|2|patience' "$(pg 'select state, attempts, error_category from bf.job')"
	[[ $(pg 'select error from bf.job') = *'read-only transaction'* ]]
}

@test "a job that is put off says why, since when and how often, and its waits grow" {
	function_that_raises
	step waits 3 <<<"select raises('40001');"
	enqueue_run waits.a waits
	start_worker
	wait_until "at_least 5 'select min(waits) from bf.job'"
	run bfstat waits.a
	[[ $output = *WAITS*work*'put off '*' times, first '*'; it counts as no try; 2 more jobs wait so'*'of mine'* ]]
	put_off waits.a ' | .jobs == 3 and .step == "work" and .times >= 5 and .why == "of mine" and (.since | length) > 10'
	# 150, 300, 600 and 1,200 ms, each give or take half of it
	assert_same 'jobs that were put off five times within a second' 0 "$(pg "select count(*) from bf.job where waits >= 5 and clock_timestamp() - waits_since < interval '1 s'")"
	assert_same 'tries' '0|0' "$(pg 'select sum(attempts), (select count(*) from bf.attempt) from bf.job')"
	pg 'create or replace function raises(code text) returns void language plpgsql as $$ begin end $$'
	wait_for_end waits.a 60
	assert_same 'jobs that still say so' 0 "$(pg 'select count(*) from bf.job where waits is not null or waits_since is not null or waits_why is not null')"
	bfstat waits.a --json | jq -e '.put_off == null' >/dev/null
}

@test "jobs that lock the same rows in opposite orders are done in the end, without a try" {
	pg "create table pair (n int primary key, count int default 0); insert into pair values (1), (2);
	    do \$\$ begin execute format('alter database %I set deadlock_timeout = %L', current_database(), '50ms'); end \$\$"
	step crossing 20 <<-'SQL'
		update pair set count = count + 1 where n = 1 + :'key'::int % 2;
		select pg_sleep(0.05);
		update pair set count = count + 1 where n = 2 - :'key'::int % 2;
	SQL
	enqueue_run crossing.a crossing
	start_worker --slots=8 --drain
	wait_for_end crossing.a 90
	assert_same 'jobs' 'done|0|20' "$(pg 'select state, attempts, count(*) from bf.job group by 1, 2')"
	assert_same 'effects' '20|20' "$(pg "select string_agg(count::text, '|' order by n) from pair")"
}

@test "a program that asks to be tried again later is seen to wait" {
	pipeline later <<-'JSON'
		{"pipeline": "later", "defaults": {"retry": {"first": "50ms", "patience": "0s"}},
		 "steps": [{"name": "work", "kind": "exec", "per": "run", "argv": ["bin/work", "{{env.DONE}}"]}], "env": {"pass": ["DONE"]}}
	JSON
	program work <<<'[ -e "$1" ] || exit 75'
	export DONE=$BATS_TEST_TMPDIR/done
	enqueue_run later.a later --since=2024-01-01 --until=2024-01-01
	start_worker --drain
	wait_until "at_least 3 'select waits from bf.job'"
	put_off later.a ' | .times >= 3 and .why == "it exited with status 75"'
	touch "$DONE"
	wait_for_end later.a
	assert_same 'the job' 'done|0|' "$(pg 'select state, attempts, waits from bf.job')"
}

@test "a job that was put off, cancelled and opened again has not waited yet" {
	function_that_raises
	step away <<<"select raises('25006');"
	enqueue_run away.a away
	start_worker
	wait_until "put_off away.a ' .times >= 2'"
	enqueue cancel away.a
	kill_worker "${WORKER_PIDS[0]}" KILL || true
	enqueue retry away.a
	assert_same 'what is left of the waits' 'pending t' "$(pg "select state, waits is null and waits_since is null and waits_why is null from bf.job" | tr '|' ' ')"
}
