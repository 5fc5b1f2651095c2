#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031
# `bfstat`: what it says of a ledger and a queue whose every number is known (bfstat_seed.sql). No worker runs here: w-alive and w-dead
# are two that Redis has been told of, and the lease of w-dead is over.

load ../support/lib.bash

setup() {
	bf_setup
	export LC_ALL=C.UTF-8
	psql -Xq -v ON_ERROR_STOP=1 -d "$BF_DATABASE_URL" -f "$BATS_TEST_DIRNAME/bfstat_seed.sql"
	bfstat verify --repair >"$BATS_TEST_TMPDIR/rebuild.txt"
	fcall hello w-alive 600000 host rain pid 4242 slots 8 queues default version 0.1.0
	fcall hello w-dead 1 host snow pid 77 slots 4 queues default version 0.1.0
	wait_until '[ "$(bfstat workers --json | jq -r ".workers[] | select(.worker == \"w-dead\").state")" = expired ]'
}

teardown() { bf_teardown; }

fcall() { # FUNCTION ARGUMENT…
	local function=$1
	shift
	rd fcall "bf_v1_$function" 0 "$(rd get bf:generation)" "$@" >/dev/null
}

no_redis() { BF_REDIS_URL=unix:///nonexistent/r.sock "$@"; }
no_postgres() { BF_DATABASE_URL='postgresql://x@/x?host=/nonexistent' "$@"; }

# On a terminal of 80 columns.
on_terminal() {
	local code=0
	TERM=xterm script -qefc "stty cols 80 rows 24; $*" "$BATS_TEST_TMPDIR/typescript" </dev/null >"$BATS_TEST_TMPDIR/terminal" || code=$?
	tr -d '\r' <"$BATS_TEST_TMPDIR/terminal"
	return "$code"
}

# expect EXIT_CODE COMMAND…: stdout is in $output, stderr in $errors
expect() {
	local code=0 expected=$1
	shift
	output=$("$@" 2>"$BATS_TEST_TMPDIR/stderr") || code=$?
	errors=$(<"$BATS_TEST_TMPDIR/stderr")
	assert_same "exit code of $*, which said: $output $errors" "$expected" "$code"
}

has() {
	[[ $output == *"$1"* ]] || {
		printf 'not there: %s\n%s\n' "$1" "$output" >&2
		return 1
	}
}
has_not() { ! has "$1" 2>/dev/null; }
complains() {
	[[ $errors == *"$1"* ]] || {
		printf 'not complained: %s\n%s\n' "$1" "$errors" >&2
		return 1
	}
}
is() { # JQ_FILTER EXPECTED
	assert_same "$1" "$2" "$(jq -rc "$1" <<<"$output")"
}

# ---- all runs ----

@test "the list shows first what needs someone" {
	expect 0 bfstat
	assert_same 'order of the runs' 'weather.live01 weather.stop01 weather.fail01 weather.done01' \
		"$(awk '/^weather/ {print $1}' <<<"$output" | xargs)"
	has '100/513'
	has '1 worker alive, 2 of 8 slots busy'
	expect 0 bfstat --json
	is '[.runs[] | [.run, .state, .attention, .planned, .done, .failed]]' \
		'[["weather.live01","running",true,513,100,2],["weather.stop01","stopped",true,66,10,0],["weather.fail01","failed",true,257,161,1],["weather.done01","done",false,257,257,0]]'
	is .not_read '[]'
}

@test "the list can be cut short and says how many more there are" {
	expect 0 bfstat --limit=1
	has 'and 3 more: bfstat --limit=4'
	expect 0 bfstat --limit=1 --json
	is '[(.runs | length), .all]' '[1,4]'
}

@test "an empty ledger is told how to begin" {
	pg 'truncate bf.job, bf.step, bf.run, bf.attempt, bf.event cascade'
	expect 0 bfstat
	has 'enqueue run PIPELINE'
	expect 0 bfstat --json
	is .runs '[]'
}

# ---- one run ----

@test "a run's page has its state first, and what bfstat counts is what the ledger has" {
	expect 0 bfstat weather.live01
	[[ $(head -n 1 <<<"$output") == 'weather.live01  running  19 %: 100 of 513 jobs done, 2 failed' ]]
	has 'after daily'
	has 'rain, process 4242'
	has 'LAST ERROR   daily 2014-05-'
	has 'bfstat failures weather.live01'
	expect 0 bfstat weather.live01 --json
	local step
	for step in daily rolling export complete; do
		assert_same "counts of $step" \
			"$(pg "select json_build_array(planned, pending, running, done, failed, skipped, cancelled) from bf.progress where run = 'weather.live01' and step = '$step'" | tr -d ' ')" \
			"$(jq -c ".steps[] | select(.step == \"$step\") | [.planned, .pending, .running + .lost, .done, .failed, .skipped, .cancelled]" <<<"$output")"
	done
	is '[.source, .workers.alive, .workers.slots, .workers.busy]' '["ledger",1,8,2]'
	is '[.last_error.step, .last_error.category, .last_error.error, .last_error.job_state]' '["daily","exec","exit 7","failed"]'
}

@test "a job of a dead worker is never shown as running" {
	expect 0 bfstat weather.live01 --json
	is '[.jobs.running, .jobs.lost]' '[2,1]'
	is '[.running[] | select(.lost) | .worker]' '["w-dead"]'
	expect 0 bfstat weather.live01
	has 'lost; another takes it over'
	[ "$(grep -c 'process 77' <<<"$output")" = 0 ]
	expect 0 bfstat jobs weather.live01 --state=running
	assert_same 'state of the dead worker'\''s job' lost "$(awk '/2014-11-03/ {print $3}' <<<"$output")"
	expect 0 bfstat workers
	[[ $output =~ w-dead\ +expired ]]
	[[ $output =~ w-alive\ +alive ]]
	# without Redis nobody knows who lives, and nothing is claimed
	expect 0 no_redis bfstat weather.live01 --json
	is '[.jobs.running, .jobs.lost, .running[0].lost, .workers]' '[3,0,null,null]'
}

@test "how long a run and a step took is counted from their first try, not from the last one" {
	local first
	pg "update bf.attempt set started_at = started_at - interval '1 day' where run = 'weather.fail01' and epoch = 1"
	first=$(pg "select min(started_at) from bf.attempt where run = 'weather.fail01'")
	first_is() { assert_same "$1" t "$(pg "select date_trunc('second', '$first'::timestamptz) = date_trunc('second', '$2'::timestamptz)")"; }
	expect 0 bfstat --json
	first_is 'of the list' "$(jq -r '.runs[] | select(.run == "weather.fail01").started_at' <<<"$output")"
	expect 1 bfstat weather.fail01 --json
	first_is 'of the run' "$(jq -r .started_at <<<"$output")"
	first_is 'of the step' "$(jq -r '.steps[] | select(.step == "rolling").started_at' <<<"$output")"
}

@test "the exit code of a run's page is the run's" {
	expect 0 bfstat weather.done01
	has 'bfstat coverage weather'
	expect 1 bfstat weather.fail01
	has 'enqueue retry weather.fail01'
	expect 4 bfstat weather.stop01
	has 'enqueue resume weather.stop01'
	pg "update bf.run set state = 'waiting' where run = 'weather.stop01'"
	expect 3 bfstat weather.stop01
	expect 4 bash -c 'psql -Xqd "$BF_DATABASE_URL" -c "update bf.run set state = '"'cancelled'"' where run = '"'weather.stop01'"'" && bfstat weather.stop01'
}

@test "when no worker is alive, the page says to start one" {
	rd del bf:workers
	expect 0 bfstat weather.live01
	has 'no worker is alive for this queue: start one'
	expect 0 bfstat
	has 'No worker is alive'
}

# ---- bad input ----

@test "what is unknown is refused with exit 2 and the near one" {
	expect 2 bfstat weather.live02
	complains 'did you mean weather.live01?'
	expect 2 bfstat wach
	complains 'did you mean `bfstat watch`?'
	expect 2 bfstat jobs weather.live01 --step=dayly
	complains 'did you mean daily?'
	expect 2 bfstat jobs weather.live01 --state=runing
	complains 'expected pending, running'
	expect 2 bfstat jobs weather.live01 --sate=done
	complains 'did you mean --state?'
	expect 2 bfstat coverage wether
	complains 'did you mean weather?'
	expect 2 bfstat gaps weather --step=exprot
	complains 'did you mean export?'
	expect 2 bfstat gaps weather --since=2014-02-02 --until=2014-02-01
	complains 'before'
	expect 2 bfstat gaps weather --since=2014-02-30
	expect 2 bfstat failures nope
	expect 2 bfstat events nope
	expect 2 bfstat watch nope
	expect 2 bfstat jobs
	expect 2 bfstat $'w\e[31m'
}

@test "every command has help, and the program a version" {
	local command
	for command in watch jobs failures coverage gaps workers queues events verify; do
		expect 0 bfstat "$command" --help
		has "bfstat $command"
	done
	expect 0 bfstat --help
	has 'bfstat RUN'
	expect 0 bfstat --version
}

# ---- jobs, failures, events ----

@test "jobs lists all of them in order, across pages" {
	expect 0 bfstat jobs weather.live01 --json
	assert_same 'what differs' '' "$(diff \
		<(pg "select j.step, j.seq, j.chunk, j.state from bf.job j join bf.step s using (run, step) where run = 'weather.live01' order by s.ordinal, j.seq") \
		<(jq -r '.jobs[] | "\(.step)|\(.seq)|\(.chunk)|\(.state)"' <<<"$output"))"
	pg "insert into bf.job (run, step, seq, chunk) select 'weather.live01', 'export', n, 'k' || n from generate_series(25, 5024) n"
	expect 0 bfstat jobs weather.live01 --step=export
	assert_same 'lines' 5025 "$(wc -l <<<"$output")"
	expect 0 bfstat jobs weather.live01 --step=export --limit=2500 --json
	is '[(.jobs | length), .jobs[2499].seq]' '[2500,2500]'
}

@test "jobs can be asked for by state and step" {
	expect 0 bfstat jobs weather.live01 --state=failed --json
	is '[.jobs[] | [.step, .seq, .failed_tries, .error_category, .error]]' '[["daily",50,3,"exec","exit 7"],["daily",51,3,"exec","exit 7"]]'
	expect 0 bfstat jobs weather.live01 --step=rolling --state=done
	has 'No job of this run is like that.'
}

@test "failures shows why, the end of the output, and a command that works in a shell" {
	expect 0 bfstat failures weather.live01
	has 'daily 2014-05-28..2014-05-30  exec, 3 tries, worker w-alive'
	has 'no such file: raw/2014-05-28.csv'
	has 'enqueue retry weather.live01 --step=daily --chunk=2014-05-28..2014-05-30'
	has 'and 1 more of step daily with this error'
	has_not 'raw/2014-05-31.csv'
	pg "update bf.job set chunk = 'it''s \$(x) two' where run = 'weather.fail01' and state = 'failed'"
	expect 0 bfstat failures weather.fail01 --json
	is '[.failed, .failures[0].category, .failures[0].error]' '[1,"sql","column \"tmax\" does not exist"]'
	eval "set -- $(jq -r '.failures[0].retry_with' <<<"$output")"
	assert_same 'the last word of the command' "--chunk=it's \$(x) two" "${*: -1}"
	expect 0 bfstat failures weather.done01
	has 'No job of weather.done01 has failed'
}

@test "events tells who did what" {
	expect 0 bfstat events weather.stop01
	[[ $output =~ tester\ +stop\ +too\ much\ load ]]
	expect 0 bfstat events weather.stop01 --json
	is '[.events[] | [.who, .what, .note]]' '[["tester","run","four steps"],["tester","stop","too much load"]]'
}

# ---- coverage and gaps ----

@test "gaps are the days that were asked for and are not done" {
	local sql="with d as (select j.step, s.ordinal, j.state, generate_series(j.since, j.until, '1 day')::date as day
		from bf.job j join bf.step s using (run, step) where s.kind <> 'check')
		select step || E'\t' || day from d group by step, ordinal, day having not bool_or(state = 'done') order by ordinal, day"
	expect 0 bfstat gaps weather
	assert_same gaps "$(pg "$sql")" "$output"
	assert_same 'the ledger'\''s own view' "$(pg "select step || E'\t' || day from bf.gaps where step <> 'complete' order by 1")" "$(sort <<<"$output")"
	expect 0 bfstat gaps weather --step=daily --since=2014-05-25 --until=2014-06-05
	assert_same 'one step, a range' '2014-05-28 2014-05-29 2014-05-30 2014-05-31 2014-06-01 2014-06-02' "$(xargs <<<"$output")"
	expect 0 bfstat gaps weather --json --step=daily --since=2014-05-25 --until=2014-05-28
	is '.gaps' '[{"step":"daily","identity":{},"date":"2014-05-28","state":"failed"}]'
	expect 0 bfstat gaps weather --step=daily --since=2011-12-30 --until=2012-01-02
	assert_same 'days nobody asked for, in a range that was named' '2011-12-30 2011-12-31' "$(xargs <<<"$output")"
	expect 0 bfstat gaps weather --step=daily --since=2012-01-01 --until=2012-12-31
	assert_same 'no gap' '' "$output"
}

