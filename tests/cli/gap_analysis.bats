# docs/gap-analysis.md: every command and every query of it, against a run of stage-gated that has failed in part.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() { bf_setup; }
teardown() { bf_teardown; }

# The blocks of a kind, each in a file of its own: $BATS_TEST_TMPDIR/KIND.N
take_blocks() { # KIND
	awk -v kind="$1" -v to="$BATS_TEST_TMPDIR/$1." '$0 == "```" kind {n++; inside = 1; next} /^```$/ {inside = 0} inside {print >> (to n)}' \
		"$bf_top/docs/gap-analysis.md"
}

# Gate 1 of it has failed: a date was deleted; the third date that was missing has failed once before it was done.
failed_run() {
	export BF_PIPELINES=$BATS_TEST_TMPDIR/pipelines
	mkdir "$BF_PIPELINES"
	cp -r "$bf_top/deploy/pipelines/stage-gated" "$BF_PIPELINES/"
	psql -Xq -v ON_ERROR_STOP=1 -d "$BF_DATABASE_URL" -f "$BF_PIPELINES/stage-gated/schema.sql" -f "$BF_PIPELINES/stage-gated/load.sql" >/dev/null 2>&1
	SINCE=2021-10-19 UNTIL=2021-12-31
	local day
	day=$(bfstat gaps stage-gated --step=analytics --since=$SINCE --until=$UNTIL | sed -n 3p)
	pg "create function stumble(p_day date) returns int language plpgsql as
	    \$\$ begin if p_day = '$day' and exists (select from bf.job where step = 'analytics' and chunk = '$day' and attempts = 0)
	             then raise exception 'stumbled'; end if; return 1; end \$\$"
	echo "select stumble(:'since');" >>"$BF_PIPELINES/stage-gated/sql/analytics.sql"
	sed -i 's/"first": "1s"/"first": "100ms"/' "$BF_PIPELINES/stage-gated/pipeline.json"
	enqueue_run gated.page stage-gated --since=$SINCE --until=$UNTIL
	pg "delete from stage_gated.analytics where game_date = (select min(game_date) from stage_gated.analytics)"
	start_worker
	wait_for_end gated.page
	assert_same 'the run' failed "$(run_state gated.page)"
}

@test "every command of the page answers, and says what it is about" {
	failed_run
	take_blocks sh
	export PIPELINE=stage-gated RUN=gated.page STEP=analytics SINCE UNTIL OUT=$BATS_TEST_TMPDIR/report
	for block in "$BATS_TEST_TMPDIR"/sh.*; do
		run bash -c "$(cat "$block")"
		echo "$(cat "$block"): $status"
		echo "$output"
		[ "$status" -le 1 ] # 1: the run has failed
		case $(cat "$block") in
		*coverage*) [[ $output = *'analytics  99 %: 71 of 72 days there'* ]] ;;
		*gaps*) [ "$(grep -c '^2021-' <<<"$output")" -eq 1 ] ;;
		*dry-run*) [[ $output = *'Dry run: '*'Not planned:'* ]] ;;
		*failures*) [[ $output = *'gate-1 '*'Fill them: enqueue run stage-gated'* ]] ;;
		*report*) [[ $output = *'NOT MET gate-1: passed'* ]] ;;
		*events*) [[ $output = *'run failed'* ]] ;;
		*verify*) [[ $output = *'agree'* ]] ;;
		'bfstat $RUN') [[ $output = *'gated.page  failed'* ]] ;;
		*workers*) [[ $output = *alive* ]] ;;
		esac
	done
	[ "$(find "$BATS_TEST_TMPDIR" -name 'sh.*' | wc -l)" -ge 10 ]
}

@test "every query of the page runs, and those about what went wrong find it" {
	failed_run
	take_blocks sql
	for block in "$BATS_TEST_TMPDIR"/sql.*; do
		rows=$(psql -XAtq -v ON_ERROR_STOP=1 -v run=gated.page -v pipeline=stage-gated -v step=analytics -d "$BF_DATABASE_URL" -f "$block")
		echo "$(cat "$block")"
		echo "-> $rows"
		case $(cat "$block") in
		*bf.failures*) [[ $rows = *'gate-1|2021-10-19..2021-12-31|'*'enqueue retry gated.page'* ]] ;;
		*'category, count'*) [[ $rows = *'analytics|sql|1|1|stumbled'* ]] ;;
		*output_tail*) [[ $rows = *stumbled* ]] ;;
		*jsonb_array_elements*) [ "$(wc -l <<<"$rows")" -eq 1 ] && [[ $rows = gate-1\|2021-* ]] ;;
		*'type, actual'*) [[ $rows = *'|gate-1|coverage|'*'|fail|gate-1: 71 of 72 days there'* ]] ;;
		*bf.progress*) [[ $rows = *'precompute|skipped|72|0|0|0|0|72'* ]] ;;
		*'limit 10'*) [ "$(wc -l <<<"$rows")" -eq 10 ] ;;
		*percentile_cont*) [[ $rows = *'analytics|'* ]] ;;
		esac
	done
	[ "$(find "$BATS_TEST_TMPDIR" -name 'sql.*' | wc -l)" -ge 15 ]
}
