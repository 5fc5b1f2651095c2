#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031
# `enqueue`: what it refuses, what it plans, and what it decides. No worker runs here: jobs are settled by hand.

load ../support/lib.bash

setup() {
	bf_setup
	export BF_PIPELINES=$BATS_TEST_TMPDIR/pipelines
	mkdir -p "$BF_PIPELINES/demo/sql"
	echo 'select 1' >"$BF_PIPELINES/demo/sql/one.sql"
	cat >"$BF_PIPELINES/demo/pipeline.json" <<-'JSON'
		{"pipeline": "demo", "chunk": {"unit": "day", "size": 3, "max": 30}, "concurrency": {"default": 3, "max": 10},
		 "params": {"site": {"default": "main", "identity": true}, "text": {"default": "", "affects": "nothing"}},
		 "steps": [
		  {"name": "load", "kind": "noop"},
		  {"name": "rolling", "kind": "noop", "needs": ["load"], "concurrency": 1, "order": "asc", "lookback": {"days": 30}},
		  {"name": "monthly", "kind": "noop", "needs": ["rolling"], "chunk": {"unit": "month"}},
		  {"name": "total", "kind": "check", "type": "metric", "file": "sql/one.sql", "error_if": "< 1", "needs": ["monthly"]}
		 ]}
	JSON
}

teardown() { bf_teardown; }

# A pipeline NAME whose file is the rest of the JSON, or standard input.
pipeline() { # NAME [JSON]
	mkdir -p "$BF_PIPELINES/$1"
	if [ $# -gt 1 ]; then printf '%s' "$2"; else cat; fi >"$BF_PIPELINES/$1/pipeline.json"
}

keys_pipeline() { # NAME QUERY
	pipeline "$1" '{"pipeline": "'"$1"'", "chunk": {"keys": {"sql": "keys.sql"}}, "steps": [{"name": "apply", "kind": "noop"},
		{"name": "after", "kind": "noop", "per": "run"}]}'
	printf '%s\n' "$2" >"$BF_PIPELINES/$1/keys.sql"
}

rows_written() {
	pg "select (select count(*) from bf.run) + (select count(*) from bf.step) + (select count(*) from bf.job) + (select count(*) from bf.event)
		+ (select count(*) from bf.pipeline) + (select count(*) from bf.attempt) + (select count(*) from bf.check_result)"
}

nothing_written() {
	assert_same "rows in the ledger after: $*" 0 "$(rows_written)"
	assert_same "keys in Redis after: $*" 0 "$(rd dbsize)"
}

# ends CODE FRAGMENT COMMAND…: it ends with this code, and says this.
ends() {
	local code=$1 fragment=$2
	shift 2
	run "$@"
	if [ "$status" -ne "$code" ] || [[ $output != *"$fragment"* ]]; then
		printf '%q ' "$@"
		printf '\n  expected: exit %s, "%s"\n  found:    exit %s, "%s"\n' "$code" "$fragment" "$status" "$output"
		return 1
	fi
}

# refuses FRAGMENT COMMAND…: bad input, and nothing was written anywhere.
refuses() {
	ends 2 "$@"
	shift
	nothing_written "$@"
}

range=(--since=2024-01-01 --until=2024-01-31)

settle() { # RUN [STATE [CONDITION]]: settles its open jobs, and moves the run on
	local before=
	while [ "$before" != "$(pg "select string_agg(state, ' ' order by ordinal) from bf.step where run = '$1'")" ]; do
		before=$(pg "select string_agg(state, ' ' order by ordinal) from bf.step where run = '$1'")
		pg "update bf.job set state = '${2:-done}', finished_at = clock_timestamp() where run = '$1' and state = 'pending' and ${3:-true};
			select bf.advance('$1')" >/dev/null
	done
}

chunks() { pg "select string_agg(chunk, ' ' order by seq) from bf.job where run = '$1' and step = '$2'"; }

# The days of a step that more than one job has, over all runs.
doubled_days() {
	pg "select count(*) from (select d from bf.job j, generate_series(j.since, j.until, interval '1 day') d
		where step = '$1' group by d having count(*) > 1) x"
}

# ---- bad input ----

@test "a range that cannot be is refused" {
	refuses 'found 2024-01-01, which is before --since=2024-01-02' enqueue run demo --since=2024-01-02 --until=2024-01-01
	refuses '2024-02-30' enqueue run demo --since=2024-02-30 --until=2024-03-01
	refuses '24-1-1' enqueue run demo --since=24-1-1 --until=2024-03-01
	refuses 'expected at most 20000' enqueue run demo --since=1925-01-01 --until=2024-12-31
	refuses '--until is missing' enqueue run demo --since=2024-01-01
	refuses '--since, --until are missing' enqueue run demo
	refuses 'a value is missing' enqueue run demo --since
	refuses 'given twice' enqueue run demo "${range[@]}" --since=2024-01-02
}

