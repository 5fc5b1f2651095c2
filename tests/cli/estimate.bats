# How long a run may take, before it is planned.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() { bf_setup; }
teardown() { bf_teardown; }

@test "a dry run says how long it may take, by what earlier runs took: by days, side by side, one after the other, at a rate" {
	pipeline long <<-'JSON'
		{"pipeline": "long", "chunk": {"size": 2}, "concurrency": {"default": 4},
		 "steps": [{"name": "load", "kind": "noop"}, {"name": "ask", "kind": "approval"}, {"name": "watch", "kind": "soak", "interval": "1s", "duration": "1s", "checks": [{"name": "one", "type": "metric", "file": "sql/one.sql", "error_if": "< 1"}]},
		           {"name": "roll", "kind": "noop", "concurrency": 1}]}
	JSON
	sql_file one.sql <<<'select 1'
	run enqueue run long --since=2024-01-01 --until=2024-01-10 --dry-run --json
	assert_same 'nothing is known' 'null 0' "$(jq -r '"\(.estimate_ms) \(.measured_jobs)"' <<<"$output")"
	enqueue_run l.one long --since=2024-01-01 --until=2024-01-10 --only=load --only=roll
	worker --drain >"$BATS_TEST_TMPDIR/worker.log" 2>&1
	pg "update bf.job set started_at = finished_at - case step when 'load' then interval '8 s' else interval '2 s' end where run = 'l.one'"

	# load: 4 s a day, 40 days, four at a time; watch: 1 s; roll: 1 s a day, one after the other
	run enqueue run long --since=2024-02-01 --until=2024-03-11 --dry-run --json
	assert_same 'steps' '40000 0 1000 40000' "$(jq -r '[.steps[].estimate_ms] | join(" ")' <<<"$output")"
	assert_same 'in all' '81000 10' "$(jq -r '"\(.estimate_ms) \(.measured_jobs)"' <<<"$output")"
	run enqueue run long --since=2024-02-01 --until=2024-03-11 --dry-run
	[[ $output = *'About 1 min 21 s, by what 10 jobs of earlier runs took; without the time that people take.'* ]]
	run enqueue run long --since=2024-02-01 --until=2024-03-11 --dry-run --json --batch-days=1 --limit=8 --only=load
	assert_same 'a canary of eight days' 8000 "$(jq -r .estimate_ms <<<"$output")"
	sed -i 's/"concurrency": {/"rate": "6\/minute", &/; s/"name": "roll"/"name": "new"/' "$made/pipeline.json"
	run enqueue run long --since=2024-02-01 --until=2024-03-11 --dry-run
	[[ $output = *'About 6 min 50 s, by what 5 jobs'*'Not measured yet, and not in it: new.'* ]]
}
