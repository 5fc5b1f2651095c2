# Safeguards that no other test notices when they are taken out: tests/mutants takes each of them out.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() { bf_setup; }
teardown() { bf_teardown; }

between_starts() { # RUN: ms between the starts of its first two jobs
	pg "select round(1000 * extract(epoch from max(started_at) - min(started_at)))
	      from (select started_at from bf.job where run = '$1' order by seq limit 2) j"
}

@test "after a rebuild of Redis the rate goes on from the last start in the ledger" {
	pipeline slow <<<'{"pipeline": "slow", "chunk": {"size": 1}, "rate": "10/minute", "steps": [{"name": "one", "kind": "noop"}]}'
	enqueue_run slow.one slow --since=2024-01-01 --until=2024-01-02
	start_worker
	wait_until "is 1 \"select count(*) from bf.job where state = 'done'\""
	rd flushall
	wait_for_end slow.one
	[ "$(between_starts slow.one)" -ge 6000 ] || { echo "$(between_starts slow.one) ms between two starts"; return 1; }
}

@test "a job that was done again since is not undone by those who saw it done before" {
	pg "create table effect (day date, epoch int)"
	pipeline undoing <<-'JSON'
		{"pipeline": "undoing", "chunk": {"size": 1},
		 "steps": [{"name": "one", "kind": "sql", "file": "sql/one.sql", "rollback": "sql/undo.sql"}]}
	JSON
	sql_file one.sql <<<"insert into effect values (:'since', 1);"
	sql_file undo.sql <<<"delete from effect where day = :'since';"
	enqueue_run undoing.one undoing --since=2024-01-01 --until=2024-01-01
	start_worker
	wait_for_end undoing.one
	pg "update bf.job set epoch = epoch + 1" # as by an attempt after that
	for call in "bf.undo_begin('undoing.one', 'one', 1, 1)" \
		"bf.undo('undoing.one', 'one', 1, 1, 'me', null) from (select set_config('bf.undo', pg_current_xact_id()::text, true) offset 0) x"; do
		run psql -XAtq -v ON_ERROR_STOP=1 -v VERBOSITY=sqlstate -d "$BF_DATABASE_URL" -c "select $call"
		[ "$status" -ne 0 ] && [[ $output = *BF001* ]] || { echo "$call: $output"; return 1; }
	done
	assert_same 'the job' 'done' "$(pg 'select state from bf.job')"
	assert_same 'its effect' 1 "$(pg 'select count(*) from effect')"
}

@test "a program whose job was cancelled is killed at once, with a process that it has sent away" {
	pipeline deaf <<<'{"pipeline": "deaf", "chunk": {"size": 1}, "steps": [{"name": "one", "kind": "exec", "argv": ["bin/deaf"]}],
		"env": {"pass": ["MARK"]}}'
	export MARK=$BATS_TEST_TMPDIR/mark
	program deaf <<-'SH'
		trap '' TERM
		setsid bash -c 'trap "" TERM HUP; echo $$ >"$MARK.away"; exec sleep 1000' &
		while [ ! -s "$MARK.away" ]; do sleep 0.05; done
		echo $$ >"$MARK"
		while :; do sleep 1; done
	SH
	enqueue_run deaf.one deaf --since=2024-01-01 --until=2024-01-01
	start_worker
	wait_until "[ -s '$MARK' ]"
	enqueue cancel deaf.one
	# SIGTERM alone would leave both for ten seconds more
	wait_until "! kill -0 $(cat "$MARK") && ! kill -0 $(cat "$MARK.away")" 8
}

