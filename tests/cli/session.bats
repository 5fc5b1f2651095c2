# What a sql step does to its session changes nothing for the next job, and nothing of what settles its own.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() { bf_setup; }
teardown() { bf_teardown; }

# step NAME [COUNT]: a pipeline of so many keys (10) with one sql step, whose file is read from standard input; $attempts tries
step() {
	pipeline "$1" <<-JSON
		{"pipeline": "$1", "chunk": {"keys": {"sql": "keys.sql"}}, "concurrency": {"default": 40, "max": 100},
		 "defaults": {"retry": {"attempts": ${attempts:-1}, "first": "10ms", "jitter": 0}},
		 "steps": [{"name": "work", "kind": "sql", "file": "sql/work.sql"}]}
	JSON
	echo "select n::text from generate_series(1, ${2:-10}) n" >"$made/keys.sql"
	sql_file work.sql
}

work_off() { timeout 60 worker --slots="${slots:-1}" --drain 2>>"$BATS_TEST_TMPDIR/worker-0.log"; }

jobs_of() { pg "select state, attempts, count(*) from bf.job where run = '$1' group by 1, 2 order by 1, 2"; }

# changing NAME: jobs that each change what $setting names, behind literals and values whose meaning it would change
changing() {
	step "$1"
	cat >"$made/keys.sql" <<-'SQL'
		select k from (values ('; insert into stolen select 1; --'), ('a\'), ('é''\'''), ('\''; insert into stolen select 2; --')) as t (k)
		 union all select 'é' || n from generate_series(1, 36) n
	SQL
	enqueue_run "$1.a" "$1"
}

@test "what a job sets for its session changes nothing in the literals and values of the next one" {
	pg 'create table effect (k text, words text, backslash text, setting text); create table stolen (n int)'
	for setting in 'standard_conforming_strings off' 'client_encoding LATIN1' 'backslash_quote on' 'escape_string_warning off'; do
		pg 'truncate effect'
		set_config="set_config('${setting% *}', '${setting#* }', false)" name=${setting%% *}
		changing "${name//_/-}-one" <<-SQL
			insert into effect select :'key', 'C:\\new\\temp é ' || :'key', '\\', $set_config
		SQL
		changing "${name//_/-}-two" <<-SQL
			insert into effect values (:'key', 'C:\\new\\temp é ' || :'key', '\\'); select $set_config;
		SQL
		work_off
		assert_same "effects beside $setting" '80|40|80' "$(pg "select count(*), count(distinct k),
			count(*) filter (where words = 'C:\\new\\temp é ' || k and backslash = '\\') from effect")"
		assert_same "keys that were executed beside $setting" 0 "$(pg 'select count(*) from stolen')"
		assert_same 'jobs that are not done at once' 0 "$(pg "select count(*) from bf.job where state <> 'done' or attempts > 0")"
	done
}

@test "what functions prepare, declare, listen to and lock is gone before the next job" {
	pg 'create table effect (k text, prepared int, cursors int, channels int, locks int, temporary regclass, work text);
	    create function leaves(k text) returns void language plpgsql as $$ begin
	        insert into effect select k, (select count(*) from pg_prepared_statements where name !~ $q$^bf_(first|step|settle|tidy)_[0-9a-z]{16}\Z$q$),
	            (select count(*) from pg_cursors where is_holdable), (select count(*) from pg_listening_channels()),
	            (select count(*) from pg_locks where locktype = $q$advisory$q$ and pid = pg_backend_pid()), to_regclass($q$hxt$q$), current_setting($q$work_mem$q$);
	        execute $q$prepare hxp as select 1$q$; execute $q$declare hxc cursor with hold for select 1$q$; listen hxl; create temp table hxt (n int);
	        perform pg_advisory_lock(hashtext(k)), set_config($q$work_mem$q$, $q$77kB$q$, false);
	    end $$'
	step leaving 30 <<<"select leaves(:'key');"
	enqueue_run leaving.a leaving
	slots=2 work_off
	assert_same 'jobs' 'done|0|30' "$(jobs_of leaving.a)"
	assert_same 'what was found' '0|0|0|0||4MB|30' "$(pg 'select prepared, cursors, channels, locks, temporary, work, count(*) from effect group by 1, 2, 3, 4, 5, 6')"
}

@test "statements that functions prepare under this program's names, or take away, are never called in place of its own" {
	pg 'create table effect (k text);
	    create function squats(k text) returns void language plpgsql as $$ declare s text; begin
	        insert into effect values (k);
	        foreach s in array array[$q$bf_first$q$, $q$bf_step$q$, $q$bf_settle$q$, $q$bf_tidy$q$] loop
	            execute format($q$prepare %I as select 1$q$, s);
	        end loop;
	        if k::int % 7 = 0 then deallocate all; end if;
	    end $$'
	step squatting 60 <<<"select squats(:'key');"
	enqueue_run squatting.a squatting
	slots=2 work_off
	assert_same 'jobs' 'done|0|60' "$(jobs_of squatting.a)"
	assert_same 'effects' '60|60' "$(pg 'select count(*), count(distinct k) from effect')"
}

@test "a step that becomes another role is settled under the session's own" {
	local other=bf_other_$$
	pg "create role $other; create table effect (k text, role text); grant insert on effect to $other;
	    create function becomes(k text) returns void language plpgsql as \$\$ begin
	        perform set_config('role', '$other', false); insert into effect values (k, current_user); end \$\$"
	step plainly 5 <<<"select becomes(:'key');"
	step openly 5 <<<"set role $other; insert into effect values (:'key', current_user);"
	step wholly 5 <<<"set session authorization $other; insert into effect values (:'key', current_user);"
	for run in plainly openly wholly; do
		enqueue_run "$run.a" "$run"
	done
	work_off
	for run in plainly openly wholly; do
		assert_same "jobs of $run" 'done|0|5' "$(jobs_of "$run.a")"
	done
	assert_same 'effects' "$other|15" "$(pg 'select role, count(*) from effect group by 1')"
	pg "drop table effect; drop role $other"
}

@test "an error of the step's own with this program's codes counts as a try, and no more attempts are made than it has" {
	pg 'create function fails(code text) returns void language plpgsql as $$ begin raise exception $q$mine$q$ using errcode = code; end $$'
	for code in BF001 BF002 26000 0A000; do
		attempts=3 step "raises-${code,,}" 3 <<<"select fails('$code');"
		enqueue_run "raises-${code,,}.a" "raises-${code,,}"
	done
	work_off || true
	for code in bf001 bf002 26000 0a000; do
		assert_same "jobs of $code" 'failed|3|3' "$(jobs_of "raises-$code.a")"
		assert_same "attempts of $code" '3|sql|mine|9' "$(pg "select max(j.epoch), min(a.category), min(a.error), count(*) from bf.attempt a join bf.job j using (run, step, seq) where run = 'raises-$code.a'")"
	done
}

@test "a step that settles its own job, or another one, has failed, and neither is done by it" {
	pg 'create table effect (k text);
	    create function settles(p_run text, p_step text, p_seq int) returns void language plpgsql as $$ begin
	        insert into effect values (p_step);
	        perform bf.settle(p_run, p_step, p_seq, j.epoch) from bf.job j where j.run = p_run and j.step = p_step and j.seq = p_seq; end $$;
	    create function marks(p_run text, p_step text, p_seq int) returns void language plpgsql as $$ begin
	        perform settles(p_run, p_step, p_seq), set_config($q$bf.transaction$q$, pg_current_xact_id()::text, true); end $$'
	attempts=3 step self 1 <<<"select settles(:'run', 'work', 1);"
	attempts=3 step remarked 1 <<<"select marks(:'run', 'work', 1);"
	attempts=3 step wrong 1 <<<"select settles(:'run', 'work', 99); do \$\$ begin perform bf.settle('x', 'y', 1, 1); end \$\$;"
	for run in self remarked wrong; do
		enqueue_run "$run.a" "$run"
	done
	work_off || true
	assert_same 'self' 'failed|1|1' "$(jobs_of self.a)"
	[[ $(pg "select error from bf.job where run = 'self.a'") = *'settled a job itself'* ]]
	assert_same 'remarked' 'failed|1|1' "$(jobs_of remarked.a)"
	[[ $(pg "select error from bf.job where run = 'remarked.a'") = *'set its own job to done'* ]]
	assert_same 'wrong' 'failed|3|1' "$(jobs_of wrong.a)"
	assert_same 'effects' 0 "$(pg 'select count(*) from effect')"
	assert_same 'epochs' 3 "$(pg 'select max(epoch) from bf.job')"
}

@test "a COMMIT in a step's SQL is refused before anything is planned" {
	for word in 'commit' 'COMMIT WORK' 'commit and chain' 'end' 'rollback' 'savepoint s'; do
		step commits 1 <<<"select 1; /* hidden */ $word; select 2;"
		run enqueue run commits
		assert_same "exit code of $word" 2 "$status"
		[[ $output = *'no transaction control'* ]]
	done
	assert_same 'runs' 0 "$(pg 'select count(*) from bf.run')"
}

@test "a call into schema bf is refused by validate" {
	step calls 1 <<<"insert into x values (1); select bf.settle(:'run', 'work', 1, 1);"
	run enqueue validate calls
	assert_same 'exit code' 2 "$status"
	[[ $output = *'line 1'*'bf.settle'*'no call into schema bf'* ]]
}

@test "rows that a step returns take no memory" {
	step rows 1 <<<"select repeat('x', 1000), n from generate_series(1, 300000) n;"
	enqueue_run rows.a rows
	ASAN_OPTIONS=quarantine_size_mb=4 start_worker --slots=1
	wait_for_end rows.a 90
	assert_same 'jobs' 'done|0|1' "$(jobs_of rows.a)"
	peak=$(awk '/^VmHWM/ {print $2}' "/proc/${WORKER_PIDS[0]}/status")
	((peak < 150000)) || { echo "the worker took $peak kB" >&2; return 1; }
}
