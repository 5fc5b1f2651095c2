# A chunk that failed is split in two, until the one bad day is alone.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	pg 'create table bad (day date); create table effect (chunk text)'
	pipeline halves <<-'JSON'
		{"pipeline": "halves", "chunk": {"size": 30, "max": 30}, "concurrency": {"default": 3}, "defaults": {"retry": {"attempts": 1}},
		 "steps": [{"name": "make", "kind": "sql", "file": "sql/make.sql", "split": true, "on_failure": "continue"},
		           {"name": "after", "kind": "noop", "per": "run"}]}
	JSON
	sql_file make.sql <<<"insert into effect values (:'chunk'); select 1 / (not exists (select from bad where day between :'since' and :'until'))::int;"
}
teardown() { bf_teardown; }

failed_days() { pg "select string_agg(chunk, ' ' order by since) from bf.job where run = '$1' and step = 'make' and state = 'failed'"; }
# The days of the range that are done exactly once, and those that are not.
days_done() { pg "select count(*) from (select d from generate_series('2024-01-01'::date, '2024-03-30', interval '1 day') d join bf.job j on j.run = '$1' and j.step = 'make' and j.state = 'done' and d between j.since and j.until group by d having count(*) = 1) x"; }
# What is done has had its effect once, what is not has had none.
assert_effects() { # RUN
	assert_same 'effects' '' "$(pg "select * from (select chunk from bf.job where run = '$1' and step = 'make' and state = 'done' except all select chunk from effect) a union all (select chunk from effect except all select chunk from bf.job where run = '$1' and step = 'make' and state = 'done')")"
}

@test "two bad days of ninety are alone in the end, and the rest is done" {
	pg "insert into bad values ('2024-01-17'), ('2024-03-30')"
	enqueue_run h.one halves --since=2024-01-01 --until=2024-03-30
	start_worker
	wait_for_end h.one
	assert_same 'state' failed "$(run_state h.one)"
	assert_same 'failed' '2024-01-17 2024-03-30' "$(failed_days h.one)"
	assert_same 'days done once' 88 "$(days_done h.one)"
	assert_effects h.one
	assert_same 'split' t "$(pg "select count(*) filter (where split and state = 'skipped') = count(*) filter (where state = 'skipped') and count(*) > 3 from bf.job where run = 'h.one' and step = 'make'")"
	assert_same 'planned' "$(pg "select count(*) from bf.job where run = 'h.one' and step = 'make'")" "$(pg "select planned from bf.step where run = 'h.one' and step = 'make'")"
	assert_same 'what comes after' done "$(pg "select state from bf.step where run = 'h.one' and step = 'after'")"
	run bfstat failures h.one
	[[ $output = *2024-01-17* && $output = *2024-03-30* && $output != *2024-01-16* ]]
	bfstat verify

	# mended, only those two are tried again
	pg 'delete from bad'
	run enqueue retry h.one
	[[ $output = *'2 jobs of run h.one opened again'* || $output = *'3 jobs of run h.one opened again'* ]]
	wait_until '[ "$(run_state h.one)" = done ]'
	assert_same 'days done once' 90 "$(days_done h.one)"
	assert_effects h.one
	bfstat report h.one --out="$BATS_TEST_TMPDIR/out" | grep -q 'met     make: all that was planned is done'
	bfstat verify
	run enqueue run halves --since=2024-01-01 --until=2024-03-30 --only=make
	[[ $output = *'Nothing to do'* ]]
}

@test "workers die, and Redis forgets everything, while chunks are split" {
	pg "insert into bad values ('2024-01-17'), ('2024-02-29'), ('2024-03-30')"
	sed -i 's/^/select pg_sleep(0.1); /' "$made/sql/make.sql"
	export BF_LEASE=1s
	enqueue_run h.two halves --since=2024-01-01 --until=2024-03-30
	local n
	for n in 1 2 3; do
		start_worker --slots=2
		wait_until "at_least $n \"select count(*) from bf.job where run = 'h.two' and split\""
		kill_worker "${WORKER_PIDS[-1]}" KILL || true
		[ $n -ne 2 ] || rd flushdb
	done
	start_worker
	wait_for_end h.two 60
	assert_same 'failed' '2024-01-17 2024-02-29 2024-03-30' "$(failed_days h.two)"
	assert_same 'days done once' 87 "$(days_done h.two)"
	assert_effects h.two
	assert_same 'left to split' 0 "$(pg 'select count(*) from bf.split_wanted')"
	bfstat verify
}

@test "without split the whole chunk fails" {
	pg "insert into bad values ('2024-01-17')"
	sed -i 's/"split": true, //' "$made/pipeline.json"
	enqueue_run h.three halves --since=2024-01-01 --until=2024-03-30
	start_worker
	wait_for_end h.three
	assert_same 'failed' '2024-01-01..2024-01-30' "$(failed_days h.three)"
}
