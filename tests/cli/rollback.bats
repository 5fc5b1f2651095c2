# Undoing what a run has done: exactly its chunks, newest first, each in one transaction with the ledger.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() { bf_setup; }
teardown() { bf_teardown; }

# A pipeline `undo`: each day gets a row in `effect`, and what was there before is kept in `before`.
undo_pipeline() { # FIELDS of the step
	pipeline undo <<-JSON
		{"pipeline": "undo", "chunk": {"size": 1}, "concurrency": {"default": 4}, "params": {"tag": {"default": "v1", "affects": "nothing"}},
		 "artifacts": {"logs/rollback_{{date}}.sql": {"what": "rollback"}, "summary.md": {"what": "summary"}},
		 "steps": [{"name": "make", "kind": "sql", "file": "sql/make.sql"${1:-},
		            "rollback": {"file": "sql/undo.sql", "changed": "sql/changed.sql", "verify": "sql/verify.sql"}},
		           {"name": "note", "kind": "sql", "needs": [], "file": "sql/note.sql"}]}
	JSON
	sql_file make.sql <<<"insert into effect values (:'since', :'tag', now());"
	sql_file note.sql <<<"insert into noted values (:'since');"
	sql_file changed.sql <<<"select day, tag from effect where day = :'since' and tag <> :'tag' -- by someone else"
	sql_file undo.sql <<-'SQL'
		insert into undone (day, began, ended) values (:'since', :'started_at', :'finished_at');
		delete from effect where day = :'since' and tag = :'tag'
	SQL
	sql_file verify.sql <<<"select * from effect where day = :'since';"
	pg 'create table effect (day date, tag text, at timestamptz); create table noted (day date);
	    create table undone (id bigserial, day date, began timestamptz, ended timestamptz)'
}
done_run() { # RUN [ARGUMENT…]
	enqueue_run "$1" undo --since=2024-01-01 --until=2024-01-10 "${@:2}"
	worker --drain >"$BATS_TEST_TMPDIR/worker.log" 2>&1
}
days_of() { pg "select string_agg(to_char(day, 'DD'), ' ' order by day) from effect"; }
states() { pg "select string_agg(state || ' ' || n, ', ' order by state) from (select state, count(*) as n from bf.job where run = '$1' and step = 'make' group by state) x"; }

@test "a dry run shows what would be undone and what would stay, and writes nothing" {
	undo_pipeline
	done_run u.one
	pg "update effect set tag = 'mine' where day = '2024-01-04'"
	run enqueue rollback u.one --dry-run
	[ "$status" -eq 1 ]
	[[ $output = *'make 2024-01-04: another writer has changed it since: [{"day": "2024-01-04", "tag": "mine"}]'* ]]
	[[ $output = *'make: 9 jobs would be undone, from 2024-01-'*'Nothing was written (--dry-run).'* ]]
	[[ $output = *'note: what its 10 jobs did stays; the step has no "rollback" file'* ]]
	assert_same 'effects' 10 "$(pg 'select count(*) from effect')"
	assert_same 'jobs' 'done 10' "$(states u.one)"
	assert_same 'events' 0 "$(pg "select count(*) from bf.event where what in ('rollback', 'undo')")"
	done_run u.short --reprocess=completed --limit=1
	run enqueue rollback u.short --dry-run
	[[ $output = *'note: what its 1 job did stays;'* ]]
}

@test "what a rollback file does to its session is gone before the next job is undone" {
	undo_pipeline
	sql_file undo.sql <<-'SQL'
		prepare mine as select 1;
		declare kept cursor with hold for select 1;
		select pg_advisory_lock(4711);
		insert into undone (day, began) select :'since', '2024-01-01' where :'tag' = 'C:\new';
		delete from effect where day = :'since';
		select set_config('standard_conforming_strings', 'off', false), set_config('DateStyle', 'German', false);
		set role reader_of_undo;
	SQL
	pg "do \$\$ begin create role reader_of_undo; exception when duplicate_object then null; end \$\$"
	done_run u.one --param='tag=C:\new'
	run enqueue rollback u.one
	echo "$output"
	[[ $output = *'make: 10 jobs undone'* ]]
	assert_same 'states' 'undone 10' "$(states u.one)"
	assert_same 'days, as their value was read' 10 "$(pg 'select count(distinct day) from undone')"
	assert_same 'effects' 0 "$(pg 'select count(*) from effect')"
}

