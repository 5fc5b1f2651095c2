# "wait_for": "chunk": a step goes behind another one chunk by chunk; "lookback" in days and in keys.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	pg "create table effect (run text, step text, chunk text, note text); create table bad (chunk text)"
}
teardown() { bf_teardown; }

# copy takes a moment for each chunk, and fails at those in `bad`; make and then sum follow it.
sql_files() {
	sql_file copy.sql <<-'SQL'
		insert into effect values (:'run', 'copy', :'chunk');
		select 1 / (select 1 - count(*) from bad where chunk = :'chunk');
		select pg_sleep(0.15);
	SQL
	sql_file make.sql <<<"insert into effect values (:'run', 'make', :'chunk');"
	sql_file sum.sql <<<"insert into effect values (:'run', 'sum', :'chunk');"
}

days() { # [FIELDS OF make [FIELDS OF copy]]
	pipeline days <<-JSON
		{"pipeline": "days", "chunk": {"size": 1}, "concurrency": {"default": 2},
		 "defaults": {"retry": {"attempts": 1}},
		 "steps": [
		  {"name": "copy", "kind": "sql", "file": "sql/copy.sql"${2:-}},
		  {"name": "make", "kind": "sql", "file": "sql/make.sql", "wait_for": "chunk"${1:-}},
		  {"name": "sum", "kind": "sql", "file": "sql/sum.sql", "wait_for": "chunk"}]}
	JSON
	sql_files
}

await() { # NAME QUERY: a function await_NAME(p_run) that returns when the query has a row
	pg "create function await_$1(p_run text) returns void language plpgsql as \$\$
	    begin
	        for i in 1 .. 1500 loop
	            if exists ($2) then
	                return;
	            end if;
	            perform pg_sleep(0.02);
	        end loop;
	        raise exception 'waited for $1 in vain';
	    end \$\$"
}
# The last chunk of `copy` waits for the first of `make`: the run is done only if they do not go one after the other.
side_by_side() {
	await make "select from bf.job where run = p_run and step = 'make' and state = 'done'"
	echo "select await_make(:'run') where :'chunk' = (select chunk from bf.job where run = :'run' and step = 'copy' order by seq desc limit 1);" >>"$made/sql/copy.sql"
}
effects() { pg "select step || ' ' || count(*) || ' ' || count(distinct chunk) from effect where run = '$1' group by step order by min(ctid)"; }
states() { pg "select step || ' ' || state from bf.step where run = '$1' order by ordinal" | paste -sd,; }
skipped() { pg "select string_agg(step || ' ' || chunk, ', ' order by step, seq) from bf.job where run = '$1' and state = 'skipped'"; }
of_days() { # RUN: each has copied, made and summed its ten days
	pg "create or replace view effect_copy as select chunk from effect where run = '$1' and step = 'copy';
	    create or replace view effect_make as select chunk from effect where run = '$1' and step = 'make';
	    create or replace view effect_sum as select chunk from effect where run = '$1' and step = 'sum'"
	oracle "$1" copy=effect_copy make=effect_make sum=effect_sum
}

@test "a chunk begins when the same chunk of the step before is done, and not before" {
	days
	side_by_side
	enqueue_run days.one days --since=2024-01-01 --until=2024-01-10
	start_worker --slots=4
	wait_for_end days.one
	assert_same 'run' done "$(run_state days.one)"
	assert_behind days.one
	of_days days.one
	assert_same 'steps, each released once' 'copy,make,sum' "$(pg "select string_agg(step, ',' order by step) from bf.event where run = 'days.one' and what = 'step released'")"
}

@test "backwards; with what is looked back at; and where the step before has less to do" {
	days ', "order": "desc"' ', "order": "desc"'
	sed -i 's/"kind": "sql", "file": "sql.sum.sql"/&, "order": "desc"/' "$made/pipeline.json"
	side_by_side
	enqueue_run days.back days --since=2024-01-01 --until=2024-01-06
	start_worker --slots=4
	wait_for_end days.back
	assert_behind days.back
	assert_same 'run' done "$(run_state days.back)"
	assert_same 'first and last' '2024-01-06 2024-01-01' "$(pg "select (array_agg(chunk order by started_at))[1] || ' ' || (array_agg(chunk order by started_at desc))[1] from bf.job where run = 'days.back' and step = 'copy'")"
	days ', "lookback": {"days": 2}'
	enqueue_run days.some days --since=2024-02-04 --until=2024-02-05 --only=copy
	wait_for_end days.some
	enqueue_run days.rest days --since=2024-02-01 --until=2024-02-08
	assert_same 'windows of make: jobs of copy, which has 1 2 3 6 7 8 to do' \
		'[1,2) [1,3) [1,4) [2,4) [3,4) [4,5) [4,6) [4,7)' "$(pg "select string_agg(after[1]::text, ' ' order by seq) from bf.job where run = 'days.rest' and step = 'make'")"
	wait_for_end days.rest
	assert_same 'run' done "$(run_state days.rest)"
	assert_behind days.rest
	assert_same 'effects' 'copy 6 6,make 8 8,sum 8 8' "$(effects days.rest | sort | paste -sd,)"
}

