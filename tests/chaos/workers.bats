# Faults of workers: killed at every fail point, told to leave and killed, stopped and gone on, crashed by their own work, rolled over.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/chaos.bash

setup() { chaos_setup; }
teardown() { bf_teardown; }

# ---- 1: killed at every fail point ----

# Two workers whose slots are full, so that others claim what follows; free_survivors empties the slots.
start_survivors() { # QUEUES
	pg "create table occupied (free bool); insert into occupied values (false);
	    create function stay() returns void language plpgsql as
	    \$\$ begin while not (select free from occupied) loop perform pg_sleep(0.02); end loop; end \$\$"
	pipeline occupy <<-'JSON'
		{"pipeline": "occupy", "queue": "occupy", "chunk": {"size": 1}, "concurrency": {"default": 8, "max": 8},
		 "steps": [{"name": "stay", "kind": "sql", "file": "sql/stay.sql"}]}
	JSON
	sql_file stay.sql <<<'select stay();'
	start_worker --slots=4 --queues="occupy:1000,$1"
	start_worker --slots=4 --queues="occupy:1000,$1"
	enqueue_run occupy.one occupy --since=2024-01-01 --until=2024-01-08
	wait_until "is 8 \"select count(*) from bf.job where run = 'occupy.one' and state = 'running'\""
}
free_survivors() { pg 'update occupied set free = true'; }

# kill_at AT_LEAST POINT:COUNT[:HOW]… : for each fail point a run, its queue, and a worker that alone has free slots for it, until it dies at
# that passage. All at the same time; then the survivors take over, at least so many jobs. COUNT is behind the first checkpoints wherever it
# can be. HOW: `walked`, its programs end by themselves; `walks`, so they do, and it has no other jobs.
kill_at() {
	local at_least=$1 point name i=0 pids=() names=() only
	shift
	for point; do
		name=${point%%:*}
		names+=("${name//_/-}")
	done
	mixed_pipeline
	start_survivors "$(IFS=,; echo "${names[*]}")"
	for point; do
		only=()
		[[ $point != *:walk* ]] || let_walk "mixed.${names[i]}"
		[[ $point != *:walks ]] || only=(--only=walk)
		begin_mixed "mixed.${names[i]}" "$(date -d "2024-02-01 +$((i * 10)) days" +%F)" --queue="${names[i]}" "${only[@]}"
		i=$((i + 1))
	done
	i=0
	for point; do
		start_victim "${point%:walk*}" --slots=4 --queues="${names[i]}"
		pids+=("${WORKER_PIDS[-1]}")
		i=$((i + 1))
	done
	i=0
	for point; do
		name=${point%%:*}
		assert_fired "$name" "${pids[i]}"
		note_death "$(worker_id "${pids[i]}")" "$(fired_at "$name")"
		i=$((i + 1))
	done
	free_survivors
	for name in "${names[@]}"; do
		let_walk "mixed.$name"
	done
	for name in "${names[@]}"; do
		wait_for_end "mixed.$name"
		assert_mixed "mixed.$name"
	done
	assert_taken_over "$at_least"
	assert_same 'tries that were counted' 0 "$(pg 'select count(*) from bf.attempt')"
}

# sidekiq/sidekiq#3845: jobs lost when their process is killed; #3196: an orphan is not looked for by processes that are there already.
# oban-bg/oban#429: jobs of a process that was ended stay `executing` until someone changes them by hand.
@test "1: killed at after_claim, after_open, mid_job, before_commit, after_commit, before_ack: others go on from the last checkpoint within a lease and 5 s" {
	kill_at 12 after_claim:1 after_open:1 mid_job:5 before_commit:3 after_commit:1 before_ack:1
	for run in mid-job before-commit after-commit before-ack; do
		[ "$(resumed "mixed.$run")" -eq 2 ]
	done
}

@test "1: killed at after_ack, after_settle, before_commit of programs, after_release, mid_push: others go on within a lease and 5 s" {
	kill_at 4 after_ack:6 after_settle:1:walks before_commit:1:walks after_release:7:walked mid_push:1:walked
	[ "$(resumed mixed.after-ack)" -eq 2 ]
	assert_same 'programs begun again' 2 "$(pg "select count(*) from begun where run = 'mixed.before-commit' and epoch = 2")"
	assert_none 'released steps that waited longer than a lease and 5 s' "
		select run, step, started - released_at from (
			select s.run, s.step, s.released_at, (select min(h.at) from history h where h.run = s.run and h.step = s.step and h.state = 'running') as started
			  from bf.step s where s.run in ('mixed.after-release', 'mixed.mid-push')) x
		 where started is null or started > released_at + interval '$((lease_s + 5)) s'"
}

# Three workers; the one that begins the rebuild dies in it. The others are kept from being first: stopped, for less than a lease.
@test "1: killed at mid_rebuild: another worker rebuilds the queue, and running jobs keep their workers" {
	mixed_pipeline
	start_worker
	start_worker
	start_victim mid_rebuild:1
	begin_mixed mixed.rebuild 2024-02-01 --concurrency=24
	wait_until "is 2 \"select count(*) from bf.job where state = 'running' and checkpoint::int > 0\""
	kill -STOP "${WORKER_PIDS[@]:0:2}"
	rd flushdb >/dev/null
	assert_fired mid_rebuild "${WORKER_PIDS[2]}"
	kill -CONT "${WORKER_PIDS[@]:0:2}"
	wait_until "[ \"\$(rd get bf:generation)\" = \"\$(pg 'select generation from bf.meta')\" ]"
	let_walk mixed.rebuild
	wait_for_end mixed.rebuild
	assert_mixed mixed.rebuild
	assert_none 'jobs taken from a worker that lived' "
		select * from history h join history o using (run, step, seq)
		 where h.epoch > o.epoch and o.state = 'running' and split_part(o.worker, '-', -2) <> '${WORKER_PIDS[2]}' and h.state = 'running'"
}
