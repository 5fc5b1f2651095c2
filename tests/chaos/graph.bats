# The graph under the same faults: a gate, a person, a soak and what comes after them, while workers die at each step's end, while Redis is
# thrown away, and while an operator stops, resumes and decides.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/chaos.bash

setup() { chaos_setup; }
teardown() { bf_teardown; }

# load: six days, one after the other. Then a gate, a person, a short soak, six days of send, and a last check.
graph_pipeline() {
	pipeline graph <<-'JSON'
		{"pipeline": "graph", "chunk": {"size": 1}, "concurrency": {"default": 4},
		 "defaults": {"retry": {"attempts": 3, "first": "100ms", "jitter": 0}},
		 "steps": [
		  {"name": "load", "kind": "sql", "file": "sql/load.sql", "concurrency": 1, "order": "asc"},
		  {"name": "gate", "kind": "check", "type": "coverage", "of": "load"},
		  {"name": "ask", "kind": "approval"},
		  {"name": "watch", "kind": "soak", "interval": "300ms", "duration": "900ms", "checks": [{"name": "whole", "type": "coverage", "of": "load"}]},
		  {"name": "send", "kind": "sql", "file": "sql/send.sql"},
		  {"name": "rate", "kind": "check", "type": "success_rate", "error_if": "< 1"}]}
	JSON
	sql_file load.sql <<<"insert into effect values (:'run', 'load', :'chunk');"
	sql_file send.sql <<<"insert into effect values (:'run', 'send', :'chunk');"
}
n=0
begin_graph() { # RUN [OPTION…]: of six days that no other run has
	enqueue_run "$1" graph --since="$(date -d "2024-01-01 +$((n * 10)) days" +%F)" --until="$(date -d "2024-01-01 +$((n * 10 + 5)) days" +%F)" "${@:2}"
	n=$((n + 1))
}
asked() { is t "select asked_at is not null from bf.step where run = '$1' and step = 'ask'"; }
approve_when_asked() { # RUN
	wait_until "asked $1"
	wait_until "enqueue approve $1 ask --by=tester" 10
}

assert_graph() { # RUN
	wait_for_redis "$1"
	# what was settled and not acknowledged by one who died is listed under him until he is swept
	wait_until "[ -z \"\$(rd smembers bf:run:$1:released)\" ]" $((lease_s + 5))
	pg "create or replace view effect_load as select chunk from effect where run = '$1' and step = 'load';
	    create or replace view effect_send as select chunk from effect where run = '$1' and step = 'send'"
	oracle "$1" load=effect_load send=effect_send
	assert_counters "$1"
	assert_same "steps of $1, each released or asked once, in their order" 'load released,gate released,ask approval asked for,watch released,send released,rate released' \
		"$(pg "select string_agg(step || ' ' || replace(what, 'step ', ''), ',' order by id) from bf.event where run = '$1' and (what = 'step released' or what = 'approval asked for')")"
	assert_same "decisions about $1" 'tester approve' "$(pg "select string_agg(who || ' ' || what, ',') from bf.event where run = '$1' and step = 'ask' and what in ('approve', 'reject')")"
	assert_same "$1: nothing began before what it needs was over" '' "$(pg "
		select s.step, j.chunk, n.step from bf.step s join bf.step n on n.run = s.run and n.step = any (s.needs) join bf.job j on j.run = s.run and j.step = s.step
		 where s.run = '$1' and j.started_at < n.finished_at")"
}

