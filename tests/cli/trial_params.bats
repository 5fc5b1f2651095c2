# A parameter that changes what is done says what another value means for coverage: identity, a trial, or nothing.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() { bf_setup; }
teardown() { bf_teardown; }

# `limit` as it is declared in the pipeline.
positions() { # DECLARATION
	pipeline positions <<-JSON
		{"pipeline": "positions", "chunk": {"size": 5}, "params": {"limit": {"default": "0"${1:-}}},
		 "steps": [{"name": "take", "kind": "sql", "file": "sql/take.sql"}]}
	JSON
	sql_file take.sql <<<"insert into taken select d::date, :limit from generate_series(:'since'::date, :'until', interval '1 day') d;"
	pg 'create table if not exists taken (day date, most int)'
}
range=(--since=2024-01-01 --until=2024-01-10)
shown() { bfstat coverage positions "${range[@]}" --json | jq -r '.steps[0] | "\(.asked) \(.done) \(.missing)"'; }

@test "validate asks what a parameter means that a sql, exec or http step uses, and names the step and the three answers" {
	positions
	run -2 enqueue validate positions
	[[ $output = *'params.limit: step take uses it (sql/take.sql)'*'"identity": true'*'"trial": true'*'"affects": "nothing"'* ]]
	for declaration in ', "identity": true' ', "trial": true' ', "affects": "nothing"'; do
		positions "$declaration"
		run -0 enqueue validate positions
	done
	positions ', "trial": true, "identity": true'
	run -2 enqueue validate positions
	[[ $output = *'params.limit: found more than one of "identity", "trial" and "affects", expected one of them'* ]]
	positions ', "affects": "everything"'
	run -2 enqueue validate positions
	[[ $output = *'params.limit.affects: found "everything", expected one of'*'nothing'* ]]
}

@test "of exec steps the arguments and the environment count, of http steps url, headers and body; others may use it as they like" {
	local step=''
	asks() { # STEP WORDS
		pipeline uses <<-JSON
			{"pipeline": "uses", "chunk": {"size": 5}, "params": {"speed": {"default": "1"}}, "env": {"set": {"SPEED": "${3:-1}"}}, "steps": [$1]}
		JSON
		program go <<<'true'
		sql_file one.sql <<<"select :speed"
		run enqueue validate uses
		[[ $output = *"$2"* ]] || { echo "$output" >&2; return 1; }
	}
	asks '{"name": "go", "kind": "exec", "argv": ["bin/go", "--speed={{param.speed}}"]}' 'params.speed: step go uses it (argv)'
	asks '{"name": "go", "kind": "exec", "argv": ["bin/go"]}' 'params.speed: step go uses it (env.set)' '{{param.speed}}'
	asks '{"name": "go", "kind": "http", "url": "http://127.0.0.1/{{param.speed}}"}' 'params.speed: step go uses it (url)'
	asks '{"name": "go", "kind": "http", "url": "http://127.0.0.1/", "headers": {"x-speed": "{{param.speed}}"}}' 'step go uses it (headers)'
	asks '{"name": "go", "kind": "http", "url": "http://127.0.0.1/", "body": {"speed": "{{param.speed}}"}}' 'step go uses it (body)'
	for step in '{"name": "go", "kind": "exec", "argv": ["bin/go"]}' '{"name": "see", "kind": "check", "type": "metric", "file": "sql/one.sql", "error_if": "< 1"}'; do
		asks "$step" 'is fine'
		[ "$status" -eq 0 ]
	done
}

@test "a trial has to have a default" {
	pipeline nothing <<-'JSON'
		{"pipeline": "nothing", "chunk": {"size": 5}, "params": {"limit": {"trial": true}}, "steps": [{"name": "take", "kind": "noop"}]}
	JSON
	run -2 enqueue validate nothing
	[[ $output = *'params.limit.trial: found a trial without a "default", expected both'* ]]
}

@test "what was done with another value than the default is not coverage, and a whole run does it all" {
	positions ', "trial": true'
	enqueue_run positions.try positions "${range[@]}" --param=limit=10
	grep -F 'A trial: limit is 10 instead of 0, so what it does does not count as done.' "$BATS_TEST_TMPDIR/enqueue.log"
	start_worker
	wait_for_end positions.try
	assert_same 'asked, done, missing' '10 0 10' "$(shown)"
	assert_same 'by SQL' 0 "$(pg "select count(*) from bf.coverage where pipeline = 'positions'")"
	run -0 bfstat positions.try
	[[ $output = *'a trial: what it does does not count as done'* ]]
	enqueue_run positions.whole positions "${range[@]}"
	wait_for_end positions.whole
	assert_same 'jobs of the whole run' 2 "$(pg "select count(*) from bf.job where run = 'positions.whole' and state = 'done'")"
	assert_same 'asked, done, missing' '10 10 0' "$(shown)"
	run enqueue run positions "${range[@]}"
	[[ $output = *'everything is done'* ]]
}

@test "a trial that failed is nothing that a whole run leaves out; one under way holds its days" {
	positions ', "trial": true'
	sql_file take.sql <<<"select 1 / :limit;"
	pipeline positions <<-'JSON'
		{"pipeline": "positions", "chunk": {"size": 5}, "params": {"limit": {"default": "1", "trial": true}}, "defaults": {"retry": {"attempts": 1}},
		 "steps": [{"name": "take", "kind": "sql", "file": "sql/take.sql"}]}
	JSON
	enqueue_run positions.try positions "${range[@]}" --param=limit=0
	run -0 enqueue run positions "${range[@]}" --dry-run
	[[ $output = *'held by run positions.try'* ]]
	start_worker
	wait_for_end positions.try
	assert_same 'the trial' failed "$(run_state positions.try)"
	enqueue_run positions.whole positions "${range[@]}"
	wait_for_end positions.whole
	assert_same 'the whole run' 'done 2' "$(pg "select state || ' ' || (select count(*) from bf.job j where j.run = r.run and j.state = 'done') from bf.run r where run = 'positions.whole'")"
}

@test "the same trial again does it again" {
	positions ', "trial": true'
	enqueue_run positions.one positions "${range[@]}" --param=limit=10
	start_worker
	wait_for_end positions.one
	enqueue_run positions.two positions "${range[@]}" --param=limit=10
	wait_for_end positions.two
	assert_same 'jobs' 2 "$(pg "select count(*) from bf.job where run = 'positions.two' and state = 'done'")"
}

@test "what a later trial has done can still be retried" {
	pipeline positions <<-'JSON'
		{"pipeline": "positions", "chunk": {"size": 5}, "params": {"limit": {"default": "0", "trial": true}}, "defaults": {"retry": {"attempts": 1}},
		 "steps": [{"name": "take", "kind": "sql", "file": "sql/take.sql"}]}
	JSON
	sql_file take.sql <<<"select 1 / (select count(*) from ready) + :limit;"
	pg 'create table ready (n int)'
	enqueue_run positions.whole positions "${range[@]}"
	start_worker
	wait_for_end positions.whole
	pg 'insert into ready values (1)'
	enqueue_run positions.try positions "${range[@]}" --param=limit=10 --reprocess=failed
	wait_for_end positions.try
	assert_same 'the trial' 'done' "$(run_state positions.try)"
	enqueue retry positions.whole >/dev/null
	wait_for_end positions.whole
	assert_same 'the whole run' 'done' "$(run_state positions.whole)"
}