@test "exactly what the run did is undone, newest first, and a new run takes it again" {
	undo_pipeline
	pg "insert into effect values ('2023-12-31', 'v1', now())" # not of this run
	done_run u.one
	pg "update effect set tag = 'mine' where day = '2024-01-04'"
	run enqueue rollback u.one --note='wrong version'
	[ "$status" -eq 1 ]
	[[ $output = *'make: 9 jobs undone'* ]]
	assert_same 'left' '31 04' "$(days_of)"
	assert_same 'jobs' 'done 1, undone 9' "$(states u.one)"
	assert_same 'newest first' t "$(pg "select bool_and(ended <= before) from (select ended, lag(ended) over (order by id) as before from undone) x")"
	assert_same 'times are the job''s own' 0 "$(pg "select count(*) from undone u join bf.job j on j.run = 'u.one' and j.step = 'make' and j.since = u.day where (u.began, u.ended) is distinct from (j.started_at, j.finished_at)")"
	assert_same 'who and why' 1 "$(pg "select count(*) from bf.event where run = 'u.one' and what = 'rollback' and note = 'wrong version' and who <> ''")"
	assert_same 'each chunk' 9 "$(pg "select count(*) from bf.event where run = 'u.one' and step = 'make' and what = 'undo'")"
	bfstat verify

	# again: nothing more
	run enqueue rollback u.one
	[ "$status" -eq 1 ]
	[[ $output = *'Nothing was undone.'* ]]
	assert_same 'undone once' 9 "$(pg 'select count(*) from undone')"

	run bfstat gaps undo --step=make --since=2024-01-01 --until=2024-01-10
	[ "$(grep -c 2024-01 <<<"$output")" -eq 9 ]
	done_run u.two
	assert_same 'again' 11 "$(pg 'select count(*) from effect')"
	assert_same 'jobs of the second run' 'done 9' "$(states u.two)"

	# what the second run has done is not the first one's any more
	run enqueue rollback u.one
	[ "$status" -eq 1 ]
	assert_same 'effects' 11 "$(pg 'select count(*) from effect')"
	oracle u.two
}

@test "one chunk, one step; and what another run has done since stays" {
	undo_pipeline
	done_run u.one
	run enqueue rollback u.one --chunk=2024-01-03 --json
	[ "$status" -eq 0 ]
	assert_same 'as JSON' '[false,["make","2024-01-03","undone"]]' "$(jq -c '[.dry_run, (.jobs[0] | [.step, .chunk, .outcome])]' <<<"$output")"
	assert_same 'left' '01 02 04 05 06 07 08 09 10' "$(days_of)"
	done_run u.two --reprocess=completed --only=make --param tag=v2
	run enqueue rollback u.one --step=make --json
	[ "$status" -eq 1 ]
	assert_same 'all are taken' '["taken"]' "$(jq -c '[.jobs[].outcome] | unique' <<<"$output")"
	run enqueue rollback u.two
	[ "$status" -eq 1 ] # sql/changed.sql sees the first run's
	run enqueue rollback u.one --step=note
	[ "$status" -eq 2 ]
	[[ $output = *'--step: step note has no "rollback" file; expected one of: make'* ]]
}

@test "killed in the middle it has undone whole chunks; the next one goes on" {
	undo_pipeline
	sql_file undo.sql <<-'SQL'
		insert into undone (day) values (:'since');
		select pg_sleep(0.15);
		delete from effect where day = :'since' and tag = :'tag';
	SQL
	done_run u.one
	enqueue rollback u.one >"$BATS_TEST_TMPDIR/rollback.log" 2>&1 &
	local pid=$!
	wait_until 'at_least 3 "select count(*) from undone"'
	kill -KILL $pid
	wait $pid || true
	wait_until "is 0 \"select count(*) from pg_stat_activity where application_name = 'enqueue' and state <> 'idle'\""
	assert_same 'as many effects are gone as jobs are undone' t "$(pg "select (select count(*) from undone) = (select count(*) from bf.job where state = 'undone') and (select count(*) from effect) = 10 - (select count(*) from undone)")"
	run enqueue rollback u.one
	[ "$status" -eq 0 ]
	assert_same 'each once' '10 10' "$(pg 'select count(*) || chr(32) || count(distinct day) from undone')"
}

