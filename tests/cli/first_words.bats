#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031
# What an operator types before reading anything: other words for commands, slips of the finger, a pipeline where a run is wanted.
# The ledger is that of bfstat_seed.sql.

load ../support/lib.bash

setup() {
	bf_setup
	export LC_ALL=C.UTF-8
	psql -Xq -v ON_ERROR_STOP=1 -d "$BF_DATABASE_URL" -f "$BATS_TEST_DIRNAME/bfstat_seed.sql"
}

teardown() { bf_teardown; }

# expect EXIT_CODE COMMAND…: stdout is in $output, stderr in $errors
expect() {
	local code=0 expected=$1
	shift
	output=$("$@" 2>"$BATS_TEST_TMPDIR/stderr") || code=$?
	errors=$(<"$BATS_TEST_TMPDIR/stderr")
	assert_same "exit code of $*, which said: $output $errors" "$expected" "$code"
}

has() {
	[[ $output == *"$1"* ]] || { printf 'not there: %s\n%s\n' "$1" "$output" >&2; return 1; }
}
complains() {
	[[ $errors == *"$1"* ]] || { printf 'not complained: %s\n%s\n' "$1" "$errors" >&2; return 1; }
}

same() { # COMMAND COMMAND: both say the same, and end alike
	local one two one_code=0 two_code=0
	one=$(eval "$1" 2>&1) || one_code=$?
	two=$(eval "$2" 2>&1) || two_code=$?
	assert_same "what '$1' says" "$two" "$one"
	assert_same "the exit code of '$1'" "$two_code" "$one_code"
}

# ---- a word that is plainly one of ours ----

@test "a state is a list of the runs in it, or the jobs of a run in it" {
	same 'bfstat failed --json' 'bfstat --state=failed --json'
	same 'bfstat running --json' 'bfstat --state=running --json'
	same 'bfstat stopped --json' 'bfstat --state=stopped --json'
	assert_same 'runs that failed' weather.fail01 "$(bfstat failed --json | jq -r '.runs[].run')"
	assert_same 'runs that wait' '[[],0]' "$(bfstat waiting --json | jq -c '[.runs, .all]')"
	same 'bfstat failed weather.fail01' 'bfstat failures weather.fail01'
	same 'bfstat running weather.live01' 'bfstat jobs weather.live01 --state=running'
	expect 2 bfstat --state=broken
	complains 'expected queued, running, waiting, stopping, stopped, done, failed or cancelled'
	expect 0 bfstat waiting
	has 'No run is waiting.'
}

@test "the list without Redis or without PostgreSQL knows states, too" {
	bfstat verify --repair >/dev/null
	assert_same 'from Redis' weather.live01 \
		"$(BF_DATABASE_URL='postgresql://x@/x?host=/nonexistent' bfstat --state=running --json 2>/dev/null | jq -r '.runs[].run')"
	assert_same 'from PostgreSQL' weather.live01 \
		"$(BF_REDIS_URL=unix:///nonexistent/r.sock bfstat --state=running --json 2>/dev/null | jq -r '.runs[].run')"
}

@test "status, list and runs are what bfstat shows by itself" {
	same 'bfstat status --json' 'bfstat --json'
	same 'bfstat list --state=failed --json' 'bfstat --state=failed --json'
	same 'bfstat status weather.done01 | head -n 1' 'bfstat weather.done01 | head -n 1'
}

@test "undo is rollback, pause is stop, and --all is all of them" {
	same 'enqueue undo weather.done01' 'enqueue rollback weather.done01'
	expect 0 enqueue stop --all --note=night
	has 'Run weather.live01 is stopping'
	assert_same 'the note' night "$(pg "select note from bf.event where run = 'weather.live01' and what = 'stop'")"
	expect 0 enqueue resume --all
	has 'Run weather.live01 is running'
	expect 0 enqueue pause weather.live01
	has 'Run weather.live01 is stopping'
}

@test "resume-all lets every stopped run go on, and says so of each" {
	enqueue stop-all >/dev/null
	expect 0 enqueue resume-all --json
	assert_same 'runs' '["weather.live01","weather.stop01"]' "$(jq -c '[.runs[].run] | sort' <<<"$output")"
	assert_same 'states' running "$(pg "select distinct state from bf.run where run in ('weather.live01', 'weather.stop01')")"
	expect 0 enqueue resume-all
	has 'No run is stopped.'
}

@test "a word that may mean several commands names them, and does nothing" {
	expect 2 enqueue restart weather.done01
	complains 'enqueue retry RUN'
	complains '--reprocess=completed'
	expect 2 enqueue delete weather.live01
	complains 'enqueue cancel RUN'
	complains 'enqueue rollback RUN'
	assert_same 'its state' running "$(run_state weather.live01)"
	expect 2 bfstat pending
	complains 'bfstat queued'
}

@test "a word of the other program says which program it is" {
	expect 2 enqueue status
	complains 'bfstat status'
	expect 2 bfstat retry weather.fail01
	complains 'enqueue retry'
	assert_same 'its state' failed "$(run_state weather.fail01)"
}

# ---- slips ----

@test "a slip is answered with the word that was meant" {
	expect 2 enqueue rn weather
	complains 'unknown command "rn"; did you mean `enqueue run`?'
	expect 2 enqueue aprove weather.live01 x
	complains 'did you mean `enqueue approve`?'
	expect 2 bfstat coverge weather
	complains 'unknown command or run "coverge"; did you mean `bfstat coverage`?'
	expect 2 bfstat coverge
	complains 'did you mean `bfstat coverage`?'
	expect 2 bfstat failuers weather.fail01 --json
	complains 'did you mean `bfstat failures`?'
	expect 2 enqueue undoo weather.done01
	complains 'did you mean `enqueue undo`?'
	expect 2 enqueue stauts
	complains 'unknown command "stauts"; did you mean:
  bfstat status  looks'
	expect 2 enqueue frobnicate
	complains '`enqueue help` lists the commands'
	expect 2 bfstat weather.done01 surplus
	complains 'one argument too many, "surplus"'
}

