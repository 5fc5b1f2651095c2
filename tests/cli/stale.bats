# What was done before what it is made of was done anew, by another run: it is shown, and done again by --reprocess=stale. No worker runs here:
# jobs are settled by hand.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	pipeline across <<-'JSON'
		{"pipeline": "across", "chunk": {"size": 1}, "steps": [
		  {"name": "load", "kind": "noop"},
		  {"name": "gate", "kind": "check", "type": "coverage", "of": "load"},
		  {"name": "clean", "kind": "noop", "lookback": {"days": 1}},
		  {"name": "report", "kind": "noop", "chunk": {"size": 2}},
		  {"name": "total", "kind": "noop", "per": "run"},
		  {"name": "other", "kind": "noop", "needs": []}]}
	JSON
}
teardown() { bf_teardown; }

range=(--since=2024-05-01 --until=2024-05-08)
finish() { # RUN: settles its jobs, step by step
	for step in load other gate clean report total; do
		pg "update bf.job set state = 'done', epoch = epoch + 1, started_at = clock_timestamp(), finished_at = clock_timestamp()
		     where run = 'across.$1' and step = '$step' and state in ('pending', 'running');
		    select bf.advance('across.$1')" >/dev/null
	done
}
stale() { bfstat coverage across --json | jq -r '[.stale[] | "\(.step) \(.since[8:]) \(.until[8:])"] | join(", ")'; }

@test "what another run makes anew makes stale what was made of it, in any number of steps; shown, and made again when it is asked for" {
	enqueue_run across.one across "${range[@]}"
	finish one
	assert_same 'nothing' '' "$(stale)"
	run -0 bfstat coverage across
	[[ $output != *STALE* ]]
	enqueue_run across.two across --since=2024-05-04 --until=2024-05-04 --only=load --reprocess=completed
	assert_same 'not before it is done' '' "$(stale)"
	finish two
	assert_same 'stale' 'clean 04 05, report 04 05' "$(stale)"
	run -0 bfstat coverage across
	[[ $output = *'STALE   done, before what it is made of was made anew'*'clean: 2 days, 2024-05-04..2024-05-05'*'enqueue run across --since=2024-05-04 --until=2024-05-05 --reprocess=stale'* ]]
	run -0 enqueue run across "${range[@]}" --dry-run
	[[ $output = *'Nothing to do'* ]]
	next=$(bfstat coverage across | grep -o 'enqueue run across --since.*')
	run -0 $next --run-id=across.three
	finish three
	assert_same 'jobs' 'clean 2024-05-04, clean 2024-05-05, gate 2024-05-04..2024-05-05, report 2024-05-04..2024-05-05, total 2024-05-04..2024-05-05' \
		"$(pg "select string_agg(step || ' ' || chunk, ', ' order by step, chunk) from bf.job where run = 'across.three'")"
	assert_same 'nothing more' '' "$(stale)"
}

@test "a hole that another run fills later makes stale what a pipeline that goes on had made without it" {
	sed -i 's/"name": "load", /&"on_failure": "continue", /; s/{"name": "gate".*//' "$made/pipeline.json"
	enqueue_run across.one across --since=2024-05-01 --until=2024-05-03
	pg "update bf.job set state = 'failed', epoch = epoch + 1, started_at = clock_timestamp(), finished_at = clock_timestamp() where step = 'load' and chunk = '2024-05-02'"
	finish one
	assert_same 'before' '' "$(stale)"
	enqueue_run across.two across --since=2024-05-01 --until=2024-05-03 --reprocess=failed
	finish two
	assert_same 'after' 'clean 02 03, report 02 03' "$(stale)"
}

@test "what a retry marks in its own run is stale, too, and another run makes it again" {
	enqueue_run across.one across --since=2024-05-01 --until=2024-05-03
	finish one
	pg "update bf.job set over_hole = true where step = 'clean' and chunk = '2024-05-02'"
	assert_same 'marked' 'clean 02 02, report 02 02' "$(stale)"
	enqueue_run across.two across --since=2024-05-01 --until=2024-05-03 --reprocess=stale
	finish two
	assert_same 'jobs' 'clean 2024-05-02, gate 2024-05-01..2024-05-03, report 2024-05-02, total 2024-05-01..2024-05-03' \
		"$(pg "select string_agg(step || ' ' || chunk, ', ' order by step, chunk) from bf.job where run = 'across.two'")"
	assert_same 'whole' '' "$(stale)"
}

@test "keys, and where the data is asked, the same" {
	pg "create table there (k text)"
	pipeline kept <<-'JSON'
		{"pipeline": "kept", "chunk": {"keys": {"sql": "sql/keys.sql"}}, "steps": [
		  {"name": "load", "kind": "noop"}, {"name": "report", "kind": "noop", "expected": "sql/keys.sql", "present": "sql/there.sql"}]}
	JSON
	sql_file keys.sql <<<"select 'k' || n from generate_series(1, 5) n;"
	sql_file there.sql <<<"select k from there;"
	enqueue_run across.one kept
	finish one
	pg "insert into there select 'k' || n from generate_series(1, 5) n"
	enqueue_run across.two kept --key=k3 --only=load --reprocess=completed
	finish two
	assert_same 'coverage' '1' "$(bfstat coverage kept --json | jq -r '.stale[] | .count')"
	assert_same 'plan' 'k3' "$(enqueue run kept --reprocess=stale --dry-run --json | jq -r '[.steps[] | select(.jobs > 0) | .first] | join(" ")')"
}

@test "what another identity makes anew makes nothing stale here" {
	sed -i '1s/"chunk": {"size": 1}/&, "params": {"site": {"default": "a", "identity": true}}/' \
		"$made/pipeline.json"
	enqueue_run across.one across "${range[@]}"
	finish one
	enqueue_run across.two across "${range[@]}" --only=load --param=site=b
	finish two
	assert_same 'nothing' '' "$(stale)"
	run -0 enqueue run across "${range[@]}" --reprocess=stale --dry-run
	[[ $output = *'Nothing to do'* ]]
	enqueue_run across.three across "${range[@]}" --only=load --reprocess=completed
	finish three
	[[ $(stale) = 'clean 01 08, report 01 08' ]]
}
