# What is done over a hole, by a step that goes in order or by those behind it: it is marked, shown, and done again when that is asked for.
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
	[[ $output = *'OVER A HOLE  sum: 3 jobs, 2024-01-04 to 2024-01-06, done although something before was not there'* ]]
	[[ $output != *'--downstream'* ]]
	pg 'delete from bad'
	enqueue retry roll.one
	wait_for_end roll.one
	run -0 bfstat roll.one
	assert_same 'json' 3 "$(bfstat roll.one --json | jq '.steps[0].over_hole')"
	assert_same 'jobs' '2024-01-04 2024-01-05 2024-01-06' "$(bfstat jobs roll.one --json | jq -r '[.jobs[] | select(.over_hole) | .chunk] | join(" ")')"
	[[ $(bfstat jobs roll.one) = *'2024-01-04 '*'over a hole'* ]]
	again=$(grep -o 'enqueue retry roll.one --downstream' <<<"$output")
	run -0 $again
	[[ $output = *'3 jobs of run roll.one opened again.'* ]]
	wait_for_end roll.one
	run -0 bfstat roll.one
	[[ $output != *'OVER A HOLE'* ]]
	assert_same 'marked' '' "$(marked roll.one)"
	assert_same 'effects' '1 1 1 2 2 2' "$(pg "select string_agg(n::text, ' ' order by chunk) from (select chunk, count(*) as n from effect group by 1) e")"
	run -0 enqueue retry roll.one --downstream
	[[ $output = *'No jobs of run roll.one opened again'* ]]
}

