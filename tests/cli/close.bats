# What failed and is over: closed by a person, or done by a later run. It is kept, and nobody is called for it again.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	pipeline shaky <<-'JSON'
		{"pipeline": "shaky", "chunk": {"size": 2}, "defaults": {"retry": {"attempts": 1}},
		 "steps": [{"name": "make", "kind": "sql", "file": "sql/make.sql", "on_failure": "continue"},
		           {"name": "right", "kind": "check", "type": "metric", "file": "sql/right.sql", "error_if": "< 1"}]}
	JSON
	sql_file make.sql <<<"select 1 / (not exists (select from bad where day between :'since' and :'until'))::int;"
	sql_file right.sql <<<'select 1 - count(*) from wrong;'
	pg 'create table bad (day date); create table wrong (n int)'
}
teardown() { bf_teardown; }

range=(--since=2024-01-01 --until=2024-01-10)
attention() { bfstat --json | jq -r ".runs[] | select(.run == \"$1\") | .attention"; }

failed_run() { # RUN
	pg "insert into bad values ('2024-01-05')"
	enqueue_run "$1" shaky "${range[@]}"
	start_worker
	wait_for_end "$1"
	assert_same "$1" failed "$(run_state "$1")"
}

@test "a closed run stays failed, keeps who and why, and needs no attention until it has failed again" {
	failed_run shaky.one
	assert_same 'attention' true "$(attention shaky.one)"
	run -1 bfstat shaky.one
	[[ $output = *'enqueue close shaky.one --note='* ]]
	run -2 enqueue close shaky.one
	[[ $output = *'--note is missing; expected --note=TEXT'* ]]
	run -0 enqueue close shaky.one --note='the source has no such day'
	[[ $output = *'Run shaky.one is closed: it stays failed'* ]]
	assert_same 'attention' false "$(attention shaky.one)"
	assert_same 'the documented alert is quiet' true "$(bfstat --json | jq 'all(.runs[]; .attention | not)')"
	run -1 bfstat shaky.one
	[[ $output = *'closed:'*'the source has no such day'* && $output != *'enqueue retry'* ]]
	run -0 bfstat
	[[ $output = *'failed, closed'* ]]
	run -0 bfstat events shaky.one
	[[ $output = *'close'*'the source has no such day'* ]]
	enqueue retry shaky.one >/dev/null
	wait_for_end shaky.one
	assert_same 'it has failed again' 'failed true' "$(run_state shaky.one) $(attention shaky.one)"
}

@test "what has not failed cannot be closed" {
	enqueue_run shaky.one shaky "${range[@]}"
	run -2 enqueue close shaky.one --note=x
	[[ $output = *'run shaky.one is running; expected one that has failed'* ]]
	run -2 enqueue close shaky.two --note=x
}

@test "a run whose failures a later run has done is superseded by it, and only when all of them are" {
	failed_run shaky.one
	pg 'delete from bad'
	enqueue_run shaky.part shaky "${range[@]}" --reprocess=failed --only=make
	wait_for_end shaky.part
	assert_same 'what failed is done' false "$(attention shaky.one)"
	run -1 bfstat shaky.one
	[[ $output = *'superseded:'*'run shaky.part has done since what failed here'* ]]
	assert_same 'JSON' shaky.part "$(bfstat shaky.one --json | jq -r .superseded_by)"
}

@test "a run of another identity makes up for nothing" {
	sed -i 's/"chunk": {"size": 2}/&, "params": {"site": {"default": "a", "identity": true}}/' \
		"$made/pipeline.json"
	failed_run shaky.one
	pg 'delete from bad'
	enqueue_run shaky.other shaky "${range[@]}" --only=make --param=site=b
	wait_for_end shaky.other
	assert_same 'still needs someone' true "$(attention shaky.one)"
	enqueue_run shaky.same shaky "${range[@]}" --reprocess=failed --only=make
	wait_for_end shaky.same
	assert_same 'what failed is done' false "$(attention shaky.one)"
}

@test "a trial makes up for nothing" {
	sed -i 's/"chunk": {"size": 2}/&, "params": {"most": {"default": "0", "trial": true}}/' \
		"$made/pipeline.json"
	failed_run shaky.one
	pg 'delete from bad'
	enqueue_run shaky.trial shaky "${range[@]}" --only=make --reprocess=failed --param=most=1
	wait_for_end shaky.trial
	assert_same 'the trial' 'done' "$(run_state shaky.trial)"
	assert_same 'still needs someone' true "$(attention shaky.one)"
}

@test "a check that failed is superseded by a later run of its range that has passed it" {
	pg 'insert into wrong values (1)'
	enqueue_run shaky.one shaky "${range[@]}"
	start_worker
	wait_for_end shaky.one
	assert_same 'the run' failed "$(run_state shaky.one)"
	enqueue_run shaky.later shaky --since=2024-01-05 --until=2024-01-06 --only=right
	wait_for_end shaky.later
	assert_same 'still wrong' true "$(attention shaky.one)"
	pg 'delete from wrong'
	enqueue_run shaky.whole shaky "${range[@]}" --only=right
	wait_for_end shaky.whole
	assert_same 'superseded' 'false shaky.whole' "$(attention shaky.one) $(bfstat shaky.one --json | jq -r .superseded_by)"
}

@test "--reprocess=failed that finds nothing names the checks that failed, and what asks them again" {
	pg 'insert into wrong values (1)'
	enqueue_run shaky.one shaky "${range[@]}"
	start_worker
	wait_for_end shaky.one
	run -0 enqueue run shaky "${range[@]}" --reprocess=failed
	[[ $output = *'right: failed in run shaky.one; --only=right asks it again'* ]]
	run -0 enqueue run shaky "${range[@]}" --reprocess=failed --dry-run --json
	assert_same 'JSON' 'nothing right shaky.one' "$(jq -r '"\(.outcome) \(.failed_checks[0] | "\(.step) \(.run)")"' <<<"$output")"
}

@test "checks of another identity that failed are not what --reprocess=failed finds" {
	sed -i 's/"chunk": {"size": 2}/&, "params": {"site": {"default": "a", "identity": true}}/' \
		"$made/pipeline.json"
	enqueue_run shaky.one shaky "${range[@]}"
	start_worker
	wait_for_end shaky.one
	pg 'insert into wrong values (1)'
	enqueue_run shaky.other shaky "${range[@]}" --param=site=b
	wait_for_end shaky.other
	assert_same 'runs' 'done failed' "$(run_state shaky.one) $(run_state shaky.other)"
	run -0 enqueue run shaky "${range[@]}" --reprocess=failed --dry-run --json
	assert_same 'checks' 0 "$(jq '.failed_checks | length' <<<"$output")"
}