# Each dies where it is about to cross, or has just crossed, the end of a step: nobody else is there to help, then one is.
# bats test_tags=long
@test "killed at each fail point around the end of a step: every step is released once, in order, and the run ends" {
	graph_pipeline
	for point in after_claim:7 after_open:7 before_commit:2 after_settle:1 after_ack:7 after_release:2 mid_push:2 before_end_run:1; do
		name=${point%:*} run=graph.${point%:*}
		run=${run//_/-}
		begin_graph "$run"
		start_victim "$point" --slots=4
		victim=${WORKER_PIDS[-1]}
		( # it decides for as long as the victim lives, for those that die behind it
			until ! kill -0 "$victim" 2>/dev/null; do
				asked "$run" && enqueue approve "$run" ask --by=tester
				sleep 0.1
			done
		) >/dev/null 2>&1 3>&- &
		decider=$!
		wait_until "[ -s '$BATS_TEST_TMPDIR/fired.$name' ]" 30
		wait "$decider" || true
		start_worker --slots=4
		survivor=${WORKER_PIDS[-1]}
		[ "$(pg "select count(*) from bf.event where run = '$run' and what = 'approve'")" = 1 ] || approve_when_asked "$run"
		wait_for_end "$run"
		assert_graph "$run"
		kill_worker "$survivor"
	done
}

@test "Redis thrown away, all workers killed, stop and resume, in each part of it: nothing is released twice, and the soak goes on" {
	graph_pipeline
	for part in load ask watch send; do
		run=graph.$part
		begin_graph "$run"
		start_worker --slots=2
		case $part in
		load) wait_until "at_least 2 \"select count(*) from bf.job where run = '$run' and step = 'load' and state = 'done'\"" ;;
		ask) wait_until "asked $run" ;;
		watch | send)
			approve_when_asked "$run"
			[ "$part" = watch ] || wait_until "is done \"select state from bf.step where run = '$run' and step = 'watch'\""
			;;
		esac
		enqueue stop "$run" >/dev/null
		kill -KILL "${WORKER_PIDS[-1]}"
		rd flushdb >/dev/null
		enqueue resume "$run" >/dev/null
		start_worker --slots=2
		[ "$part" = watch ] || [ "$part" = send ] || approve_when_asked "$run"
		wait_for_end "$run"
		assert_graph "$run"
		kill_worker "${WORKER_PIDS[-1]}"
	done
}

# Three steps, of which each goes behind the one before chunk by chunk; the last looks back at three days.
follow_pipeline() {
	pipeline follow <<-'JSON'
		{"pipeline": "follow", "chunk": {"size": 1}, "concurrency": {"default": 4},
		 "defaults": {"retry": {"attempts": 3, "first": "100ms", "jitter": 0}},
		 "steps": [
		  {"name": "copy", "kind": "sql", "file": "sql/copy.sql"},
		  {"name": "make", "kind": "noop", "wait_for": "chunk"},
		  {"name": "sum", "kind": "sql", "file": "sql/sum.sql", "wait_for": "chunk", "concurrency": 1, "lookback": {"days": 3}}]}
	JSON
	sql_file copy.sql <<<"insert into effect values (:'run', 'copy', :'chunk'); select pg_sleep(0.05);"
	sql_file sum.sql <<<"insert into effect values (:'run', 'sum', :'chunk');"
}
begin_follow() { # RUN [OPTION…]: of twenty days that no other run has
	enqueue_run "$1" follow --since="$(date -d "2024-01-01 +$((n * 20)) days" +%F)" --until="$(date -d "2024-01-01 +$((n * 20 + 19)) days" +%F)" "${@:2}"
	n=$((n + 1))
}
assert_follow() { # RUN
	wait_for_redis "$1"
	wait_until "[ -z \"\$(rd smembers bf:run:$1:released)\" ]" $((lease_s + 5))
	pg "create or replace view effect_copy as select chunk from effect where run = '$1' and step = 'copy';
	    create or replace view effect_sum as select chunk from effect where run = '$1' and step = 'sum'"
	oracle "$1" copy=effect_copy sum=effect_sum
	assert_counters "$1"
	assert_behind "$1"
}
some_follow() { at_least "$2" "select count(*) from bf.job where run = '$1' and step = 'sum' and state = 'done'"; } # RUN COUNT

