# Overlapping runs of one pipeline, of chunks of one, two and three days, and everything that a person may do to them, at random, with two
# workers that do the work meanwhile: no day is ever held by two unfinished runs, and none is done by two. What a job does leaves a row for each
# of its days, in a table without a key; the oracle is SQL over that table and the ledger, and is asked after each decision.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/chaos.bash

setup() { chaos_setup; }
teardown() { bf_teardown; }

decisions=45

overlap_pipeline() {
	pipeline overlap <<-'JSON'
		{"pipeline": "overlap", "chunk": {"size": 1, "max": 5}, "concurrency": {"default": 4, "max": 8},
		 "defaults": {"retry": {"attempts": 1}},
		 "steps": [
		  {"name": "load", "kind": "sql", "file": "sql/load.sql"},
		  {"name": "trend", "kind": "sql", "file": "sql/trend.sql"},
		  {"name": "sum", "kind": "sql", "file": "sql/sum.sql", "on_failure": "continue", "lookback": {"days": 2}}]}
	JSON
	pg "create table bad (step text, day date);
	    create table did (id bigserial, run text, step text, day date, redone int)"
	for step in load trend sum; do
		sql_file "$step.sql" <<-SQL
			select 1 / (select (count(*) = 0)::int from bad where step = '$step' and day between :'since' and :'until');
			insert into did (run, step, day, redone)
			select :'run', '$step', d, coalesce((select redone from bf.job where run = :'run' and step = '$step' and chunk = :'chunk'), 0)
			  from generate_series(:'since'::date, :'until'::date, interval '1 day') d;
			select pg_sleep(0.01);
		SQL
	done
}

some_day() { date -d "2024-01-01 +$((RANDOM % 24)) days" +%F; }
some_run() { # of those that there are
	echo "overlap.$((RANDOM % n + 1))"
}
plan_one() {
	local from=$((RANDOM % 16))
	n=$((n + 1))
	enqueue run overlap --run-id="overlap.$n" --since="$(date -d "2024-01-01 +$from days" +%F)" --until="$(date -d "2024-01-01 +$((from + 3 + RANDOM % 8)) days" +%F)" \
		--batch-days=$((RANDOM % 3 + 1)) --reprocess="$([ $((RANDOM % 3)) = 0 ] && echo failed || echo none)" || n=$((n - 1))
}
decide() {
	local run chunk
	run=$(some_run)
	case $((RANDOM % 13)) in
	0 | 1 | 2) plan_one ;;
	3) pg "insert into bad values ('$([ $((RANDOM % 2)) = 0 ] && echo load || echo trend)', '$(some_day)')" ;;
	4) pg 'delete from bad' ;;
	5 | 6) enqueue retry "$run" ;;
	7) enqueue retry "$run" --downstream ;;
	8)
		enqueue retry "$run" &
		enqueue retry "$(some_run)"
		wait $!
		;;
	9) enqueue cancel "$run" ;;
	10)
		chunk=$(pg "select chunk from bf.job where run = '$run' and step = 'trend' order by seq offset $((RANDOM % 4)) limit 1")
		enqueue cancel "$run" --step=trend --chunk="$chunk"
		;;
	11) enqueue stop "$run" ;;
	12) enqueue resume "$run" ;;
	esac >>"$BATS_TEST_TMPDIR/decisions" 2>&1 || true
}

# Live: what two unfinished runs hold. Done: a day with two effects that no --downstream has asked for again, or with more effects than that.
assert_one_each() { # WHEN
	assert_same "held by two, $1" '' "$(pg "
		select j.step, d::date, string_agg(j.run, ' ' order by j.run)
		  from bf.job j join bf.run r using (run) cross join generate_series(j.since, j.until, interval '1 day') d
		 where j.state in ('pending', 'running') and r.state not in ('done', 'failed', 'cancelled') group by 1, 2 having count(*) > 1")"
	assert_same "done twice, $1" '' "$(pg "
		select step, day, string_agg(run || '/' || redone, ' ' order by id) from did group by 1, 2 having count(*) > 1 + max(redone) or count(distinct redone) < count(*)")"
}

@test "runs over the same days, planned, retried, cancelled, stopped and resumed at random: each day is one run's, and is done once" {
	seed=${BF_SEED:-20240101}
	echo "BF_SEED=$seed"
	RANDOM=$seed n=0
	overlap_pipeline
	start_worker --slots=4
	start_worker --slots=4
	plan_one >/dev/null
	for ((i = 1; i <= decisions; i++)); do
		decide
		((i % 5)) || assert_one_each "after decision $i"
		((RANDOM % 3)) || sleep "0.$((RANDOM % 3))"
	done
	tail -n 5 "$BATS_TEST_TMPDIR/decisions"
	assert_one_each 'in the end'
	pg 'delete from bad'
	for ((k = 1; k <= n; k++)); do
		enqueue resume "overlap.$k" >/dev/null 2>&1 || true
		enqueue retry "overlap.$k" >/dev/null 2>&1 || true
	done
	wait_until "is 0 \"select count(*) from bf.run where state not in ('done', 'failed', 'cancelled')\"" 30
	for ((k = 1; k <= n; k++)); do # what waited for another run, and what nobody has
		enqueue retry "overlap.$k" >/dev/null 2>&1 || true
		wait_until "is 0 \"select count(*) from bf.run where state not in ('done', 'failed', 'cancelled')\"" 30
	done
	assert_one_each 'when all was retried'
	assert_same 'a run that is done and has undone days that no other has' '' "$(pg "
		select r.run, j.step, j.chunk from bf.run r join bf.job j using (run)
		 where r.state = 'done' and j.state <> 'done' and j.split is not true
		   and not exists (select from bf.job o where o.step = j.step and o.state = 'done' and o.since <= j.until and o.until >= j.since)")"
	enqueue run overlap --run-id=overlap.rest --since=2024-01-01 --until=2024-01-26 --reprocess=failed >/dev/null
	wait_for_end overlap.rest
	assert_one_each 'at last'
	assert_same 'days without an effect' '' "$(pg "
		select s.step, d::date from (values ('load'), ('trend'), ('sum')) s (step) cross join generate_series(date '2024-01-01', date '2024-01-26', interval '1 day') d
		except select step, day from did")"
}