@test "a day that a later run has done is no gap" {
	pg "update bf.run set pipeline = 'weather', created_at = now() where run = 'weather.done01';
		update bf.job set since = '2014-05-28', until = '2014-05-29' where run = 'weather.done01' and step = 'daily' and seq = 1"
	expect 0 bfstat gaps weather --step=daily --since=2014-05-25 --until=2014-06-01
	assert_same gaps '2014-05-30 2014-05-31 2014-06-01' "$(xargs <<<"$output")"
}

@test "identities are not mixed" {
	pg "update bf.run set identity = '{\"season\": \"2\"}' where run = 'weather.stop01'"
	expect 0 bfstat coverage weather --step=daily --json
	is '[.steps[] | [.identity, .asked > 0]]' '[[{},true],[{"season":"2"},true]]'
}

@test "coverage counts the days by year" {
	expect 0 bfstat coverage weather --json
	is '[.steps[].step]' '["daily","rolling","export"]'
	is '.steps[0].years[] | select(.year == 2014) | [.asked, .done, .running, .failed, .missing]' '[365,300,9,6,50]'
	is '.steps[0].years[] | select(.year == 2012) | [.asked, .done, .missing, .percent]' '[366,366,0,100]'
	is '.steps[1].years[] | select(.year == 2013) | [.asked, .done, .failed, .missing]' '[365,117,3,245]'
	is '[.steps[0].ranges[] | .state] | unique' '["done","failed","missing","running"]'
}

