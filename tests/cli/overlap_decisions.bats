# Decisions about runs over the same days: no day is held by two unfinished runs or done by two, and a run that is `done` has done what it was
# asked for, or says who has. No worker runs here: jobs are settled by hand.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	pipeline over <<-'JSON'
		{"pipeline": "over", "chunk": {"size": 1, "max": 9}, "steps": [{"name": "load", "kind": "noop"}, {"name": "trend", "kind": "noop"}]}
	JSON
}
teardown() { bf_teardown; }

plan() { enqueue_run "over.$1" over --since="2024-05-$2" --until="2024-05-$3" "${@:4}"; } # NAME FIRST LAST [OPTION…]
settle() {                                                                              # NAME STATE [CONDITION]: its open jobs, step by step, and moves the run on
	for step in load trend; do
		pg "update bf.job set state = '$2', epoch = epoch + 1, started_at = clock_timestamp(), finished_at = clock_timestamp()
		     where run = 'over.$1' and step = '$step' and state in ('pending', 'running') and ${3:-true};
		    select bf.advance('over.$1')" >/dev/null
	done
}
open() { pg "select string_agg(step || ' ' || substr(since::text, 9) || case when since < until then '-' || substr(until::text, 9) else '' end, ', ' order by step, since)
	from bf.job where run = 'over.$1' and state in ('pending', 'running')"; } # NAME
head_of() { bfstat "over.$1" | head -n 1; }                              # NAME
# No day of a step has two jobs that are open in unfinished runs.
assert_apart() {
	assert_same 'days that two hold' '' "$(pg "select j.step, d::date, string_agg(j.run, ' ') from bf.job j join bf.run r using (run)
		cross join generate_series(j.since, j.until, interval '1 day') d
		where j.state in ('pending', 'running') and r.state not in ('done', 'failed', 'cancelled') group by 1, 2 having count(*) > 1")"
}

@test "what another run has done since is not opened again, though that run is the older one; the run says who has it" {
	plan one 01 04
	settle one 'done'
	plan nine 01 04 --reprocess=completed
	settle nine 'done'
	pg "update bf.job set over_hole = true where step = 'trend'" # as a retry of something before would
	enqueue retry over.nine --downstream
	enqueue cancel over.nine
	pg "update bf.job set state = 'cancelled', finished_at = now() - interval '1 hour' where run = 'over.one' and step = 'trend'"
	assert_same 'held by nobody' '' "$(open one)$(open nine)"
	pg "update bf.run set created_at = created_at + interval '1 hour' where run = 'over.one'" # the later one of the two, for what is done since
	enqueue retry over.one
	assert_same 'taken over by the first' 'trend 01, trend 02, trend 03, trend 04' "$(open one)"
	settle one 'done'
	pg "update bf.run set created_at = created_at - interval '1 day' where run = 'over.one'"
	run -0 enqueue retry over.nine
	[[ $output = *'No jobs of run over.nine opened again'*'4 of its jobs are taken by run over.one: it has done them since, or holds them.'* ]]
	assert_same 'opened' '' "$(open nine)"
	[[ $(head_of nine) = 'over.nine  done  50 %: 4 of 8 jobs done, 4 taken by run over.one' ]]
	run -0 bfstat over.nine
	[[ $output = *'bfstat over.one'*'has what is taken'* ]]
	[[ $(bfstat) = *'over.nine '*'done, 4 taken'* ]]
	assert_same 'as JSON' '4 over.one' "$(bfstat over.nine --json | jq -r '.steps[] | select(.step == "trend") | "\(.taken) \(.taken_by)"')"
	bfstat report over.nine --out="$BATS_TEST_TMPDIR/out" >/dev/null
	grep -qF 'trend: 4 of the jobs not run are taken by run over.one' "$BATS_TEST_TMPDIR/out/summary.md"
}

@test "a run that is cancelled and retried after another has taken most of it ends done and says so; of what nobody has taken nothing is lost" {
	plan one 01 09
	enqueue cancel over.one
	plan two 01 07
	run -0 enqueue retry over.one
	[[ $output = *'4 jobs of run over.one opened again.'*'14 of its jobs are taken by run over.two: it has done them since, or holds them.'* ]]
	assert_same 'opened' 'load 08, load 09, trend 08, trend 09' "$(open one)"
	assert_apart
	settle one 'done'
	[[ $(head_of one) = 'over.one  done  22 %: 4 of 18 jobs done, 14 taken by run over.two' ]]
	run -0 bfstat over.one
	settle two 'done' "chunk <= '2024-05-04'"
	enqueue cancel over.two
	enqueue retry over.one # what two has not done is free again
	assert_same 'free again' 'load 05, load 06, load 07, trend 05, trend 06, trend 07' "$(open one)"
	settle one 'done'
	[[ $(head_of one) = 'over.one  done  56 %: 10 of 18 jobs done, 8 taken by run over.two' ]]
	assert_same 'gaps' '' "$(pg 'select * from bf.gaps')"
}

@test "a run of which chunks were cancelled is cancelled, whatever else it has done, until they are retried" {
	plan one 01 05 --only=load
	enqueue cancel over.one --step=load --chunk=2024-05-02
	settle one 'done'
	[[ $(head_of one) = 'over.one  cancelled  80 %: 4 of 5 jobs done, 1 cancelled' ]]
	run -4 bfstat over.one
	[[ $output = *'enqueue retry over.one'*'runs after all what was cancelled'* ]]
	enqueue retry over.one
	settle one 'done'
	[[ $(head_of one) = 'over.one  done  100 %: 5 of 5 jobs done' ]]
}

@test "chunks of three days and of one: a chunk of which another run has one day is cut there, and only the rest is done" {
	plan one 01 09 --batch-days=3
	settle one failed "step = 'load' and chunk = '2024-05-01..2024-05-03'"
	settle one 'done'
	assert_same 'one' failed "$(run_state over.one)"
	plan two 02 02 --reprocess=failed
	settle two 'done'
	enqueue retry over.one
	assert_same 'opened' 'load 01, load 03, trend 01, trend 03, trend 04-06, trend 07-09' "$(open one)"
	assert_apart
	settle one 'done'
	[[ $(head_of one) = 'over.one  done  67 %: 8 of 12 jobs done, 2 done in parts, 2 taken by run over.two' ]]
	assert_same 'gaps' '' "$(pg 'select * from bf.gaps')"
	assert_same 'done twice' '' "$(pg "select step, d::date from bf.job cross join generate_series(since, until, interval '1 day') d where state = 'done' group by 1, 2 having count(*) > 1")"
}

@test "two retries over the same days, of other sizes, with what failed, was cancelled and was skipped: each day is held by one" {
	plan one 01 09 --batch-days=3
	settle one failed "step = 'load' and chunk = '2024-05-01..2024-05-03'"
	settle one 'done'
	plan two 01 12 --reprocess=failed
	enqueue cancel over.two --step=load --chunk=2024-05-02
	settle two failed "step = 'load' and chunk = '2024-05-11'"
	settle two 'done'
	enqueue retry over.one & enqueue retry over.two
	wait
	assert_apart
	settle one 'done'
	settle two 'done'
	enqueue retry over.one || true
	assert_apart
	settle one 'done'
	assert_same 'done twice' '' "$(pg "select step, d::date from bf.job cross join generate_series(since, until, interval '1 day') d where state = 'done' group by 1, 2 having count(*) > 1")"
	assert_same 'gaps' '' "$(pg 'select * from bf.gaps')"
}

@test "what another run is at work on in a step before stays as it is, and is named; a later retry opens it" {
	plan one 01 03
	enqueue cancel over.one
	plan two 02 02 --only=load
	enqueue retry over.one
	assert_same 'opened' 'load 01, load 03, trend 01, trend 03' "$(open one)"
	settle one 'done'
	assert_same 'not done' cancelled "$(run_state over.one)"
	assert_same 'why' 'step load is held by run over.two' "$(pg "select note from bf.job where run = 'over.one' and step = 'trend' and chunk = '2024-05-02'")"
	settle two 'done'
	enqueue retry over.one
	assert_same 'opened' 'trend 02' "$(open one)"
	settle one 'done'
	assert_same 'now' 'done' "$(run_state over.one)"
}

@test "a chunk that is to be split is held until its parts are there" {
	pipeline over <<-'JSON'
		{"pipeline": "over", "chunk": {"size": 4}, "steps": [{"name": "load", "kind": "noop", "split": true}]}
	JSON
	plan one 01 04
	pg "update bf.job set state = 'skipped', split = true, finished_at = now(); insert into bf.split_wanted values ('over.one', 'load', 1)"
	run -0 enqueue run over --since=2024-05-01 --until=2024-05-05 --dry-run
	[[ $output = *'load: 4 days held by run over.one'* ]]
	pg "select bf.advance('over.one')"
	assert_apart
}

@test "the ledger itself refuses that two unfinished runs hold the same day or key, whoever opens it" {
	plan one 01 04
	settle one failed
	plan two 01 04 --reprocess=failed
	run pg "begin; update bf.job set state = 'pending' where run = 'over.one' and step = 'load' and seq = 3;
		update bf.step set state = 'waiting', plan_number = plan_number + 1 where run = 'over.one'; update bf.run set state = 'running' where run = 'over.one'; commit"
	[[ $output = *'two runs would do the same: 2024-05-03 of step load in run over.one is held by another of over.two'* ]]
	run pg "begin; update bf.job set state = 'pending' where run = 'over.one' and step = 'load' and seq = 3;
		update bf.run set state = 'running' where run = 'over.one'; commit"
	[[ $output = *'two runs would do the same'* ]]
	assert_same 'nothing of it' failed "$(run_state over.one)"
	pipeline kept <<<'{"pipeline": "kept", "chunk": {"keys": {"sql": "sql/keys.sql"}}, "steps": [{"name": "load", "kind": "noop"}]}'
	sql_file keys.sql <<<"select 'k' || n from generate_series(1, 5) n;"
	enqueue_run kept.one kept
	run pg "begin; insert into bf.run (run, pipeline, sha256, dir, queue, concurrency, requested_by, state)
		select 'kept.two', pipeline, sha256, dir, queue, 1, 'me', 'running' from bf.run where run = 'kept.one';
		insert into bf.step (run, step, ordinal, kind, planned, on_failure) values ('kept.two', 'load', 0, 'noop', 1, 'halt');
		insert into bf.job (run, step, seq, chunk, key) values ('kept.two', 'load', 1, 'k3', 'k3'); commit"
	[[ $output = *'two runs would do the same: k3 of step load in run kept.two is held by another of kept.one'* ]]
}

@test "the ledger itself refuses a second holder of what a stopped run holds" {
	plan one 01 04
	settle one failed
	plan two 01 04 --reprocess=failed
	enqueue stop over.two
	assert_same 'two' stopped "$(run_state over.two)"
	run pg "begin;
		update bf.job set state = 'pending' where run = 'over.one' and step = 'load' and seq = 3;
		update bf.run set state = 'running' where run = 'over.one'; commit"
	[[ $output = *'two runs would do the same: 2024-05-03 of step load in run over.one'* ]]
	assert_same 'nothing of it' failed "$(run_state over.one)"
}
