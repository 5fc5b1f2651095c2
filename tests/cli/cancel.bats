# A large run is cancelled in parts (`bf.cancel_part`): what runs at once, then so many jobs a transaction.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/chaos.bash

setup() {
	chaos_setup
	large_pipeline
}
teardown() { bf_teardown; }

n=45000 # five parts

# A program for each of $n keys, those of the first four wait until they are ended; then one job for the whole run.
large_pipeline() {
	export MARK=$BATS_TEST_TMPDIR/mark
	pipeline large <<-JSON
		{"pipeline": "large", "chunk": {"keys": {"sql": "sql/keys.sql"}}, "concurrency": {"default": 4}, "env": {"pass": ["PATH", "MARK"]},
		 "steps": [{"name": "walk", "kind": "exec", "argv": ["bin/walk", "{{key}}"]},
		           {"name": "sum", "kind": "sql", "per": "run", "file": "sql/sum.sql"}]}
	JSON
	sql_file keys.sql <<<"select n from generate_series(1, $n) n"
	sql_file sum.sql <<<"insert into effect values (:'run', 'sum', '')"
	program walk <<-'SH'
		[ "$1" -le 4 ] || exit 0
		echo $$ >>"$MARK"
		exec sleep 300
	SH
	pipeline small <<-'JSON'
		{"pipeline": "small", "chunk": {"size": 1}, "steps": [{"name": "one", "kind": "noop"}]}
	JSON
}
begin_large() {
	enqueue_run large.one large
	start_worker
	wait_until "[ \"\$(cat '$MARK' 2>/dev/null | wc -l)\" = 4 ]"
}
cancel_at() { # kill|hang: as a child, which fails there behind the first part
	BF_FAILPOINT=mid_cancel:$1 BF_FAILPOINT_LOG=$BATS_TEST_TMPDIR/fired.mid_cancel enqueue cancel large.one >"$BATS_TEST_TMPDIR/cancel.log" 2>&1 3>&- &
	canceller=$!
}
jobs_of() { pg "select string_agg(state || ' ' || n, ', ' order by state) from (select state, count(*) as n from bf.job where run = 'large.one' group by 1) x"; }

@test "the one who cancels stands still behind the first part: what ran has ended, another run goes on, and the workers see to the rest" {
	begin_large
	cancel_at hang
	wait_until "is_stopped $canceller"
	assert_same 'the run' 'stopping|t' "$(pg "select state, cancelling from bf.run where run = 'large.one'")"
	assert_same 'what runs' 0 "$(pg "select count(*) from bf.job where state = 'running'")"
	at_least 1 "select count(*) from bf.job where run = 'large.one' and state = 'pending'"
	for walker in $(cat "$MARK"); do wait_until "! kill -0 $walker"; done
	enqueue_run small.one small --since=2024-01-01 --until=2024-01-05
	wait_for_end small.one
	wait_for_end large.one
	assert_same 'the jobs' "cancelled $((n + 1))" "$(jobs_of)"
	kill -CONT "$canceller"
	exit_code_of "$canceller"
	assert_same 'its exit code' 0 "$code"
	assert_same 'what it says' "45,001 jobs of run large.one cancelled. Run large.one is cancelled." "$(paste -sd' ' "$BATS_TEST_TMPDIR/cancel.log")"
	assert_same 'the steps' 'walk cancelled, sum cancelled' "$(pg "select string_agg(step || ' ' || state, ', ' order by ordinal) from bf.step where run = 'large.one'")"
	wait_for_redis large.one
	bfstat verify
}

@test "the one who cancels is killed behind the first part, and there is no worker: it does not go on, and cancelling it once more ends it" {
	enqueue_run large.one large
	cancel_at kill
	exit_code_of "$canceller"
	assert_same 'its exit code' 137 "$code"
	run enqueue resume large.one
	[[ $output == *'Run large.one is stopping: it is being cancelled'* ]]
	bfstat verify
	run bfstat large.one
	[[ $output == *'enqueue cancel large.one '*'cancels the rest'* && $output != *'enqueue resume'* ]]
	assert_same 'the run' 'stopping|t' "$(pg "select state, cancelling from bf.run where run = 'large.one'")"
	run enqueue cancel large.one
	[[ $output == *'Run large.one is cancelled'* ]]
	assert_same 'the jobs' "cancelled $((n + 1))" "$(jobs_of)"
	assert_same 'the run' 'cancelled|f' "$(pg "select state, cancelling from bf.run where run = 'large.one'")"
}

@test "a retry that comes while a run is being cancelled opens all of it again" {
	enqueue_run large.one large
	cancel_at kill
	exit_code_of "$canceller"
	assert_same 'its exit code' 137 "$code"
	run enqueue retry large.one
	[[ $output == *"45,001 jobs of run large.one opened again"* ]]
	assert_same 'the jobs' "pending $((n + 1))" "$(jobs_of)"
	assert_same 'the run' 'running|f' "$(pg "select state, cancelling from bf.run where run = 'large.one'")"
	enqueue cancel large.one --step=walk # nothing is left of the first step
	wait_until "is cancelled \"select state from bf.step where run = 'large.one' and step = 'walk'\""
}

@test "what a person has approved while the run was being cancelled stays so, and what needs it goes on after a retry" {
	pipeline asked <<-JSON
		{"pipeline": "asked", "chunk": {"keys": {"sql": "sql/keys.sql"}},
		 "steps": [{"name": "bulk", "kind": "noop", "needs": []},
		           {"name": "sample", "kind": "noop", "per": "run", "needs": []},
		           {"name": "ask", "kind": "approval", "needs": ["sample"]},
		           {"name": "publish", "kind": "noop", "needs": ["bulk", "ask"]}]}
	JSON
	sql_file keys.sql <<<"select n from generate_series(1, $n) n"
	enqueue_run large.one asked
	pg "update bf.job set state = 'done' where run = 'large.one' and step = 'sample'; select bf.advance('large.one')"
	cancel_at kill
	exit_code_of "$canceller"
	assert_same 'its exit code' 137 "$code"
	enqueue approve large.one ask
	enqueue cancel large.one
	assert_same 'the steps' 'bulk cancelled, sample done, ask done, publish cancelled' "$(pg "select string_agg(step || ' ' || state, ', ' order by ordinal) from bf.step where run = 'large.one'")"
	enqueue retry large.one
	assert_same 'the steps' 'bulk released, sample done, ask done, publish waiting' "$(pg "select string_agg(step || ' ' || state, ', ' order by ordinal) from bf.step where run = 'large.one'")"
}

@test "an approval that was cancelled while a person was asked is asked for anew after a retry: its time begins again" {
	pipeline asked <<-'JSON'
		{"pipeline": "asked", "chunk": {"size": 1},
		 "steps": [{"name": "one", "kind": "noop"}, {"name": "ask", "kind": "approval", "timeout": "4s", "on_timeout": "approve"}, {"name": "two", "kind": "noop"}]}
	JSON
	start_worker
	enqueue_run asked.one asked --since=2024-01-01 --until=2024-01-02
	wait_until '[ "$(run_state asked.one)" = waiting ]'
	enqueue cancel asked.one
	sleep 4
	enqueue retry asked.one
	[ "$(run_state asked.one)" = waiting ]
	wait_for_end asked.one
	assert_same 'how often it was asked' 2 "$(pg "select count(*) from bf.event where run = 'asked.one' and what = 'approval asked for'")"
	assert_same 'how long it waited' t "$(pg "select max(at) filter (where who = 'timeout') - max(at) filter (where what = 'approval asked for') >= interval '4 s' from bf.event where run = 'asked.one'")"
}
