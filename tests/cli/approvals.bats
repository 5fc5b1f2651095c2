# Steps that wait: a person's approval, a soak that watches for a while; and a step that may fail in part.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() { bf_setup; }
teardown() { bf_teardown; }

step_state() { pg "select state from bf.step where run = '$1' and step = '$2'"; } # RUN STEP
is_asked() { is t "select asked_at is not null from bf.step where run = '$1' and step = '$2'"; }

gate_pipeline() { # FIELDS of the approval, such as , "timeout": "2s"
	pipeline gate <<-JSON
		{"pipeline": "gate", "chunk": {"size": 1}, "params": {"who": {"default": "them", "affects": "nothing"}},
		 "steps": [{"name": "load", "kind": "noop"},
		           {"name": "ask", "kind": "approval", "review": "Ask {{param.who}} about {{since}}..{{until}} of {{run}}."$1},
		           {"name": "send", "kind": "noop"}]}
	JSON
}
begin_gate() { enqueue_run "$1" gate --since=2024-01-01 --until=2024-01-03 "${@:2}"; }
wait_asked() {
	wait_until "is_asked $1 ask"
	wait_until "[ \"\$(run_state $1)\" = waiting ]"
}

# ---- approvals ----

@test "a run waits for a person, says for what and what to look at, and goes on when it is approved" {
	gate_pipeline ''
	begin_gate gate.one --param who=Ada
	start_worker
	wait_asked gate.one
	run bfstat gate.one
	[ "$status" -eq 3 ]
	[[ $output = *'gate.one  waiting  '*'ASKED        ask, for '*'Ask Ada about 2024-01-01..2024-01-03 of gate.one.'* ]]
	[[ $output = *'enqueue approve gate.one ask --note=…'*'enqueue reject gate.one ask --note=…'* ]]
	assert_same 'what Redis has to do' '0 0' "$(rd llen bf:queue:default) $(rd zcard bf:delayed:default)"
	assert_same 'jobs of what comes after' 3 "$(pg "select count(*) from bf.job where run = 'gate.one' and step = 'send' and state = 'pending' and epoch = 0")"

	run enqueue approve gate.one ask --by='Ada L.' --note='looks right'
	[ "$status" -eq 0 ]
	[ "$output" = 'Step ask is approved by Ada L.. Run gate.one is running.' ]
	wait_for_end gate.one
	oracle gate.one
	assert_same 'who, and why' 'Ada L.|approve|looks right' "$(pg "select who, what, note from bf.event where run = 'gate.one' and step = 'ask' and what = 'approve'")"
	assert_same 'note of the job' 'approved by Ada L.: looks right' "$(pg "select note from bf.job where run = 'gate.one' and step = 'ask'")"

	# again: the same is fine, the opposite is not
	run enqueue approve gate.one ask
	[ "$status" -eq 0 ]
	[[ $output = 'Step ask was decided before: approved by Ada L.: looks right.'* ]]
	run enqueue reject gate.one ask
	[ "$status" -eq 2 ]
	[[ $output = 'enqueue: step ask of run gate.one is decided already: approved by Ada L.: looks right' ]]
	agreed
}
agreed() { bfstat verify; }

@test "a no stops what needs it, whatever may fail otherwise" {
	pipeline gate <<-'JSON'
		{"pipeline": "gate", "chunk": {"size": 1}, "defaults": {"on_failure": "continue"},
		 "steps": [{"name": "one", "kind": "noop"}, {"name": "ask", "kind": "approval"}, {"name": "two", "kind": "noop"}]}
	JSON
	enqueue_run gate.never gate --since=2024-01-01 --until=2024-01-02
	start_worker
	wait_until "is t \"select asked_at is not null from bf.step where run = 'gate.never' and step = 'ask'\""
	enqueue reject gate.never ask --note=never
	wait_for_end gate.never
	assert_same 'run' failed "$(run_state gate.never)"
	assert_same 'after it' 'skipped 2' "$(pg "select state || ' ' || count(*) from bf.job where run = 'gate.never' and step = 'two' group by state")"
	sed -i 's/"kind": "approval"/&, "on_failure": "continue"/' "$made/pipeline.json"
	run -2 enqueue validate gate
	[[ $output = *'steps[1].on_failure: found on a step of kind approval, expected none'* ]]
}