@test "another run that does again what was done over a hole settles it, too" {
	enqueue_run roll.one roll --since=2024-01-01 --until=2024-01-06
	wait_for_end roll.one
	pg 'delete from bad'
	enqueue retry roll.one
	wait_for_end roll.one
	enqueue_run roll.two roll --since=2024-01-04 --until=2024-01-06 --reprocess=completed
	wait_for_end roll.two
	run -0 bfstat roll.one
	[[ $output != *'OVER A HOLE'* ]]
	assert_same 'the second run has none' '' "$(marked roll.two)"
	run -0 enqueue retry roll.one --downstream
	[[ $output = *'No jobs of run roll.one opened again'* ]]
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

# Four steps that go on whatever fails: days, behind a gate half as many chunks, a week's look-back, and a sum of all.
graph() {
	pg "create table again (step text, chunk text)"
	pipeline graph <<-JSON
		{"pipeline": "graph", "chunk": {"size": 1}, "defaults": {"retry": {"attempts": 1}, "on_failure": "continue"}, "concurrency": {"default": 4},
		 "steps": [
		  {"name": "copy", "kind": "sql", "file": "sql/copy.sql"},
		  {"name": "gate", "kind": "check", "type": "row_count", "file": "sql/gate.sql", "error_if": "< 1"},
		  {"name": "pair", "kind": "sql", "file": "sql/note.sql", "chunk": {"size": 2}},
		  {"name": "mean", "kind": "sql", "file": "sql/note.sql", "needs": ["pair"], "lookback": {"days": 2}},
		  {"name": "other", "kind": "sql", "file": "sql/note.sql", "needs": []},
		  {"name": "sum", "kind": "sql", "file": "sql/note.sql", "per": "run", "needs": ["mean", "other"]}]}
	JSON
	sql_file copy.sql <<<"select 1 / (select 1 - count(*) from bad where chunk = :'chunk');"
	sql_file gate.sql <<<"select 1;"
	sql_file note.sql <<<"insert into again values (:'step', :'chunk');"
}
over() { pg "select string_agg(step || ' ' || chunk, ', ' order by step, seq) from bf.job where run = '$1' and over_hole and state = 'done'"; }
twice() { pg "select string_agg(step || ' ' || chunk, ', ' order by step, chunk) from (select step, chunk from again group by 1, 2 having count(*) = 2) a"; }

@test "a retry marks what later steps did without the chunk, and does it again when it is told to" {
	graph
	enqueue_run graph.one graph --since=2024-01-01 --until=2024-01-08
	wait_for_end graph.one
	assert_same 'the hole is open: nothing is to be done again yet' '' "$(over graph.one)"
	pg 'delete from bad; truncate again'
	enqueue retry graph.one
	wait_for_end graph.one
	local want='mean 2024-01-03, mean 2024-01-04, mean 2024-01-05, mean 2024-01-06, pair 2024-01-03..2024-01-04, sum 2024-01-01..2024-01-08'
	assert_same 'marked' "$want" "$(over graph.one)"
	assert_same 'nothing is done again unasked' 0 "$(pg 'select count(*) from again')"
	assert_same 'the gate judged again' 2 "$(pg "select count(*) from bf.check_result where run = 'graph.one' and step = 'gate'")"
	run -0 bfstat graph.one
	[[ $output = *'OVER A HOLE'*'pair: 1 job'*'mean: 4 jobs, 2024-01-03 to 2024-01-06'*'sum: 1 job'*'enqueue retry graph.one --downstream'* ]]
	pg "insert into again select step, chunk from bf.job where run = 'graph.one' and step in ('pair', 'mean', 'other', 'sum')"
	enqueue retry graph.one --downstream
	wait_for_end graph.one
	assert_same 'run' done "$(run_state graph.one)"
	assert_same 'done again' "$want" "$(twice)"
	assert_same 'marked' '' "$(over graph.one)"
}

@test "downstream at once: first the chunk, then what comes after it; with --step only what comes after that one" {
	graph
	pg "insert into bad values ('2024-01-06')"
	enqueue_run graph.two graph --since=2024-01-01 --until=2024-01-08
	wait_for_end graph.two
	pg 'delete from bad'
	enqueue retry graph.two --chunk=2024-01-06 --downstream
	wait_for_end graph.two
	assert_same 'done again' 'mean 2024-01-05, mean 2024-01-06, mean 2024-01-07, mean 2024-01-08, pair 2024-01-05..2024-01-06, sum 2024-01-01..2024-01-08' "$(twice)"
	assert_same 'a hole is there' failed "$(run_state graph.two)"
	enqueue retry graph.two
	wait_for_end graph.two
	enqueue retry graph.two --step=mean --downstream
	wait_for_end graph.two
	assert_same 'still marked' 'pair 2024-01-03..2024-01-04' "$(over graph.two)"
}

@test "chunk by chunk and by keys: those that look back at what was missing" {
	pg "create table again (step text, chunk text); insert into bad values ('c')"
	pipeline keys <<-JSON
		{"pipeline": "keys", "chunk": {"keys": {"file": "plan.json", "array": "keys"}}, "defaults": {"retry": {"attempts": 1}, "on_failure": "continue"}, "concurrency": {"default": 4},
		 "steps": [
		  {"name": "copy", "kind": "sql", "file": "sql/copy.sql"},
		  {"name": "follow", "kind": "sql", "file": "sql/note.sql", "wait_for": "chunk", "lookback": {"keys": 1}},
		  {"name": "mean", "kind": "sql", "file": "sql/note.sql", "needs": ["copy"], "lookback": {"keys": 2}}]}
	JSON
	sql_file copy.sql <<<"select 1 / (select 1 - count(*) from bad where chunk = :'chunk');"
	sql_file note.sql <<<"insert into again values (:'step', :'chunk');"
	echo '{"keys": ["a", "b", "c", "d", "e", "f", "g"]}' >"$made/plan.json"
	enqueue_run keys.one keys
	wait_for_end keys.one
	pg 'delete from bad'
	enqueue retry keys.one
	wait_for_end keys.one
	assert_same 'marked' 'follow c, follow d, mean c, mean d, mean e' "$(over keys.one)"
	run -0 bfstat keys.one
	[[ $output = *'follow: 2 jobs, c to d'*'mean: 3 jobs, c to e'* ]]
	enqueue retry keys.one --downstream
	wait_for_end keys.one
	assert_same 'done again' 'follow c, follow d, mean c, mean d, mean e' "$(twice)"
}
