# Row 11: Redis out of memory, and a Redis that throws keys away to make room, in mid-run.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/chaos.bash
load ../support/gated.bash

setup() {
	counters_may_lie=1
	bf_setup
	own_servers
	chaos_record
}
teardown() { bf_teardown; }

log_has() { grep -hF -- "$1" "$BATS_TEST_TMPDIR"/worker-*.log; } # WORDS: one of the workers' logs

# ---- no room ----

# sidekiq/sidekiq#5558: jobs lost while Redis is out of memory, and no way back when there is room again.
@test "11: Redis out of memory in mid-run: what runs ends and is acknowledged, a new run waits and is told so, and all goes on with room" {
	begin_with_two_workers gated.full
	rd config set maxmemory 1 >/dev/null
	assert_goes_on gated.full 01
	assert_goes_on gated.full 02
	code=0
	enqueue run gated --since=2024-04-01 --until=2024-04-06 --run-id=gated.later >"$BATS_TEST_TMPDIR/later" 2>&1 || code=$?
	assert_same 'exit code of enqueue' 5 "$code"
	grep -F 'run gated.later is planned in the ledger' "$BATS_TEST_TMPDIR/later"
	grep -F 'OOM' "$BATS_TEST_TMPDIR/later"
	wait_until "log_has 'OOM command not allowed'"
	open_gates
	wait_until "is 14 \"select count(*) from bf.job where run = 'gated.full' and state = 'done'\"" # its last step is not there yet
	assert_same 'jobs begun of the later run' 0 "$(pg "select count(*) from bf.job where run = 'gated.later' and epoch > 0")"
	rd config set maxmemory 0 >/dev/null
	wait_for_end gated.later
	wait_until "log_has 'reconcile works again'"
	end_gated gated.full
	assert_none_taken gated.full
}

# ---- keys thrown away ----

# Runs of 300 jobs each, of which each has some at work, some released and most pending. begin_streams RUN…
begin_streams() {
	local run
	pipeline stream <<-'JSON'
		{"pipeline": "stream", "chunk": {"size": 1}, "concurrency": {"default": 4, "max": 10},
		 "steps": [{"name": "load", "kind": "sql", "file": "sql/load.sql"},
		           {"name": "close", "kind": "sql", "per": "run", "file": "sql/close.sql"}]}
	JSON
	sql_file load.sql <<-'SQL'
		insert into effect values (:'run', 'load', :'chunk');
		select pg_sleep(0.1);
		select wait_at_gate(:'run', :'chunk');
	SQL
	sql_file close.sql <<<"insert into effect values (:'run', 'close', :'chunk');"
	pg "create table gate (run text, day date);
	    create function wait_at_gate(p_run text, p_day date) returns void language plpgsql as
	    \$\$ begin while exists (select from gate where run = p_run and day = p_day) loop perform pg_sleep(0.02); end loop; end \$\$"
	local year=2000
	for run; do
		# Its third day stays at work until the gate opens.
		pg "insert into gate values ('$run', '$year-01-03')"
		enqueue_run "$run" stream --since="$year-01-01" --until="$(date -d "$year-01-01 +299 days" +%F)"
		year=$((year + 1))
	done
	start_worker --slots=12
	start_worker --slots=12
	for run; do
		wait_until "at_least 10 \"select count(*) from bf.job where run = '$run' and state = 'done'\""
	done
}

end_streams() { # RUN…
	local run
	pg 'delete from gate'
	for run; do
		wait_for_end "$run" 60
		wait_for_redis "$run"
		pg "create or replace view effect_load as select chunk from effect where run = '$run' and step = 'load';
		    create or replace view effect_close as select chunk from effect where run = '$run' and step = 'close'"
		oracle "$run" load=effect_load close=effect_close
		assert_history "$run"
		assert_counters "$run"
	done
	bfstat verify
	assert_same 'tries that were counted' 0 "$(pg 'select count(*) from bf.attempt')"
}

# What an evicting server may take of a run, each from a run of its own.
# bats test_tags=long
@test "11: any key of a run thrown away in mid-run: its jobs come back from the ledger, each once" {
	runs=(stream.step stream.pending stream.run stream.released stream.own)
	begin_streams "${runs[@]}"
	rd unlink bf:run:stream.step:step:load bf:run:stream.pending:pending:load bf:run:stream.run bf:run:stream.released:released \
		bf:run:stream.own:released:load >/dev/null
	# Its whole plan stands there once again, not twice.
	wait_until "[ \"\$(rd hget bf:run:stream.step:step:load pushed)\" = 300 ]"
	assert_same 'pending twice' '' "$(rd lrange bf:run:stream.step:pending:load 0 -1 | sort | uniq -d)"
	# All of the list comes back at once; a hundred jobs in each look would take three of them, a quarter of a minute apart.
	wait_until "is 299 \"select count(*) from bf.job where run = 'stream.pending' and step = 'load' and state = 'done'\"" 30
	end_streams "${runs[@]}"
}

# bats test_tags=long
@test "11: the queue's list, or what Redis knows of its workers, thrown away in mid-run: nothing is lost, nothing is twice" {
	begin_streams stream.one stream.two
	for key in bf:queue:default bf:workers bf:runs "bf:worker:$(worker_id "${WORKER_PIDS[0]}")" "bf:worker:$(worker_id "${WORKER_PIDS[1]}"):jobs"; do
		rd unlink "$key" >/dev/null
	done
	end_streams stream.one stream.two
}

# rq/rq#1280: an evicting policy, and jobs that are lost by it.
@test "11: an evicting policy set in mid-run, and room made by it: the workers say so, and nothing is lost or done twice" {
	begin_streams stream.one stream.two
	rd config set maxmemory-policy allkeys-random >/dev/null
	rd config set maxmemory 1 >/dev/null
	wait_until "[ \"\$(rd info stats | sed -n 's/^evicted_keys:\\([0-9]*\\).*/\\1/p')\" -gt 20 ]"
	wait_until "log_has 'may throw the queue away: maxmemory-policy is allkeys-random'"
	code=0
	enqueue run stream --since=2010-01-01 --until=2010-01-02 --run-id=stream.no >"$BATS_TEST_TMPDIR/no" 2>&1 || code=$?
	assert_same 'exit code of enqueue' 5 "$code"
	grep -F 'may throw the queue away' "$BATS_TEST_TMPDIR/no"
	rd config set maxmemory 0 >/dev/null
	rd config set maxmemory-policy noeviction >/dev/null
	wait_until "log_has 'the settings of Redis are right again'"
	end_streams stream.one stream.two
}
