# deploy/pipelines/stage-gated: 638 dates in two stages behind gates, from the first look at what is missing to the last signature.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	psql -Xq -v ON_ERROR_STOP=1 -d "$BF_DATABASE_URL" -f "$bf_top/deploy/pipelines/stage-gated/schema.sql" \
		-f "$bf_top/deploy/pipelines/stage-gated/load.sql" >/dev/null 2>&1
	range=(--since=2021-10-19 --until=2024-06-17)
}
teardown() { bf_teardown; }

step_state() { pg "select state from bf.step where run = '$1' and step = '$2'"; } # RUN STEP
is_asked() { is t "select asked_at is not null from bf.step where run = '$1' and step = '$2'"; }
jobs_done() { pg "select count(*) from bf.job where run = '$1' and step = '$2' and state = 'done'"; }
by_year() { bfstat coverage stage-gated "${range[@]}" --step="$1" --json | jq -r '.steps[] | [.years[] | "\(.done + .not_recorded)/\(.asked)"] | join(" ")'; }

# Each date was done after those before it, one at a time.
assert_one_by_one() { # RUN STEP
	assert_same "$2 out of order, or two at once" '' "$(pg "
		select * from (select chunk, started_at, finished_at, lag(finished_at) over (order by seq) as before from bf.job where run = '$1' and step = '$2') j
		 where started_at < before")"
}