@test "a number outside the pipeline's limits is refused, and the limits are told" {
	local n
	for n in 0 31 -1 abc 99999999999999999999 '' ' 3' 3x; do
		refuses "--batch-days: found \"$n\", expected a whole number from 1 to 30" enqueue run demo "${range[@]}" "--batch-days=$n"
	done
	refuses 'expected a whole number from 1 to 30' enqueue run demo "${range[@]}" --batchDays=31
	refuses 'expected a whole number from 1 to 30' enqueue run demo "${range[@]}" --batch-days -1
	for n in 0 11 abc -1; do
		refuses "--concurrency: found \"$n\", expected a whole number from 1 to 10" enqueue run demo "${range[@]}" "--concurrency=$n"
	done
	refuses '--limit' enqueue run demo "${range[@]}" --limit=0
}

@test "an unknown pipeline, step, flag, command or choice is refused with the near one" {
	pipeline other '{"pipeline": "other", "steps": [{"name": "a", "kind": "noop"}]}'
	refuses 'demo' enqueue run dmeo "${range[@]}"
	refuses 'demo, other' enqueue run xyzzy "${range[@]}"
	refuses 'nowhere.json' enqueue run ./nowhere.json "${range[@]}"
	refuses 'did you mean rolling?' enqueue run demo "${range[@]}" --only=roling
	refuses 'did you mean rolling?' enqueue run demo "${range[@]}" --skip=load,roling
	refuses 'load, rolling, monthly, total' enqueue run demo "${range[@]}" --skip=xyzzy
	refuses 'did you mean --since?' enqueue run demo --sinse=2024-01-01 --until=2024-01-31
	refuses 'did you mean `enqueue run`?' enqueue rnu demo
	refuses 'a command is missing' enqueue
	refuses 'expected asc or desc' enqueue run demo "${range[@]}" --order=up
	refuses 'expected none, failed, completed or stale' enqueue run demo "${range[@]}" --reprocess=all
	refuses '--queue: found "No good"' enqueue run demo "${range[@]}" '--queue=No good'
	refuses '--run-id: found "a/b"' enqueue run demo "${range[@]}" --run-id=a/b
	refuses 'leave no step to run' enqueue run demo "${range[@]}" --only=load --skip=load
}

@test "an unknown run, step or chunk of a decision is refused with the near one" {
	refuses 'unknown run "demo.abc123"; the ledger has no run yet' enqueue stop demo.abc123
	enqueue run demo "${range[@]}" --run-id=demo.abc123
	local verb
	for verb in stop resume cancel retry; do
		ends 2 'did you mean demo.abc123?' enqueue "$verb" demo.abc132
		ends 2 'unknown run "xyzzy"' enqueue "$verb" xyzzy
		ends 2 'unknown run "a/b c"' enqueue "$verb" 'a/b c'
		ends 2 'an argument is missing' enqueue "$verb"
	done
	ends 2 'did you mean rolling?' enqueue cancel demo.abc123 --step=roling
	ends 2 'did you mean "2024-01-01..2024-01-03"?' enqueue retry demo.abc123 --chunk=2024-01-01..2024-01-04
	ends 2 'unknown chunk' enqueue cancel demo.abc123 --step=load --chunk=2024-01-01..2024-01-31
	ends 2 'unknown option --step' enqueue stop demo.abc123 --step=load
	assert_same 'jobs cancelled by any of these' 0 "$(pg "select count(*) from bf.job where state <> 'pending'")"
}

@test "parameters that are unknown, missing, twice or no parameter are refused" {
	pipeline needy '{"pipeline": "needy", "params": {"season": {}, "league": {}}, "steps": [{"name": "a", "kind": "noop"}]}'
	refuses '--param: found "x", expected NAME=VALUE' enqueue run demo "${range[@]}" --param x
	refuses 'did you mean site?' enqueue run demo "${range[@]}" --param sites=x
	refuses 'site is given twice' enqueue run demo "${range[@]}" --param site=x --param site=y
	refuses '--param season=… --param league=…' enqueue run needy "${range[@]}"
	pipeline plain '{"pipeline": "plain", "steps": [{"name": "a", "kind": "noop"}]}'
	refuses 'this pipeline has no parameters' enqueue run plain "${range[@]}" --param a=b
}

@test "invalid UTF-8 is refused by the option's name" {
	refuses '--param' enqueue run demo "${range[@]}" --param $'text=\xff'
	refuses '--note' enqueue run demo "${range[@]}" --note=$'\xc3\x28'
	refuses '--only' enqueue run demo "${range[@]}" --only=$'\xff'
}