@test "a rejected run does not go on; retry asks again, and the second answer counts" {
	gate_pipeline ''
	begin_gate gate.no
	start_worker
	wait_asked gate.no
	run enqueue reject gate.no ask --by=Bob --note='not yet' --json
	[ "$status" -eq 0 ]
	assert_same 'answer' 'reject rejected Bob failed' "$(jq -r '[.command, .outcome, .by, .state] | join(" ")' <<<"$output")"
	assert_same 'states' 'done failed skipped' "$(pg "select string_agg(state, ' ' order by ordinal) from bf.step where run = 'gate.no'")"
	run bfstat failures gate.no
	[[ $output = *'rejected by Bob: not yet'*'enqueue retry gate.no --step=ask'* ]]
	run enqueue retry gate.no
	[[ $output = '4 jobs of run gate.no opened again.'* ]]
	wait_asked gate.no
	enqueue approve gate.no ask
	wait_for_end gate.no
	oracle gate.no
}

@test "nobody decides in time: what the file says happens" {
	gate_pipeline ', "timeout": "2s"'
	begin_gate gate.late
	start_worker
	wait_asked gate.late
	run bfstat gate.late
	[[ $output = *'; rejected in '*' if nobody decides'* ]]
	assert_same 'deadline' 2000 "$(bfstat gate.late --json | jq '.steps[1] | ((.deadline | sub("\\.\\d+";"") | fromdate) - (.asked_at | sub("\\.\\d+";"") | fromdate)) * 1000')"
	wait_for_end gate.late
	assert_same 'error' 'timeout|rejected by timeout: nobody decided within 00:00:02' "$(pg "select error_category, error from bf.job where run = 'gate.late' and step = 'ask'")"
	gate_pipeline ', "timeout": "1s", "on_timeout": "approve"'
	begin_gate gate.soon
	wait_for_end gate.soon
	oracle gate.soon
}

@test "an approval that is not asked for, another kind of step, a run that is over, texts that cannot be: refused, with what is right" {
	gate_pipeline ''
	begin_gate gate.early
	run enqueue approve gate.early ask
	[ "$status" -eq 2 ]
	[ "$output" = 'enqueue: step ask of run gate.early is not asked for yet: it waits for load (released)' ]
	run enqueue approve gate.early load
	[ "$status" -eq 2 ]
	[ "$output" = 'enqueue: step load of run gate.early is of kind noop, expected an approval' ]
	run enqueue approve gate.early aks
	[ "$status" -eq 2 ]
	[[ $output = *'did you mean ask?'* ]]
	run enqueue approve gate.erly ask
	[ "$status" -eq 2 ]
	[[ $output = *'did you mean gate.early?'* ]]
	run enqueue approve gate.early
	[ "$status" -eq 2 ]
	run enqueue approve gate.early ask --by=
	[ "$status" -eq 2 ]
	run enqueue approve gate.early ask --note="$(head -c 4001 /dev/zero | tr '\0' x)"
	[ "$status" -eq 2 ]
	[[ $output = *'--note: found 4001 bytes, expected at most 4000'* ]]
	enqueue cancel gate.early
	run enqueue approve gate.early ask
	[ "$status" -eq 2 ]
	assert_same 'events of it' 0 "$(pg "select count(*) from bf.event where what in ('approve', 'reject')")"
}

