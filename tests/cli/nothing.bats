# A check on nothing is said to be on nothing; a success rate of nothing that had to be tried is met.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	pg 'create table source (day date, n int); create table made (day date, n int)'
}
teardown() { bf_teardown; }

# One pipeline of a check; what came of it is in $outcome and $found, and how the run ended in $state.
judge() { # FIELDS of the check [SINCE]
	local id=judged.$((++judged))
	pipeline judged <<-JSON
		{"pipeline": "judged", "chunk": {"size": 5}, "defaults": {"retry": {"attempts": 1}}, "steps": [{"name": "look", "kind": "check", $1}]}
	JSON
	sql_file made.sql <<<"select count(*) from made where day between :'since' and :'until';"
	sql_file source.sql <<<"select count(*) from source where day between :'since' and :'until';"
	sql_file mean.sql <<<"select avg(n) from made where day between :'since' and :'until';"
	sql_file bad.sql <<<"select day from made where n < 0;"
	sql_file days.sql <<<"select day from source;"
	sql_file ahead.sql <<<"select now() + interval '2 days';"
	enqueue_run "$id" judged --since=2025-01-01 --until=2025-01-05
	wait_for_end "$id"
	state=$(run_state "$id")
	outcome=$(pg "select outcome from bf.check_result where run = '$id'")
	found=$(pg "select found from bf.check_result where run = '$id'")
}
is_judged() { # OUTCOME STATE WORDS
	assert_same "outcome and state of: $found" "$1 $2" "$outcome $state"
	[[ $found = *"$3"* ]] || { echo "found: $found" >&2; return 1; }
}

@test "zero of zero is a warning that says so, or what on_empty says" {
	start_worker
	judge '"type": "equals", "file": "sql/made.sql", "expected": "sql/source.sql"'
	is_judged warn 'done' 'judged on nothing'
	judge '"type": "equals", "file": "sql/made.sql", "expected": "sql/source.sql", "on_empty": "pass"'
	is_judged pass 'done' 'judged on nothing'
	judge '"type": "equals", "file": "sql/made.sql", "expected": "sql/source.sql", "on_empty": "fail"'
	is_judged fail failed 'judged on nothing'
	judge '"type": "equals", "file": "sql/made.sql", "expected": 0'
	is_judged pass 'done' '0 found'
	pg "insert into source values ('2025-01-02', 1); insert into made values ('2025-01-02', 1)"
	judge '"type": "equals", "file": "sql/made.sql", "expected": "sql/source.sql", "on_empty": "fail"'
	is_judged pass 'done' '1 found, 1 expected'
}

@test "a figure over no row, and rows of which none was looked at" {
	start_worker
	judge '"type": "metric", "file": "sql/mean.sql", "error_if": "< 1"'
	is_judged fail failed 'yielded NULL'
	judge '"type": "metric", "file": "sql/mean.sql", "error_if": "< 1", "on_empty": "warn"'
	is_judged warn 'done' 'judged on nothing'
	judge '"type": "rows", "file": "sql/bad.sql"'
	is_judged pass 'done' '0 violations'
	judge '"type": "rows", "file": "sql/bad.sql", "count": "sql/made.sql"'
	is_judged warn 'done' 'nothing was looked at, according to sql/made.sql'
	judge '"type": "range", "file": "sql/made.sql", "min": 0, "max": 10, "count": "sql/source.sql", "on_empty": "fail"'
	is_judged fail failed 'nothing was looked at, according to sql/source.sql'
	pg "insert into made values ('2025-01-02', 1)"
	judge '"type": "rows", "file": "sql/bad.sql", "count": "sql/made.sql", "on_empty": "fail"'
	is_judged pass 'done' '0 violations'
}