@test "without a terminal the calendar has a row a month, in plain characters" {
	expect 0 bfstat coverage weather --step=daily --since=2014-05-01 --until=2014-11-30
	has '2014-05  ■■■■■■■■■■■■■■■■■■■■■■■■■■■××××'
	has '2014-11  ■■○○○○○○○○○···················'
	has_not $'\e'
	LC_ALL=C expect 0 bfstat coverage weather --step=daily --since=2014-05-01 --until=2014-11-30
	has '2014-05  ###########################xxxx'
	has '2014-11  ##>>>>>>>>>...................'
	[[ $output =~ daily\ +2014\ +214 ]]
}

@test "on a terminal the calendar has a row a day of the week, with colours unless NO_COLOR" {
	expect 0 on_terminal bfstat coverage weather --step=daily --since=2014-01-01 --until=2014-12-31
	[[ $output =~ Mon.*■■■ ]]
	[[ $output =~ Wed ]]
	has $'\e[32m'
	NO_COLOR=1 expect 0 on_terminal bfstat coverage weather --step=daily --since=2014-01-01 --until=2014-12-31
	has_not $'\e'
	# the first of January 2014 is a Wednesday
	assert_same 'the row of Wednesdays' 'Wed ■■■■■■■■■■■■■■■■■■■■■×■■■■■■■■■■■■■■■■■■■■■■○········' "$(grep '^Wed' <<<"$output" | sed 's/ *$//')"
}