@test "an approval survives Redis thrown away, workers killed, stop and resume; --follow ends with 3" {
	gate_pipeline ''
	begin_gate gate.long
	start_worker
	wait_asked gate.long
	run timeout 20 enqueue run gate --since=2024-01-01 --until=2024-01-03 --run-id=gate.long --follow
	[ "$status" -eq 3 ]
	since=$(pg "select asked_at from bf.step where run = 'gate.long' and step = 'ask'")
	kill -KILL "${WORKER_PIDS[0]}"
	rd flushdb >/dev/null
	rd function flush >/dev/null
	start_worker
	wait_until "[ \"\$(rd hget bf:run:gate.long state)\" = waiting ]"
	assert_same 'since when it is asked' "$since" "$(pg "select asked_at from bf.step where run = 'gate.long' and step = 'ask'")"
	enqueue stop gate.long
	assert_same 'state' stopped "$(run_state gate.long)"
	enqueue approve gate.long ask # decided while it is stopped: nothing starts
	sleep 1
	assert_same 'what comes after' waiting "$(step_state gate.long send)"
	enqueue resume gate.long
	wait_for_end gate.long
	oracle gate.long
}

@test "two people decide at once, ten times: one decision counts" {
	gate_pipeline ''
	start_worker
	for n in 0 1 2 3 4 5 6 7 8 9; do
		begin_gate "gate.$n" --reprocess=completed
		wait_asked "gate.$n"
		enqueue approve "gate.$n" ask --by=A >/dev/null 2>&1 &
		a=$!
		enqueue reject "gate.$n" ask --by=B >/dev/null 2>&1 &
		b=$!
		code_a=0 code_b=0
		wait $a || code_a=$?
		wait $b || code_b=$?
		assert_same 'exit codes, of any order' 2 "$((code_a + code_b))"
		assert_same 'decisions' 1 "$(pg "select count(*) from bf.event where run = 'gate.$n' and what in ('approve', 'reject')")"
		wait_for_end "gate.$n"
	done
}

# ---- soak ----

soak_pipeline() { # FIELDS
	pipeline soak <<-JSON
		{"pipeline": "soak", "chunk": {"size": 1}, "concurrency": {"default": 1},
		 "steps": [{"name": "load", "kind": "noop"},
		           {"name": "watch", "kind": "soak", "checks": [
		             {"name": "level", "type": "range", "file": "sql/level.sql", "min": 1},
		             {"name": "whole", "type": "coverage", "of": "load"}], $1},
		           {"name": "beside", "kind": "noop", "needs": ["load"]}]}
	JSON
	sql_file level.sql <<<'select n from level'
	pg 'create table level (n int); insert into level values (1)'
}
between_samples() { is pending "select state from bf.job where step = 'watch' and not_before > clock_timestamp() + interval '400 milliseconds'"; }
samples() { pg "select count(distinct epoch) from bf.check_result where run = '$1'"; }

@test "a soak samples for its time, holds no slot in between, and survives workers killed and Redis thrown away in its middle" {
	soak_pipeline '"interval": "1s", "duration": "8s"'
	enqueue_run soak.long soak --since=2024-01-01 --until=2024-01-03
	start_worker --slots=1
	wait_until '[ "$(samples soak.long)" -ge 2 ]'
	assert_same 'the step beside it, with one job at a time' done "$(step_state soak.long beside)"
	wait_until "between_samples && [ \"\$(rd keys 'bf:worker:*:jobs')\" = '' ]" # nobody holds anything
	begun=$(pg "select released_at from bf.step where run = 'soak.long' and step = 'watch'")
	wait_until between_samples
	kill -KILL "${WORKER_PIDS[0]}"
	rd flushdb >/dev/null
	start_worker --slots=1
	wait_for_end soak.long
	oracle soak.long
	assert_same 'its beginning' "$begun" "$(pg "select released_at from bf.step where run = 'soak.long' and step = 'watch'")"
	assert_same 'took its time' t "$(pg "select finished_at - released_at between interval '8 seconds' and interval '13 seconds' from bf.step where run = 'soak.long' and step = 'watch'")"
	n=$(samples soak.long)
	[ "$n" -ge 5 ] && [ "$n" -le 10 ] # one a second, but for those that nobody was there for
	assert_same 'figures of a sample' 'level whole' "$(pg "select string_agg(name, ' ' order by name) from bf.check_result where run = 'soak.long' and epoch = 1")"
	assert_same 'from when bfstat counts' t "$(pg "select date_trunc('second', timestamptz '$begun')
		= date_trunc('second', timestamptz '$(bfstat soak.long --json | jq -r '.steps[] | select(.step == "watch").started_at')')")"
	assert_same 'what is said of it' "$n of 9 samples, 0 failed" "$(pg "select note from bf.job where step = 'watch'")"
	assert_same 'tries' 0 "$(pg 'select count(*) from bf.attempt')"
}