@test "a coverage of nothing that is expected, and a time that has not come yet" {
	start_worker
	judge '"type": "coverage", "expected": "sql/days.sql", "present": "sql/days.sql"'
	is_judged warn 'done' 'nothing is expected'
	judge '"type": "freshness", "file": "sql/ahead.sql", "error_if": "> 1h"'
	is_judged warn 'done' 'ahead of now'
	judge '"type": "freshness", "file": "sql/ahead.sql", "error_if": "> 1h", "on_empty": "fail"'
	is_judged fail failed 'ahead of now'
}

@test "on_empty and count are refused where they mean nothing" {
	pipeline wrong <<-'JSON'
		{"pipeline": "wrong", "chunk": {"size": 5}, "steps": [
		  {"name": "a", "kind": "check", "type": "coverage", "expected": "sql/x.sql", "present": "sql/x.sql", "count": "sql/x.sql", "on_empty": "perhaps"},
		  {"name": "b", "kind": "noop", "on_empty": "warn"}]}
	JSON
	sql_file x.sql <<<'select 1'
	run -2 enqueue validate wrong
	[[ $output = *'steps[0].count: found on a check of type coverage, expected only on metric, range, equals and rows'* ]]
	[[ $output = *'steps[0].on_empty: found "perhaps", expected one of'* ]]
	[[ $output = *'steps[1].on_empty: found on a step of kind noop, expected only on check'* ]]
}

@test "a success rate over nothing that had to be tried is met, and what comes after goes on" {
	pipeline rated <<-'JSON'
		{"pipeline": "rated", "chunk": {"size": 5}, "defaults": {"retry": {"attempts": 1}}, "steps": [
		  {"name": "stage-3", "kind": "noop"},
		  {"name": "rate", "kind": "check", "type": "success_rate", "of": "stage-3", "error_if": "< 0.99"},
		  {"name": "stage-4", "kind": "noop"}]}
	JSON
	start_worker
	enqueue_run rated.one rated --since=2024-01-01 --until=2024-01-10 --only=stage-3
	wait_for_end rated.one
	enqueue_run rated.two rated --since=2024-01-01 --until=2024-01-10
	wait_for_end rated.two
	assert_same 'the second run' 'done 2' "$(pg "select r.state || ' ' || count(*) from bf.run r join bf.job j using (run) where run = 'rated.two' and j.step = 'stage-4' and j.state = 'done' group by r.state")"
	assert_same 'what was found' 'pass rate: no job had to be tried, fails if < 0.99' "$(pg "select outcome || ' ' || found from bf.check_result where run = 'rated.two'")"
}

@test "the check before an approval is asked again after a reject and a retry" {
	pipeline asked <<-'JSON'
		{"pipeline": "asked", "chunk": {"size": 5}, "defaults": {"retry": {"attempts": 1}}, "steps": [
		  {"name": "make", "kind": "noop"},
		  {"name": "gate-1", "kind": "check", "type": "metric", "file": "sql/made.sql", "warn_if": "< 1", "error_if": "> 9"},
		  {"name": "sign-off", "kind": "approval"},
		  {"name": "more", "kind": "noop"}]}
	JSON
	sql_file made.sql <<<'select count(*) from made;'
	start_worker
	enqueue_run asked.one asked --since=2024-01-01 --until=2024-01-10
	wait_until "[ \"\$(run_state asked.one)\" = waiting ]"
	enqueue reject asked.one sign-off --note='too few' >/dev/null
	assert_same 'rejected' failed "$(run_state asked.one)"
	pg "insert into made values ('2024-01-01', 1)"
	enqueue retry asked.one >/dev/null
	wait_until "[ \"\$(run_state asked.one)\" = waiting ]"
	assert_same 'what the gate has found, each time' 'warn pass' "$(pg "select string_agg(outcome, ' ' order by id) from bf.check_result where run = 'asked.one'")"
	enqueue approve asked.one sign-off --note='enough' >/dev/null
	wait_for_end asked.one
	assert_same 'approved' 'done' "$(run_state asked.one)"
}
