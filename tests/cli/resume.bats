# Workers and servers that die in mid-run: started again, the run ends complete, and each day has had its effect exactly once.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	export BF_LEASE=2s
}
teardown() { bf_teardown; }

# The sample run over half a year, on a ledger of its own servers or this test's database.
begin_weather() { # RUN
	load_weather
	pg "delete from weather.raw where day > '2012-06-30'"
	counted_weather 0.02
	enqueue_run "$1" weather --since=2012-01-01 --until=2012-06-30 --param="out=$BATS_TEST_TMPDIR/export"
}

end_weather() { # RUN
	wait_for_end "$1"
	assert_counted_weather "$1"
	assert_weather_verified
	assert_same 'files' 6 "$(find "$BATS_TEST_TMPDIR/export" -name '????-??-01..????-??-??.csv' | wc -l)"
}

# in_the_middle_of RUN STEP DONE: waits until so many of its jobs are done, and one is running
in_the_middle_of() {
	wait_until "at_least $3 \"select count(*) from bf.job where run = '$1' and step = '$2' and state = 'done'\"" 40
	wait_until "at_least 1 \"select count(*) from bf.job where run = '$1' and step = '$2' and state = 'running'\""
	assert_same "$2 is under way" released "$(pg "select state from bf.step where run = '$1' and step = '$2'")"
}

worker_running() { # RUN STEP: the pid of the worker that has a running job of the step
	pg "select split_part(worker, '-', -2) from bf.job where run = '$1' and step = '$2' and state = 'running' limit 1"
}

kill_hard() { # PID…
	kill -KILL "$@" 2>/dev/null || true
	wait "$@" 2>/dev/null || true
}

# ---- workers ----

@test "workers killed one after the other, in each step, are made up for by those that are left" {
	begin_weather weather.one
	start_worker
	start_worker
	for moment in daily:10 rolling:15 export:0; do
		in_the_middle_of weather.one "${moment%:*}" "${moment#*:}"
		pid=$(worker_running weather.one "${moment%:*}")
		[ -n "$pid" ] || pid=${WORKER_PIDS[-1]} # it has just ended: any worker then
		kill_hard "$pid"
		start_worker
	done
	end_weather weather.one
}

@test "all workers killed at once, three times in a run: the next ones finish it" {
	begin_weather weather.all
	for moment in daily:10 rolling:15 export:0; do
		start_worker
		start_worker
		in_the_middle_of weather.all "${moment%:*}" "${moment#*:}"
		kill_hard "${WORKER_PIDS[@]:(-2)}"
	done
	assert_same 'the run' running "$(run_state weather.all)"
	start_worker
	end_weather weather.all
}

@test "a worker killed at each point between claim and acknowledgement repeats no effect and loses none" {
	begin_weather weather.points
	start_worker --slots=2
	for point in after_claim after_commit before_ack after_ack after_settle; do
		export BF_FAILPOINT_LOG=$BATS_TEST_TMPDIR/$point
		# of what settles in a batch the sample has the exports and the check: there the first counts
		BF_FAILPOINT=$point:kill:$([ "$point" = after_settle ] && echo 1 || echo 3) start_worker --slots=2
		wait "${WORKER_PIDS[-1]}" && return 1
		[ "$(cat "$BF_FAILPOINT_LOG")" = "$point" ]
	done
	end_weather weather.points
}

@test "the answer to a commit that is lost leads to the ledger's word, not to a second effect" {
	begin_weather weather.lost
	export BF_FAILPOINT_LOG=$BATS_TEST_TMPDIR/fired
	BF_FAILPOINT=after_commit:error:7 start_worker
	end_weather weather.lost
	[ "$(cat "$BF_FAILPOINT_LOG")" = after_commit ]
	worker_log 0 | grep -F 'outcome not known'
	assert_same 'tries that failed' 0 "$(pg 'select count(*) from bf.attempt')"
}

@test "a worker that stood still for longer than its lease is given up, and changes nothing when it comes back" {
	begin_weather weather.still
	start_worker
	in_the_middle_of weather.still daily 10
	still=${WORKER_PIDS[0]}
	kill -STOP "$still"
	start_worker
	wait_until "grep -F 'is dead: its jobs go to others' '$BATS_TEST_TMPDIR/worker-1.log'"
	in_the_middle_of weather.still rolling 5
	kill -CONT "$still"
	wait_until "grep -F 'given up for dead' '$BATS_TEST_TMPDIR/worker-0.log'"
	end_weather weather.still
}