@test "a slip in the name of a run or pipeline is answered with the near one" {
	expect 2 bfstat weather.done02
	complains 'did you mean weather.done01?'
	expect 2 bfstat wether
	complains 'did you mean weather?'
}

# ---- a pipeline where a run is wanted ----

@test "a pipeline's name is its latest run, for everything that looks" {
	local latest
	latest=$(pg "select run from bf.run where pipeline = 'weather' order by created_at desc limit 1")
	same 'bfstat weather | head -n 1' "bfstat $latest | head -n 1"
	same 'bfstat weather --json | jq .run' "echo '\"$latest\"'"
	same 'bfstat watch weather --json | head -n 1 | jq .run' "echo '\"$latest\"'"
	same 'bfstat jobs weather --json 2>/dev/null' "bfstat jobs $latest --json"
	same 'bfstat failures weather --json 2>/dev/null' "bfstat failures $latest --json"
	same 'bfstat events weather --json 2>/dev/null' "bfstat events $latest --json"
	expect 0 bfstat jobs weather --limit=1
	complains "$latest is the latest run of weather"
	expect 0 bfstat report weather --out="$BATS_TEST_TMPDIR/report"
	has "$latest"
}

@test "a run that is named as a pipeline is the run" {
	pg "update bf.run set pipeline = 'weather' where run = 'weather.done01'"
	pg "insert into bf.run (run, pipeline, sha256, dir, queue, concurrency, state, requested_by, created_at)
	    values ('weather', 'weather', '0000', '/nowhere', 'default', 8, 'done', 'tester', now() - interval '9 days')"
	assert_same 'the run' weather "$(bfstat weather --json | jq -r .run)"
}

@test "a decision wants the run itself, and says which one a pipeline's latest is" {
	local latest
	latest=$(pg "select run from bf.run where pipeline = 'weather' order by created_at desc limit 1")
	expect 2 enqueue cancel weather
	complains "weather is a pipeline, expected a run; its latest is $latest"
	assert_same 'its state' running "$(run_state weather.live01)"
}

# ---- the list ----

# On a terminal of so many columns; what it showed is in $output.
on_terminal() { # COLUMNS COMMAND…
	local columns=$1
	shift
	output=$(TERM=xterm script -qefc "stty cols $columns rows 24; $*" /dev/null </dev/null | tr -d '\r' | sed 's/\x1b\[[0-9;]*m//g')
}

@test "the list of a pipeline's runs, and of one that is not there" {
	expect 0 bfstat --pipeline=weather --state=failed --json
	assert_same 'runs' weather.fail01 "$(jq -r '.runs[].run' <<<"$output")"
	expect 0 bfstat --pipeline=weather --limit=1
	has 'and 3 more: bfstat --pipeline=weather --limit=4'
	expect 2 bfstat --pipeline=wether
	complains 'did you mean weather?'
	expect 2 bfstat weather.done01 --state=done
	complains '--state'
}

@test "at 80 columns the list shows the range, and so it does without a terminal" {
	on_terminal 80 bfstat
	has '2012-01-01..2012-12-31'
	[[ $(grep done01 <<<"$output") == *done*257/257* ]]
	expect 0 bfstat
	has '2012-01-01..2012-12-31'
}

@test "the list shows how many keys a run has, and the parameters that are not the default" {
	pg "update bf.pipeline set body = '{\"params\": {\"region\": {\"default\": \"all\"}, \"tenant\": {}}}';
	    update bf.run set params = '{\"region\": \"all\", \"tenant\": \"4\"}' where run = 'weather.stop01';
	    update bf.run set params = '{\"region\": \"eu\", \"tenant\": \"5\"}' where run = 'weather.done01';
	    insert into bf.run (run, pipeline, sha256, dir, queue, concurrency, state, requested_by)
	    values ('customers.k1', 'customers', '0000', '/nowhere', 'default', 8, 'running', 'tester');
	    insert into bf.step (run, step, ordinal, kind, state, planned, needs, on_failure, concurrency, chronological)
	    values ('customers.k1', 'load', 0, 'sql', 'released', 1200, '{}', 'halt', 0, false),
	           ('customers.k1', 'sum', 1, 'sql', 'waiting', 1, '{load}', 'halt', 0, false);
	    insert into bf.job (run, step, seq, chunk, key) select 'customers.k1', 'load', n, 'c' || n, 'c' || n from generate_series(1, 1200) n;
	    insert into bf.job (run, step, seq, chunk) values ('customers.k1', 'sum', 1, 'all')"
	on_terminal 120 bfstat
	[[ $(grep customers.k1 <<<"$output") == *'1,200 keys'* ]]
	[[ $(grep stop01 <<<"$output") == *' tenant=4 '* ]]
	[[ $(grep done01 <<<"$output") == *' region=eu tenant=5 '* ]]
	on_terminal 80 bfstat
	[[ $(grep customers.k1 <<<"$output") == *'1,200 keys'* ]]
	expect 0 bfstat --json
	assert_same 'keys and params' '[1200,{}]' "$(jq -c '.runs[] | select(.run == "customers.k1") | [.keys, .params]' <<<"$output")"
	assert_same 'keys and params' '[null,{"region":"eu","tenant":"5"}]' \
		"$(jq -c '.runs[] | select(.run == "weather.done01") | [.keys, .params]' <<<"$output")"
}