@test "a chunk whose step before failed is skipped, the others go on; retry does what is missing and nothing again" {
	days
	pg "insert into bad values ('2024-01-03')"
	enqueue_run days.bad days --since=2024-01-01 --until=2024-01-06
	start_worker --slots=4
	wait_for_end days.bad
	assert_same 'steps' 'copy failed,make failed,sum failed' "$(states days.bad)"
	assert_same 'skipped' 'make 2024-01-03, sum 2024-01-03' "$(skipped days.bad)"
	assert_same 'why' '2024-01-03 of step copy is failed,2024-01-03 of step copy is failed' \
		"$(bfstat jobs days.bad --state=skipped --json | jq -r '[.jobs[].note] | join(",")')"
	run -0 enqueue retry days.bad --step=make
	[[ $output = *'No jobs of run days.bad opened again'*'what was skipped is opened with what failed before it'* ]]
	pg "delete from bad"
	enqueue retry days.bad
	wait_for_end days.bad
	assert_same 'steps' 'copy done,make done,sum done' "$(states days.bad)"
	assert_behind days.bad
	of_days days.bad
}

@test "what may fail without stopping others does not stop a chunk, either" {
	days '' ', "on_failure": "continue"'
	pg "insert into bad values ('2024-01-03')"
	enqueue_run days.goes days --since=2024-01-01 --until=2024-01-05
	start_worker --slots=4
	wait_for_end days.goes
	assert_same 'steps' 'copy failed,make done,sum done' "$(states days.goes)"
	assert_same 'skipped' '' "$(skipped days.goes)"
}

@test "a chronological step that stops takes with it what waits for its rest; a cancelled chunk only its own" {
	days '' ', "concurrency": 1'
	pg "insert into bad values ('2024-01-03')"
	enqueue_run days.halt days --since=2024-01-01 --until=2024-01-05
	start_worker --slots=4
	wait_for_end days.halt
	assert_same 'steps' 'copy failed,make failed,sum failed' "$(states days.halt)"
	assert_same 'skipped' 'copy 2024-01-04, copy 2024-01-05, make 2024-01-03, make 2024-01-04, make 2024-01-05, sum 2024-01-03, sum 2024-01-04, sum 2024-01-05' \
		"$(skipped days.halt)"
	days
	enqueue_run days.less days --since=2024-03-01 --until=2024-03-20
	enqueue cancel days.less --step=copy --chunk=2024-03-20
	wait_for_end days.less
	assert_same 'steps' 'copy done,make done,sum done' "$(states days.less)"
	[[ $(bfstat days.less) = *'enqueue retry days.less'* ]]
	assert_same 'skipped' 'make 2024-03-20, sum 2024-03-20' "$(skipped days.less)"
}

@test "steps that are left out: nothing is waited for that is not there, and what comes before them is waited for instead" {
	days
	enqueue_run days.alone days --since=2024-01-01 --until=2024-01-03 --only=make
	assert_same 'waits for' '{}' "$(pg "select by_chunk from bf.step where run = 'days.alone'")"
	enqueue_run days.gap days --since=2024-01-04 --until=2024-01-09 --skip=make
	assert_same 'sum waits for' '{copy}' "$(pg "select by_chunk from bf.step where run = 'days.gap' and step = 'sum'")"
	start_worker --slots=4
	wait_for_end days.alone
	wait_for_end days.gap
	assert_same 'both' 'done done' "$(run_state days.alone) $(run_state days.gap)"
	assert_behind days.gap
}