@test "a soak ends early when too many samples failed; retry begins it anew" {
	soak_pipeline '"interval": "300ms", "duration": "60s", "failure_limit": 3'
	enqueue_run soak.bad soak --since=2024-01-01 --until=2024-01-03
	start_worker
	wait_until '[ "$(samples soak.bad)" -ge 2 ]'
	pg 'update level set n = 0'
	wait_for_end soak.bad
	assert_same 'state' failed "$(run_state soak.bad)"
	assert_same 'samples that failed' 3 "$(pg "select count(distinct epoch) from bf.check_result where run = 'soak.bad' and outcome = 'fail'")"
	run bfstat failures soak.bad
	[[ $output = *'soak, 1 try'*' samples, 3 failed; the last one: watch/level: 0 found, expected at least 1. Ask again: psql "$BF_DATABASE_URL" -f '* ]]
	pg 'update level set n = 1'
	enqueue retry soak.bad
	before=$(samples soak.bad)
	wait_until "[ \"\$(samples soak.bad)\" -ge $((before + 5)) ]"
	assert_same 'state' running "$(run_state soak.bad)"
	enqueue cancel soak.bad
	wait_until '[ "$(run_state soak.bad)" = cancelled ]'
}

# ---- max_failed_ratio ----

ratio_pipeline() { # RATIO
	pipeline ratio <<-JSON
		{"pipeline": "ratio", "chunk": {"size": 1}, "concurrency": {"default": 2}, "defaults": {"retry": {"attempts": 1}},
		 "steps": [{"name": "load", "kind": "sql", "file": "sql/load.sql", "max_failed_ratio": $1},
		           {"name": "send", "kind": "noop"}]}
	JSON
	sql_file load.sql <<<"select pg_sleep(0.05), 1 / (not exists (select from bad where day = :'since'))::int"
	pg "create table bad (day date); insert into bad select '2024-01-01'::date + n from generate_series(0, 3) n"
}

@test "so many jobs may fail: what comes after goes on, and the failures are there to be retried" {
	ratio_pipeline 0.2
	enqueue_run ratio.few ratio --since=2024-01-01 --until=2024-01-20
	start_worker
	wait_for_end ratio.few
	assert_same 'states' 'failed done' "$(pg "select string_agg(state, ' ' order by ordinal) from bf.step where run = 'ratio.few'")"
	assert_same 'the run' failed "$(run_state ratio.few)"
	assert_same 'jobs' '36 4 0' "$(pg "select count(*) filter (where state = 'done') || ' ' || count(*) filter (where state = 'failed') || ' ' || count(*) filter (where state = 'skipped') from bf.job where run = 'ratio.few'")"
	pg 'delete from bad'
	enqueue retry ratio.few
	wait_for_end ratio.few
	oracle ratio.few
}

@test "more than that: the run that goes wrong is stopped, and a retry does all that was left" {
	ratio_pipeline 0.02
	enqueue_run ratio.many ratio --since=2024-01-01 --until=2024-04-09
	start_worker
	wait_for_end ratio.many
	assert_same 'states' 'failed skipped' "$(pg "select string_agg(state, ' ' order by ordinal) from bf.step where run = 'ratio.many'")"
	[ "$(pg "select count(*) from bf.job where run = 'ratio.many' and step = 'load' and state = 'skipped'")" -gt 0 ]
	run bfstat events ratio.many
	[[ $output = *'step halted'*' of 100 jobs failed; at most a ratio of 0.02 may'* ]]
	pg 'delete from bad'
	enqueue retry ratio.many
	wait_for_end ratio.many
	oracle ratio.many
	assert_same 'jobs' 200 "$(pg "select count(*) from bf.job where run = 'ratio.many' and state = 'done'")"
}
