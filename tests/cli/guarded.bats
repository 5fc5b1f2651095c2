# deploy/pipelines/guarded: 39 sessions of a plan file through an HTTP function, at a rate, with a review, a soak, a decision and a look at
# production; rejected and undone once, restarted in the middle of the soak, approved to its end.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/httpd.bash

setup() {
	bf_setup
	SECRET=service-role-3f9a1c
}
teardown() { bf_teardown; }

# The pipeline with its hours as seconds, its data, and the function.
guarded_up() {
	export BF_PIPELINES=$BATS_TEST_TMPDIR/pipelines
	mkdir -p "$BF_PIPELINES"
	cp -r "$bf_top/deploy/pipelines/guarded" "$BF_PIPELINES/"
	sed -i 's|"rate": "20/minute"|"rate": "1200/minute"|; s/"first": "2s", "factor": 3/"first": "100ms", "factor": 1/' "$BF_PIPELINES/guarded/pipeline.json"
	soak=(--param=observe_for=8s --param=observe_every=400ms)
	psql -Xq -v ON_ERROR_STOP=1 -d "$BF_DATABASE_URL" -f "$bf_top/deploy/pipelines/guarded/schema.sql" -f "$bf_top/deploy/pipelines/guarded/schema.sql" \
		-f "$bf_top/deploy/pipelines/guarded/load.sql" 2>/dev/null
	unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy SUPABASE_SERVICE_ROLE_KEY
	start_function
}
start_function() {
	SUPABASE_SERVICE_ROLE_KEY=$SECRET "$bf_top/deploy/pipelines/guarded/bin/score-function" >"$BATS_TEST_TMPDIR/function" 2>"$BATS_TEST_TMPDIR/function.log" 3>&- </dev/null &
	function_pid=$!
	WORKER_PIDS+=($!)
	wait_until "grep -q http '$BATS_TEST_TMPDIR/function'"
	SCORE_URL=$(cat "$BATS_TEST_TMPDIR/function")
	export SCORE_URL
}
step_state() { pg "select state from bf.step where run = '$1' and step = '$2'"; } # RUN STEP
is_asked() { is t "select asked_at is not null from bf.step where run = '$1' and step = '$2'"; }
samples() { pg "select count(*) from bf.check_result where run = '$1' and step = 'observe' and name = 'conversion'"; }
profiles() { pg "select string_agg(session_id || ' ' || results_version || ' ' || score || ' ' || written_by, E'\n' order by session_id) from guarded.profile"; }
# Where the secret is, of all that is kept.
assert_no_secret() {
	pg_dump -d "$BF_DATABASE_URL" >"$BATS_TEST_TMPDIR/dump"
	{ rd keys '*' | while read -r key; do echo "$key" && rd dump "$key"; done; } >"$BATS_TEST_TMPDIR/redis" 2>/dev/null
	assert_same 'where the secret is' '' "$(grep -rlaF "$SECRET" "$BATS_TEST_TMPDIR/dump" "$BATS_TEST_TMPDIR/redis" "$BATS_TEST_TMPDIR"/worker-*.log "$BATS_TEST_TMPDIR"/out* 2>/dev/null)"
}

