# Decisions of people that arrive in the middle of a fault: obeyed within two seconds of the servers being there.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/chaos.bash

setup() {
	bf_setup
	own_servers
	chaos_record
	# A worker that is stopped for as long as a command takes is not taken for dead, and an exchange is due each second all the same.
	export BF_LEASE=10s
}
teardown() { bf_teardown; }

# ---- jobs that stay at work ----

# Eight days of a program that leaves checkpoints (`walk`) and of sql (`keep`), two of each at a time; each works until it is let go.
begin_steady() { # RUN
	export MARK=$BATS_TEST_TMPDIR/mark
	: >"$MARK"
	pipeline steady <<-'JSON'
		{"pipeline": "steady", "chunk": {"size": 1}, "concurrency": {"default": 4, "max": 4}, "env": {"pass": ["PATH", "MARK"]},
		 "defaults": {"timeout": "5m", "retry": {"attempts": 1}},
		 "steps": [{"name": "walk", "kind": "exec", "argv": ["bin/walk", "{{run}}", "{{chunk}}"], "concurrency": 2, "needs": []},
		           {"name": "keep", "kind": "sql", "file": "sql/keep.sql", "concurrency": 2, "needs": []}]}
	JSON
	program walk <<-'SH'
		at=${BF_CHECKPOINT:-0}
		echo "$1 $2 $BF_EPOCH $at" >>"$MARK"
		until [ "$at" -ge 3 ] && [ -e "$MARK.open" ]; do
			at=$((at + 1))
			echo "checkpoint $at" >&"$BF_PROGRESS_FD"
			sleep 0.05
		done
	SH
	sql_file keep.sql <<-'SQL'
		insert into effect values (:'run', 'keep', :'chunk');
		select wait_while_shut();
	SQL
	pg "create table shut ();
	    create function wait_while_shut() returns void language plpgsql as
	    \$\$ begin while exists (select from shut) loop perform pg_sleep(0.02); end loop; end \$\$"
	shut_gates
	enqueue_run "$1" steady --since=2024-04-01 --until=2024-04-08
	start_worker
	start_worker
	wait_until at_work
}
shut_gates() {
	rm -f "$MARK.open"
	pg 'insert into shut default values'
}
open_gates() {
	touch "$MARK.open"
	pg 'delete from shut'
}

programs() { pgrep -cf "bash [^ ]*bin/walk steady\.one " || true; }
queries() { pg "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'"; }
at_work() {
	[ "$(programs)" = 2 ] && [ "$(queries)" = 2 ] && is 2 "select count(*) from bf.job where state = 'running' and checkpoint::int >= 3"
}
resumed_work() { is 4 "select count(*) from bf.job where state = 'running'"; }
idle() { [ "$(programs)" = 0 ] && [ "$(queries)" = 0 ]; }

# soon CONDITION: within two seconds from now, and the time that it takes to look
soon() {
	local since=${EPOCHREALTIME/./} took
	wait_until "$1" 10 || return 1
	took=$((${EPOCHREALTIME/./} - since))
	((took <= 2500000)) || {
		printf 'after %d ms, expected at most 2000: %s\n' "$((took / 1000))" "$1" >&2
		return 1
	}
}

# ---- faults: each begins, has a decision in its middle, and ends ----

# during FAULT enqueue ARGUMENT…: what the command answers is looked at: a decision is in the ledger, or it is not, and then it says so
during() {
	local fault=$1 code=0
	shift
	"begin_$fault"
	"$@" >"$BATS_TEST_TMPDIR/decision.log" 2>&1 || code=$?
	assert_same "exit code of $* ($(cat "$BATS_TEST_TMPDIR/decision.log"))" "$(code_during "$fault")" "$code"
	"end_$fault"
	[ "$fault" != postgres_away ] || "$@"
}
code_during() {
	case $1 in
	worker_stopped | rebuild) echo 0 ;;
	redis_away | postgres_away) echo 5 ;;
	esac
}