# ---- workers, queues ----

@test "workers shows who lives and what they hold" {
	expect 0 bfstat workers --json
	is '[.workers[] | [.worker, .state, .host, .pid, .slots, .jobs]]' '[["w-alive","alive","rain",4242,8,2],["w-dead","expired","snow",77,4,1]]'
	is '.workers | map(.lease_left_ms > 0)' '[true,false]'
	expect 0 no_redis bfstat workers --json
	is '[.workers[] | [.worker, .state, .jobs]]' '[["w-alive",null,2],["w-dead",null,1]]'
	is .not_read '["redis"]'
}

@test "queues shows what is ready and pending" {
	expect 0 bfstat queues --json
	is '.queues' "[{\"queue\":\"default\",\"ready\":$(rd llen bf:queue:default),\"delayed\":0,\"pending\":$(pg "select count(*) from bf.job join bf.run using (run) where bf.job.state = 'pending' and bf.run.state in ('running', 'stopped')"),\"runs\":2,\"workers\":1,\"idle\":0}]"
	expect 0 bfstat queues
	[[ $output =~ default ]]
}

# ---- a server away ----

@test "without Redis the ledger answers, and stderr says what was not read" {
	local command
	for command in '' 'weather.live01' 'jobs weather.live01' workers queues; do
		# shellcheck disable=SC2086
		expect 0 no_redis bfstat $command
		complains 'not read: Redis cannot be reached at unix:///nonexistent/r.sock'
		# shellcheck disable=SC2086
		expect 0 no_redis bfstat $command --json
		is .not_read '["redis"]'
	done
	for command in 'failures weather.live01' 'coverage weather' 'gaps weather --since=2012-01-01 --until=2016-03-31' 'events weather.live01'; do
		# shellcheck disable=SC2086
		expect 0 no_redis bfstat $command
		assert_same 'nothing is said of what is not needed' '' "$errors"
	done
	pg "update bf.run set state = 'stopped' where run = 'weather.live01'"
	pg "update bf.job set finished_at = clock_timestamp() where run = 'weather.live01' and state = 'done'"
	expect 4 no_redis bfstat weather.live01
	has 'jobs/'
	has_not '· '$'\n' # nothing is left out at a line's end
	expect 5 no_redis bfstat verify
}