@test "phase by phase: a secret that is missing, a review that is rejected and undone, a restart of everything in the soak, and seven artifacts" {
	own_servers
	guarded_up
	local before after started
	before=$(profiles)

	# without its key nothing is called, and what is missing is named, not shown
	start_worker
	enqueue_run g.nokey guarded
	wait_for_end g.nokey
	assert_same 'apply' skipped "$(step_state g.nokey apply)"
	run bfstat failures g.nokey
	[[ $output = *'SCORE_URL: set'*'SUPABASE_SERVICE_ROLE_KEY: MISSING'* && $output != *"$SCORE_URL"* ]]
	kill_worker "${WORKER_PIDS[-1]}"
	export SUPABASE_SERVICE_ROLE_KEY=$SECRET

	# phase 1: 39 sessions, at the rate, then it waits for a review
	run enqueue run guarded --dry-run --json
	assert_same 'planned' '39 at least once, with an idempotency key' "$(jq -r '.steps[] | select(.step == "apply") | "\(.jobs) \(.guarantee)"' <<<"$output")"
	start_worker
	start_worker
	enqueue_run g.one guarded
	wait_until 'is_asked g.one review' 60
	assert_same 'applied' '39 39' "$(pg "select count(*) || ' ' || count(distinct written_by) from guarded.profile where written_by like 'g.one/apply/%'")"
	assert_same 'sessions with the version' 39 "$(pg "select count(*) from guarded.profile where results_version = 'v1.2.1' and session_id <= 's-0039' and session_id > 's'")"
	run bfstat g.one
	[ "$status" -eq 3 ]
	[[ $output = *'review, for '*'Otherwise reject, and undo: enqueue rollback g.one --dry-run'* ]]

	# rejected, and undone: but for what somebody else has written since
	enqueue reject g.one review --by='Reviewer' --note='scores look odd'
	wait_for_end g.one
	assert_same 'the soak' skipped "$(step_state g.one observe)"
	pg "select guarded.score('s-0005', 'v1.3', 'live')"
	run enqueue rollback g.one --dry-run
	[ "$status" -eq 1 ]
	[[ $output = *'apply s-0005: another writer has changed it since:'*'apply: 38 jobs would be undone, from s-'* ]]
	run enqueue rollback g.one
	[ "$status" -eq 1 ]
	after=$(profiles)
	assert_same 'what differs from before' '> s-0005 v1.3' "$(diff <(echo "$before") <(echo "$after") | sed -n 's/^\(> s-0005 v1.3\) .*/\1/p; /^[<>]/{/s-0005/!p}')"

	# again: what was undone and what another has written is taken, and this time approved
	enqueue_run g.two guarded "${soak[@]}"
	assert_same 'taken again' 39 "$(pg "select planned from bf.step where run = 'g.two' and step = 'apply'")"
	wait_until 'is_asked g.two review' 60
	bfstat report g.two --out="$BATS_TEST_TMPDIR/out" >/dev/null
	assert_same 'files of what has not run yet' '' "$(cd "$BATS_TEST_TMPDIR/out" && ls -d prod* staging* 2>/dev/null || true)"
	enqueue approve g.two review --by='Reviewer' --note='fine'

	# phase 2: everything dies in the middle of the soak, and comes back
	wait_until '[ "$(samples g.two)" -ge 4 ]'
	started=$(pg "select released_at from bf.step where run = 'g.two' and step = 'observe'")
	kill -KILL "${WORKER_PIDS[-1]}" "${WORKER_PIDS[-2]}" "$(server_pid redis)" "$(server_pid postgres)"
	own_servers_again
	wait_until 'pg "select 1"' 30
	start_worker
	start_worker
	wait_until 'is_asked g.two go' 60
	assert_same 'its beginning' "$started" "$(pg "select released_at from bf.step where run = 'g.two' and step = 'observe'")"
	assert_same 'it lasted' t "$(pg "select finished_at - released_at >= interval '8 s' from bf.step where run = 'g.two' and step = 'observe'")"
	assert_same 'outcomes' pass "$(pg "select distinct outcome from bf.check_result where run = 'g.two' and step = 'observe'")"
	assert_same 'no session was applied twice' '39 1' "$(pg "select count(*) || ' ' || max(n) from (select session_id, count(*) as n from guarded.profile_history where replaced_by like 'g.two/%' group by 1 union all select session_id, 1 from guarded.profile where written_by like 'g.two/%' and session_id not in (select session_id from guarded.profile_history where replaced_by like 'g.two/%')) x")"

	# phase 3
	enqueue approve g.two go --by='Release' --note='go'
	wait_until 'is_asked g.two recommendations' 30
	assert_same 'production' 'prod-conversion pass, prod-overrides pass, prod-sessions warn' \
		"$(pg "select string_agg(step || ' ' || outcome, ', ' order by step) from bf.check_result where run = 'g.two' and step like 'prod%'")"
	run bfstat g.two
	[ "$status" -eq 3 ]
	enqueue approve g.two recommendations --by='Owner' --note='the mini plan on Monday'
	wait_for_end g.two
	assert_same 'state' done "$(run_state g.two)"
	oracle g.two

	# the seven artifacts, the same every time
	bfstat report g.two --out="$BATS_TEST_TMPDIR/out" | grep -q '15 of 15 criteria are met' || { bfstat report g.two --out="$BATS_TEST_TMPDIR/out"; false; }
	bfstat report g.two --out="$BATS_TEST_TMPDIR/out2" >/dev/null
	diff -r "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/out2"
	assert_same 'files' 'backfill_logs/batch_0001.json backfill_logs/batch_0002.json backfill_logs/batch_0003.json backfill_logs/batch_0004.json backfill_logs/execution_results.json backfill_logs/rollback_'"$(pg "select to_char(created_at at time zone 'UTC', 'YYYY-MM-DD') from bf.run where run = 'g.two'")"'.sql backfill_summary.md prod_health_check.md prod_mini_backfill_plan.json staging_observability.md' \
		"$(cd "$BATS_TEST_TMPDIR/out" && find . -type f ! -name .bfstat-report | sed 's|^./||' | LC_ALL=C sort | paste -sd' ')"
	assert_same 'timings of each session' 39 "$(jq '[.jobs[] | select(.step == "apply" and .duration_ms >= 0)] | length' "$BATS_TEST_TMPDIR/out/backfill_logs/execution_results.json")"
	assert_same 'the mini plan' 'p-0007 p-0019 p-0031' "$(jq -r '[.sessions[].id] | join(" ")' "$BATS_TEST_TMPDIR/out/prod_mini_backfill_plan.json")"
	assert_same 'HTTP status and tries of each session' '39 200 1' "$(jq -r '[.jobs[] | select(.step == "apply")] | "\(length) \(map(.http_status) | unique | join(",")) \(map(.tries) | unique | join(","))"' "$BATS_TEST_TMPDIR/out/backfill_logs/execution_results.json")"
	assert_same 'sessions in the summary' 39 "$(grep -cE '^\| s-00[0-9]+ \| apply \| done \| 200 \| 1 \| [^|]+ \| HTTP 200: ' "$BATS_TEST_TMPDIR/out/backfill_summary.md")"
	grep -q '| conversion | metric |' "$BATS_TEST_TMPDIR/out/staging_observability.md"
	grep -q '^\*\*Passed\.\*\* [0-9]* samples: 0 with a check that failed' "$BATS_TEST_TMPDIR/out/staging_observability.md"
	grep -qE '^- begin: 20.* UTC$' "$BATS_TEST_TMPDIR/out/staging_observability.md"
	grep -qE '^- end: 20.* UTC, after ' "$BATS_TEST_TMPDIR/out/staging_observability.md"
	assert_same 'a row for each sample' "$(samples g.two)" "$(grep -cE '^\| [0-9]+ \| 20.* \| pass \| version-overrides 0, functions-kind 1, conversion 0\.[0-9]+, tokenized-access 1 \|$' "$BATS_TEST_TMPDIR/out/staging_observability.md")"
	grep -q '^- \*\*prod-sessions\*\* warns; look at it, and decide: .*`prod_mini_backfill_plan.json`' "$BATS_TEST_TMPDIR/out/prod_health_check.md"
	[ -z "$(grep 'prod-sessions: passed' "$BATS_TEST_TMPDIR/out/backfill_summary.md")" ]
	grep -q '2 passed, 1 warned, 0 failed' "$BATS_TEST_TMPDIR/out/prod_health_check.md"
	grep -q 'Owner | approve | recommendations | the mini plan on Monday' "$BATS_TEST_TMPDIR/out/backfill_summary.md"
	assert_no_secret

	# the mini plan is applied as it is, and a second time does nothing
	cp "$BATS_TEST_TMPDIR/out/prod_mini_backfill_plan.json" "$BF_PIPELINES/guarded/plan.json"
	enqueue_run g.mini guarded --only=apply
	wait_for_end g.mini
	assert_same 'sessions of an older version' 0 "$(pg "select count(*) from guarded.profile where session_id like 'p%' and results_version <> 'v1.2.1'")"
	run enqueue run guarded --only=apply
	[ "$status" -eq 0 ]
	[[ $output = *'nothing'* || $output = *'Nothing'* ]]

	# the rollback script of the run
	pg "select guarded.score('s-0007', 'v1.3', 'live')"
	enqueue rollback g.two --step=apply --chunk=s-0008 >/dev/null
	run psql -Xq -v ON_ERROR_STOP=1 -d "$BF_DATABASE_URL" -f "$(echo "$BATS_TEST_TMPDIR"/out/backfill_logs/rollback_*.sql)"
	[ "$status" -eq 0 ]
	assert_same 'its last line' '37 jobs undone, 2 stay as they are' "${lines[-1]}"
	[[ $output = *'apply s-0007 stays: another writer has changed it since'* ]]
	[[ $output = *'apply s-0008 stays: job g.two/apply#'*'is not done, or was done again since'* ]]
	assert_same 'undone' 38 "$(pg "select count(*) from bf.job where run = 'g.two' and state = 'undone'")"
	assert_same 'staging as it was before the run' "$(grep '^s-' <<<"$after" | grep -v '^s-0007')" "$(profiles | grep '^s-' | grep -v '^s-0007')"
}

