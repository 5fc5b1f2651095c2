# What a chronological step that goes on after a failure builds over the hole: it is marked, shown, and named as a command once the hole is filled.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	pg "create table effect (chunk text); create table bad (chunk text); insert into bad values ('2024-01-03')"
	pipeline roll <<-JSON
		{"pipeline": "roll", "chunk": {"size": 1}, "defaults": {"retry": {"attempts": 1}},
		 "steps": [{"name": "sum", "kind": "sql", "file": "sql/sum.sql", "concurrency": 1, "on_failure": "continue"}]}
	JSON
	sql_file sum.sql <<-'SQL'
		insert into effect values (:'chunk');
		select 1 / (select 1 - count(*) from bad where chunk = :'chunk');
	SQL
	start_worker
}
teardown() { bf_teardown; }

marked() { pg "select string_agg(chunk, ' ' order by seq) from bf.job where run = '$1' and over_hole"; }

@test "what came after the chunk that failed is marked, also after the hole is filled, until it is done again" {
	enqueue_run roll.one roll --since=2024-01-01 --until=2024-01-06
	wait_for_end roll.one
	assert_same 'marked' '2024-01-04 2024-01-05 2024-01-06' "$(marked roll.one)"
	run -1 bfstat roll.one
	[[ $output = *'OVER A HOLE  sum: 3 jobs, 2024-01-04 to 2024-01-06, done although one before was not there'* ]]
	[[ $output != *'--reprocess=completed'* ]]
	pg 'delete from bad'
	enqueue retry roll.one
	wait_for_end roll.one
	run -0 bfstat roll.one
	assert_same 'json' 3 "$(bfstat roll.one --json | jq '.steps[0].over_hole')"
	assert_same 'jobs' '2024-01-04 2024-01-05 2024-01-06' "$(bfstat jobs roll.one --json | jq -r '[.jobs[] | select(.over_hole) | .chunk] | join(" ")')"
	[[ $(bfstat jobs roll.one) = *'2024-01-04 '*'over a hole'* ]]
	again=$(grep -o 'enqueue run roll --only=sum --since=2024-01-04 --until=2024-01-06 --reprocess=completed' <<<"$output")
	$again --run-id=roll.two
	wait_for_end roll.two
	run -0 bfstat roll.one
	[[ $output != *'OVER A HOLE'* ]]
	assert_same 'the second run has none' '' "$(marked roll.two)"
}

@test "filled while the step is still under way: marked, too; a cancelled chunk is a hole; where nothing is missing, nothing is marked" {
	enqueue_run roll.slow roll --since=2024-01-01 --until=2024-01-05 --limit=4
	wait_for_end roll.slow
	pg 'delete from bad'
	enqueue_run roll.whole roll --since=2024-02-01 --until=2024-02-05
	wait_for_end roll.whole
	assert_same 'nothing is missing' '' "$(marked roll.whole)"
	kill_worker "${WORKER_PIDS[0]}"
	enqueue_run roll.less roll --since=2024-03-01 --until=2024-03-06
	enqueue cancel roll.less --step=sum --chunk=2024-03-02
	sql_file sum.sql <<<"insert into effect values (:'chunk');"
	start_worker
	wait_for_end roll.less
	assert_same 'after what was cancelled' '2024-03-03 2024-03-04 2024-03-05 2024-03-06' "$(marked roll.less)"

	sql_file sum.sql <<-'SQL'
		select 1 / (select 1 - count(*) from bad where chunk = :'chunk');
		select case when :'chunk' = '2024-04-04' then pg_sleep(2) end;
	SQL
	pg "insert into bad values ('2024-04-02')"
	enqueue_run roll.early roll --since=2024-04-01 --until=2024-04-05
	wait_until "is running \"select state from bf.job where run = 'roll.early' and chunk = '2024-04-04'\""
	pg 'delete from bad'
	enqueue retry roll.early
	wait_for_end roll.early
	assert_same 'run' done "$(run_state roll.early)"
	assert_same 'begun before the hole was filled' '2024-04-03 2024-04-04' "$(marked roll.early)"
}

@test "cancelled as a whole while a hole was open: what was done over it is marked" {
	sql_file sum.sql <<-'SQL'
		select 1 / (select 1 - count(*) from bad where chunk = :'chunk');
		select case when :'chunk' = '2024-01-05' then pg_sleep(30) end;
	SQL
	enqueue_run roll.ends roll --since=2024-01-01 --until=2024-01-06
	wait_until "is running \"select state from bf.job where run = 'roll.ends' and chunk = '2024-01-05'\""
	enqueue cancel roll.ends
	wait_for_end roll.ends
	assert_same 'marked' '2024-01-04' "$(pg "select string_agg(chunk, ' ') from bf.job where run = 'roll.ends' and over_hole and state = 'done'")"
}
