# Whoever only looks answers within ten seconds, with what it could not read: while tables are locked, while a server stands still,
# and when it dies under it.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	own_servers
	pipeline p <<<'{"pipeline": "p", "chunk": {"size": 1}, "steps": [{"name": "one", "kind": "noop"}]}'
	enqueue_run p.one p --since=2024-01-01 --until=2024-01-10
}
teardown() {
	local pid
	for pid in "${stopped[@]}"; do
		kill -CONT "$pid" 2>/dev/null || true
	done
	bf_teardown
}
stopped=()

# stand_still postgres|redis: all of its processes
stand_still() {
	local pid
	pid=$(server_pid "$1")
	stopped+=("$pid")
	kill -STOP "$pid"
	# shellcheck disable=SC2046
	[ "$1" = redis ] || kill -STOP $(pgrep -P "$pid")
	[ "$1" = redis ] || mapfile -t -O "${#stopped[@]}" stopped < <(pgrep -P "$pid")
}
go_on() {
	kill -CONT "${stopped[@]}" 2>/dev/null || true
	stopped=()
}

# answers CODE COMMAND…: it does within ten seconds, with that exit code; $output and $stderr are what it said
answers() {
	local expected=$1 began=$EPOCHREALTIME took
	shift
	run --separate-stderr timeout 30 "$@"
	took=$((${EPOCHREALTIME/./} - ${began/./}))
	assert_same "exit code of $* ($stderr)" "$expected" "$status"
	((took < 10000000)) || assert_same "$* answered" 'within 10 s' "after $((took / 1000)) ms"
}

lock_tables() { # of the ledger, until unlock_tables
	psql -XAtq -d "$BF_DATABASE_URL" -c "begin; lock table bf.run, bf.step, bf.job, bf.event, bf.attempt, bf.check_result in access exclusive mode;
		select pg_sleep(600)" >/dev/null 2>&1 3>&- &
	WORKER_PIDS+=($!)
	wait_until 'at_least 6 "select count(*) from pg_locks where mode = '"'AccessExclusiveLock'"' and granted and relation::regclass::text like '"'bf.%'"'"'
}

# The backend sleeps, and would not notice that its client is gone.
unlock_tables() {
	pg "select pg_terminate_backend(pid) from pg_locks where mode = 'AccessExclusiveLock' and relation::regclass::text like 'bf.%'" >/dev/null
	wait_until "is 0 \"select count(*) from pg_locks where mode = 'AccessExclusiveLock' and relation::regclass::text like 'bf.%'\""
}

@test "bfstat answers from Redis while the ledger's tables are locked, and says why; what needs the ledger says so with code 5" {
	local command
	lock_tables
	answers 0 bfstat p.one
	[[ $output = *p.one* && $stderr = *'not read: PostgreSQL'*'a table is locked by another session for 2000 ms'* ]]
	answers 0 bfstat p.one --json
	assert_same 'not read' postgresql "$(jq -r '.not_read[]' <<<"$output")"
	answers 0 bfstat
	answers 0 bfstat queues
	answers 0 bfstat workers
	answers 0 bfstat jobs p.one
	for command in 'failures p.one' 'coverage p' 'gaps p' 'events p.one' 'verify' "report p.one --out=$BATS_TEST_TMPDIR/r"; do
		# shellcheck disable=SC2086
		answers 5 bfstat $command
		[[ $stderr = *'PostgreSQL'*'a table is locked by another session'* ]]
	done
	unlock_tables
	answers 0 bfstat p.one
	assert_same 'complaints' '' "$stderr"
}

@test "bfstat answers from the other server while one stands still, and with code 5 while both do" {
	stand_still postgres
	answers 0 bfstat p.one
	[[ $output = *p.one* && $stderr = *'not read: PostgreSQL cannot be reached'* ]]
	answers 5 bfstat coverage p
	answers 0 bfstat queues
	stand_still redis
	answers 5 bfstat p.one
	answers 5 bfstat
	go_on
	stand_still redis
	answers 0 bfstat p.one
	[[ $stderr = *'not read: '*Redis* ]]
	answers 0 bfstat workers
	go_on
	answers 0 bfstat p.one
	assert_same 'complaints' '' "$stderr"
}

@test "bfstat goes on with Redis when PostgreSQL is killed under it" {
	lock_tables
	bfstat p.one >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/said" 3>&- &
	local looks=$! began=$SECONDS
	wait_until "at_least 1 \"select count(*) from pg_locks where not granted\"" 5
	kill -KILL "$(server_pid postgres)"
	exit_code_of "$looks" 10
	((SECONDS - began < 10))
	assert_same 'exit code' 0 "$code"
	grep -F 'p.one' "$BATS_TEST_TMPDIR/out"
	grep -F 'not read: ' "$BATS_TEST_TMPDIR/said"
}

@test "bfstat watch goes on with Redis while tables are locked, and comes back" {
	bfstat watch p.one >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/said" 3>&- </dev/null &
	WORKER_PIDS+=($!)
	wait_until "grep -F 'p.one' '$BATS_TEST_TMPDIR/out'"
	lock_tables
	wait_until "grep -F 'a table is locked by another session' '$BATS_TEST_TMPDIR/said'" 20
	local lines
	lines=$(wc -l <"$BATS_TEST_TMPDIR/out")
	wait_until "[ \$(wc -l <'$BATS_TEST_TMPDIR/out') -gt $lines ]" 20
	unlock_tables
	worker --drain >"$BATS_TEST_TMPDIR/worker.log" 2>&1
	exit_code_of "${WORKER_PIDS[0]}" 30
	assert_same 'exit code' 0 "$code"
}

@test "what takes the ledger longer than BF_PATIENCE says is not waited for, and the setting is named" {
	pipeline q <<-'JSON'
		{"pipeline": "q", "chunk": {"size": 1}, "steps": [{"name": "one", "kind": "noop", "expected": "e.sql", "present": "e.sql"}]}
	JSON
	cat >"$made/e.sql" <<<"select d::date from generate_series(:'since'::date, :'until'::date, interval '1 day') d;"
	enqueue_run q.one q --since=2024-01-01 --until=2024-01-02
	cat >"$made/e.sql" <<<"select d::date from generate_series(:'since'::date, :'until'::date, interval '1 day') d, pg_sleep(3);"
	BF_PATIENCE=1s answers 5 bfstat gaps q --since=2024-01-01 --until=2024-01-01
	[[ $stderr = *'no answer for 1000 ms; BF_PATIENCE makes it longer'* ]]
	BF_PATIENCE=20s answers 0 bfstat gaps q --since=2024-01-01 --until=2024-01-01
	BF_PATIENCE=0s answers 2 bfstat gaps q --since=2024-01-01 --until=2024-01-01
	[[ $stderr = *'BF_PATIENCE: found "0s", expected '* ]]
}
