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
	[[ $output = *'OVER A HOLE  done although something before was not there'*'sum: 3 jobs, 2024-01-04 to 2024-01-06'* ]]
	[[ $output = *'enqueue retry roll.one  '*'enqueue retry roll.one --downstream'* ]]
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
	[[ $output = *'No jobs of run roll.one opened again'*'nothing that is done was done over a hole'* ]]
	run -2 enqueue retry roll.one --downstream --step=sum
	[[ $output = *'--downstream: found beside --step, expected it alone: it is about the whole run'* ]]
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

# Steps that go on whatever fails, not in the order in which they need each other: behind a gate a step of half as many chunks, one with two
# days' look-back, one in order, a sum of all, a program, and one with which none of this has to do.
graph() {
	pg "create table again (step text, chunk text)"
	pipeline graph <<-JSON
		{"pipeline": "graph", "chunk": {"size": 1}, "defaults": {"retry": {"attempts": 1}, "on_failure": "continue"}, "concurrency": {"default": 4},
		 "steps": [
		  {"name": "sum", "kind": "sql", "file": "sql/note.sql", "per": "run", "needs": ["mean", "other"]},
		  {"name": "mean", "kind": "sql", "file": "sql/note.sql", "needs": ["pair"], "lookback": {"days": 2}},
		  {"name": "pair", "kind": "sql", "file": "sql/note.sql", "chunk": {"size": 2}, "needs": ["gate"]},
		  {"name": "gate", "kind": "check", "type": "row_count", "file": "sql/gate.sql", "error_if": "< 1", "needs": ["copy"]},
		  {"name": "copy", "kind": "sql", "file": "sql/copy.sql", "needs": []},
		  {"name": "other", "kind": "sql", "file": "sql/note.sql", "needs": []},
		  {"name": "roll", "kind": "sql", "file": "sql/note.sql", "concurrency": 1, "needs": ["copy"]},
		  {"name": "file", "kind": "exec", "argv": ["bin/file"], "needs": ["pair"]}]}
	JSON
	sql_file copy.sql <<<"select 1 / (select 1 - count(*) from bad where chunk = :'chunk');"
	sql_file gate.sql <<<"select 1;"
	sql_file note.sql <<<"insert into again values (:'step', :'chunk');"
	# shellcheck disable=SC2016 # for the program
	program file <<-'SH'
		echo "checkpoint end" >&"$BF_PROGRESS_FD"
		echo "$BF_JOB from ${BF_CHECKPOINT:-its beginning}" >>"$(dirname "$0")/../made"
	SH
}
over() { pg "select string_agg(step || ' ' || chunk, ', ' order by step, seq) from bf.job where run = '$1' and over_hole and state = 'done'"; }
twice() { pg "select string_agg(step || ' ' || chunk, ', ' order by step, chunk) from (select step, chunk from again group by 1, 2 having count(*) = 2) a"; }

@test "a retry marks what later steps did without the chunk, and does it again when it is told to" {
	graph
	enqueue_run graph.one graph --since=2024-01-01 --until=2024-01-08
	wait_for_end graph.one
	assert_same 'the hole is open: nothing is to be done again yet' '' "$(over graph.one)"
	pg 'delete from bad'
	enqueue retry graph.one
	wait_for_end graph.one
	local in_order='roll 2024-01-03, roll 2024-01-04, roll 2024-01-05, roll 2024-01-06, roll 2024-01-07, roll 2024-01-08'
	local mean='mean 2024-01-03, mean 2024-01-04, mean 2024-01-05, mean 2024-01-06' pair='pair 2024-01-03..2024-01-04' sum='sum 2024-01-01..2024-01-08'
	assert_same 'marked' "file 2024-01-03, file 2024-01-04, $mean, $pair, $in_order, $sum" "$(over graph.one)"
	assert_same 'nothing is done again unasked' '' "$(twice)"
	assert_same 'the gate judged again' 2 "$(pg "select count(*) from bf.check_result where run = 'graph.one' and step = 'gate'")"
	run -0 bfstat graph.one
	[[ $output = *'OVER A HOLE'*'sum: 1 job'*'mean: 4 jobs, 2024-01-03 to 2024-01-06'*'pair: 1 job'*'roll: 6 jobs'*'enqueue retry graph.one --downstream'* ]]
	bfstat report graph.one --out="$BATS_TEST_TMPDIR/report" >/dev/null || true
	grep -rq 'nothing is left that was done over a hole' "$BATS_TEST_TMPDIR/report"
	rm "$made/made"
	enqueue retry graph.one --downstream --note='the source was mended'
	wait_for_end graph.one
	assert_same 'run' done "$(run_state graph.one)"
	assert_same 'done again' "$mean, $pair, $in_order, $sum" "$(twice)"
	assert_same 'from their beginning, with a key of their own' 'graph.one/file/2024-01-03/2 from its beginning,graph.one/file/2024-01-04/2 from its beginning' \
		"$(sort "$made/made" | paste -sd,)"
	assert_same 'marked' '' "$(over graph.one)"
	assert_same 'event' 'the source was mended' "$(pg "select note from bf.event where run = 'graph.one' and what = 'retry downstream'")"
}

