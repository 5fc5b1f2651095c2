#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031
# `bfstat health`, `bfstat eta`, `bfstat missing`: the first answers to "is it well", "how long" and "what is left".
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	export LC_ALL=C.UTF-8
	pipeline work <<-'JSON'
		{"pipeline": "work", "chunk": {"size": 1}, "concurrency": {"default": 2}, "defaults": {"retry": {"attempts": 1}, "on_failure": "continue"},
		 "steps": [{"name": "make", "kind": "sql", "file": "sql/make.sql"}]}
	JSON
	sql_file make.sql <<-'SQL'
		do $$ begin while exists (select from hold) loop perform pg_sleep(0.02); end loop; end $$;
		select 1 / (case when :'since' = '2024-01-03' then 0 else 1 end);
	SQL
	pg 'create table hold (n int)'
}
teardown() { bf_teardown; }

health() { # EXIT_CODE [OPTION…]: what it says is in $output
	local code=0 expected=$1
	shift
	output=$(bfstat health "$@" 2>/dev/null) || code=$?
	assert_same "exit code of health $*: $output" "$expected" "$code"
}
found() { # COMPONENT: its statuses
	jq -r ".checks[\"$1\"] | map(.status) | join(\" \")" <<<"$output"
}
has() { [[ $output == *"$1"* ]] || { printf 'not there: %s\n%s\n' "$1" "$output" >&2; return 1; }; }

@test "a healthy installation passes, and says what it is" {
	start_worker
	wait_until '[ "$(rd zcard bf:workers)" = 1 ]'
	health 0 --json
	assert_same 'status' '"pass"' "$(jq -c .status <<<"$output")"
	assert_same 'components' '["agreement","postgresql","redis","runs","workers"]' "$(jq -c '.checks | keys' <<<"$output")"
	assert_same 'workers' '[1,"workers","pass"]' "$(jq -c '.checks.workers[0] | [.observedValue, .observedUnit, .status]' <<<"$output")"
	health 0
	has 'pass  postgresql  PostgreSQL '
	has '1 alive, 0 of 8 slots busy'
	health 0 --nagios
	[[ $output = 'BACKFILL OK - workers: 1 alive, '*'|'*' workers=1 slots=8 busy=0 ready=0 failed=0 waiting=0 stalled=0 differences=0' ]]
}

@test "jobs that nobody takes are a failure, and it stands first" {
	enqueue run work --since=2024-01-01 --until=2024-01-09 --queue=lonely >/dev/null
	health 1 --json
	assert_same 'queue' 'fail' "$(found queue)"
	assert_same 'workers' 'fail' "$(found workers)"
	health 1
	assert_same 'first' 'fail queue lonely' "$(sed -n 1p <<<"$output" | awk '{print $1, $2, $3}')"
	has 'worker --queues=lonely'
	start_worker --queues=default
	wait_until '[ "$(rd zcard bf:workers)" = 1 ]'
	health 1 --json
	assert_same 'queue' 'fail' "$(found queue)"
	assert_same 'workers' 'pass' "$(found workers)"
	health 2 --nagios
	[[ $output = 'BACKFILL CRITICAL - queue: 9 ready, and no worker takes from it'*'|'*' ready=9 '* ]]
}

@test "a run that has failed, waits or is stopped is a warning that names it" {
	enqueue run work --since=2024-01-03 --until=2024-01-03 --run-id=work.bad >/dev/null
	worker --drain 2>/dev/null
	start_worker
	wait_until '[ "$(rd zcard bf:workers)" = 1 ]'
	health 0 --json
	assert_same 'status' '"warn"' "$(jq -c .status <<<"$output")"
	has '1 failed within seven days: work.bad; bfstat failures RUN'
	enqueue run work --since=2024-02-01 --until=2024-02-09 --run-id=work.off >/dev/null
	enqueue stop work.off >/dev/null
	wait_until '[ "$(run_state work.off)" = stopped ] || [ "$(run_state work.off)" = done ]'
	health 1 --nagios
	[[ $output = 'BACKFILL WARNING'* ]]
	pg "update bf.run set finished_at = now() - interval '8 days' where run = 'work.bad'; update bf.run set state = 'done' where run = 'work.off'"
	health 0 --json
	[[ $output != *work.bad* ]]
}

@test "a run that stands still with jobs ready is a failure" {
	enqueue run work --since=2024-01-01 --until=2024-01-09 --run-id=work.still >/dev/null
	pg "update bf.run set created_at = now() - interval '10 minutes'"
	rd flushdb >/dev/null # nobody is there to rebuild it
	health 1 --json
	has '1 standing still: work.still'
	# what its rate allows is no standing still
	pg "update bf.run set interval_ms = 3600000"
	health 0 --json
	[[ $output != *'standing still: work.still'* ]]
}

