# A chunk that failed is split in two, until the one bad day is alone.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	pg 'create table bad (day date); create table effect (chunk text)'
	pipeline halves <<-'JSON'
		{"pipeline": "halves", "chunk": {"size": 30, "max": 30}, "concurrency": {"default": 3}, "defaults": {"retry": {"attempts": 1}},
		 "steps": [{"name": "make", "kind": "sql", "file": "sql/make.sql", "split": true, "on_failure": "continue"},
		           {"name": "after", "kind": "noop", "per": "run"}]}
	JSON
	sql_file make.sql <<<"insert into effect values (:'chunk'); select 1 / (not exists (select from bad where day between :'since' and :'until'))::int;"
}
teardown() { bf_teardown; }

failed_days() { pg "select string_agg(chunk, ' ' order by since) from bf.job where run = '$1' and step = 'make' and state = 'failed'"; }
# The days of the range that are done exactly once, and those that are not.
days_done() { pg "select count(*) from (select d from generate_series('2024-01-01'::date, '2024-03-30', interval '1 day') d join bf.job j on j.run = '$1' and j.step = 'make' and j.state = 'done' and d between j.since and j.until group by d having count(*) = 1) x"; }
# What is done has had its effect once, what is not has had none.
assert_effects() { # RUN
	assert_same 'effects' '' "$(pg "select * from (select chunk from bf.job where run = '$1' and step = 'make' and state = 'done' except all select chunk from effect) a union all (select chunk from effect except all select chunk from bf.job where run = '$1' and step = 'make' and state = 'done')")"
}

@test "two bad days of ninety are alone in the end, and the rest is done" {
	pg "insert into bad values ('2024-01-17'), ('2024-03-30')"
	enqueue_run h.one halves --since=2024-01-01 --until=2024-03-30
	start_worker
	wait_for_end h.one
	assert_same 'state' failed "$(run_state h.one)"
	assert_same 'failed' '2024-01-17 2024-03-30' "$(failed_days h.one)"
	assert_same 'days done once' 88 "$(days_done h.one)"
	assert_effects h.one
	assert_same 'split' t "$(pg "select count(*) filter (where split and state = 'skipped') = count(*) filter (where state = 'skipped') and count(*) > 3 from bf.job where run = 'h.one' and step = 'make'")"
	assert_same 'planned' "$(pg "select count(*) from bf.job where run = 'h.one' and step = 'make'")" "$(pg "select planned from bf.step where run = 'h.one' and step = 'make'")"
	assert_same 'what comes after' done "$(pg "select state from bf.step where run = 'h.one' and step = 'after'")"
	run bfstat failures h.one
	[[ $output = *2024-01-17* && $output = *2024-03-30* && $output != *2024-01-16* ]]
	bfstat verify

	# mended, only those two are tried again
	pg 'delete from bad'
	run enqueue retry h.one
	[[ $output = *'2 jobs of run h.one opened again'* || $output = *'3 jobs of run h.one opened again'* ]]
	wait_until '[ "$(run_state h.one)" = done ]'
	assert_same 'days done once' 90 "$(days_done h.one)"
	assert_effects h.one
	bfstat report h.one --out="$BATS_TEST_TMPDIR/out" | grep -q 'met     make: all that was planned is done'
	bfstat verify
	run enqueue run halves --since=2024-01-01 --until=2024-03-30 --only=make
	[[ $output = *'Nothing to do'* ]]
}

@test "workers die, and Redis forgets everything, while chunks are split" {
	pg "insert into bad values ('2024-01-17'), ('2024-02-29'), ('2024-03-30')"
	sed -i 's/^/select pg_sleep(0.1); /' "$made/sql/make.sql"
	export BF_LEASE=1s
	enqueue_run h.two halves --since=2024-01-01 --until=2024-03-30
	local n
	for n in 1 2 3; do
		start_worker --slots=2
		wait_until "at_least $n \"select count(*) from bf.job where run = 'h.two' and split\""
		kill_worker "${WORKER_PIDS[-1]}" KILL || true
		[ $n -ne 2 ] || rd flushdb
	done
	start_worker
	wait_for_end h.two 60
	assert_same 'failed' '2024-01-17 2024-02-29 2024-03-30' "$(failed_days h.two)"
	assert_same 'days done once' 87 "$(days_done h.two)"
	assert_effects h.two
	assert_same 'left to split' 0 "$(pg 'select count(*) from bf.split_wanted')"
	bfstat verify
}

# The first chunk has failed, and nobody has looked at the run since.
fails_unseen() { # RUN
	pg "update bf.job set state = 'skipped', split = true, epoch = 1, attempts = 1, finished_at = now() where run = '$1' and step = 'make' and seq = 1;
	    insert into bf.split_wanted values ('$1', 'make', 1)"
}

@test "cancelled before it is split: the halves are cancelled, too, and a retry does them" {
	enqueue_run h.run halves --since=2024-01-01 --until=2024-03-30
	enqueue_run h.step halves --since=2024-04-01 --until=2024-06-29
	fails_unseen h.run
	fails_unseen h.step
	enqueue cancel h.run
	enqueue cancel h.step --step=make
	assert_same 'jobs of the run' 'cancelled 4, skipped 1' "$(pg "select string_agg(state || ' ' || n, ', ' order by state) from (select state, count(*) as n from bf.job where run = 'h.run' and step = 'make' group by 1) x")"
	assert_same 'jobs of the step' 'cancelled 4, skipped 1' "$(pg "select string_agg(state || ' ' || n, ', ' order by state) from (select state, count(*) as n from bf.job where run = 'h.step' and step = 'make' group by 1) x")"
	enqueue retry h.run
	start_worker
	wait_for_end h.run
	assert_same 'days done once' 90 "$(days_done h.run)"
	assert_effects h.run
}

@test "what is settled while its run is looked at is not taken for the last one" {
	enqueue_run h.race halves --since=2024-01-01 --until=2024-01-30
	# advance stands still before it looks at the step, until the job has failed
	pg "update bf.job set state = 'running', epoch = 1 where run = 'h.race' and step = 'make';
	    alter function bf.split(text) rename to split_really;
	    create function bf.split(p_run text) returns int language plpgsql as \$\$ declare n int; begin n := bf.split_really(p_run); perform pg_advisory_xact_lock(42); return n; end \$\$"
	psql -XAtq -d "$BF_DATABASE_URL" -c 'select pg_advisory_lock(42)' -c "select pg_sleep(60)" >/dev/null 2>&1 &
	local holder=$! advance
	wait_until 'at_least 1 "select count(*) from pg_locks where locktype = '"'advisory'"' and granted and objid = 42"'
	psql -XAtq -d "$BF_DATABASE_URL" -c "select bf.advance('h.race')" >"$BATS_TEST_TMPDIR/advance" &
	advance=$!
	wait_until 'at_least 1 "select count(*) from pg_locks where locktype = '"'advisory'"' and not granted and objid = 42"'
	fails_unseen h.race
	kill $holder
	pg "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()"
	wait $advance
	assert_same 'the run goes on' running "$(cat "$BATS_TEST_TMPDIR/advance")"
	assert_same 'its halves' 2 "$(pg "select count(*) from bf.job where run = 'h.race' and step = 'make' and state = 'pending'")"
}

@test "without split the whole chunk fails" {
	pg "insert into bad values ('2024-01-17')"
	sed -i 's/"split": true, //' "$made/pipeline.json"
	enqueue_run h.three halves --since=2024-01-01 --until=2024-03-30
	start_worker
	wait_for_end h.three
	assert_same 'failed' '2024-01-01..2024-01-30' "$(failed_days h.three)"
}
