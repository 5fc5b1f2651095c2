# A query that holds a run back while the database is unhealthy.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	pg 'create table health (bad text); create table effect (chunk text)'
	pipeline calm <<-'JSON'
		{"pipeline": "calm", "chunk": {"size": 1}, "concurrency": {"default": 2}, "params": {"word": {"default": "lag"}},
		 "throttle": {"file": "sql/health.sql", "every": "5s"},
		 "steps": [{"name": "make", "kind": "sql", "file": "sql/make.sql"}]}
	JSON
	sql_file health.sql <<<"select true, bad from health where bad like :'word' || '%'"
	sql_file make.sql <<<"insert into effect values (:'chunk'); select pg_sleep(0.3);"
}
teardown() { bf_teardown; }

made() { pg 'select count(*) from effect'; }
held() { pg "select coalesce(held_reason, '') from bf.run where run = '$1'"; }
nothing_is_at_work() { is 0 "select count(*) from bf.job where state = 'running'"; }

@test "a run is held back while the query says so, with the reason; it goes on by itself; two workers ask once an interval" {
	pg "insert into health values ('lag of 42 s')"
	enqueue_run c.one calm --since=2024-01-01 --until=2024-04-30
	start_worker
	start_worker
	wait_until '[ "$(held c.one)" = "lag of 42 s" ]'
	assert_same 'made' 0 "$(made)" # not even before it was asked for the first time
	run bfstat c.one
	[[ $output = *'HELD BACK    for '*' by its throttle, which is asked each 5s:'*'lag of 42 s'* ]]
	assert_same 'as JSON' 'lag of 42 s' "$(bfstat c.one --json | jq -r .held_reason)"

	pg 'delete from health'
	wait_until 'at_least 3 "select count(*) from effect"' 20
	assert_same 'held' '' "$(held c.one)"
	pg "insert into health values ('lag again')"
	wait_until '[ "$(held c.one)" = "lag again" ]' 20
	wait_until nothing_is_at_work
	local before asked
	before=$(made)
	wait_until "[ \"\$(pg \"select count(*) from bf.event where run = 'c.one' and who = 'throttle'\")\" -eq 3 ]"
	kill_worker "${WORKER_PIDS[0]}" KILL || true # who asks is not the same any more
	asked=$(pg "select throttle_at from bf.run where run = 'c.one'")
	wait_until "is t \"select throttle_at > '$asked'::timestamptz + interval '5 seconds' from bf.run where run = 'c.one'\""
	assert_same 'while it is held' "$before" "$(made)"
	pg 'delete from health'
	wait_for_end c.one 60
	oracle c.one make=effect
	assert_same 'events' 'held back, let go, held back, let go' "$(pg "select string_agg(what, ', ' order by id) from bf.event where run = 'c.one' and who = 'throttle'")"
	assert_same 'tries that were counted' 0 "$(pg 'select count(*) from bf.attempt')"
	bfstat verify
}

@test "while it is held back no more than its window goes to and fro" {
	pg "insert into health values ('lag')"
	enqueue_run c.one calm --since=2020-01-01 --until=2024-12-31
	start_worker
	wait_until '[ "$(held c.one)" = lag ]'
	wait_until '[ "$(rd zcard bf:delayed:default)" = 2 ]'
	for _ in {1..20}; do
		assert_same 'released' 2 "$(rd scard bf:run:c.one:released)"
		sleep 0.1
	done
	assert_same 'never released' 1825 "$(rd llen bf:run:c.one:pending:make)"
	assert_same 'delayed, in order' "$(printf 'c.one/make/2020-01-0%d#%d\n' 1 1 2 2)" "$(rd zrange bf:delayed:default 0 -1 | sort)"
}

@test "a run that cannot be looked after keeps no other from its throttle, and no worker that drains from leaving" {
	enqueue_run c.bad calm --since=2024-01-01 --until=2024-01-03
	enqueue_run c.one calm --since=2024-02-01 --until=2024-02-03
	enqueue cancel c.one --chunk=2024-02-01
	pg "create function broken() returns trigger language plpgsql as 'begin raise exception ''broken on purpose''; end';
	    update bf.run set queue = 'other' where run = 'c.bad';
	    update bf.job set state = 'cancelled' where run = 'c.bad'; -- the run is to be ended, which fails
	    create trigger broken before update on bf.run for each row when (new.run = 'c.bad') execute function broken()"
	pg "insert into health values ('lag')"
	start_worker --drain
	wait_until "grep -q 'reconcile: .*broken on purpose' '$BATS_TEST_TMPDIR/worker-0.log'"
	wait_until '[ "$(held c.one)" = lag ]'
	pg 'delete from health'
	wait_for_end c.one
	exit_code_of "${WORKER_PIDS[0]}"
	assert_same 'exit code' 0 "$code"
}

@test "a query that fails holds the run back and says why; stop and cancel work meanwhile" {
	enqueue_run c.bad calm --since=2024-01-01 --until=2024-01-03
	pg 'drop table health'
	start_worker
	wait_until '[[ "$(held c.bad)" = "sql/health.sql cannot be asked: "*health* ]]'
	assert_same 'made' 0 "$(made)"
	enqueue stop c.bad
	wait_until '[ "$(run_state c.bad)" = stopped ]'
	enqueue resume c.bad
	pg 'create table health (bad text)'
	wait_for_end c.bad 60
	oracle c.bad make=effect

	pg "insert into health values ('lag')"
	enqueue_run c.cancel calm --since=2024-02-01 --until=2024-02-03
	wait_until '[ "$(held c.cancel)" = lag ]'
	enqueue cancel c.cancel
	wait_for_end c.cancel
	assert_same 'state' cancelled "$(run_state c.cancel)"
}

@test "what a throttle's query does to its session does not reach the worker's own statements" {
	sql_file health.sql <<<"select set_config('standard_conforming_strings', 'off', false) = 'on', pg_advisory_lock(4711)::text from leave();"
	pg "create function leave() returns int language plpgsql as
	    \$\$ begin deallocate all; execute 'prepare throttle_note as select 1'; return 1; end \$\$"
	enqueue_run c.one calm --since=2024-01-01 --until=2024-01-04
	start_worker
	wait_for_end c.one 60
	oracle c.one make=effect
	assert_same 'locks that are left' 0 "$(pg "select count(*) from pg_locks where locktype = 'advisory' and objid = 4711")"
	[ -z "$(worker_log 0 | grep -E 'error|prepared statement')" ]
}