@test "a step before that is opened again by a retry is waited for, also by what was handed out already" {
	days '' ', "on_failure": "continue"'
	pg "insert into bad values ('2024-01-01')"
	enqueue_run days.again days --since=2024-01-01 --until=2024-01-04
	start_worker --slots=1
	wait_until "is failed \"select state from bf.job where run = 'days.again' and step = 'copy' and chunk = '2024-01-01'\""
	kill_worker "${WORKER_PIDS[-1]}"
	pg "delete from bad"
	enqueue retry days.again --step=copy --chunk=2024-01-01
	start_worker --slots=4
	wait_for_end days.again
	assert_same 'run' done "$(run_state days.again)"
	assert_same 'effects' 'copy 4 4,make 4 4,sum 4 4' "$(effects days.again | sort | paste -sd,)"
}

@test "one place for all: what was opened again is not kept from it by what comes behind" {
	days
	sql_file make.sql <<-'SQL'
		insert into effect values (:'run', 'make', :'chunk');
		select 1 / (select 1 - count(*) from bad where chunk = 'make ' || :'chunk');
	SQL
	sed -i 's/"retry": {"attempts": 1}/"retry": {"attempts": 5, "first": "3s", "jitter": 0}/; s/"kind": "sql", "file": "sql.copy.sql"/&, "retry": {"attempts": 1}/' "$made/pipeline.json"
	pg "insert into bad values ('2024-01-02'), ('make 2024-01-03')"
	enqueue_run days.narrow days --since=2024-01-01 --until=2024-01-04 --concurrency=1
	start_worker --slots=1
	wait_until "is pending \"select state from bf.job where run = 'days.narrow' and step = 'make' and chunk = '2024-01-03' and attempts = 1\"" # in back-off
	pg 'delete from bad'
	enqueue retry days.narrow --step=copy --chunk=2024-01-02
	wait_for_end days.narrow 30
	assert_same 'steps' 'copy done,make done,sum done' "$(states days.narrow)"
	assert_behind days.narrow
	of_days days.narrow
}

@test "retry opens also what lacked something in a step that failed by itself" {
	days
	sql_file make.sql <<-'SQL'
		insert into effect values (:'run', 'make', :'chunk');
		select 1 / (select 1 - count(*) from bad where chunk = 'make ' || :'chunk');
	SQL
	pg "insert into bad values ('2024-01-02'), ('make 2024-01-04')"
	enqueue_run days.both days --since=2024-01-01 --until=2024-01-05
	start_worker --slots=4
	wait_for_end days.both
	assert_same 'skipped' 'make 2024-01-02, sum 2024-01-02, sum 2024-01-04' "$(skipped days.both)"
	pg 'delete from bad'
	enqueue retry days.both
	wait_for_end days.both
	assert_same 'steps' 'copy done,make done,sum done' "$(states days.both)"
	of_days days.both
}

@test "a gate that fails stops all behind it; a halt stops what waits for the step that lacks something, too" {
	days
	sed -i 's/"steps": \[/&{"name": "gate", "kind": "check", "type": "metric", "file": "sql\/gate.sql", "error_if": "< 1"},/; s/{"name": "make", /&"on_failure": "continue", /; s/"file": "sql.sum.sql", "wait_for": "chunk"/"file": "sql\/sum.sql"/' "$made/pipeline.json"
	sql_file gate.sql <<<'select count(*) from bad'
	enqueue_run days.first days --since=2024-01-01 --until=2024-01-02 --only=copy
	start_worker --slots=4
	wait_for_end days.first
	enqueue_run days.gate days --since=2024-01-01 --until=2024-01-03
	wait_for_end days.gate
	assert_same 'steps' 'gate failed,copy skipped,make skipped,sum skipped' "$(states days.gate)"
	assert_same 'effects' '' "$(effects days.gate)"
	pg "insert into bad values ('2024-02-02')"
	enqueue_run days.halted days --since=2024-02-01 --until=2024-02-04
	wait_for_end days.halted
	assert_same 'steps' 'gate done,copy failed,make failed,sum skipped' "$(states days.halted)"
}

@test "what the step before failed at earlier, or another run holds, is left out behind it, too" {
	days ', "lookback": {"days": 1}'
	pg "insert into bad values ('2024-01-03')"
	enqueue_run days.first days --since=2024-01-01 --until=2024-01-04 --only=copy
	start_worker --slots=4
	wait_for_end days.first
	run -0 enqueue run days --since=2024-01-01 --until=2024-01-06 --dry-run
	[[ $output = *'make: 2 days not there in copy, for which it would wait (2024-01-03..2024-01-04)'* ]]
	[[ $output = *'sum: 2 days not there in make, for which it would wait (2024-01-03..2024-01-04)'* ]]
	enqueue_run days.second days --since=2024-01-01 --until=2024-01-06
	wait_for_end days.second
	assert_same 'effects' 'copy 2 2,make 4 4,sum 4 4' "$(effects days.second | sort | paste -sd,)"
	assert_same 'reasons' 'blocked copy 2' "$(enqueue run days --since=2024-01-01 --until=2024-01-07 --dry-run --json | jq -r '.steps[1].skipped[] | select(.reason == "blocked") | "\(.reason) \(.lacking) \(.count)"')"
}