@test "a single phase alone; a soak ends early on what it must not see; a session that fails is categorised and the others go on" {
	guarded_up
	export SUPABASE_SERVICE_ROLE_KEY=$SECRET
	pg "delete from guarded.profile where session_id = 's-0003'; delete from guarded.session where id = 's-0003'" # the plan names one that is not there
	start_worker
	enqueue_run g.apply guarded --only=apply --only=applied
	wait_for_end g.apply
	assert_same 'done and failed' '38 1' "$(pg "select count(*) filter (where state = 'done') || ' ' || count(*) filter (where state = 'failed') from bf.job where run = 'g.apply' and step = 'apply'")"
	assert_same 'the check warns' warn "$(pg "select outcome from bf.check_result where run = 'g.apply' and step = 'applied'")"
	bfstat report g.apply --out="$BATS_TEST_TMPDIR/out" >/dev/null
	grep -q '| apply | http-4xx | 1 | 1 |' "$BATS_TEST_TMPDIR/out/backfill_summary.md"
	grep -q 'no such session' <<<"$(bfstat failures g.apply)"

	enqueue_run g.watch guarded --only=observe "${soak[@]}"
	wait_until '[ "$(samples g.watch)" -ge 2 ]'
	pg "insert into guarded.event (environment, name) values ('staging', 'engine_version_override')"
	wait_for_end g.watch
	assert_same 'state' failed "$(run_state g.watch)"
	assert_same 'samples that failed' 2 "$(pg "select count(*) from bf.check_result where run = 'g.watch' and outcome = 'fail'")"
	run bfstat failures g.watch
	[[ $output = *'version-overrides: 1 found, fails if > 0'* ]]
}