@test "a server that is away is a finding; without both there is nothing to say" {
	code=0
	output=$(BF_REDIS_URL=unix:///nonexistent/r.sock bfstat health --json 2>/dev/null) || code=$?
	assert_same 'exit code' 1 "$code"
	assert_same 'redis' 'fail' "$(found redis)"
	assert_same 'postgresql' 'pass' "$(found postgresql)"
	assert_same 'not read' '["redis"]' "$(jq -c .not_read <<<"$output")"
	code=0
	output=$(BF_DATABASE_URL='postgresql://x@/x?host=/nonexistent' bfstat health --json 2>/dev/null) || code=$?
	assert_same 'exit code' 1 "$code"
	assert_same 'postgresql' 'fail' "$(found postgresql)"
	code=0
	output=$(BF_REDIS_URL=unix:///nonexistent/r.sock BF_DATABASE_URL='postgresql://x@/x?host=/nonexistent' bfstat health 2>/dev/null) || code=$?
	assert_same 'exit code' 5 "$code"
	code=0
	output=$(BF_REDIS_URL=unix:///nonexistent/r.sock BF_DATABASE_URL='postgresql://x@/x?host=/nonexistent' bfstat health --nagios 2>/dev/null) || code=$?
	assert_same 'exit code' 2 "$code"
	[[ $output = 'BACKFILL CRITICAL - postgresql: cannot be reached. redis: cannot be reached.'* ]]
}

@test "a queue that differs from the ledger is a warning" {
	enqueue run work --since=2024-01-01 --until=2024-01-09 --run-id=work.one >/dev/null
	rd hset bf:run:work.one:step:make planned 5 >/dev/null
	output=$(bfstat health --json) || true
	assert_same 'agreement' 'warn' "$(found agreement)"
}

# ---- eta ----

@test "eta says how long each run will take, or why nobody knows" {
	run -0 bfstat eta
	assert_same 'without runs' 'No run is under way.' "$output"
	pg 'insert into hold values (1)'
	enqueue run work --since=2024-01-01 --until=2024-01-09 --run-id=work.one >/dev/null
	run -0 bfstat eta
	[[ $output = *'work.one'*'no worker is alive'* ]]
	start_worker
	pg 'delete from hold'
	sql_file make.sql <<<'select 1'
	wait_until 'run_ended work.one'
	run -0 bfstat eta work.one
	[[ $output = *'it has ended'* ]]
	# a pace by what has just ended: 60 of 600 in the last half minute
	enqueue run work --since=2020-01-01 --until=2021-08-22 --run-id=work.two >/dev/null
	kill_worker "${WORKER_PIDS[0]}" KILL || true
	pg "update bf.run set state = 'running' where run = 'work.two';
	    update bf.job set state = 'done', started_at = now() - interval '40 s', finished_at = now() - interval '1 s' where run = 'work.two' and seq <= 60;
	    update bf.job set state = 'pending', started_at = null, finished_at = null where run = 'work.two' and seq > 60"
	run -0 bfstat eta work --json
	assert_same 'of the latest run' 'work.two' "$(jq -r '.runs[0].run' <<<"$output")"
	left=$(jq -r '.runs[0].left_ms' <<<"$output")
	((left > 200000 && left < 300000)) || { echo "$output" >&2; return 1; } # 540 at 2 a second
}

# ---- missing ----

@test "missing without a pipeline is all of them, with how many days" {
	run -0 bfstat missing
	[[ $output = 'No run has been asked for days yet'* ]]
	enqueue run work --since=2024-01-01 --until=2024-01-09 >/dev/null
	worker --drain 2>/dev/null
	run -0 bfstat missing
	[[ $output =~ work\ +make\ +1\ +9\ +2024-01-03 ]]
	[[ $output = *'bfstat gaps PIPELINE'* ]]
	run -0 bfstat missing --json
	assert_same 'as JSON' '[["work","make",1,9,"2024-01-03","2024-01-03"]]' \
		"$(jq -c '[.steps[] | [.pipeline, .step, .missing, .asked, .first, .last]]' <<<"$output")"
	assert_same 'of one pipeline' "$(bfstat gaps work)" "$(bfstat missing work)"
	sql_file make.sql <<<'select 1'
	enqueue run work --since=2024-01-03 --until=2024-01-03 --reprocess=failed >/dev/null
	worker --drain 2>/dev/null
	run -0 bfstat missing
	[[ $output = 'Nothing is missing'* ]]
}

# ---- coverage ----

@test "coverage folds what is whole to one line, and draws what is not" {
	pipeline two <<-'JSON'
		{"pipeline": "two", "chunk": {"size": 1}, "defaults": {"retry": {"attempts": 1}, "on_failure": "continue"},
		 "steps": [{"name": "whole", "kind": "sql", "file": "sql/whole.sql"}, {"name": "holed", "kind": "sql", "needs": [], "file": "sql/holed.sql"}]}
	JSON
	sql_file whole.sql <<<'select 1'
	sql_file holed.sql <<<"select 1 / (case when :'since' = '2024-01-03' then 0 else 1 end);"
	enqueue run two --since=2023-12-01 --until=2024-01-09 >/dev/null
	worker --drain 2>/dev/null
	run -0 bfstat coverage two
	[[ $output = *'whole  100 %: 40 of 40 days done, 2023-12-01..2024-01-09'* ]]
	[[ $output = *'holed  98 %: 39 of 40 days done'* ]]
	assert_same 'lines of the table of what is whole' 1 "$(grep -cE '^whole +all ' <<<"$output")"
	assert_same 'lines of the table of what is not' 3 "$(grep -cE '^holed +(2023|2024|all) ' <<<"$output")"
	assert_same 'calendars' 1 "$(grep -cE '^ *2024-01' <<<"$output")"
	run -0 bfstat coverage two --step=whole
	[[ $output = *'whole  100 %: 40 of 40 days done'$'\n'* ]]
	[ "$(grep -cE '^whole +(2023|2024|all) ' <<<"$output")" = 3 ]
}
