# `bfstat verify` is an alarm: it must not ring while all is well, whatever a run is doing at that moment.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 # of a hundred short calls of bfstat; bfstat.bats looks for leaks

setup() { bf_setup; }
teardown() { bf_teardown; }

# at_every_moment CONDITION: verify is asked all the time until the condition holds, twenty times at least, and never finds anything
at_every_moment() {
	local samples=0 deadline=$((SECONDS + 90))
	until ((samples >= 20)) && eval "$1"; do
		((SECONDS < deadline)) || { echo "not in time: $1" >&2; return 1; }
		run bfstat verify
		assert_same "exit code of sample $((++samples))
$output" 0 "$status"
	done
}

steps_pipeline() { # NAME <<STEPS: its steps, of days, two at once
	local steps
	steps=$(cat)
	pipeline "$1" <<-JSON
		{"pipeline": "$1", "chunk": {"size": 1}, "concurrency": {"default": 2},
		 "defaults": {"retry": {"attempts": 2, "first": "300ms", "jitter": 0}}${2:-}, "steps": [$steps]}
	JSON
	sql_file work.sql <<<"select pg_sleep(0.1);"
	sql_file fails.sql <<<"select pg_sleep(0.1); select 1 / extract(day from :'since'::date - 3)::int;"
}

@test "verify finds nothing while chunks wait for chunks, to the end of the run" {
	steps_pipeline chunks <<-'JSON'
		{"name": "load", "kind": "sql", "file": "sql/work.sql"},
		{"name": "make", "kind": "sql", "file": "sql/work.sql", "wait_for": "chunk"},
		{"name": "sum", "kind": "sql", "file": "sql/work.sql", "wait_for": "chunk"}
	JSON
	enqueue_run chunks.one chunks --since=2024-01-01 --until=2024-03-30
	start_worker --slots=2
	at_every_moment 'run_ended chunks.one'
	assert_same 'the run' 'done' "$(run_state chunks.one)"
}

@test "verify finds nothing while a chunk fails and is tried again, is skipped behind it, and the run is retried" {
	steps_pipeline skips <<-'JSON'
		{"name": "load", "kind": "sql", "file": "sql/fails.sql", "on_failure": "continue"},
		{"name": "make", "kind": "sql", "file": "sql/work.sql", "wait_for": "chunk"}
	JSON
	sed -i "s|extract.*|(:'since' <> '2024-01-03')::int;|" "$made/sql/fails.sql"
	enqueue_run skips.one skips --since=2024-01-01 --until=2024-01-30
	start_worker --slots=2
	at_every_moment 'run_ended skips.one'
	enqueue retry skips.one --downstream
	at_every_moment 'run_ended skips.one'
}

@test "verify finds nothing while a run is held back, soaks, waits for a person, is stopped, or goes at a rate" {
	steps_pipeline waits ', "throttle": {"file": "sql/throttle.sql", "every": "5s"}' <<-'JSON'
		{"name": "load", "kind": "sql", "file": "sql/work.sql"},
		{"name": "watch", "kind": "soak", "interval": "1s", "duration": "3s",
		 "checks": [{"name": "one", "type": "metric", "file": "sql/one.sql", "error_if": "< 1"}]},
		{"name": "sign", "kind": "approval"}
	JSON
	pg 'create table busy (n int); insert into busy values (1)'
	sql_file throttle.sql <<<"select 'it is busy' from busy;"
	sql_file one.sql <<<'select 1;'
	enqueue_run waits.one waits --since=2024-01-01 --until=2024-01-20
	steps_pipeline rated ', "rate": "5/second"' <<-'JSON'
		{"name": "load", "kind": "sql", "file": "sql/work.sql"}
	JSON
	enqueue_run rated.one rated --since=2024-01-01 --until=2024-01-30
	enqueue_run rated.two rated --since=2024-02-01 --until=2024-12-31
	start_worker --slots=3
	at_every_moment "is 1 \"select count(*) from bf.run where run = 'waits.one' and held_until > now()\""
	enqueue stop rated.two
	pg 'delete from busy'
	at_every_moment 'run_ended rated.one'
	at_every_moment '[ "$(run_state waits.one)" = waiting ]'
	assert_same 'the run that was stopped' stopped "$(run_state rated.two)"
}