begin_worker_stopped() { kill -STOP "${WORKER_PIDS[@]}"; }
end_worker_stopped() { kill -CONT "${WORKER_PIDS[@]}"; }

begin_rebuild() {
	rd flushall >/dev/null
	rd function flush >/dev/null
}
end_rebuild() { :; }

begin_redis_away() {
	kill -KILL "$(server_pid redis)"
	wait_until "[ -z \"\$(server_pid redis)\" ]"
}
end_redis_away() { own_servers_again; }

begin_postgres_away() {
	kill -QUIT "$(server_pid postgres)"
	wait_until "[ -z \"\$(server_pid postgres)\" ]"
}
end_postgres_away() { own_servers_again; }

# decide_during FAULT: a run is stopped, resumed, cancelled and retried, each in the middle of the fault
decide_during() {
	local run=steady.one before
	begin_steady $run

	during "$1" enqueue stop $run
	before=$(pg 'select max(id) from history')
	open_gates
	soon "is stopped \"select state from bf.run where run = '$run'\""
	shut_gates
	assert_same 'jobs begun after the stop' '' "$(pg "select step, seq from history where id > $before and state = 'running' and epoch = 1 and checkpoint is null
		and (step, seq) not in (select step, seq from history where id <= $before)")"

	during "$1" enqueue resume $run
	soon resumed_work
	wait_until at_work

	during "$1" enqueue cancel $run
	soon idle
	assert_same 'the run' cancelled "$(run_state $run)"
	assert_same 'checkpoints that were kept' 2 "$(pg "select count(*) from bf.job where state = 'cancelled' and checkpoint::int >= 3")"

	during "$1" enqueue retry $run
	soon resumed_work
	wait_until at_work
	open_gates
	wait_for_end $run
	wait_for_redis $run
	pg "create view effect_keep as select chunk from effect where step = 'keep'"
	oracle $run keep=effect_keep
	assert_counters $run
	assert_same 'tries that were counted' 0 "$(pg 'select count(*) from bf.attempt')"
	assert_cancelled_ones_resumed $run
}

# The two programs that were cancelled went on from their checkpoint.
assert_cancelled_ones_resumed() { # RUN
	psql -Xq -v ON_ERROR_STOP=1 -d "$BF_DATABASE_URL" -c "\\copy begun from '$MARK' delimiter ' '"
	assert_same 'programs that went on from their checkpoint after the cancel' 2 "$(pg "
		select count(distinct b.chunk) from begun b
		  join history c on c.run = b.run and c.step = 'walk' and c.chunk = b.chunk and c.state = 'cancelled' and c.checkpoint::int >= 3
		 where b.run = '$1' and b.epoch > c.epoch and b.since::int >= c.checkpoint::int")"
}

# mher/flower#254, celery/celery#7529: a task that is revoked while it runs goes on.
# bats test_tags=long
@test "20: stop, resume, cancel, retry while the workers are stopped" {
	decide_during worker_stopped
}

# Kitware/dive#1361: the program of a cancelled task has to complete before anything is released.
@test "20: stop, resume, cancel, retry while Redis is away" {
	decide_during redis_away
}

# bats test_tags=long
@test "20: a cancel while Redis stays away: the programs and the queries are ended all the same" {
	begin_steady steady.one
	begin_redis_away
	wait_until "grep -F 'claims stop until it is back' '$BATS_TEST_TMPDIR/worker-0.log'"
	enqueue cancel steady.one || assert_same 'exit code' 5 $?
	soon idle
	assert_same 'checkpoints that were kept' 2 "$(pg "select count(*) from bf.job where state = 'cancelled' and checkpoint::int >= 3")"
	end_redis_away
	wait_for_redis steady.one
	assert_counters steady.one
}

# bats test_tags=long
@test "20: stop, resume, cancel, retry while PostgreSQL is away" {
	decide_during postgres_away
}

@test "20: stop, resume, cancel, retry while the queue is thrown away and rebuilt" {
	decide_during rebuild
}
