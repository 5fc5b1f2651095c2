# bfstat plan: the graph of a pipeline, without any server.
bats_require_minimum_version 1.5.0
load ../support/lib.bash

setup() {
	export PATH=${BF_BUILD:-$bf_top/build-test}/bin:$PATH BF_PIPELINES=$bf_top/deploy/pipelines
	export BF_REDIS_URL=unix:///nowhere BF_DATABASE_URL=postgresql://nowhere.invalid/x
}

@test "the steps in their stages: what each does, after which, and what its failure means" {
	run bfstat plan stage-gated
	[ "$status" -eq 0 ]
	[[ $output = *'stage-gated: 638 dates in two stages'* ]]
	[[ $output = *'    3  analytics         sql           each day, one by one, looks back 15 days, only what is missing  raw-complete '* ]]
	[[ $output = *'    5  gate-1            check (gate)  coverage of analytics, fails if < 1 '*'analytics-rate '*'what comes after is skipped'* ]]
	[[ $output = *'   13  sign-off          approval      within 3d, else rejected '* ]]
}

@test "steps that may run side by side are of one stage; where failures do not stop what comes after, it says so" {
	run bfstat plan "$BF_PIPELINES/enrichment/parallel.json"
	[ "$status" -eq 0 ]
	[ "$(grep -c '^ *[0-9]* *[a-z-]* *exec' <<<"$output")" -eq 10 ]
	grep -E '^ +1  apr +exec +each key +what comes after goes on' <<<"$output"
	grep -E '^ +2  unclaimed-fees +exec +each key +fees-usd' <<<"$output"
	grep -E '^ +3  position-snapshots ' <<<"$output"
}

@test "as a flowchart: every step a node, every need an edge" {
	run bfstat plan stage-gated --mermaid
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 'flowchart TD' ]
	[ "$(grep -c '^    s[0-9]*[[{]' <<<"$output")" -eq 13 ]
	[ "$(grep -c -- '-->' <<<"$output")" -eq 12 ]
	[[ $output = *'    s4{{"gate-1<br/>check: coverage of analytics, fails if &lt; 1"}}'* ]]
	[[ $output = *'    s11[/"cascade<br/>soak: 2 checks each 2s for 10s"/]'* ]]
	[[ $output = *'    s12{"sign-off<br/>approval: within 3d, else rejected"}'* ]]
	run bfstat plan "$BF_PIPELINES/enrichment/parallel.json" --mermaid
	[[ $output = *'    s4 -.-> s8'* ]] # it goes on although it failed
}

@test "as JSON; and what cannot be: an unknown pipeline, two forms at once" {
	run bfstat plan weather --json
	assert_same 'steps' 'daily 1 , rolling 2 daily, export 3 rolling, complete 3 rolling' "$(jq -r '[.steps[] | "\(.step) \(.stage) \(.needs | join("+"))"] | join(", ")' <<<"$output")"
	for key in $(jq -r '.. | objects | keys[]' <<<"$output" | sort -u); do
		grep -qwF -- "$key" "$bf_top/docs/bfstat-json.md" || { echo "not documented: $key" >&2; return 1; }
	done
	run bfstat plan wether
	[ "$status" -eq 2 ]
	[[ $output = *'weather'* ]]
	run bfstat plan weather --json --mermaid
	[ "$status" -eq 2 ]
	[[ $output = *'--mermaid: found beside --json'* ]]
}