@test "a value with quotes, semicolons, backslashes and newlines is data" {
	local value=$'a\'b"c;d\\e\nf\tg{{x}} $1 :x \xc3\xa9' note=$'it\'s; "fine" \\ \n ok'
	enqueue run demo "${range[@]}" --run-id=a --param "text=$value" --note="$note"
	assert_same 'the parameter' "$value" "$(pg "select params->>'text' from bf.run")"
	assert_same 'the note' "$note" "$(pg 'select note from bf.run')"
}

@test "a pipeline file that is wrong is refused, and each problem is named" {
	local name
	pipeline not-json 'hello'
	pipeline truncated '{"pipeline": "truncated", "steps": [{"name": "a"'
	pipeline twice '{"pipeline": "twice", "pipeline": "twice", "steps": [{"name": "a", "kind": "noop"}]}'
	pipeline unknown-field '{"pipeline": "unknown-field", "stpes": [], "steps": [{"name": "a", "kind": "noop"}]}'
	pipeline cycle '{"pipeline": "cycle", "steps": [{"name": "a", "kind": "noop", "needs": ["b"]}, {"name": "b", "kind": "noop", "needs": ["a"]}]}'
	pipeline no-need '{"pipeline": "no-need", "steps": [{"name": "a", "kind": "noop", "needs": ["zzz"]}]}'
	pipeline one-name '{"pipeline": "one-name", "steps": [{"name": "a", "kind": "noop"}, {"name": "a", "kind": "noop"}]}'
	pipeline slash '{"pipeline": "slash", "steps": [{"name": "a/b", "kind": "noop"}]}'
	pipeline space '{"pipeline": "space", "steps": [{"name": "a b", "kind": "noop"}]}'
	pipeline long "{\"pipeline\": \"long\", \"steps\": [{\"name\": \"$(printf 'a%.0s' {1..300})\", \"kind\": \"noop\"}]}"
	pipeline deep "{\"pipeline\": \"deep\", \"steps\": $(printf '[%.0s' {1..10000})$(printf ']%.0s' {1..10000})}"
	mkdir "$BF_PIPELINES/huge"
	truncate -s 2G "$BF_PIPELINES/huge/pipeline.json"
	for name in not-json truncated twice unknown-field cycle no-need one-name slash space long deep huge; do
		refuses "$name" enqueue run "$name" "${range[@]}"
		refuses "$name" enqueue validate "$name"
	done
	refuses 'did you mean "steps"' enqueue validate unknown-field
	refuses 'zzz' enqueue validate no-need
}

@test "all missing files of a pipeline are reported at once, and SQL that does not end is refused" {
	pipeline missing '{"pipeline": "missing", "steps": [{"name": "a", "kind": "sql", "file": "sql/one.sql"},
		{"name": "b", "kind": "sql", "file": "sql/two.sql"}, {"name": "c", "kind": "exec", "argv": ["bin/three"]}]}'
	refuses 'sql/one.sql' enqueue run missing "${range[@]}"
	[[ $output == *sql/two.sql* && $output == *bin/three* ]]
	local text
	for text in "select 'x" 'select $x$ y' 'select 1 /* z'; do
		pipeline unended '{"pipeline": "unended", "steps": [{"name": "a", "kind": "sql", "file": "a.sql"}]}'
		printf '%s' "$text" >"$BF_PIPELINES/unended/a.sql"
		refuses 'a.sql' enqueue run unended "${range[@]}"
	done
}

@test "descending order is refused where a step looks back, and taken where the pipeline leaves the order open" {
	pipeline back '{"pipeline": "back", "steps": [{"name": "a", "kind": "noop"},
		{"name": "b", "kind": "noop", "lookback": {"days": 7}}]}'
	refuses 'step b looks back 7 days' enqueue run back "${range[@]}" --order=desc
	enqueue run back --since=2024-01-01 --until=2024-01-07 --order=desc --skip=b --run-id=a
	assert_same 'chunks' '2024-01-07 2024-01-04..2024-01-06 2024-01-01..2024-01-03' "$(chunks a a)"
	enqueue run demo --since=2024-01-01 --until=2024-01-07 --order=desc --run-id=d
	assert_same 'chunks of a step without an order' '2024-01-07 2024-01-04..2024-01-06 2024-01-01..2024-01-03' "$(chunks d load)"
	assert_same 'chunks of a step with an order' '2024-01-01..2024-01-03 2024-01-04..2024-01-06 2024-01-07' "$(chunks d rolling)"
}

# ---- servers ----

@test "a server that is away ends with 5, and says which one and where" {
	BF_REDIS_URL=unix:///nowhere/redis.sock ends 5 '/nowhere/redis.sock' enqueue run demo "${range[@]}"
	BF_DATABASE_URL='postgresql://x@/x?host=/nowhere' ends 5 '/nowhere' enqueue run demo "${range[@]}"
	BF_DATABASE_URL='postgresql://x:secretpw@/x?host=/nowhere' ends 5 '/nowhere' enqueue stop x
	[[ $output != *secretpw* ]]
	nothing_written
}