@test "a program that ends leaves no process behind that has left its group" {
	pipeline leaves <<<'{"pipeline": "leaves", "chunk": {"size": 1}, "steps": [{"name": "one", "kind": "exec", "argv": ["bin/leaves"]}],
		"env": {"pass": ["MARK"]}}'
	export MARK=$BATS_TEST_TMPDIR/mark
	program leaves <<-'SH'
		setsid bash -c 'setsid bash -c "echo \$\$ >\"\$MARK.away\"; exec sleep 1000" & echo $$ >"$MARK.child"; wait' &
		while [ ! -s "$MARK.away" ] || [ ! -s "$MARK.child" ]; do sleep 0.05; done
	SH
	enqueue_run leaves.one leaves --since=2024-01-01 --until=2024-01-01
	start_worker
	wait_for_end leaves.one
	assert_same 'the run' 'done' "$(run_state leaves.one)"
	for mark in child away; do
		run ! kill -0 "$(cat "$MARK.$mark")"
	done
}

@test "what another tenant's run has done is not taken for this one's by a retry" {
	pg "create table broken (tenant text)"
	pipeline tenants <<-'JSON'
		{"pipeline": "tenants", "chunk": {"size": 1}, "params": {"tenant": {"identity": true}},
		 "defaults": {"retry": {"attempts": 1}},
		 "steps": [{"name": "one", "kind": "sql", "file": "sql/one.sql"}]}
	JSON
	sql_file one.sql <<<"select 1 / (not exists (select from broken where tenant = :'tenant'))::int;"
	pg "insert into broken values ('a')"
	start_worker
	enqueue_run tenants.a tenants --since=2024-01-01 --until=2024-01-02 --param tenant=a
	wait_for_end tenants.a
	enqueue_run tenants.b tenants --since=2024-01-01 --until=2024-01-02 --param tenant=b
	wait_for_end tenants.b
	assert_same 'runs' 'failed done' "$(run_state tenants.a) $(run_state tenants.b)"
	pg 'delete from broken'
	enqueue retry tenants.a
	wait_until '[ "$(run_state tenants.a)" = done ]'
	assert_same 'days of tenant a' 2 "$(pg "select count(*) from bf.job where run = 'tenants.a' and state = 'done'")"
}

@test "days of a run that is stopping or stopped are its own: another run does not plan them" {
	pg 'create table hold (n int); insert into hold values (1)'
	pipeline held <<<'{"pipeline": "held", "chunk": {"size": 1}, "concurrency": {"default": 1},
		"steps": [{"name": "one", "kind": "sql", "file": "sql/one.sql"}]}'
	sql_file one.sql <<<"select pg_sleep(case when exists (select from hold) then 0.1 else 0 end) from generate_series(1, 600)
		where exists (select from hold);"
	enqueue_run held.one held --since=2024-01-01 --until=2024-01-03
	start_worker
	wait_until "is 1 \"select count(*) from bf.job where state = 'running'\""
	enqueue stop held.one
	assert_same 'the run' stopping "$(run_state held.one)"
	run enqueue run held --since=2024-01-01 --until=2024-01-03
	[[ $output = *'held.one'* ]]
	pg 'delete from hold'
	enqueue stop held.one
	wait_until '[ "$(run_state held.one)" = stopped ]' 90
	run enqueue run held --since=2024-01-01 --until=2024-01-03
	[[ $output = *'held.one'* ]]
	assert_same 'runs' 1 "$(pg 'select count(*) from bf.run')"
}

@test "lookback_since is so many days before the chunk's first day" {
	pg 'create table seen (since date, lookback date)'
	pipeline looks <<<'{"pipeline": "looks", "chunk": {"size": 2},
		"steps": [{"name": "one", "kind": "sql", "file": "sql/one.sql", "lookback": {"days": 15}}]}'
	sql_file one.sql <<<"insert into seen values (:'since', :'lookback_since');"
	enqueue_run looks.one looks --since=2024-03-01 --until=2024-03-04
	start_worker
	wait_for_end looks.one
	assert_same 'what was seen' '2024-03-01 2024-02-15, 2024-03-03 2024-02-17' "$(pg "select string_agg(since || ' ' || lookback, ', ' order by since) from seen")"
}