@test "638 dates: what is missing is shown and taken, gates hold, a repair is named and works, two people sign, the season goes on" {
	# before: what is there, by year, date by date
	assert_same 'stage 3' '34/72 91/215 112/205 74/146' "$(by_year analytics)"
	assert_same 'stage 4' '0/72 0/215 0/205 0/146' "$(by_year precompute)"
	run -0 bfstat coverage stage-gated "${range[@]}"
	assert_same 'the source of all, as the table of the plan has it' 'raw-complete all 638 100 %' "$(grep -E '^raw-complete +all' <<<"$output" | awk '{print $1, $2, $3, $(NF-1), $NF}')"
	assert_same 'stage 3 by year' '2021 47,2022 42,2023 55,2024 51,all 49' "$(grep -E '^analytics +(20..|all) ' <<<"$output" | awk '{print $2, $(NF-1)}' | paste -sd,)"
	assert_same 'missing dates of stage 3' 327 "$(bfstat gaps stage-gated "${range[@]}" --step=analytics | wc -l)"
	assert_same 'missing dates of stage 4' 638 "$(bfstat gaps stage-gated "${range[@]}" --step=precompute | wc -l)"
	assert_same 'the first of them' "$(pg 'select game_date from stage_gated.schedule s where not exists (select from stage_gated.analytics a where a.game_date = s.game_date) order by 1 limit 1')" \
		"$(bfstat gaps stage-gated "${range[@]}" --step=analytics | head -n 1)"
	run enqueue run stage-gated "${range[@]}" --dry-run --json
	assert_same 'a plan' '327 638' "$(jq -r '[.steps[] | select(.kind == "sql" and .per == "chunk") | .jobs] | join(" ")' <<<"$output")"

	# gate 0: one date alone, that is there already
	start_worker
	start_worker
	canary=$(pg 'select max(game_date) from stage_gated.analytics')
	enqueue_run gated.canary stage-gated --only=analytics --since="$canary" --until="$canary" --reprocess=completed
	wait_for_end gated.canary
	oracle gated.canary

	# stage 1, while somebody deletes a date behind its back
	enqueue_run gated.main stage-gated "${range[@]}"
	assert_same 'jobs planned' '327 638' "$(pg "select string_agg(planned::text, ' ' order by ordinal) from bf.step where run = 'gated.main' and kind = 'sql' and not per_run")"
	wait_until '[ "$(jobs_done gated.main analytics)" -ge 20 ]'
	lost=$(pg 'select min(game_date) from stage_gated.schedule where game_date >= (select min(game_date) + 200 from stage_gated.schedule) and game_date in (select game_date from stage_gated.analytics)')
	pg "delete from stage_gated.analytics where game_date = '$lost'"
	wait_for_end gated.main 120
	assert_same 'gate 0' done "$(step_state gated.main raw-complete)"
	assert_same 'dates done in stage 3' 327 "$(jobs_done gated.main analytics)"
	assert_one_by_one gated.main analytics

	# gate 1 fails, says which date and what to type
	assert_same 'gate 1' failed "$(step_state gated.main gate-1)"
	assert_same 'stage 4' skipped "$(step_state gated.main precompute)"
	run bfstat failures gated.main
	[[ $output = *"gate-1: 637 of 638 days there (99.84 %), fails if < 1. Missing: $lost. Fill them: enqueue run stage-gated --only=analytics --since=$lost --until=$lost; then enqueue retry gated.main --step=gate-1"* ]]
	assert_same 'violations kept' "[\"$lost\"]" "$(pg "select violations from bf.check_result where run = 'gated.main' and step = 'gate-1'")"
	repair=$(sed -n 's/.*Fill them: \(.*\); then .*/\1/p' <<<"$output" | head -n 1)
	then=$(sed -n 's/.*; then \(enqueue retry [^ ]* --step=gate-1\).*/\1/p' <<<"$output" | head -n 1)
	$repair --run-id=gated.repair
	wait_for_end gated.repair
	assert_same 'dates repaired' 1 "$(jobs_done gated.repair analytics)"
	$then
	wait_until 'is_asked gated.main sign-off-stage-1'
	assert_same 'gate 1' done "$(step_state gated.main gate-1)"
	assert_same 'stage 3' '72/72 215/215 205/205 146/146' "$(by_year analytics)"

	# a person, then stage 2; all workers are killed in its middle, and it goes on where it was
	run bfstat gated.main
	[ "$status" -eq 3 ]
	[[ $output = *'ASKED        sign-off-stage-1, for '*'Stage 3 is whole.'* ]]
	enqueue approve gated.main sign-off-stage-1 --by='data owner' --note='spot checks are right'
	wait_until '[ "$(jobs_done gated.main precompute)" -ge 100 ]'
	kill -KILL "${WORKER_PIDS[@]}"
	before=$(jobs_done gated.main precompute)
	[ "$before" -lt 638 ]
	start_worker
	wait_until 'is_asked gated.main sign-off' 180
	assert_same 'dates done in stage 4' 638 "$(jobs_done gated.main precompute)"
	# skipping and retrying them raised their epochs by two; one date was under way when its worker died
	[ "$(pg "select count(*) from bf.job where run = 'gated.main' and step = 'precompute' and epoch <> 3")" -le 1 ]
	assert_same 'stage 4' '72/72 215/215 205/205 146/146' "$(by_year precompute)"
	assert_same 'gates' 'done done done done' "$(for s in gate-1 gate-2 quiet cascade; do step_state gated.main "$s"; done | paste -sd' ')"

	# the figures are those of one plain query, no trigger fired during the backfill, and the newest date went through all stages
	assert_same 'scores that differ' 0 "$(pg "
		select count(*) from (
		  (select game_date, player, score, days_seen from stage_gated.precompute where game_date <= '2024-06-17')
		  except
		  (select a.game_date, a.player, round(100 * avg(b.average_15), 4), count(*) from stage_gated.analytics a
		     join stage_gated.analytics b on b.player = a.player and b.game_date between a.game_date - 30 and a.game_date
		    where a.game_date <= '2024-06-17' group by 1, 2)) d")"
	assert_same 'rows of stage 4' $((638 * 6)) "$(pg "select count(*) from stage_gated.precompute where game_date <= '2024-06-17'")"
	assert_same 'triggers' 'raw 2024-10-22,analytics 2024-10-22' "$(pg "select string_agg(stage || ' ' || game_date, ',' order by stage desc) from stage_gated.downstream")"
	enqueue approve gated.main sign-off --by='head of data' --note='all four gates passed'
	wait_for_end gated.main
	assert_same 'the run' done "$(run_state gated.main)"
	run bfstat gated.main
	[ "$status" -eq 0 ]

	# the record: complete, and the same every time
	out=$BATS_TEST_TMPDIR/report
	run bfstat report gated.main --out="$out"
	[ "$status" -eq 0 ]
	[[ $output = *'17 of 17 criteria are met.'* ]]
	assert_same 'files' '.bfstat-report batches/precompute_0001.json batches/precompute_0002.json batches/precompute_0003.json batches/precompute_0004.json batches/precompute_0005.json batches/precompute_0006.json batches/precompute_0007.json cascade.md checks.json results.json sign_off.md summary.md' \
		"$(cd "$out" && find . -type f | sed 's|^./||' | sort | paste -sd' ')"
	assert_same 'jobs in the results, and their states' '976 done' "$(jq -r '"\(.jobs | length) \([.jobs[].state] | unique | join(","))"' "$out/results.json")"
	assert_same 'jobs in the batches' "$(jq -c '[.jobs[] | select(.step == "precompute")]' "$out/results.json")" "$(jq -cs '[.[].jobs[]]' "$out"/batches/*.json)"
	assert_same 'outcomes of gate 1' 'fail pass' "$(jq -r '[.checks[] | select(.step == "gate-1") | .outcome] | join(" ")' "$out/checks.json")"
	grep -F '**All criteria are met.**' "$out/sign_off.md"
	grep -E '^\| 20.* \| data owner \| approve \| sign-off-stage-1 \| spot checks are right \|$' "$out/sign_off.md"
	grep -E '^\| 20.* \| head of data \| approve \| sign-off \| all four gates passed \|$' "$out/sign_off.md"
	grep -F '| gate-1: passed | gate-1: 638 of 638 days there (100 %), fails if < 1 |' "$out/summary.md"
	bfstat report gated.main --out="$out.again" >/dev/null
	diff -r "$out" "$out.again"

	# once more: nothing
	run enqueue run stage-gated "${range[@]}"
	[[ $output = 'Nothing to do: '*'everything is done.'* ]]
}