# ---- the servers ----

@test "Redis killed in each step and started again with its file: the run goes on where it was" {
	own_servers
	begin_weather weather.redis
	start_worker
	start_worker
	for moment in daily:10 rolling:15 export:0; do
		in_the_middle_of weather.redis "${moment%:*}" "${moment#*:}"
		kill -KILL "$(server_pid redis)"
		own_servers_again
	done
	end_weather weather.redis
}

@test "Redis away for longer than a lease: running jobs finish and commit meanwhile" {
	own_servers
	begin_weather weather.away
	start_worker
	in_the_middle_of weather.away daily 10
	kill -KILL "$(server_pid redis)"
	wait_until "is 0 \"select count(*) from bf.job where state = 'running'\""
	done_meanwhile=$(pg "select count(*) from bf.job where state = 'done'")
	[ "$done_meanwhile" -lt 61 ]
	own_servers_again
	end_weather weather.away
	assert_same 'jobs that were opened again' 0 "$(pg "select count(*) from bf.job where epoch <> 1")"
}

@test "everything in Redis thrown away in each step: the queue is built anew from the ledger" {
	begin_weather weather.flushed
	start_worker
	start_worker
	for moment in daily:10 rolling:15 export:0; do
		in_the_middle_of weather.flushed "${moment%:*}" "${moment#*:}"
		rd flushall >/dev/null
		rd function flush >/dev/null
	done
	end_weather weather.flushed
	[ "$(pg 'select generation from bf.meta')" -ge 4 ]
	assert_same 'the generation in Redis' "$(pg 'select generation from bf.meta')" "$(rd get bf:generation)"
}

@test "everything in Redis thrown away while no worker lives: the next one builds it anew" {
	begin_weather weather.alone
	start_worker
	in_the_middle_of weather.alone rolling 15
	kill_hard "${WORKER_PIDS[0]}"
	rd flushall >/dev/null
	start_worker
	end_weather weather.alone
}

@test "PostgreSQL killed in each step and started again: no effect is lost, none is doubled, no try is counted" {
	own_servers
	begin_weather weather.postgres
	start_worker
	start_worker
	for moment in daily:10 rolling:15 export:0; do
		in_the_middle_of weather.postgres "${moment%:*}" "${moment#*:}"
		kill -QUIT "$(server_pid postgres)"
		wait_until "[ -z \"\$(server_pid postgres)\" ]"
		own_servers_again
	done
	end_weather weather.postgres
	assert_same 'tries of sql steps that were counted' 0 "$(pg "select count(*) from bf.attempt where step <> 'export'")"
}

@test "the backends of all workers ended in each step: they connect again and go on, and no try is counted" {
	begin_weather weather.ended
	start_worker
	start_worker
	for moment in daily:10 rolling:15 export:0; do
		in_the_middle_of weather.ended "${moment%:*}" "${moment#*:}"
		pg "select pg_terminate_backend(pid) from pg_stat_activity
		     where datname = current_database() and application_name like 'worker%'" >/dev/null
	done
	end_weather weather.ended
	assert_same 'tries of sql steps that were counted' 0 "$(pg "select count(*) from bf.attempt where step <> 'export'")"
}

# ---- leaving ----

# Jobs that walk to 1,000 in steps, until the file `go` is there; each tells where it has begun, and leaves a checkpoint at each step.
begin_walk() { # RUN
	pipeline walk <<-'JSON'
		{"pipeline": "walk", "chunk": {"size": 1}, "env": {"pass": ["PATH", "GO"]},
		 "defaults": {"timeout": "1m", "retry": {"attempts": 3, "first": "100ms", "jitter": 0}},
		 "steps": [{"name": "walk", "kind": "exec", "argv": ["bin/walk", "{{chunk}}"]}]}
	JSON
	program walk <<-'SH'
		trap 'echo stopped >>"$GO.$1"; exit 1' TERM
		at=${BF_CHECKPOINT:-0}
		echo "begun at $at" >>"$GO.$1"
		while [ ! -e "$GO" ]; do
			at=$((at + 1))
			echo "checkpoint $at" >&"$BF_PROGRESS_FD"
			sleep 0.05
		done
	SH
	export GO=$BATS_TEST_TMPDIR/go
	enqueue_run "$1" walk --since=2024-01-01 --until=2024-01-02
	start_worker "${@:2}"
	wait_until "is 2 \"select count(*) from bf.job where state = 'running' and checkpoint::int > 0\""
}

