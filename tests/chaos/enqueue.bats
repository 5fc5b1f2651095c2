# Faults of `enqueue`: killed and stopped while it plans and pushes, and many of it at once.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/chaos.bash

setup() {
	chaos_setup
	days_pipeline
}
teardown() { bf_teardown; }

# Two sql steps a day, side by side, whose effects are counted, and one at the end of each run.
days_pipeline() {
	local step
	pipeline days <<-'JSON'
		{"pipeline": "days", "chunk": {"size": 1}, "concurrency": {"default": 6}, "defaults": {"retry": {"attempts": 1}},
		 "steps": [{"name": "load", "kind": "sql", "file": "sql/load.sql", "needs": []},
		           {"name": "send", "kind": "sql", "file": "sql/send.sql", "needs": []},
		           {"name": "close", "kind": "sql", "per": "run", "file": "sql/close.sql", "needs": ["load", "send"]}]}
	JSON
	for step in load send close; do
		sql_file "$step.sql" <<<"insert into effect values (:'run', '$step', :'chunk');"
	done
}

# enqueue_at POINT ACTION RUN FROM TO: its exit code is in $code; the fail point has fired
enqueue_at() {
	code=0
	BF_FAILPOINT=$1:$2 BF_FAILPOINT_LOG=$BATS_TEST_TMPDIR/fired.$1 \
		enqueue run days --since="$4" --until="$5" --run-id="$3" >"$BATS_TEST_TMPDIR/enqueue.log" 2>&1 || code=$?
	assert_same 'what fired' "$1" "$(tail -n 1 "$BATS_TEST_TMPDIR/fired.$1")"
}

end_days() { # RUN…
	local run step
	for run; do
		wait_for_end "$run"
		wait_for_redis "$run"
		for step in load send close; do
			pg "create or replace view effect_$step as select chunk from effect where run = '$run' and step = '$step'"
		done
		oracle "$run" load=effect_load send=effect_send close=effect_close
		assert_history "$run"
		assert_counters "$run"
	done
}

planned() { pg "select count(*) from bf.run where run = '$1'"; } # RUN

@test "17: killed at mid_copy, mid_plan, after_plan_commit, mid_push: nothing of the run is there, or all of it, and it is worked to its end" {
	for point in mid_copy mid_plan; do
		enqueue_at $point kill days.killed 2024-01-01 2024-01-10
		assert_same 'exit code' 137 "$code"
		assert_same 'the run' 0 "$(planned days.killed)"
	done
	enqueue_at after_plan_commit kill days.committed 2024-01-01 2024-01-10
	assert_same 'exit code' 137 "$code"
	assert_same 'the run in Redis' 0 "$(rd exists bf:run:days.committed)"
	for _ in load send; do # two of them die at it, each with a step pushed
		enqueue_at mid_push kill days.pushed 2024-02-01 2024-02-10
		assert_same 'exit code' 137 "$code"
	done
	start_worker
	end_days days.committed days.pushed
}

# dagster-io/dagster#15155: each day of a backfill is run twice. apache/airflow#47670: two backfills of the same day.
@test "17: overlapping runs enqueued at once, beside workers: each day is done once, by one of them" {
	start_worker
	start_worker
	pids=()
	for span in 01-01:01-20 01-11:01-31 01-05:01-25 01-20:02-08 01-01:02-06 02-01:02-10; do # none is all days, whichever comes first
		enqueue run days --since="2024-${span%:*}" --until="2024-${span#*:}" >"$BATS_TEST_TMPDIR/enqueue-${#pids[@]}.log" 2>&1 &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	mapfile -t runs < <(pg 'select run from bf.run order by created_at')
	[ ${#runs[@]} -ge 2 ]
	end_days "${runs[@]}"
	assert_none 'days without exactly one effect of a step' "
		select s.step, d::date, count(e.chunk)
		  from generate_series('2024-01-01'::date, '2024-02-10', interval '1 day') d cross join (values ('load'), ('send')) s (step)
		  left join effect e on e.step = s.step and e.chunk = d::date::text
		 group by 1, 2 having count(e.chunk) <> 1"
}

# dbos-inc/dbos-transact-py#636, indexsupply/shovel#166: a lock that a process keeps which does nothing any more.
@test "17: one that is stopped in the middle of its plan keeps the others out for a lease and 5 s at most, and plans nothing afterwards" {
	for point in mid_copy mid_plan; do
		run=days.${point//_/-}
		BF_FAILPOINT=$point:hang BF_FAILPOINT_LOG=$BATS_TEST_TMPDIR/fired.$point \
			enqueue run days --since=2024-01-01 --until=2024-01-10 --run-id="$run" >"$BATS_TEST_TMPDIR/stopped.log" 2>&1 3>&- &
		stopped=$!
		WORKER_PIDS+=("$stopped") # ended with the test
		assert_hangs $point $stopped
		since=$SECONDS
		timeout $((lease_s + 5)) enqueue run days --since=2024-01-06 --until=2024-01-15 --run-id="$run-other" --reprocess=completed
		((SECONDS - since >= lease_s - 1)) # it was in the way
		kill -CONT $stopped
		exit_code_of $stopped
		assert_same "exit code ($(cat "$BATS_TEST_TMPDIR/stopped.log"))" 5 "$code"
		grep -F 'nothing was planned' "$BATS_TEST_TMPDIR/stopped.log"
		assert_same 'the run' 0 "$(planned "$run")"
		start_worker --drain
		end_days "$run-other"
		exit_code_of "${WORKER_PIDS[-1]}"
	done
}

# bats test_tags=long
@test "17: a retry does not wait for longer for one that is stopped in the middle of its plan" {
	enqueue_run days.earlier days --since=2024-03-01 --until=2024-03-05
	enqueue cancel days.earlier
	BF_FAILPOINT=mid_plan:hang BF_FAILPOINT_LOG=$BATS_TEST_TMPDIR/fired.mid_plan \
		enqueue run days --since=2024-01-01 --until=2024-01-10 --run-id=days.stopped >"$BATS_TEST_TMPDIR/stopped.log" 2>&1 3>&- &
	WORKER_PIDS+=($!) # ended with the test
	assert_hangs mid_plan "${WORKER_PIDS[0]}"
	timeout $((lease_s + 5)) enqueue retry days.earlier
	kill -CONT "${WORKER_PIDS[0]}"
	exit_code_of "${WORKER_PIDS[0]}"
	assert_same "exit code ($(cat "$BATS_TEST_TMPDIR/stopped.log"))" 5 "$code"
	start_worker
	end_days days.earlier
}

# bats test_tags=long
@test "17: one that plans for long is left to it by those that wait" {
	pg "create function slowly() returns trigger language plpgsql as \$\$ begin perform pg_sleep(0.3); return new; end \$\$;
	    create trigger slowly before insert on bf.job for each row execute function slowly()"
	enqueue run days --since=2024-01-01 --until=2024-01-06 --run-id=days.slow >"$BATS_TEST_TMPDIR/slow.log" 2>&1 &
	slow=$!
	wait_until "at_least 1 \"select count(*) from pg_locks where relation = 'bf.planning'::regclass and mode = 'RowShareLock' and granted\""
	enqueue run days --since=2024-01-05 --until=2024-01-08 --run-id=days.after
	wait $slow
	pg 'drop trigger slowly on bf.job'
	assert_same 'days of the one that waited' '2024-01-07 2024-01-08' \
		"$(pg "select string_agg(chunk, ' ' order by seq) from bf.job where run = 'days.after' and step = 'load'")"
	start_worker
	end_days days.slow days.after
}