@test "a ledger that is missing, newer or read-only is refused" {
	local url=$BF_DATABASE_URL name
	name=$(pg 'select current_database()')
	server_sql "$BF_TEST_SERVERS_URL" "create database ${name}_empty"
	BF_DATABASE_URL=$(database_url "$BF_TEST_SERVERS_URL" "${name}_empty") ends 5 'enqueue migrate' enqueue run demo "${range[@]}"
	pg "insert into bf.migration (number, name, oldest_program) values (9998, '9998_kind', '0.0.1')"
	ends 0 'would be planned' enqueue run demo "${range[@]}" --dry-run
	pg "insert into bf.migration (number, name, oldest_program) values (9999, '9999_strict', '99.1')"
	ends 5 'needs version 99.1' enqueue run demo "${range[@]}"
	ends 2 'needs version 99.1' enqueue migrate
	pg 'delete from bf.migration where number > 9000'
	pg "alter database $name set default_transaction_read_only = on"
	ends 5 'read-only' enqueue run demo "${range[@]}"
	ends 5 'read-only' enqueue stop x
	ends 5 'read-only' enqueue migrate
	ends 0 'would be planned' enqueue run demo "${range[@]}" --dry-run
	PGOPTIONS='-c default_transaction_read_only=off' pg "alter database $name reset default_transaction_read_only"
	nothing_written
}

@test "a Redis that evicts is refused, and one without AOF is warned about" {
	own_servers
	rd config set maxmemory 100mb maxmemory-policy allkeys-lru
	ends 5 'allkeys-lru' enqueue run demo "${range[@]}"
	nothing_written
	rd config set maxmemory-policy noeviction
	rd config set appendonly no
	ends 0 'warning: ' enqueue run demo "${range[@]}"
}

@test "migrating twice, or from two shells at once, applies each migration once" {
	local name url
	name=$(pg 'select current_database()')_fresh
	server_sql "$BF_TEST_SERVERS_URL" "create database $name"
	url=$(database_url "$BF_TEST_SERVERS_URL" "$name")
	for _ in 1 2 3 4; do
		BF_DATABASE_URL=$url enqueue migrate >>"$BATS_TEST_TMPDIR/migrated" &
	done
	wait
	assert_same 'how often the first was applied' 1 "$(grep -c 'applied 0001_ledger' "$BATS_TEST_TMPDIR/migrated")"
	BF_DATABASE_URL=$url ends 0 'up to date' enqueue migrate
}

@test "functions and views are replaced when their text differs, and a program says so that finds others" {
	pg "update bf.meta set definitions = 'of another text'; create or replace view bf.gaps as select null::text collate \"C\" as pipeline,
	    null::text collate \"C\" as step, null::jsonb as identity, null::date as day"
	ends 5 'are not those of this program' enqueue stop nobody
	ends 0 'applied functions and views' enqueue migrate
	assert_same 'bf.gaps is its file again' t "$(pg "select pg_get_viewdef('bf.gaps'::regclass) ~ 'unnest'")"
	ends 0 'up to date' enqueue migrate
	pg "update bf.meta set definitions = 'of a newer program', definitions_by = '99.1'"
	ends 0 'up to date' enqueue migrate
	assert_same 'those of a newer program stay' 'of a newer program' "$(pg 'select definitions from bf.meta')"
}

# ---- planning ----

@test "a run is planned: steps, jobs in order, and the first chunks are in Redis" {
	ends 0 'Run a is planned: ' enqueue run demo --since=2024-01-30 --until=2024-02-05 --run-id=a --note=why
	assert_same 'load' '2024-01-30..2024-02-01 2024-02-02..2024-02-04 2024-02-05' "$(chunks a load)"
	assert_same 'monthly' '2024-01-30..2024-01-31 2024-02-01..2024-02-05' "$(chunks a monthly)"
	assert_same 'total' '2024-01-30..2024-02-05' "$(chunks a total)"
	assert_same 'steps' 'load 3 {} f f;rolling 3 {load} t f;monthly 2 {rolling} f f;total 1 {monthly} f t' "$(pg "select string_agg(
		format('%s %s %s %s %s', step, planned, needs, chronological, per_run), ';' order by ordinal) from bf.step where run = 'a'")"
	assert_same 'numbers' t "$(pg "select bool_and(ok) from (
		select min(seq) = 1 and max(seq) = count(*) and count(distinct seq) = count(*) as ok from bf.job group by step) x")"
	assert_same 'the event' 'plan why' "$(pg "select what || ' ' || note from bf.event where what = 'plan'")"
	assert_same 'the pinned body' t "$(pg "select sha256 ~ '^[0-9a-f]{64}$' from bf.pipeline")"
	[ "$(rd llen bf:queue:default)" -eq 3 ]
	[[ $output == *'No worker is running'* ]]
}