@test "a phase is run alone by its name, and takes its approval along; how long it is watched, a parameter says" {
	guarded_up
	export SUPABASE_SERVICE_ROLE_KEY=$SECRET
	run enqueue run guarded --only=backfil
	[ "$status" -eq 2 ]
	[[ $output = *'did you mean backfill?'* ]]
	run enqueue run guarded --param=observe_for=soon
	[ "$status" -eq 2 ]
	[[ $output = *'parameter observe_for'* ]]
	run enqueue run guarded --param=observe_for=1s --param=observe_every=2s
	[ "$status" -eq 2 ]
	[[ $output = *'step observe: found an interval that is longer than'* ]]

	start_worker
	enqueue_run g.first guarded --only=backfill
	wait_until 'is_asked g.first review' 60
	assert_same 'its steps' 'secrets plan apply applied stamped review' "$(pg "select string_agg(step, ' ' order by ordinal) from bf.step where run = 'g.first' and planned > 0")"
	run bfstat g.first
	[ "$status" -eq 3 ]
	enqueue approve g.first review >/dev/null
	wait_for_end g.first
	assert_same 'state' done "$(run_state g.first)"

	enqueue_run g.second guarded --only=staging-soak --param=observe_for=1s --param=observe_every=200ms
	wait_until 'is_asked g.second go'
	assert_same 'it lasted' t "$(pg "select finished_at - released_at between interval '1 s' and interval '20 s' from bf.step where run = 'g.second' and step = 'observe'")"

	# a soak that is begun again counts from there: the report has only the one that decides
	pg "insert into guarded.event (environment, name) values ('staging', 'engine_version_override')"
	enqueue_run g.third guarded --only=staging-soak --param=observe_for=2s --param=observe_every=200ms
	wait_for_end g.third
	bfstat report g.third --out="$BATS_TEST_TMPDIR/third" >/dev/null
	grep -q '^\*\*Failed\.\*\* 2 samples: 2 with a check that failed' "$BATS_TEST_TMPDIR/third/staging_observability.md"
	pg "delete from guarded.event where name = 'engine_version_override'"
	enqueue retry g.third >/dev/null
	wait_until 'is_asked g.third go'
	bfstat report g.third --out="$BATS_TEST_TMPDIR/third" >/dev/null
	grep -q '^\*\*Passed\.\*\* [0-9]* samples: 0 with a check that failed' "$BATS_TEST_TMPDIR/third/staging_observability.md"
	[ -z "$(grep '| fail |' "$BATS_TEST_TMPDIR/third/staging_observability.md")" ]
}