@test "a chronological step ends at the first chunk that lacks something, or goes on and what follows is marked" {
	days ', "concurrency": 1'
	pg "insert into bad values ('2024-01-03')"
	enqueue_run days.ends days --since=2024-01-01 --until=2024-01-05
	start_worker --slots=4
	wait_for_end days.ends
	assert_same 'skipped' 'make 2024-01-03, make 2024-01-04, make 2024-01-05, sum 2024-01-03, sum 2024-01-04, sum 2024-01-05' "$(skipped days.ends)"
	pg 'delete from bad'
	enqueue retry days.ends
	wait_for_end days.ends
	of_days days.ends
	days ', "concurrency": 1, "on_failure": "continue"'
	pg "insert into bad values ('2024-02-03')"
	enqueue_run days.over days --since=2024-02-01 --until=2024-02-05
	wait_for_end days.over
	assert_same 'over a hole' 'make 2024-02-04, make 2024-02-05' "$(pg "select string_agg(step || ' ' || chunk, ', ' order by step, seq) from bf.job where run = 'days.over' and over_hole")"
}

@test "through a step that has nothing to do the one before it is waited for, and what lacks it is left out" {
	days
	enqueue_run days.first days --since=2024-01-01 --until=2024-01-06 --only=make
	start_worker --slots=4
	wait_for_end days.first
	pg "insert into bad values ('2024-01-02')"
	enqueue_run days.through days --since=2024-01-01 --until=2024-01-06
	wait_for_end days.through
	assert_same 'sum waits for' '{make,copy}' "$(pg "select by_chunk from bf.step where run = 'days.through' and step = 'sum'")"
	assert_behind days.through
	assert_same 'skipped' 'sum 2024-01-02' "$(skipped days.through)"
	assert_same 'steps' 'copy failed,make done,sum failed' "$(states days.through)"
}

@test "beyond its ratio what failed stops the chunks behind it; what was built without a chunk that is opened again is marked" {
	days '' ', "max_failed_ratio": 0.3, "concurrency": 1'
	await halted "select from bf.step where run = p_run and step = 'copy' and halted"
	echo "select await_halted(:'run') where :'chunk' = '2024-01-05' and exists (select from bad);" >>"$made/sql/copy.sql"
	pg "insert into bad values ('2024-01-02'), ('2024-01-03'), ('2024-01-04')"
	enqueue_run days.ratio days --since=2024-01-01 --until=2024-01-06
	start_worker --slots=4
	wait_for_end days.ratio
	# two are too many; the next ones may have begun before that was seen, but not the last: the fifth waits for it
	assert_same 'copy' '2024-01-02 failed, 2024-01-03 failed, 2024-01-06 skipped' "$(pg "
		select string_agg(chunk || ' ' || state, ', ' order by seq) from bf.job where run = 'days.ratio' and step = 'copy' and chunk not in ('2024-01-01', '2024-01-04', '2024-01-05')")"
	assert_same 'make did neither what failed beyond it nor the last' 0 "$(pg "
		select count(*) from bf.job where run = 'days.ratio' and step = 'make' and chunk in ('2024-01-04', '2024-01-06') and state = 'done'")"
	done_without=$(pg "select string_agg(chunk, ' ' order by seq) from bf.job where run = 'days.ratio' and step = 'make' and chunk in ('2024-01-02', '2024-01-03', '2024-01-05') and state = 'done'")
	pg 'delete from bad'
	enqueue retry days.ratio
	wait_for_end days.ratio
	assert_same 'run' done "$(run_state days.ratio)"
	assert_same 'marked' "$done_without" "$(pg "select string_agg(chunk, ' ' order by seq) from bf.job where run = 'days.ratio' and step = 'make' and over_hole")"
}