@test "two at once undo each chunk once" {
	undo_pipeline
	done_run u.one
	local pids=() n
	for n in 1 2 3; do
		enqueue rollback u.one >"$BATS_TEST_TMPDIR/rollback.$n" 2>&1 &
		pids+=($!)
	done
	for n in "${pids[@]}"; do wait "$n" || [ $? -eq 1 ]; done
	assert_same 'each once' '10 10' "$(pg 'select count(*) || chr(32) || count(distinct day) from undone')"
	assert_same 'jobs' 'undone 10' "$(states u.one)"
	bfstat verify
}

@test "a chronological step is undone back to the first that stays" {
	undo_pipeline ', "concurrency": 1'
	done_run u.one
	pg "update effect set tag = 'mine' where day = '2024-01-06'"
	run enqueue rollback u.one
	[ "$status" -eq 1 ]
	[[ $output = *'make 2024-01-05: one after it stays, and this step goes in order'* ]]
	assert_same 'left' '01 02 03 04 05 06' "$(days_of)"
}

@test "an undo that leaves something, or fails, or ends its transaction, changes nothing" {
	undo_pipeline
	sql_file undo.sql <<<"insert into undone (day) values (:'since');"
	done_run u.one
	run enqueue rollback u.one
	[ "$status" -eq 1 ]
	[[ $output = *'undoing make 2024-01-'*'it is still there after the undo'* ]]
	assert_same 'nothing' '0|done 10' "$(pg 'select count(*) from undone')|$(states u.one)"

	sql_file undo.sql <<<"insert into undone (day) values (:'since'); select 1/0;"
	done_run u.two --reprocess=completed
	run enqueue rollback u.two
	[ "$status" -eq 1 ]
	[[ $output = *'division by zero'* ]]
	assert_same 'nothing' '0|done 10' "$(pg 'select count(*) from undone')|$(states u.two)"

	pg "create procedure cheat() language plpgsql as 'begin insert into undone (day) values (now()); commit; end'"
	sql_file undo.sql <<<"call cheat();"
	done_run u.three --reprocess=completed
	run enqueue rollback u.three
	[ "$status" -eq 1 ]
	assert_same 'nothing' '0|done 10' "$(pg 'select count(*) from undone')|$(states u.three)"
}

@test "a run that is under way is not undone, and one that is stopped is" {
	undo_pipeline
	enqueue_run u.one undo --since=2024-01-01 --until=2024-01-10
	run enqueue rollback u.one
	[ "$status" -eq 2 ]
	[[ $output = 'enqueue: run u.one is running, and would go on beside it; first: enqueue stop u.one' ]]
	worker --once >"$BATS_TEST_TMPDIR/worker.log" 2>&1
	enqueue stop u.one
	wait_until '[ "$(run_state u.one)" = stopped ]'
	run enqueue rollback u.one
	[ "$status" -eq 0 ]
	bfstat verify
	enqueue resume u.one
	worker --drain >"$BATS_TEST_TMPDIR/worker.log" 2>&1
	assert_same 'state' done "$(run_state u.one)"
	bfstat verify
	pipeline plain <<<'{"pipeline": "plain", "steps": [{"name": "a", "kind": "noop"}]}'
	enqueue_run p.one plain --since=2024-01-01 --until=2024-01-01
	worker --drain >"$BATS_TEST_TMPDIR/worker.log" 2>&1
	run enqueue rollback p.one
	[ "$status" -eq 2 ]
	[[ $output = *'run p.one cannot be undone: no step of its pipeline had a "rollback" file'* ]]
	run enqueue rollback p.oen
	[ "$status" -eq 2 ]
	[[ $output = *'did you mean p.one?'* ]]
}

@test "the report has the same as a script, which psql runs, and which undoes nothing a second time" {
	undo_pipeline
	done_run u.one
	run bfstat report u.one --out="$BATS_TEST_TMPDIR/out"
	[ "$status" -eq 0 ]
	local script
	script=$(ls "$BATS_TEST_TMPDIR"/out/logs/rollback_????-??-??.sql)
	bfstat report u.one --out="$BATS_TEST_TMPDIR/again" >/dev/null
	diff -r "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/again" # the same every time
	run psql -X -d "$BF_DATABASE_URL" -f "$script"
	[ "$status" -eq 0 ]
	assert_same 'effects' '' "$(days_of)"
	assert_same 'jobs' 'undone 10' "$(states u.one)"
	assert_same 'who' 1 "$(pg "select count(distinct who) from bf.event where what = 'undo' and who = session_user")"
	[ "${lines[-1]}" = '10 jobs undone, 0 stay as they are' ]
	run psql -X -d "$BF_DATABASE_URL" -f "$script"
	[ "$status" -eq 0 ]
	[[ $output = *'make 2024-01-'*' stays: job u.one/make#'*' is not done, or was done again since'* ]]
	[ "${lines[-1]}" = '0 jobs undone, 10 stay as they are' ]
	assert_same 'undone once' 10 "$(pg 'select count(*) from undone')"
	bfstat report u.one --out="$BATS_TEST_TMPDIR/after" >/dev/null
	grep -q ': 0 jobs, newest first' "$BATS_TEST_TMPDIR"/after/logs/rollback_*.sql
	grep -q 'make: all that was planned is done | 0 of 10' "$BATS_TEST_TMPDIR/after/summary.md"
}