@test "overlapping runs add only what is missing, whatever their grids" {
	enqueue run demo --since=2024-01-05 --until=2024-01-11 --run-id=a
	settle a
	assert_same 'the first run' 'done' "$(run_state a)"
	enqueue run demo --since=2024-01-08 --until=2024-01-20 --batch-days=5 --run-id=b
	assert_same 'after it' '2024-01-12..2024-01-16 2024-01-17..2024-01-20' "$(chunks b load)"
	ends 0 '9 days held by run b' enqueue run demo --since=2024-01-01 --until=2024-01-25 --batch-days=2 --run-id=c
	assert_same 'around both' '2024-01-01..2024-01-02 2024-01-03..2024-01-04 2024-01-21..2024-01-22 2024-01-23..2024-01-24 2024-01-25' \
		"$(chunks c load)"
	local step
	for step in load rolling monthly; do
		assert_same "days of $step that two jobs have" 0 "$(doubled_days $step)"
	done
	ends 0 'Nothing to do' enqueue run demo --since=2024-01-01 --until=2024-01-25
	assert_same 'runs' 3 "$(pg 'select count(*) from bf.run')"
	settle b
	settle c
	enqueue run demo --since=2024-01-01 --until=2024-01-25 --run-id=d
	assert_same 'what looks back at days that b held' '2024-01-21..2024-01-23 2024-01-24..2024-01-25' "$(chunks d rolling)"
	settle d
	ends 0 'everything is done' enqueue run demo --since=2024-01-01 --until=2024-01-25
	assert_same 'what is done' '{[2024-01-01,2024-01-26)}' "$(pg "select done from bf.coverage where step = 'load'")"
}

@test "coverage belongs to the identity parameters" {
	enqueue run demo "${range[@]}" --run-id=a
	ends 0 'Nothing to do' enqueue run demo "${range[@]}" --param text=other
	enqueue run demo "${range[@]}" --run-id=b --param site=second
	assert_same 'jobs of the second site' "$(pg "select count(*) from bf.job where run = 'a'")" "$(pg "select count(*) from bf.job where run = 'b'")"
}

@test "reprocess decides about what failed and what is done; the later word counts" {
	local one=(--since=2024-01-01 --until=2024-01-09 --only=load)
	enqueue run demo "${one[@]}" --run-id=a
	settle a failed 'seq = 2'
	settle a
	assert_same 'the first run' failed "$(run_state a)"
	ends 0 '3 days failed in run a' enqueue run demo "${one[@]}"
	[[ $output == *'enqueue retry a'* && $output == *'--reprocess=failed'* ]]
	enqueue run demo "${one[@]}" --reprocess=failed --run-id=b
	assert_same 'what failed' '2024-01-04..2024-01-06' "$(chunks b load)"
	settle b
	ends 0 'everything is done' enqueue run demo "${one[@]}" --reprocess=failed
	enqueue run demo "${one[@]}" --reprocess=completed --run-id=c
	assert_same 'all of it' '2024-01-01..2024-01-03 2024-01-04..2024-01-06 2024-01-07..2024-01-09' "$(chunks c load)"
	ends 0 'held by run c' enqueue run demo "${one[@]}" --reprocess=completed
	settle c failed 'seq = 1'
	settle c
	enqueue run demo "${one[@]}" --reprocess=failed --run-id=d
	assert_same 'done before, failed since' '2024-01-01..2024-01-03' "$(chunks d load)"
}

@test "what another run has done or holds is not opened again by retry" {
	local one=(--since=2024-01-01 --until=2024-01-09 --only=load)
	enqueue run demo "${one[@]}" --run-id=a
	settle a failed
	enqueue run demo --since=2024-01-04 --until=2024-01-04 --only=load --reprocess=failed --run-id=b
	ends 0 '3 jobs of run a opened again' enqueue retry a
	assert_same 'the rest of the chunk of which b has a day' '2024-01-05..2024-01-06' "$(pg "select chunk from bf.job where run = 'a' and state = 'pending' and seq > 3")"
	assert_same 'taken' '2024-01-04 b' "$(pg "select chunk || ' ' || taken_by from bf.job where run = 'a' and taken_by is not null")"
	assert_same 'days that two open jobs have' 0 "$(pg "select count(*) from (select d from bf.job j,
		generate_series(j.since, j.until, interval '1 day') d where state = 'pending' group by d having count(*) > 1) x")"
	settle b
	ends 0 'No jobs of run a opened again' enqueue retry a
}