@test "without PostgreSQL Redis answers what it knows" {
	expect 0 no_postgres bfstat --json
	is '[.runs[].run] | sort' '["weather.live01","weather.stop01"]'
	is .not_read '["postgresql"]'
	expect 0 no_postgres bfstat weather.live01 --json
	complains 'not read: PostgreSQL cannot be reached'
	is '[.source, .state, .jobs.planned, .jobs.done, .jobs.failed, .jobs.running, .jobs.lost]' '["queue","running",513,100,2,2,1]'
	expect 0 no_postgres bfstat jobs weather.live01 --state=running --json
	is '[.jobs[] | [.chunk, .worker, .lost]] | sort' \
		'[["2014-11-03..2014-11-05","w-dead",true],["2014-11-06..2014-11-08","w-alive",false],["2014-11-09..2014-11-11","w-alive",false]]'
	expect 0 no_postgres bfstat jobs weather.live01 --step=daily --json
	is '.jobs | length' 142
	expect 0 no_postgres bfstat queues --json
	is '[.queues[] | [.queue, .runs]]' '[["default",2]]'
	expect 0 no_postgres bfstat workers
	assert_same 'the ledger is not needed for workers' '' "$errors"
	expect 5 no_postgres bfstat weather.nope
	local command
	for command in 'failures weather.live01' 'coverage weather' 'gaps weather' 'events weather.live01' verify; do
		# shellcheck disable=SC2086
		expect 5 no_postgres bfstat $command
	done
}

@test "without both it ends with 5 and names both" {
	local command
	for command in '' weather.live01 'watch weather.live01' 'jobs weather.live01' workers queues verify; do
		# shellcheck disable=SC2086
		expect 5 no_redis no_postgres bfstat $command
		complains 'Redis cannot be reached'
		[[ $command == verify ]] || assert_same 'stdout' '' "$output"
		complains 'PostgreSQL cannot be reached'
	done
}

@test "bfstat needs no more than the right to read" {
	pg "create role looker_$BATS_SUITE_TEST_NUMBER login; grant usage on schema bf to looker_$BATS_SUITE_TEST_NUMBER;
		grant select on all tables in schema bf to looker_$BATS_SUITE_TEST_NUMBER"
	local owner=$BF_DATABASE_URL command
	BF_DATABASE_URL=postgresql://looker_$BATS_SUITE_TEST_NUMBER@${owner#*@}
	for command in '' 'weather.live01 --json' 'jobs weather.live01' 'failures weather.live01' 'coverage weather' workers queues verify; do
		# shellcheck disable=SC2086
		expect 0 bfstat $command
		assert_same 'nothing is complained of' '' "$errors"
	done
	BF_DATABASE_URL=$owner
	pg "drop owned by looker_$BATS_SUITE_TEST_NUMBER; drop role looker_$BATS_SUITE_TEST_NUMBER"
}

# ---- watch ----

@test "watch without a terminal prints a line a second and ends with the run's exit code" {
	expect 1 bfstat watch weather.fail01
	assert_same 'lines' 1 "$(wc -l <<<"$output")"
	has 'weather.fail01 failed 63 %, 161/257 done, 1 failed'
	expect 4 bfstat watch weather.stop01
	expect 0 bfstat watch weather.done01 --json
	is '[.run, .state]' '["weather.done01","done"]'
}

@test "watch follows a run to its end" {
	bfstat watch weather.live01 >"$BATS_TEST_TMPDIR/watch.txt" 3>&- &
	local pid=$! code=0
	wait_until '[ "$(wc -l <"$BATS_TEST_TMPDIR/watch.txt")" -ge 2 ]'
	pg "update bf.run set state = 'failed', finished_at = now() where run = 'weather.live01'"
	wait "$pid" || code=$?
	assert_same 'exit code' 1 "$code"
	[[ $(tail -n 1 "$BATS_TEST_TMPDIR/watch.txt") =~ weather.live01\ failed ]]
}