# ---- which chunks ----

@test "several chunks, and a range of days, are undone and nothing else" {
	undo_pipeline
	done_run u.one
	run enqueue rollback u.one --chunk=2024-01-03 --chunk 2024-01-05 --dry-run
	[ "$status" -eq 0 ]
	[[ $output = *'make: 2 jobs would be undone'* ]]
	run enqueue rollback u.one --step=make --chunk=2024-01-03 --chunk=2024-01-05
	[ "$status" -eq 0 ]
	assert_same 'left' '01 02 04 06 07 08 09 10' "$(days_of)"
	assert_same 'events' '2024-01-03 2024-01-05' "$(pg "select string_agg(chunk, ' ' order by id) from bf.event where what = 'rollback'")"
	run enqueue rollback u.one --since=2024-01-08 --until=2024-01-09 --json
	[ "$status" -eq 0 ]
	assert_same 'of the range' '2024-01-08 2024-01-09 ["2024-01-08","2024-01-09"]' \
		"$(jq -r '"\(.since) \(.until) \([.jobs[].chunk] | sort)"' <<<"$output")"
	assert_same 'left' '01 02 04 06 07 10' "$(days_of)"
	run enqueue rollback u.one --since=2024-01-07
	assert_same 'left' '01 02 04 06' "$(days_of)"
	run enqueue rollback u.one --until=2024-01-01
	assert_same 'left' '02 04 06' "$(days_of)"
	run enqueue rollback u.one --chunk=2024-01-02 --chunk=2024-02-31
	[ "$status" -eq 2 ]
	[[ $output = *'unknown chunk'* ]]
	assert_same 'left' '02 04 06' "$(days_of)"
}

@test "a chunk that is only partly within the range stays, and is named" {
	undo_pipeline
	sed -i 's/"size": 1/"size": 4/' "$BF_PIPELINES/undo/pipeline.json"
	done_run u.one
	run enqueue rollback u.one --since=2024-01-03 --until=2024-01-08
	[ "$status" -eq 1 ]
	[[ $output = *'make 2024-01-01..2024-01-04: only a part of it is within --since and --until'* ]]
	[[ $output = *'make: 1 job undone'* ]]
	assert_same 'jobs' 'done 2, undone 1' "$(states u.one)"
}

@test "retry and cancel take several chunks, too" {
	undo_pipeline
	sql_file make.sql <<<"select 1 / (case when :'since' in ('2024-01-02', '2024-01-04', '2024-01-06') then 0 else 1 end);"
	sed -i 's/"steps"/"defaults": {"retry": {"attempts": 1}, "on_failure": "continue"}, "steps"/' "$BF_PIPELINES/undo/pipeline.json"
	done_run u.one
	assert_same 'jobs' 'done 7, failed 3' "$(states u.one)"
	run enqueue retry u.one --step=make --chunk=2024-01-02 --chunk=2024-01-06
	[ "$status" -eq 0 ]
	[[ $output = *'2 jobs of run u.one opened again'* ]]
	assert_same 'jobs' 'done 7, failed 1, pending 2' "$(states u.one)"
	run enqueue cancel u.one --step=make --chunk=2024-01-02 --chunk=2024-01-06
	[[ $output = *'2 jobs of run u.one cancelled'* ]]
	assert_same 'jobs' 'cancelled 2, done 7, failed 1' "$(states u.one)"
	run enqueue retry u.one --step=make --chunk=2024-01-02 --chunk=nonsense
	[ "$status" -eq 2 ]
	assert_same 'jobs' 'cancelled 2, done 7, failed 1' "$(states u.one)"
}
