# Workers and servers that die in mid-run: started again, the run ends complete, and each day has had its effect exactly once.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	export BF_LEASE=2s
}
teardown() { bf_teardown; }

# The sample run over a quarter, on a ledger of its own servers or this test's database.
begin_weather() { # RUN
	load_weather
	pg "delete from weather.raw where day > '2012-03-31'"
	counted_weather
	enqueue_run "$1" weather --since=2012-01-01 --until=2012-03-31 --param="out=$BATS_TEST_TMPDIR/export"
}

end_weather() { # RUN
	wait_for_end "$1"
	assert_counted_weather "$1"
	assert_weather_verified
	assert_same 'files' 3 "$(find "$BATS_TEST_TMPDIR/export" -name '????-??-01..????-??-??.csv' | wc -l)"
}

# The moments of a run at which something dies: a job of that day is in its middle then, its effect made and not committed.
moments='daily:2012-02-10 rolling:2012-02-20 export:2012-03-01'

hold_at_moments() {
	for moment in $moments; do
		hold "${moment%:*}" "${moment#*:}"
	done
}
moment_comes() { # RUN STEP:DAY
	wait_until "is_held '$1' '${2%:*}' '${2#*:}'"
}
moment_passes() { let_go "${1%:*}" "${1#*:}"; } # STEP:DAY

worker_at() { # RUN STEP:DAY: the pid of the worker that has the job
	pg "select split_part(worker, '-', -2) from bf.job where run = '$1' and step = '${2%:*}' and '${2#*:}' between since and until"
}

kill_hard() { # PID…
	kill -KILL "$@" 2>/dev/null || true
	wait "$@" 2>/dev/null || true
}

# ---- workers ----

@test "workers killed one after the other, in each step, are made up for by those that are left" {
	begin_weather weather.one
	hold_at_moments
	start_worker
	start_worker
	for moment in $moments; do
		moment_comes weather.one "$moment"
		kill_hard "$(worker_at weather.one "$moment")"
		moment_passes "$moment"
		start_worker
	done
	end_weather weather.one
}

@test "all workers killed at once, three times in a run: the next ones finish it" {
	begin_weather weather.all
	hold_at_moments
	for moment in $moments; do
		start_worker
		start_worker
		moment_comes weather.all "$moment"
		kill_hard "${WORKER_PIDS[@]:(-2)}"
		moment_passes "$moment"
	done
	assert_same 'the run' running "$(run_state weather.all)"
	start_worker
	end_weather weather.all
}