end_walk() { # RUN
	touch "$GO"
	start_worker
	wait_for_end "$1"
	oracle "$1"
	for day in 2024-01-01 2024-01-02; do
		assert_same "where $day began first" 'begun at 0' "$(head -n 1 "$GO.$day")"
		[ "$(tail -n 1 "$GO.$day" | sed 's/begun at //')" -gt 0 ]
	done
}

assert_handed_back() { # PID
	code=0
	wait "$1" || code=$?
	assert_same 'exit code of the worker' 0 "$code"
	assert_same 'jobs, without a try counted' 'pending|0|t
pending|0|t' "$(pg 'select state, attempts, checkpoint::int > 0 from bf.job')"
	assert_same 'tries that were counted' 0 "$(pg 'select count(*) from bf.attempt')"
	assert_same 'workers left in Redis' '' "$(rd zrange bf:workers 0 -1)"
	assert_same 'programs left behind' '' "$(pgrep -f "^[^ ]*bash [^ ]*$BATS_TEST_TMPDIR.*bin/walk" || true)"
}

@test "SIGTERM lets running jobs finish within the grace time" {
	begin_walk walk.finish --grace=1m
	kill -TERM "${WORKER_PIDS[0]}"
	wait_until "grep -F draining '$BATS_TEST_TMPDIR/worker-0.log'"
	touch "$GO"
	code=0
	wait "${WORKER_PIDS[0]}" || code=$?
	assert_same 'exit code of the worker' 0 "$code"
	assert_same 'jobs' 2 "$(pg "select count(*) from bf.job where state = 'done' and epoch = 1")"
}

@test "SIGTERM and the grace time over: jobs are handed back with their checkpoint, and no try is counted" {
	begin_walk walk.grace --grace=200ms
	kill -TERM "${WORKER_PIDS[0]}"
	assert_handed_back "${WORKER_PIDS[0]}"
	assert_same 'jobs that were told' 2 "$(grep -lx stopped "$GO".2024-* | wc -l)"
	end_walk walk.grace
}

@test "a second SIGTERM hands back at once, whatever the grace time" {
	begin_walk walk.twice --grace=1h
	kill -TERM "${WORKER_PIDS[0]}"
	wait_until "grep -F draining '$BATS_TEST_TMPDIR/worker-0.log'"
	kill -TERM "${WORKER_PIDS[0]}"
	assert_handed_back "${WORKER_PIDS[0]}"
	end_walk walk.twice
}

@test "a second SIGTERM ends a query in mid-flight, and its effect is there once, from the next worker" {
	pipeline sleepy <<-'JSON'
		{"pipeline": "sleepy", "chunk": {"size": 1}, "steps": [{"name": "sleep", "kind": "sql", "file": "sql/sleep.sql"}]}
	JSON
	sql_file sleep.sql <<-'SQL'
		insert into effect values (:'chunk');
		select pg_sleep(seconds) from sleep;
	SQL
	pg 'create table effect (chunk text); create table sleep (seconds int); insert into sleep values (3600)'
	enqueue_run sleepy.one sleepy --since=2024-01-01 --until=2024-01-01
	start_worker --grace=1h
	wait_until "is 1 \"select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'\""
	kill -TERM "${WORKER_PIDS[0]}"
	wait_until "grep -F draining '$BATS_TEST_TMPDIR/worker-0.log'"
	kill -TERM "${WORKER_PIDS[0]}"
	wait "${WORKER_PIDS[0]}"
	assert_same 'the job' 'pending|0' "$(pg 'select state, attempts from bf.job')"
	assert_same 'effects' 0 "$(pg 'select count(*) from effect')"
	pg 'update sleep set seconds = 0'
	start_worker
	wait_for_end sleepy.one
	oracle sleepy.one sleep=effect
}