@test "the same run id twice is one run; for something else it is refused" {
	enqueue run demo "${range[@]}" --run-id=a
	local before
	before=$(rows_written)
	ends 0 'Run a exists already' enqueue run demo "${range[@]}" --run-id=a
	ends 2 'run a exists already' enqueue run demo --since=2024-01-01 --until=2024-01-30 --run-id=a
	ends 2 'with other parameters' enqueue run demo "${range[@]}" --run-id=a --param site=second
	pipeline other '{"pipeline": "other", "steps": [{"name": "a", "kind": "noop"}]}'
	ends 2 'for pipeline demo' enqueue run other "${range[@]}" --run-id=a
	ends 0 'Run a exists already' enqueue run demo "${range[@]}" --run-id=a --dry-run
	assert_same 'rows' "$before" "$(rows_written)"
}

@test "many at once with one run id make one run, and without one nothing twice" {
	local i codes=
	for i in 1 2 3 4 5 6; do
		enqueue run demo "${range[@]}" --run-id=a >"$BATS_TEST_TMPDIR/out.$i" 2>&1 &
	done
	for i in $(jobs -p); do
		wait "$i" && codes+=0 || codes+=$?
	done
	assert_same 'exit codes' 000000 "$codes"
	assert_same 'runs' 1 "$(pg 'select count(*) from bf.run')"
	assert_same 'jobs' 24 "$(pg 'select count(*) from bf.job')"
	assert_same 'planned it' 1 "$(grep -l 'is planned' "$BATS_TEST_TMPDIR"/out.* | wc -l)"
	for i in 1 2 3 4 5 6; do
		enqueue run demo --since=2024-03-0$i --until=2024-04-1$i --batch-days=$i >/dev/null &
	done
	wait
	assert_same 'days that two jobs have' 0 "$(doubled_days load)"
	assert_same 'days that were asked for' 47 "$(pg "select count(distinct d) from bf.job j, generate_series(j.since, j.until, interval '1 day') d
		where step = 'load' and since >= '2024-03-01'")"
}

@test "two pipelines that want one run id at once: one gets it, the other is refused" {
	pipeline other '{"pipeline": "other", "steps": [{"name": "a", "kind": "noop"}]}'
	local a=0 b=0
	enqueue run demo "${range[@]}" --run-id=a >/dev/null 2>&1 &
	enqueue run other "${range[@]}" --run-id=a >/dev/null 2>&1 || b=$?
	wait $! || a=$?
	assert_same 'exit codes' '0 2' "$(printf '%s\n' "$a" "$b" | sort -n | xargs)"
	assert_same 'runs' 1 "$(pg 'select count(*) from bf.run')"
}

@test "steps that are left out count as satisfied" {
	enqueue run demo "${range[@]}" --skip=rolling --run-id=a
	assert_same 'needs' 'load {};monthly {load};total {monthly}' \
		"$(pg "select string_agg(step || ' ' || needs::text, ';' order by ordinal) from bf.step where run = 'a'")"
	enqueue run demo "${range[@]}" --param site=b --only=load,total --run-id=b
	assert_same 'needs' 'load {};total {load}' \
		"$(pg "select string_agg(step || ' ' || needs::text, ';' order by ordinal) from bf.step where run = 'b'")"
}

@test "a limit plans the first chunks of each step, and the check covers those" {
	enqueue run demo --since=2024-01-10 --until=2024-03-31 --limit=2 --skip=monthly --run-id=a
	assert_same 'load' '2024-01-10..2024-01-12 2024-01-13..2024-01-15' "$(chunks a load)"
	assert_same 'total' '2024-01-10..2024-01-15' "$(chunks a total)"
}