@test "a worker killed at each point between claim and acknowledgement repeats no effect and loses none" {
	begin_weather weather.points
	for point in after_claim:3 after_commit:3 before_ack:3 after_ack:3 after_settle:1; do # of the sample, exports settle in batches
		export BF_FAILPOINT_LOG=$BATS_TEST_TMPDIR/${point%:*}
		BF_FAILPOINT=${point%:*}:kill:${point#*:} start_worker
		exit_code_of "${WORKER_PIDS[-1]}"
		assert_same "killed by the fail point $point" 137 "$code"
		assert_same 'what fired' "${point%:*}" "$(cat "$BF_FAILPOINT_LOG")"
	done
	assert_same 'the run' running "$(run_state weather.points)"
	start_worker
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
	hold daily 2012-02-10
	hold rolling 2012-02-20
	start_worker
	moment_comes weather.still daily:2012-02-10
	still=${WORKER_PIDS[0]}
	kill -STOP "$still"
	start_worker
	wait_until "grep -F 'is dead: its jobs go to others' '$BATS_TEST_TMPDIR/worker-1.log'"
	let_go daily
	moment_comes weather.still rolling:2012-02-20
	kill -CONT "$still"
	wait_until "grep -F 'given up for dead' '$BATS_TEST_TMPDIR/worker-0.log'"
	let_go rolling
	end_weather weather.still
}

# ---- the servers ----

@test "Redis killed in each step and started again with its file: the run goes on where it was" {
	own_servers
	begin_weather weather.redis
	hold_at_moments
	start_worker
	start_worker
	for moment in $moments; do
		moment_comes weather.redis "$moment"
		kill -KILL "$(server_pid redis)"
		own_servers_again
		moment_passes "$moment"
	done
	end_weather weather.redis
}

@test "Redis away for longer than a lease: running jobs finish and commit meanwhile" {
	own_servers
	begin_weather weather.away
	hold daily 2012-02-10
	start_worker
	moment_comes weather.away daily:2012-02-10
	kill -KILL "$(server_pid redis)"
	let_go daily
	wait_until "is 0 \"select count(*) from bf.job where state = 'running'\""
	assert_same 'the job' 'done|1' "$(pg "select state, epoch from bf.job where step = 'daily' and '2012-02-10' between since and until")"
	assert_same 'the run' running "$(run_state weather.away)"
	wait_until "grep -F 'claims stop until it is back' '$BATS_TEST_TMPDIR/worker-0.log'"
	own_servers_again
	end_weather weather.away
	assert_same 'jobs that were opened again' 0 "$(pg "select count(*) from bf.job where epoch <> 1")"
}

@test "Redis that comes back with what it knew a while ago costs time, and no effect" {
	own_servers
	begin_weather weather.older
	hold_at_moments
	start_worker
	start_worker
	moment_comes weather.older daily:2012-02-10
	cp -r "$BF_LOCAL_DIR/redis/appendonlydir" "$BATS_TEST_TMPDIR/older"
	moment_passes daily:2012-02-10
	moment_comes weather.older rolling:2012-02-20
	kill -KILL "$(server_pid redis)"
	rm -r "$BF_LOCAL_DIR/redis/appendonlydir"
	cp -r "$BATS_TEST_TMPDIR/older" "$BF_LOCAL_DIR/redis/appendonlydir"
	kill -STOP "${WORKER_PIDS[@]}" # one would put it right before it is looked at
	own_servers_again
	[ "$(rd hget bf:run:weather.older:step:daily state)" = released ]
	kill -CONT "${WORKER_PIDS[@]}"
	moment_passes rolling:2012-02-20
	moment_passes export:2012-03-01
	end_weather weather.older
}

@test "everything in Redis thrown away in each step: the queue is built anew from the ledger" {
	begin_weather weather.flushed
	hold_at_moments
	start_worker
	start_worker
	for moment in $moments; do
		moment_comes weather.flushed "$moment"
		rd flushall >/dev/null
		rd function flush >/dev/null
		moment_passes "$moment"
	done
	end_weather weather.flushed
	[ "$(pg 'select generation from bf.meta')" -ge 4 ]
	assert_same 'the generation in Redis' "$(pg 'select generation from bf.meta')" "$(rd get bf:generation)"
}

@test "everything in Redis thrown away while no worker lives: the next one builds it anew" {
	begin_weather weather.alone
	hold rolling 2012-02-20
	start_worker
	moment_comes weather.alone rolling:2012-02-20
	kill_hard "${WORKER_PIDS[0]}"
	rd flushall >/dev/null
	let_go rolling
	start_worker
	end_weather weather.alone
}

@test "PostgreSQL killed in each step and started again: no effect is lost, none is doubled, no try is counted" {
	own_servers
	begin_weather weather.postgres
	hold_at_moments
	start_worker
	start_worker
	for moment in $moments; do
		moment_comes weather.postgres "$moment"
		kill -QUIT "$(server_pid postgres)"
		wait_until "[ -z \"\$(server_pid postgres)\" ]"
		own_servers_again
		moment_passes "$moment"
	done
	end_weather weather.postgres
	assert_same 'tries of sql steps that were counted' 0 "$(pg "select count(*) from bf.attempt where step <> 'export'")"
}

@test "the backends of all workers ended in each step: they connect again and go on, and no try is counted" {
	begin_weather weather.ended
	hold_at_moments
	start_worker
	start_worker
	for moment in $moments; do
		moment_comes weather.ended "$moment"
		pg "select pg_terminate_backend(pid) from pg_stat_activity
		     where datname = current_database() and application_name like 'worker%'" >/dev/null
		moment_passes "$moment"
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
	exit_code_of "$1"
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
	exit_code_of "${WORKER_PIDS[0]}"
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
	exit_code_of "${WORKER_PIDS[0]}"
	assert_same 'the job' 'pending|0' "$(pg 'select state, attempts from bf.job')"
	assert_same 'effects' 0 "$(pg 'select count(*) from effect')"
	pg 'update sleep set seconds = 0'
	start_worker
	wait_for_end sleepy.one
	oracle sleepy.one sleep=effect
}

@test "a retry says that the files have changed since, and with which command they are taken; a resume of what has ended names retry" {
	pipeline mended <<-'JSON'
		{"pipeline": "mended", "chunk": {"size": 1}, "defaults": {"retry": {"attempts": 1}}, "params": {"who": {"default": "me", "affects": "nothing"}},
		 "steps": [{"name": "one", "kind": "sql", "file": "sql/one.sql"}]}
	JSON
	sql_file one.sql <<<"select 1 / 0, :'who';"
	enqueue_run m.one mended --since=2024-01-01 --until=2024-01-02 --param="who=it's me"
	worker --drain >/dev/null 2>&1
	run -0 enqueue resume m.one
	[ "$output" = 'Run m.one is failed: `enqueue retry` opens it again.' ]
	run -0 enqueue retry m.one
	[[ $output != *changed* ]]
	worker --drain >/dev/null 2>&1
	sql_file one.sql <<<"select 1, :'who';"
	run -0 enqueue retry m.one
	[[ $output = *'Its files have changed since it was planned; a retry does what was planned. With the files as they are now:'* ]]
	worker --drain >/dev/null 2>&1
	eval "$(tail -n 1 <<<"$output") --run-id=m.two" >/dev/null
	worker --drain >/dev/null 2>&1
	assert_same 'with the new files' done "$(run_state m.two)"
	assert_same 'its parameter' "it's me" "$(pg "select params ->> 'who' from bf.run where run = 'm.two'")"
}
