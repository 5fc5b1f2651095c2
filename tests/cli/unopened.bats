# What nobody can work with does not hang in silence: it is refused when it is planned, and where it is in the ledger all the same, it fails
# with the reason, and keeps no other job waiting.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() { bf_setup; }
teardown() { bf_teardown; }

days_pipeline() { # NAME
	pg 'create table effect (chunk text)'
	pipeline "$1" <<-JSON
		{"pipeline": "$1", "chunk": {"size": 1}, "concurrency": {"default": 20, "max": 20},
		 "steps": [{"name": "work", "kind": "sql", "file": "sql/work.sql"}]}
	JSON
	sql_file work.sql <<<"insert into effect values (:'chunk');"
}

@test "a number of any size in a pipeline can be read back by the workers" {
	pipeline huge <<-'JSON'
		{"pipeline": "huge", "chunk": {"size": 1}, "defaults": {"retry": {"attempts": 1}},
		 "steps": [{"name": "send", "kind": "http", "method": "POST", "url": "http://127.0.0.1:1/", "body": {"n": 1e19}}]}
	JSON
	enqueue run huge --since=2024-01-01 --until=2024-01-02 --dry-run
	enqueue_run huge.one huge --since=2024-01-01 --until=2024-01-02
	start_worker
	wait_for_end huge.one
	assert_same 'requests that nobody answers' 2 "$(pg "select count(*) from bf.job where run = 'huge.one' and error like '%127.0.0.1:1%'")"
}

@test "a run whose pinned pipeline nobody can read fails with that reason, and bfstat shows it" {
	days_pipeline unread
	enqueue_run unread.one unread --since=2024-01-01 --until=2024-01-05
	pg "update bf.pipeline set written = left(written, 40)"
	start_worker
	wait_for_end unread.one
	assert_same 'the run' failed "$(run_state unread.one)"
	assert_same 'failed, and why' '5 definition' "$(pg "select count(*) || ' ' || min(error_category) from bf.job where run = 'unread.one' and state = 'failed'")"
	run bfstat failures unread.one
	[[ $output = *"the run's pinned pipeline cannot be read"* ]]
	grep -q 'run unread.one: this program cannot work with its pipeline; its jobs fail' "$BATS_TEST_TMPDIR/worker-0.log"
	pg "update bf.pipeline set written = null" # as an older program leaves it: the body counts
	enqueue retry unread.one
	wait_until "[ \"\$(run_state unread.one)\" = done ]"
	oracle unread.one work=effect
}

@test "a job whose row cannot be worked with fails by itself: all others that were opened together with it are done" {
	days_pipeline poison
	enqueue_run poison.one poison --since=2024-01-01 --until=2024-01-20
	pg "update bf.job set epoch = 2147483647 where run = 'poison.one' and seq in (7, 13)"
	start_worker --slots=20
	wait_for_end poison.one
	assert_same 'done, failed' '18 2' "$(pg "select count(*) filter (where state = 'done') || ' ' || count(*) filter (where state = 'failed') from bf.job")"
	assert_same 'why' '7 ledger|13 ledger' "$(pg "select string_agg(seq || ' ' || error_category, '|' order by seq) from bf.job where state = 'failed'")"
	assert_same 'effects' '18 18' "$(pg 'select count(*) || $$ $$ || count(distinct chunk) from effect')"
	run bfstat failures poison.one
	[[ $output = *'its row in the ledger cannot be worked with: integer out of range'* ]]
	grep -q 'poison.one/work/2024-01-07#7: its row in the ledger cannot be worked with' "$BATS_TEST_TMPDIR/worker-0.log"
}