@test "a dry run shows what a run then does, writes nothing and does not look for Redis" {
	local dry real
	enqueue run demo --since=2024-01-05 --until=2024-01-11 --run-id=before >/dev/null
	local rows keys
	rows=$(rows_written) keys=$(rd dbsize)
	dry=$(BF_REDIS_URL=unix:///nowhere/redis.sock enqueue run demo "${range[@]}" --batch-days=4 --limit=3 --json --dry-run)
	assert_same 'rows' "$rows" "$(rows_written)"
	assert_same 'keys' "$keys" "$(rd dbsize)"
	real=$(enqueue run demo "${range[@]}" --batch-days=4 --limit=3 --json)
	assert_same 'the plan' "$(jq -S 'del(.dry_run, .run, .state)' <<<"$dry")" "$(jq -S 'del(.dry_run, .run, .state)' <<<"$real")"
	assert_same 'jobs' "$(jq .jobs <<<"$dry")" "$(pg "select count(*) from bf.job where run = '$(jq -r .run <<<"$real")'")"
	BF_REDIS_URL=unix:///nowhere/redis.sock ends 0 'Files checked: sql/one.sql' enqueue run demo --since=2025-01-01 --until=2025-01-02 --dry-run
}

# ---- killed in between ----

@test "killed while it plans, nothing is there; killed after the commit, the run is there and the next call pushes it" {
	export BF_FAILPOINT_LOG=$BATS_TEST_TMPDIR/fired
	BF_FAILPOINT=mid_plan:kill ends 137 '' enqueue run demo "${range[@]}" --run-id=a
	grep -q mid_plan "$BF_FAILPOINT_LOG"
	nothing_written
	BF_FAILPOINT=mid_plan:error ends 5 'mid_plan' enqueue run demo "${range[@]}" --run-id=a
	nothing_written
	BF_FAILPOINT=after_plan_commit:kill ends 137 '' enqueue run demo "${range[@]}" --run-id=a
	grep -q after_plan_commit "$BF_FAILPOINT_LOG"
	assert_same 'jobs' 24 "$(pg 'select count(*) from bf.job')"
	assert_same 'queued' 0 "$(rd llen bf:queue:default)"
	ends 0 'exists already: 24 jobs' enqueue run demo "${range[@]}" --run-id=a
	assert_same 'queued' 3 "$(rd llen bf:queue:default)"
}

@test "Redis going away after the commit ends with 5, and says that the run is planned" {
	own_servers
	export BF_FAILPOINT_LOG=$BATS_TEST_TMPDIR/fired
	enqueue run demo --since=2023-01-01 --until=2023-01-02 >/dev/null
	rd acl setuser default -fcall
	ends 5 'run a is planned in the ledger (24 jobs)' enqueue run demo "${range[@]}" --run-id=a
	rd acl setuser default +fcall
	assert_same 'jobs' 24 "$(pg "select count(*) from bf.job where run = 'a'")"
	ends 0 'exists already' enqueue run demo "${range[@]}" --run-id=a
}

# ---- keys ----

@test "keys of a query are jobs in their order, and only missing ones are planned" {
	keys_pipeline sessions "select 's' || g from generate_series(5, 1, -1) g"
	enqueue run sessions --run-id=a
	assert_same 'keys' 's5 s4 s3 s2 s1' "$(chunks a apply)"
	assert_same 'the step per run' all "$(chunks a after)"
	settle a failed "chunk = 's2'"
	settle a
	printf '%s\n' "select 's' || g from generate_series(1, 7) g" >"$BF_PIPELINES/sessions/keys.sql"
	ends 0 '1 key failed in run a' enqueue run sessions --run-id=b
	assert_same 'new keys' 's6 s7' "$(chunks b apply)"
	ends 0 '2 keys held by run b' enqueue run sessions --reprocess=failed --run-id=c
	assert_same 'failed keys' s2 "$(chunks c apply)"
	ends 0 'Nothing to do' enqueue run sessions
}

@test "--key picks keys, and an unknown one is refused with the near one" {
	keys_pipeline sessions "select x from unnest(array['alpha', 'beta', 'gamma', 'it''s; \"odd\" \\ / #7']) x"
	refuses 'did you mean "gamma"?' enqueue run sessions --key=gama
	refuses 'has keys, not dates' enqueue run sessions "${range[@]}"
	refuses 'each of which is a chunk' enqueue run sessions --batch-days=2
	refuses 'is cut by dates' enqueue run demo --key=x
	enqueue run sessions --key=gamma --key='it'"'"'s; "odd" \ / #7' --key=alpha --run-id=a
	assert_same 'keys' 'alpha gamma it'"'"'s; "odd" \ / #7' "$(chunks a apply)"
	assert_same 'in Redis' 'a/apply/it'"'"'s; "odd" \ / #7#3' "$(rd lindex bf:queue:default 2)"
}

@test "keys that cannot be jobs are refused, and the query can write nothing" {
	keys_pipeline null-key "select null::text"
	refuses 'key number 1: found null' enqueue run null-key
	keys_pipeline twice "select 'x' from generate_series(1, 2)"
	refuses 'found "x", which is there twice' enqueue run twice
	keys_pipeline long-key "select repeat('x', 201)"
	refuses 'expected text of 1 to 200 bytes' enqueue run long-key
	keys_pipeline empty-key "select ''"
	refuses 'key number 1: found ""' enqueue run empty-key
	keys_pipeline wrong "select nothing"
	refuses 'nothing' enqueue run wrong
	keys_pipeline writes "insert into bf.meta (one, generation) values (false, 5) returning 'x'"
	refuses 'read-only' enqueue run writes
	keys_pipeline none "select 'x' where false"
	ends 0 'Nothing to do' enqueue run none
	nothing_written
}

@test "keys of a JSON file are read from the named array" {
	pipeline plan '{"pipeline": "plan", "chunk": {"keys": {"file": "plan.json", "array": "sessions", "id": "id"}}, "steps": [{"name": "apply", "kind": "noop"}]}'
	echo '{"sessions": [{"id": "b"}, {"id": 7}, {"id": "a"}], "other": 1}' >"$BF_PIPELINES/plan/plan.json"
	enqueue run plan --run-id=a
	assert_same 'keys' 'b 7 a' "$(chunks a apply)"
	ends 0 'Keys: 3' enqueue validate plan
	echo '{"sessions": [{"id": "b"}, {"no": 7}]}' >"$BF_PIPELINES/plan/plan.json"
	ends 2 'key number 2' enqueue run plan
	echo '{"wrong": []}' >"$BF_PIPELINES/plan/plan.json"
	ends 2 'sessions' enqueue run plan
	echo '{"sessions": [' >"$BF_PIPELINES/plan/plan.json"
	ends 2 'line' enqueue validate plan
}

# ---- decisions ----

@test "stop, resume, cancel and retry change the ledger and Redis, and say the run's state" {
	enqueue run demo "${range[@]}" --run-id=a >/dev/null
	ends 0 'Run a is stopped' enqueue stop a --note=lunch
	assert_same 'in Redis' stopped "$(rd hget bf:run:a state)"
	assert_same 'the event' lunch "$(pg "select note from bf.event where what = 'stop'")"
	ends 0 'Run a is running' enqueue resume a
	assert_same 'in Redis' running "$(rd hget bf:run:a state)"
	ends 0 '1 job of run a cancelled' enqueue cancel a --step=load --chunk=2024-01-01..2024-01-03
	ends 0 'No jobs of run a cancelled' enqueue cancel a --step=load --chunk=2024-01-01..2024-01-03
	ends 0 '"jobs": 10' enqueue cancel a --step=load --json
	ends 0 'Run a is cancelled' enqueue cancel a
	ends 0 '24 jobs of run a opened again' enqueue retry a
	assert_same 'in the ledger' 'running 24' "$(run_state a) $(pg "select count(*) from bf.job where state = 'pending'")"
}

@test "stop-all stops every run that is under way" {
	ends 0 'No run is under way' enqueue stop-all
	enqueue run demo --since=2024-01-01 --until=2024-01-02 --run-id=a >/dev/null
	enqueue run demo --since=2024-02-01 --until=2024-02-02 --run-id=b >/dev/null
	ends 0 'Run b is stopped' enqueue stop-all
	assert_same 'states' 'stopped stopped' "$(run_state a) $(run_state b)"
}

@test "a decision counts in the ledger even when Redis is away, and says so" {
	enqueue run demo "${range[@]}" --run-id=a >/dev/null
	BF_REDIS_URL=unix:///nowhere/redis.sock ends 5 'decided in the ledger' enqueue stop a
	assert_same 'state' stopped "$(run_state a)"
	ends 0 'Run a is running' enqueue resume a
	assert_same 'in Redis' running "$(rd hget bf:run:a state)"
}

# ---- follow ----

@test "--follow ends with the run's own code" {
	local pid code
	follow() { # RUN STATE
		enqueue run demo --since="$3" --until="$3" --only=load --run-id="$1" --follow >"$BATS_TEST_TMPDIR/follow.$1" 3>&- &
		pid=$!
		wait_until "grep -q 'load 0/1' $BATS_TEST_TMPDIR/follow.$1"
		if [ "$2" = stopped ]; then enqueue stop "$1"; else settle "$1" "$2"; fi
		code=0
		wait "$pid" || code=$?
	}
	follow a 'done' 2024-01-01
	assert_same 'done' 0 "$code"
	grep -q 'Run a is done' "$BATS_TEST_TMPDIR/follow.a"
	follow b failed 2024-01-02
	assert_same 'failed' 1 "$code"
	grep -q 'bfstat failures b' "$BATS_TEST_TMPDIR/follow.b"
	follow c stopped 2024-01-03
	assert_same 'stopped' 4 "$code"
}

@test "interrupting --follow leaves the run going and says so" {
	set -m # a background job of its own group, so that SIGINT is not ignored
	enqueue run demo --since=2024-01-01 --until=2024-01-01 --run-id=a --follow --json >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	local pid=$!
	set +m
	wait_until "[ \$(wc -l <$BATS_TEST_TMPDIR/out) -ge 2 ]"
	kill -INT "$pid"
	wait "$pid"
	grep -q 'Run a goes on' "$BATS_TEST_TMPDIR/err"
	assert_same 'each line is JSON' 'planned running' "$(jq -r 'if .outcome then .outcome else .state end' "$BATS_TEST_TMPDIR/out" | xargs)"
	assert_same 'state' running "$(run_state a)"
}

# ---- the frame ----

@test "--help and --version are there for the program and every command" {
	ends 0 'stop-all' enqueue --help
	ends 0 'enqueue ' enqueue --version
	local command
	for command in run stop resume cancel retry stop-all validate migrate; do
		ends 0 "Usage: enqueue $command" enqueue "$command" --help
	done
	ends 0 'is fine: pipeline demo, 4 steps' enqueue validate demo
	assert_same 'validate --json' 'load rolling monthly total' "$(enqueue validate demo --json | jq -r '.steps[].step' | xargs)"
}