@test "what failed is told apart: a wrong request, too many of them, a server in trouble, no answer in time, none at all" {
	pipeline kinds <<-'JSON'
		{"pipeline": "kinds", "chunk": {"keys": {"sql": "sql/keys.sql"}}, "env": {"pass": ["API_URL"]},
		 "defaults": {"retry": {"attempts": 1}, "on_failure": "continue"},
		 "steps": [{"name": "ask", "kind": "http", "url": "{{env.API_URL}}/status/{{key}}"},
		   {"name": "late", "kind": "http", "per": "run", "url": "{{env.API_URL}}/slow/5000", "timeout": "500ms"}]}
	JSON
	sql_file keys.sql <<<"select unnest(array['200', '404', '429', '503', '304']);"
	start_httpd
	start_worker
	enqueue_run k.one kinds
	wait_for_end k.one
	assert_same 'categories' 'ask 304 http-status, ask 404 http-4xx, ask 429 http-429, ask 503 http-5xx, late  timeout' \
		"$(pg "select string_agg(step || ' ' || coalesce(key, '') || ' ' || error_category, ', ' order by step, key) from bf.job where run = 'k.one' and state = 'failed'")"
	bfstat report k.one --out="$BATS_TEST_TMPDIR/out" >/dev/null
	assert_same 'statuses' '200 200 1, 304 304 1, 404 404 1, 429 429 1, 503 503 1' \
		"$(jq -r '[.jobs[] | select(.step == "ask") | "\(.chunk) \(.http_status) \(.tries)"] | sort | join(", ")' "$BATS_TEST_TMPDIR/out/results.json")"
	assert_same 'no answer' 'null 1' "$(jq -r '.jobs[] | select(.step == "late") | "\(.http_status) \(.tries)"' "$BATS_TEST_TMPDIR/out/results.json")"
	assert_same 'a member that says other than it is called' 0 "$(jq '[.jobs[] | select(has("attempts"))] | length' "$BATS_TEST_TMPDIR/out/results.json")"
}