@test "downstream at once: first the chunks, then what comes after them; a hole that stays is built over again" {
	graph
	pg "insert into bad values ('2024-01-06')"
	enqueue_run graph.two graph --since=2024-01-01 --until=2024-01-08
	wait_for_end graph.two
	pg "delete from bad where chunk = '2024-01-06'"
	enqueue retry graph.two --downstream
	wait_for_end graph.two
	assert_same 'the other hole is still there' failed "$(run_state graph.two)"
	assert_same 'done again' 'pair 2024-01-03..2024-01-04, pair 2024-01-05..2024-01-06' "$(twice | grep -o 'pair [^,]*' | paste -sd, | sed 's/,/, /')"
	assert_same 'in order' t "$(pg "
		select max(finished_at) filter (where step = 'copy') < min(started_at) filter (where step = 'pair' and redone = 1)
		   and max(finished_at) filter (where step = 'pair') < min(started_at) filter (where step = 'mean' and redone = 1) from bf.job where run = 'graph.two'")"
	pg 'delete from bad'
	enqueue retry graph.two
	wait_for_end graph.two
	assert_same 'marked' 'pair 2024-01-03..2024-01-04' "$(over graph.two | grep -o 'pair [^,]*')"
}

@test "a chunk that was skipped in between: what went on without it is marked when it is done after all" {
	pg "create table again (step text, chunk text)"
	pipeline between <<-JSON
		{"pipeline": "between", "chunk": {"size": 1}, "defaults": {"retry": {"attempts": 1}},
		 "steps": [
		  {"name": "copy", "kind": "sql", "file": "sql/note.sql"},
		  {"name": "make", "kind": "sql", "file": "sql/note.sql", "wait_for": "chunk"},
		  {"name": "sum", "kind": "sql", "file": "sql/note.sql"}]}
	JSON
	sql_file note.sql <<<"insert into again values (:'step', :'chunk');"
	wait_until 'grep -q slots "$BATS_TEST_TMPDIR/worker-0.log"'
	kill_worker "${WORKER_PIDS[0]}"
	enqueue_run between.one between --since=2024-01-01 --until=2024-01-04
	enqueue cancel between.one --step=copy --chunk=2024-01-02
	start_worker
	wait_for_end between.one
	assert_same 'skipped' 'make 2024-01-02' "$(pg "select step || ' ' || chunk from bf.job where run = 'between.one' and state = 'skipped'")"
	enqueue retry between.one
	wait_for_end between.one
	assert_same 'marked' 'sum 2024-01-02' "$(over between.one)"
	enqueue retry between.one --downstream
	wait_for_end between.one
	assert_same 'done again' 'sum 2024-01-02' "$(twice)"
	assert_same 'marked' '' "$(over between.one)"
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

@test "opened while a retry is being decided: a later step's job does not begin before what is opened again" {
	pg 'create table go (ok bool)'
	pipeline race <<-JSON
		{"pipeline": "race", "chunk": {"size": 1}, "defaults": {"retry": {"attempts": 1}, "on_failure": "continue"}, "concurrency": {"default": 4},
		 "steps": [{"name": "copy", "kind": "sql", "file": "sql/copy.sql"}, {"name": "make", "kind": "sql", "file": "sql/make.sql"}]}
	JSON
	sql_file copy.sql <<<"select 1 / (select 1 - count(*) from bad where chunk = :'chunk');"
	pg "create function wait_for_go() returns void language plpgsql as 'begin while not exists (select from go) loop perform pg_sleep(0.02); end loop; end'"
	sql_file make.sql <<<"select wait_for_go() where :'chunk' = '2024-01-01';"
	wait_until 'grep -q slots "$BATS_TEST_TMPDIR/worker-0.log"'
	kill_worker "${WORKER_PIDS[0]}"
	start_worker --slots=1
	enqueue_run race.one race --since=2024-01-01 --until=2024-01-06
	wait_until "is running \"select state from bf.job where run = 'race.one' and step = 'make' and chunk = '2024-01-01'\""
	pg 'delete from bad'
	pg "begin; select bf.retry('race.one', null, null, 'me', null); select pg_sleep(3); commit" &
	local retry=$!
	wait_until "is t \"select exists (select from pg_stat_activity where query like '%bf.retry(%pg_sleep%' and wait_event = 'PgSleep')\""
	start_worker --slots=1
	wait_until "is t \"select exists (select from pg_stat_activity where application_name like 'worker%' and wait_event_type = 'Lock')\""
	wait "$retry"
	pg 'insert into go values (true)'
	wait_for_end race.one
	assert_same 'run' done "$(run_state race.one)"
	assert_same 'begun before copy was whole' '2024-01-01' "$(pg "
		select string_agg(chunk, ' ') from bf.job where run = 'race.one' and step = 'make'
		   and started_at < (select max(finished_at) from bf.job where run = 'race.one' and step = 'copy')")"
	assert_same 'nothing is marked' '' "$(marked race.one)"
}

@test "a try that failed while something was missing does not go on from its checkpoint" {
	pipeline half <<-JSON
		{"pipeline": "half", "chunk": {"size": 1}, "defaults": {"retry": {"attempts": 1}, "on_failure": "continue"},
		 "steps": [{"name": "copy", "kind": "sql", "file": "sql/copy.sql"}, {"name": "file", "kind": "exec", "argv": ["bin/file"]}]}
	JSON
	sql_file copy.sql <<<"select 1 / (select 1 - count(*) from bad where chunk = :'chunk');"
	# shellcheck disable=SC2016 # for the program
	program file <<-'SH'
		echo "$BF_CHUNK from ${BF_CHECKPOINT:-its beginning}" >>"$(dirname "$0")/../made"
		[ -e "$(dirname "$0")/../mended" ] || { echo "checkpoint half" >&"$BF_PROGRESS_FD"; exit 1; }
	SH
	enqueue_run half.one half --since=2024-01-02 --until=2024-01-04
	wait_for_end half.one
	pg 'delete from bad'
	touch "$made/mended"
	rm "$made/made"
	enqueue retry half.one
	wait_for_end half.one
	assert_same 'that day from its beginning, the others where they were' \
		'2024-01-02 from half,2024-01-03 from its beginning,2024-01-04 from half' "$(sort "$made/made" | paste -sd,)"
	assert_same 'run' done "$(run_state half.one)"
}

@test "what was skipped, and another run has done since, does not keep from being done what comes after" {
	pipeline others <<-JSON
		{"pipeline": "others", "chunk": {"size": 1}, "defaults": {"retry": {"attempts": 1}},
		 "steps": [{"name": "copy", "kind": "sql", "file": "sql/copy.sql"}, {"name": "make", "kind": "noop"}, {"name": "sum", "kind": "noop", "per": "run"}]}
	JSON
	sql_file copy.sql <<<"select 1 / (select 1 - count(*) from bad where chunk = :'chunk');"
	enqueue_run others.one others --since=2024-01-01 --until=2024-01-04
	wait_for_end others.one
	assert_same 'skipped' 5 "$(pg "select count(*) from bf.job where run = 'others.one' and state = 'skipped'")"
	enqueue_run others.two others --since=2024-01-01 --until=2024-01-04 --only=make
	wait_for_end others.two
	pg 'delete from bad'
	enqueue retry others.one
	wait_for_end others.one
	assert_same 'run' done "$(run_state others.one)"
	assert_same 'the sum is done' done "$(pg "select state from bf.job where run = 'others.one' and step = 'sum'")"
}