# bats test_tags=long
@test "chunks that wait for chunks, killed at each fail point: none begins too early, none is left" {
	follow_pipeline
	for point in after_claim:20 after_open:20 before_commit:5 after_settle:5 after_ack:20 after_release:4 mid_push:4; do
		name=${point%:*} run=follow.${point%:*}
		run=${run//_/-}
		begin_follow "$run"
		start_victim "$point" --slots=4
		wait_until "[ -s '$BATS_TEST_TMPDIR/fired.$name' ]" 30
		start_worker --slots=4
		survivor=${WORKER_PIDS[-1]}
		wait_for_end "$run"
		assert_follow "$run"
		kill_worker "$survivor"
	done
}

@test "chunks that wait for chunks, Redis thrown away with workers up and with all dead, stopped and resumed: the same" {
	follow_pipeline
	pg "create table thrown (away bool); create function wait_for_it() returns void language plpgsql as
	    'begin while not exists (select from thrown) loop perform pg_sleep(0.02); end loop; end'"
	cat >>"$made/sql/copy.sql" <<<"select wait_for_it() where :'chunk' = (select max(chunk) from bf.job where run = :'run');"
	for how in up dead; do
		run=follow.$how
		pg 'delete from thrown' # the run's last day is not over before
		begin_follow "$run"
		start_worker --slots=2
		start_worker --slots=2
		wait_until "some_follow $run 3"
		if [ $how = dead ]; then
			enqueue stop "$run" >/dev/null
			kill -KILL "${WORKER_PIDS[@]: -2}"
			rd flushdb >/dev/null
			enqueue resume "$run" >/dev/null
			start_worker --slots=4
		else
			rd flushdb >/dev/null
		fi
		pg 'insert into thrown values (true)'
		wait_for_end "$run"
		assert_follow "$run"
		for pid in "${WORKER_PIDS[@]}"; do
			kill -KILL "$pid" 2>/dev/null || true
			wait "$pid" 2>/dev/null || true
		done
	done
}

# Everything that a person may do, at random, to a run whose chunks fail at random; then what failed is mended, and it is retried to its end.
@test "chunks that wait for chunks, an operator who retries, cancels, stops and resumes at random: all is done in the end, once, and in order" {
	seed=${BF_SEED:-$RANDOM}
	echo "BF_SEED=$seed"
	RANDOM=$seed
	pg 'create table bad (chunk text)'
	follow_pipeline
	sql_file copy.sql <<-'SQL'
		select 1 / (select 1 - count(*) from (select from bad where chunk = :'chunk' limit 1) b);
		insert into effect values (:'run', 'copy', :'chunk'); select pg_sleep(0.02);
	SQL
	sed -i 's/"attempts": 3/"attempts": 2/' "$made/pipeline.json"
	start_worker --slots=4
	start_worker --slots=4
	for places in 1 2 8; do
		run=follow.random-$places
		begin_follow "$run" --concurrency=$places
		for _ in {1..25}; do
			day=$(pg "select chunk from bf.job where run = '$run' and step = 'copy' and seq = $((RANDOM % 20 + 1))")
			case $((RANDOM % 8)) in
			0 | 1) pg "insert into bad values ('$day')" ;;
			2) pg 'delete from bad' ;;
			3) enqueue retry "$run" ;;
			4) enqueue retry "$run" --step=copy ;;
			5) enqueue cancel "$run" --step=copy --chunk="$day" ;;
			6) enqueue stop "$run" ;;
			7) enqueue resume "$run" ;;
			esac >/dev/null 2>&1 || true
			sleep "0.$((RANDOM % 3))"
		done
		pg 'delete from bad'
		enqueue resume "$run" >/dev/null 2>&1 || true
		wait_until "[ \"\$(run_state $run)\" = done ] && is 0 \"select count(*) from bf.job where run = '$run' and state <> 'done'\" || { run_ended $run && enqueue retry $run; false; }" 60
		assert_follow "$run"
	done
}

# bats test_tags=long
@test "a person decides while PostgreSQL is killed: decided wholly or not at all" {
	own_servers
	chaos_record
	graph_pipeline
	start_worker --slots=4
	for i in 1 2 3; do
		begin_graph "graph.$i"
		wait_until "asked graph.$i"
		enqueue approve "graph.$i" ask --by=tester >/dev/null 2>&1 &
		decider=$!
		sleep "0.0$((i * 3))"
		kill -KILL "$(server_pid postgres)"
		wait "$decider" || true
		wait_until '[ -z "$(server_pid postgres)" ]'
		own_servers_again
		[ "$(pg "select count(*) from bf.event where run = 'graph.$i' and what = 'approve'")" = 1 ] || approve_when_asked "graph.$i"
		wait_for_end "graph.$i" 60
		assert_graph "graph.$i"
	done
}