@test "Ctrl-C ends watch with 0" {
	set -m
	bfstat watch >"$BATS_TEST_TMPDIR/watch.txt" 3>&- &
	local pid=$! code=0
	set +m
	wait_until '[ -s "$BATS_TEST_TMPDIR/watch.txt" ]'
	kill -INT "$pid"
	wait "$pid" || code=$?
	assert_same 'exit code' 0 "$code"
	[[ $(head -n 1 "$BATS_TEST_TMPDIR/watch.txt") =~ weather.live01\ running\ 19\ % ]]
}

@test "watch draws in place on a terminal and leaves the last page behind" {
	expect 1 on_terminal bfstat watch weather.fail01
	has $'\e[?1049h'
	has $'\e[?1049l'
	[[ ${output##*$'\e[?1049l'} =~ weather.fail01.*failed ]]
}

# ---- verify ----

@test "verify finds nothing where nothing differs" {
	expect 0 bfstat verify
	has 'Redis and the ledger agree. 2 runs under way compared.'
	expect 0 bfstat verify --json
	is '[.agree, .runs, .differences, .after_repair]' '[true,2,[],null]'
}

@test "verify names each kind of drift in plain words" {
	rd hincrby bf:run:weather.live01:step:daily 'done' 5
	rd hincrby bf:run:weather.live01:step:daily running 1
	rd hset bf:run:weather.stop01 state running
	expect 1 bfstat verify
	has 'Redis counts 105 done, the ledger 100'
	has 'Redis counts 4 running, and workers hold 3'
	has 'Redis shows the run as running, the ledger as stopped'
	has 'bfstat verify --repair'
	expect 1 bfstat verify --json
	is '[.differences[] | [.run, .step, .what]] | unique' \
		'[["weather.live01",null,"done"],["weather.live01",null,"running"],["weather.live01","daily","done"],["weather.live01","daily","running"],["weather.stop01",null,"state"]]'
}

@test "verify finds jobs that are in no list, and released ones that are nowhere" {
	local job
	rd lpop bf:run:weather.live01:pending:daily
	expect 1 bfstat verify --json
	is '[.differences[] | [.what, .text]]' '[["missing","1 open jobs of the ledger are in no list of Redis"]]'
	job=$(rd lpop bf:queue:default)
	expect 1 bfstat verify --json
	is '[.differences[].what] | sort' '["missing","released"]'
	has "${job#*/}"
}

@test "verify --repair brings Redis to what the ledger says" {
	rd hset bf:run:weather.live01:step:daily 'done' 7 failed 0
	rd lpop bf:run:weather.live01:pending:daily
	rd lpop bf:queue:default
	rd sadd bf:runs weather.done01
	expect 0 bfstat verify --repair
	has 'Repaired.'
	expect 0 bfstat verify
	assert_same 'done in Redis' 100 "$(rd hget bf:run:weather.live01:step:daily 'done')"
	assert_same 'runs in Redis' 'weather.live01 weather.stop01' "$(rd smembers bf:runs | sort | xargs)"
}

@test "verify sees an emptied Redis, and --repair builds the queue anew" {
	rd flushdb
	expect 1 bfstat verify --json
	is '[.differences[].what]' '["generation"]'
	expect 0 bfstat verify --repair --json
	is '[.agree, .after_repair]' '[false,[]]'
	expect 0 bfstat verify
}

@test "a job that is settled and not yet acknowledged is no drift" {
	pg "update bf.job set state = 'done', finished_at = now() where run = 'weather.live01' and step = 'daily' and seq = 104"
	expect 0 bfstat verify
}

# ---- the shape of the JSON ----

@test "every member of every JSON answer is in docs/bfstat-json.md" {
	local command key
	bfstat verify --repair >/dev/null
	for command in '' weather.live01 'jobs weather.live01' 'failures weather.live01' 'coverage weather' 'gaps weather' workers queues \
		'events weather.stop01' verify 'watch weather.fail01'; do
		# shellcheck disable=SC2086
		output=$(bfstat $command --json || true)
		for key in $(jq -r '[paths | last | strings] | unique | .[]' <<<"$output"); do
			grep -qwF -- "$key" "$BATS_TEST_DIRNAME/../../docs/bfstat-json.md" || {
				echo "bfstat $command: $key is not documented" >&2
				return 1
			}
		done
	done
}
