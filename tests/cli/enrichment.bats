# deploy/pipelines/enrichment: ten enrichments one after the other, and side by side; missing, failing, slow, stopped in the middle.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	export BF_PIPELINES=$BATS_TEST_TMPDIR/pipelines HOLD=$BATS_TEST_TMPDIR/hold
	mkdir "$BF_PIPELINES"
	cp -r "$bf_top/deploy/pipelines/enrichment" "$BF_PIPELINES/"
	psql -Xq -v ON_ERROR_STOP=1 -d "$BF_DATABASE_URL" -f "$BF_PIPELINES/enrichment/schema.sql" >/dev/null 2>&1
	here=$BF_PIPELINES/enrichment
}
teardown() { bf_teardown; }

edit() { # JQ FILTER over the pipeline
	jq "$1" "$here/pipeline.json" >"$here/new" && mv "$here/new" "$here/pipeline.json"
}
states() { pg "select string_agg(step || ' ' || state, ', ' order by ordinal) from bf.step where run = '$1' and kind = 'exec'"; }
assert_enriched() {
	assert_same 'unknown, or null' '0 0' "$(pg 'select count(*) from enrichment.position where pool is null') $(pg "$(cat "$here/sql/not_enriched.sql")")"
	assert_same 'snapshots' 5000 "$(pg 'select count(*) from enrichment.snapshot')"
}
all_done='apr done, pool-volume done, position-health done, pool-attribution done, fees-usd done, range-status done, impermanent-loss done, vesting done, unclaimed-fees done, position-snapshots done'

@test "programs that are missing are found before anything runs, all at once" {
	edit '.steps[1].argv[0] = "bin/volume" | .steps[4].argv[0] = "bin/fees" | .steps[7].argv[0] = "bin/vesting"'
	chmod -x "$here/bin/vesting"
	run enqueue run enrichment
	[ "$status" -eq 2 ]
	[[ $output = *'steps[1].argv[0]: found "bin/volume", expected a program that exists'* ]]
	[[ $output = *'steps[4].argv[0]: found "bin/fees", expected a program that exists'* ]]
	[[ $output = *'steps[7].argv[0]: found "bin/vesting", expected a file that may be executed'* ]]
	assert_same 'runs' 0 "$(pg 'select count(*) from bf.run')"
}

@test "a checkout without the ten programs: each is named, by its step" {
	rm -r "${here:?}/bin"
	run enqueue run enrichment
	[ "$status" -eq 2 ]
	for step in apr pool-volume position-health pool-attribution fees-usd range-status impermanent-loss vesting unclaimed-fees position-snapshots; do
		[[ $output = *"found \"bin/$step\", expected a program that exists, for step $step"* ]] || { echo "$step: $output"; return 1; }
	done
	[[ $output != *' more'* ]]
}

@test "one after the other, with progress; one fails, one takes too long, the others go on; once they are mended a retry does the rest" {
	edit '.steps[5] += {"argv": ["bin/slow"], "timeout": "4s"} | .steps[7].argv = ["bin/broken"] | .defaults.retry.attempts = 1'
	printf '#!/bin/sh\nexec sleep 60\n' >"$here/bin/slow"
	printf '#!/bin/sh\necho "Error: Cannot find module enrich-rflr-vesting" >&2\nexit 1\n' >"$here/bin/broken"
	chmod +x "$here/bin/slow" "$here/bin/broken"
	touch "$HOLD"
	enqueue_run enrich.one enrichment
	start_worker
	wait_until 'is "1000 5000" "select progress_done || '"' '"' || progress_total from bf.job where step = '"'apr'"'"'
	run bfstat enrich.one
	[[ $output = *'apr '*'1,000/5,000'* ]]
	rm "$HOLD"
	wait_for_end enrich.one 90
	assert_same 'steps' "${all_done/range-status done/range-status failed}" "$(states enrich.one | sed 's/vesting failed/vesting done/')"
	assert_same 'one at a time' 1 "$(pg "select max(n) from (select count(*) as n from bf.job a join bf.job b on b.run = a.run and b.started_at <= a.started_at and b.finished_at > a.started_at group by a.step) x")"
	run bfstat failures enrich.one
	[[ $output = *'range-status all  timeout'*'ran longer than its timeout of 4s'* ]]
	[[ $output = *'vesting all  exit'*'Error: Cannot find module enrich-rflr-vesting'* ]]
	run bfstat enrich.one
	[[ $output = *'LAST ERROR   not-enriched all (check), '* ]]
	# the run has the pipeline as it was; its programs are those on the host
	sed '2i PAGE=5000' "$here/bin/range-status" >"$here/bin/slow"
	cat "$here/bin/vesting" >"$here/bin/broken"
	enqueue retry enrich.one
	wait_for_end enrich.one
	assert_same 'steps' "$all_done" "$(states enrich.one)"
	assert_enriched
	oracle enrich.one
}

@test "stopped in the middle of a step, worker gone: it goes on from the page where it was" {
	touch "$HOLD"
	enqueue_run enrich.stop enrichment
	start_worker
	wait_until 'is 1000 "select checkpoint from bf.job where step = '"'apr'"'"'
	enqueue stop enrich.stop
	assert_same 'state' stopping "$(run_state enrich.stop)" # the step may end
	kill -KILL "${WORKER_PIDS[0]}"
	rm "$HOLD"
	start_worker
	wait_until '[ "$(run_state enrich.stop)" = stopped ]'
	assert_same 'checkpoint' 1000 "$(pg "select checkpoint from bf.job where step = 'apr'")"
	assert_same 'steps that have begun' 1 "$(pg 'select count(*) from bf.job where epoch > 0')"
	enqueue resume enrich.stop
	wait_for_end enrich.stop 90
	assert_same 'steps' "$all_done" "$(states enrich.stop)"
	assert_enriched
	# again: nothing is left to do
	run enqueue run enrichment
	[[ $output = 'Nothing to do: '* ]]
}

@test "side by side where nothing depends: the same result" {
	enqueue_run enrich.side "$here/parallel.json"
	start_worker
	wait_for_end enrich.side 90
	assert_same 'steps' "$all_done" "$(states enrich.side)"
	[ "$(pg "select max(n) from (select count(*) as n from bf.job a join bf.job b on b.run = a.run and b.started_at <= a.started_at and b.finished_at > a.started_at group by a.step) x")" -ge 3 ]
	assert_enriched
	oracle enrich.side
}

@test "one step alone, with a limit, to try it" {
	enqueue_run enrich.try enrichment --only=range-status --param limit=700
	start_worker
	wait_for_end enrich.try
	assert_same 'positions' 700 "$(pg 'select count(*) from enrichment.position where range_status is not null')"
	assert_same 'others' 0 "$(pg 'select count(*) from enrichment.position where health is not null')"
	assert_same 'rows' 700 "$(pg "select rows from bf.job where run = 'enrich.try'")"
}
