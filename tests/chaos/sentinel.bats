# Row 7: Redis behind sentinels. A failover that loses what the old master had acknowledged; a master that stands still and is replaced; one
# that is demoted while it lives.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/chaos.bash
load ../support/gated.bash
load ../support/sentinel.bash

setup() {
	export BF_LOG_LEVEL=debug # tells the phases of a reconnection, and what became of each claim
	bf_setup
	sentinels_up
	chaos_record
}
teardown() {
	[ -z "${watcher:-}" ] || kill "$watcher" 2>/dev/null || true
	bf_teardown
	sentinels_down
}

# The load: one sql job a day of ten years, on a queue and workers of its own; each leaves a row in `effect`.
begin_load() {
	pipeline load <<-'JSON'
		{"pipeline": "load", "queue": "load", "chunk": {"size": 1}, "concurrency": {"default": 40, "max": 40},
		 "steps": [{"name": "load", "kind": "sql", "file": "sql/load.sql"}]}
	JSON
	sql_file load.sql <<-'SQL'
		insert into effect values (:'run', 'load', :'chunk');
		select pg_sleep(0.02);
	SQL
	enqueue_run load.long load --since=2010-01-01 --until=2019-12-31
	start_worker --slots=4 --queues=load
	start_worker --slots=4 --queues=load
	wait_until 'load_done 200'
}
load_done() { [ "$(pg "select count(*) from bf.job where run = 'load.long' and state = 'done'")" -ge "$1" ]; } # AT_LEAST

end_load() { # RUN
	wait_for_end "$1" 60
	wait_for_redis "$1"
	pg "create or replace view effect_load as select chunk from effect where run = '$1'"
	oracle "$1" load=effect_load
	assert_history "$1"
	assert_counters "$1"
}

acknowledged_at() { at_port "$1" hget bf:run:load.long 'done'; } # PORT
is_ahead() { [ "$(acknowledged_at "$master")" -ge $(($(acknowledged_at "$replica") + 200)) ]; }

# Each worker lost its connection, said hello to the next master, and then what it holds (R9), before it went on.
assert_said_what_they_hold() { # TIMES
	local log
	for log in "$BATS_TEST_TMPDIR"/worker-*.log; do
		wait_until "[ \"\$(grep -oE 'redis: (away|hello|hold|ready)' '$log' | cut -c8- | paste -sd' ' | grep -oE 'away hello( hold)+ ready' | wc -l)\" -ge $1 ]"
	done
}

# `bfstat watch` in the background, to its end
start_watching() { # RUN
	bfstat watch "$1" >"$BATS_TEST_TMPDIR/watch.log" 2>&1 3>&- </dev/null &
	watcher=$!
}
assert_watched_to_the_end() {
	exit_code_of "$watcher"
	assert_same 'exit code of bfstat watch' 0 "$code"
	watcher=
}

# langfuse/langfuse#13880: workers on BullMQ are cut off for good by a failover, until they are restarted. activepieces/activepieces#14626:
# they take no more jobs, without an error, until they are restarted.
@test "7: a failover that loses acknowledged writes, and the old master back: followed without restart, nothing lost, nothing twice" {
	begin_with_two_workers gated.lost
	start_watching gated.lost
	begin_load
	cut_off_replica
	# What the next master will not know: these two are done, two others have been claimed, and so has much of the load.
	open_gate gated.lost 01
	open_gate gated.lost 02
	wait_at_work gated.lost "copy 2024-03-03, copy 2024-03-04, $sends"
	wait_until is_ahead
	end_master KILL
	# Begun while the sentinels still name the dead master; they are told at once, so that no vote has to be repeated.
	enqueue_run load.during load --since=2020-01-01 --until=2020-03-31 &
	enqueuing=$!
	fail_over
	wait_for_failover
	wait "$enqueuing"
	assert_said_what_they_hold 1
	# Claims of what was done before, refused by the ledger: none of it runs again (assert_none_taken).
	wait_until "cat '$BATS_TEST_TMPDIR'/worker-[23].log | grep -qE 'load.long/load/.*: opening -> ack \(done\)'"
	assert_goes_on gated.lost 03
	wait_until "cat '$BATS_TEST_TMPDIR'/worker-[01].log | grep -qE 'gated.lost/copy/2024-03-0[12]#.*: opening -> ack \(done\)'"
	old_master_again KILL
	assert_goes_on gated.lost 04
	agree
	end_gated gated.lost
	assert_none_taken gated.lost
	assert_watched_to_the_end
	end_load load.long
	end_load load.during
}

# celery/celery#2906: a worker that waits for ever on a socket of which the other side does not answer any more.
# bats test_tags=long
@test "7: a master that stands still is replaced, and goes on as one that nobody asks any more; then one is demoted while it lives" {
	begin_with_two_workers gated.still
	begin_load
	end_master STOP
	wait_for_failover
	assert_goes_on gated.still 01
	old_master_again STOP
	fail_over
	wait_for_failover
	assert_goes_on gated.still 02
	assert_said_what_they_hold 2
	end_gated gated.still
	assert_none_taken gated.still
	end_load load.long
}
