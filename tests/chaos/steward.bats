# Upkeep that is cut short: a worker that stands still or dies while it brings Redis to what the ledger says.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/chaos.bash

setup() { chaos_setup; }
teardown() { bf_teardown; }

copy_pipeline() {
	pipeline copy <<<'{"pipeline": "copy", "chunk": {"size": 1}, "concurrency": {"default": 4}, "steps": [{"name": "copy", "kind": "sql", "file": "sql/copy.sql"}]}'
	sql_file copy.sql <<<"insert into effect values (:'run', 'copy', :'chunk');"
	pg "create view effect_copy as select chunk from effect where step = 'copy'"
}

is_stopped() { [ "$(sed 's/.*) //; s/ .*//' "/proc/$1/stat")" = T ]; } # PID

@test "a worker that stands still in the middle of a rebuild keeps nobody from it for longer than a lease" {
	copy_pipeline
	# the first rebuild is that of an empty Redis, when it starts
	BF_FAILPOINT=mid_rebuild:hang:2 BF_FAILPOINT_LOG=$BATS_TEST_TMPDIR/fired start_worker
	wait_until '[ "$(rd zcard bf:workers)" = 1 ]'
	rd flushdb >/dev/null
	wait_until "is_stopped ${WORKER_PIDS[0]}"
	assert_same 'what fired' mid_rebuild "$(cat "$BATS_TEST_TMPDIR/fired")"
	assert_same 'the generation' '' "$(rd get bf:generation)"
	start_worker
	wait_until '[ -n "$(rd get bf:generation)" ]' $((lease_s + 5))
	enqueue_run copy.one copy --since=2024-01-01 --until=2024-01-12
	wait_for_end copy.one
	kill -CONT "${WORKER_PIDS[0]}" # it finds that its session and its generation are over, and works with the others
	enqueue_run copy.two copy --since=2024-02-01 --until=2024-02-12
	kill_worker "${WORKER_PIDS[1]}"
	wait_for_end copy.two
	assert_same 'effects' '12 of copy.one, 12 of copy.two' "$(pg "select string_agg(n || ' of ' || run, ', ' order by run)
		from (select run, count(*) as n, count(distinct chunk) from effect group by run having count(*) = count(distinct chunk)) x")"
	wait_for_redis copy.two
}

@test "a worker killed before it told Redis that a run is over leaves no wrong counter" {
	copy_pipeline
	enqueue_run copy.one copy --since=2024-01-01 --until=2024-01-12
	rd hincrby bf:run:copy.one:step:copy failed 3 >/dev/null # as a lost failover may leave them
	rd hincrby bf:run:copy.one failed 3 >/dev/null
	start_victim before_end_run:1
	assert_fired before_end_run "${WORKER_PIDS[0]}"
	assert_same 'the run' 'done' "$(run_state copy.one)"
	start_worker
	wait_for_redis copy.one
	assert_counters copy.one
	oracle copy.one copy=effect_copy
}

@test "a run stops although a dead worker's job came back to the pending list" {
	copy_pipeline
	sql_file copy.sql <<-'SQL'
		insert into effect values (:'run', 'copy', :'chunk');
		select pg_sleep(3600) where not exists (select from gate);
	SQL
	pg 'create table gate (open bool)'
	enqueue_run copy.one copy --since=2024-01-01 --until=2024-01-12
	start_worker --slots=1
	wait_until "is 1 \"select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'\""
	kill -KILL "${WORKER_PIDS[0]}"
	job=$(pg "select chunk || '#' || seq from bf.job where state = 'running' order by seq limit 1")
	# an older image of Redis, in which it was not released yet
	rd del bf:workers "bf:worker:$(worker_id "${WORKER_PIDS[0]}"):jobs" >/dev/null
	rd srem bf:run:copy.one:released "copy/$job" >/dev/null
	rd srem bf:run:copy.one:released:copy "$job" >/dev/null
	rd lpush bf:run:copy.one:pending:copy "$job" >/dev/null
	enqueue stop copy.one >"$BATS_TEST_TMPDIR/stop.log"
	assert_same 'the run' stopping "$(run_state copy.one)"
	start_worker
	wait_until "[ \"\$(run_state copy.one)\" = stopped ]"
	pg 'insert into gate values (true)'
	enqueue resume copy.one >"$BATS_TEST_TMPDIR/resume.log"
	wait_for_end copy.one
	oracle copy.one copy=effect_copy
}