@test "gate 0 names every table, column and function that is not there" {
	pg 'drop table stage_gated.season; drop function stage_gated.score; alter table stage_gated.raw drop column minutes cascade'
	start_worker
	enqueue_run gated.zero stage-gated "${range[@]}" --only=gate-0
	wait_for_end gated.zero
	assert_same 'the run' failed "$(run_state gated.zero)"
	assert_same 'what is named' 'column stage_gated.raw.minutes, table stage_gated.season, column stage_gated.season.current, function stage_gated.score(date,date)' \
		"$(pg "select string_agg(v ->> 'kind' || ' ' || (v ->> 'name'), ', ' order by n) from bf.check_result, jsonb_array_elements(violations) with ordinality v (v, n) where step = 'gate-0'")"
	bfstat report gated.zero --out="$BATS_TEST_TMPDIR/zero" >/dev/null
	grep -F 'stage_gated.score(date,date)' "$BATS_TEST_TMPDIR/zero/checks.json"
}

@test "a date whose look-back has a hole fails, and names the dates that are missing" {
	start_worker
	pg "select set_config('stage_gated.skip_downstream_trigger', 'true', false); select stage_gated.analyse('2021-10-19', '2024-06-17')"
	lost=$(pg 'select game_date from stage_gated.analytics group by 1 order by 1 offset 40 limit 1')
	next=$(pg "select min(game_date) from stage_gated.analytics where game_date > '$lost'")
	pg "delete from stage_gated.analytics where game_date = '$lost'"
	enqueue_run gated.hole stage-gated --only=precompute --since="$next" --until="$next" --no-preflight
	wait_until "at_least 1 \"select count(*) from bf.attempt where run = 'gated.hole'\""
	assert_same 'the error' "stage 3 has no $lost" "$(pg "select distinct left(error, 25) from bf.attempt where run = 'gated.hole'")"
}