keys() { # FIELDS OF make
	pipeline keys <<-JSON
		{"pipeline": "keys", "chunk": {"keys": {"file": "plan.json", "array": "keys"}}, "concurrency": {"default": 2},
		 "defaults": {"retry": {"attempts": 1}},
		 "steps": [
		  {"name": "copy", "kind": "sql", "file": "sql/copy.sql"},
		  {"name": "make", "kind": "exec", "argv": ["bin/make"], "wait_for": "chunk"$1},
		  {"name": "sum", "kind": "sql", "file": "sql/sum.sql", "concurrency": 1, "lookback": {"keys": 2}}]}
	JSON
	echo '{"keys": ["e", "d", "c", "b", "a"]}' >"$made/plan.json"
	sql_files
	sql_file sum.sql <<<"insert into effect values (:'run', 'sum', :'chunk', :'lookback_key');"
	# shellcheck disable=SC2016 # for the program
	program make <<<'echo "$BF_KEY looks back to ${BF_LOOKBACK_KEY-nothing}" >>"$(dirname "$0")/../made"'
}

@test "keys: in the order of their list; a look-back in keys says to which, also where only some keys are asked for" {
	keys ', "lookback": {"keys": 1}'
	enqueue_run keys.some keys --key=b
	start_worker --slots=4
	wait_for_end keys.some
	assert_same 'make' 'b looks back to c' "$(cat "$made/made")"
	assert_same 'sum' 'b d' "$(pg "select chunk || ' ' || note from effect where step = 'sum'")"
	rm "$made/made"
	enqueue_run keys.all keys
	wait_for_end keys.all
	assert_behind keys.all
	assert_same 'make' 'a looks back to b,c looks back to d,d looks back to e,e looks back to e' "$(sort "$made/made" | paste -sd,)"
	assert_same 'sum' 'e e,d e,c e,a c' "$(pg "select string_agg(chunk || ' ' || e.note, ',' order by j.seq) from effect e join bf.job j using (run, step, chunk) where run = 'keys.all' and step = 'sum'")"
}

@test "keys: warmup block refuses what is looked back at and neither there nor planned, and says what to fill" {
	keys ', "lookback": {"keys": 2, "warmup": "block"}'
	run -2 enqueue run keys --key=c --key=a
	assert_same 'refused' 'enqueue: step make looks back 2 keys ("warmup": "block"), and of those before what is asked for 3 are not there; expected them first: enqueue run keys --only=make --key=e --key=d --key=b' "$output"
	enqueue_run keys.first keys --key=e --key=d
	start_worker --slots=4
	wait_until "is 2 \"select count(*) from bf.job where run = 'keys.first' and step = 'make' and state = 'done'\""
	enqueue_run keys.second keys --key=c
	wait_for_end keys.second
	assert_same 'run' done "$(run_state keys.second)"
	run -2 enqueue run keys --key=a
	[[ $output = *'1 are not there; expected them first: enqueue run keys --only=make --key=b' ]]
}

@test "keys: picked ones are left out only for what they look back at in the whole list" {
	keys ', "lookback": {"keys": 1}'
	pg "insert into bad values ('d')"
	start_worker --slots=4
	enqueue_run keys.bad keys --only=copy --key=d
	wait_for_end keys.bad
	pg 'delete from bad'
	run -0 enqueue run keys --only=copy,make --key=d --key=c --key=a --dry-run --json
	assert_same 'left out' 'blocked d to c' "$(jq -r '.steps[1].skipped[] | "\(.reason) \(.first) to \(.last)"' <<<"$output")"
	assert_same 'c looks back at d, a does not' 1 "$(jq '.steps[1].jobs' <<<"$output")"
}

@test "validate says which steps wait by chunks" {
	days
	[[ $(enqueue validate days) = *'copy (by chunks)'* ]]
	assert_same 'json' 'step chunk chunk' "$(enqueue validate days --json | jq -r '[.steps[].wait_for] | join(" ")')"
}

@test "what contradicts itself is refused: other chunks, another order, and --order for one of the two" {
	days ', "chunk": {"unit": "month"}' ', "order": "asc"'
	run -2 enqueue validate days
	[[ $output = *'steps[1].wait_for: found "chunk" although copy is cut by 1 day and this step by 1 month, expected the same "chunk", or "step"'* ]]
	[[ $output = *'steps[2].wait_for: found "chunk" although make is cut by 1 month and this step by 1 day'* ]]
	days '' ', "order": "desc"'
	run -2 enqueue validate days
	[[ $output = *'steps[1].wait_for: found "chunk" although copy has another "order", expected the same: else the first would wait for the last'* ]]
	days '' ', "order": "asc"'
	run -2 enqueue run days --since=2024-01-01 --until=2024-01-03 --order=desc
	assert_same 'refused' 'enqueue: --order: found desc, but then step make goes desc and step copy, for whose chunks it waits, asc; expected no --order, or --skip=make' "$output"
}
