# A worker's life: tries and their end, limits, what reaches SQL and programs, what an operator decides in mid-run, and bad starts.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	export BF_LEASE=2s
}
teardown() {
	if [ -n "${redis_policy:-}" ]; then
		rd config set maxmemory-policy "$redis_policy" maxmemory 0 >/dev/null
	fi
	bf_teardown
}

# sql_pipeline NAME MORE <<SQL: a pipeline of one sql step `work`, a day a job, that does this; MORE: fields of the step
sql_pipeline() {
	pipeline "$1" <<-JSON
		{"pipeline": "$1", "chunk": {"size": 1}, "concurrency": {"default": ${concurrency:-3}},
		 "defaults": {"retry": {"attempts": ${attempts:-1}, "first": "200ms", "factor": 2, "jitter": 0}},
		 "steps": [{"name": "work", "kind": "sql", "file": "sql/work.sql"${2:+, $2}}${after:+, $after}]${fields:+, $fields}}
	JSON
	sql_file work.sql
}

jobs_by_state() { pg "select string_agg(state || ' ' || n, ', ' order by state) from (select state, count(*) n from bf.job where run = '$1' and step = '${2:-work}' group by state) x"; }

# Jobs that say `select pass_gate(:'chunk');` wait there until `open_gate`.
gate() {
	pg "create table gate (open bool); insert into gate values (false);
	    create function pass_gate(p_chunk text) returns void language plpgsql as
	    \$\$ begin while not (select open from gate) loop perform pg_sleep(0.02); end loop; end \$\$"
}
open_gate() { pg 'update gate set open = true'; }
at_gate() { is "$1" "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'"; }
wait_at_gate() { wait_until "at_gate $1"; }

# ---- tries ----

@test "a job that fails is tried again after a rising delay, by way of the delayed set, and each try is recorded" {
	pg 'create sequence tries; create table effect (chunk text)'
	attempts=3 sql_pipeline flaky <<-'SQL'
		insert into effect values (:'chunk');
		select 1 / (nextval('tries') > 2)::int;
	SQL
	enqueue_run flaky.one flaky --since=2024-01-01 --until=2024-01-01
	start_worker
	wait_until "rd zrange bf:delayed:default 0 -1 | grep -Fx 'flaky.one/work/2024-01-01#1'"
	wait_for_end flaky.one
	oracle flaky.one work=effect
	assert_same 'tries' 'sql|division by zero
sql|division by zero' "$(pg 'select category, error from bf.attempt order by epoch')"
	assert_same 'the job' 'done|2|3|' "$(pg 'select state, attempts, epoch, error from bf.job')"
	assert_same 'waits of at least 200 and 400 ms' 'tt' "$(pg "
		select string_agg((next - ended_at >= make_interval(secs => 0.2 * power(2, n - 1)))::text, '' order by n)
		  from (select ended_at, row_number() over (order by epoch) as n,
		               coalesce(lead(started_at) over (order by epoch), (select started_at from bf.job)) as next from bf.attempt) x" | sed 's/true/t/g')"
}

# Five days, one at a time, of which the third cannot be done; then a step that needs them.
begin_broken() { # ON_FAILURE
	pg "create table effect (chunk text); create table after_effect (chunk text); create table broken (chunk text); insert into broken values ('2024-01-03')"
	after='{"name": "after", "kind": "sql", "file": "sql/after.sql"}' sql_pipeline broken \
		"\"concurrency\": 1, \"order\": \"asc\", \"on_failure\": \"$1\"" <<-'SQL'
		insert into effect values (:'chunk');
		select 1 / (not exists (select from broken where chunk = :'chunk'))::int;
	SQL
	sql_file after.sql <<<"insert into after_effect values (:'chunk');"
	enqueue_run broken.one broken --since=2024-01-01 --until=2024-01-05
	start_worker
	wait_for_end broken.one
	assert_same 'the run' failed "$(run_state broken.one)"
}

retry_broken() {
	pg 'delete from broken'
	enqueue retry broken.one >"$BATS_TEST_TMPDIR/retry.log"
	wait_until "[ \"\$(run_state broken.one)\" = done ]"
	oracle broken.one work=effect after=after_effect
}

@test "a final failure in a chronological step that halts skips what comes after it, and the steps that need it; retry completes the run" {
	begin_broken halt
	assert_same 'jobs of the step' '1 done
2 done
3 failed
4 skipped
5 skipped' "$(pg "select seq || ' ' || state from bf.job where step = 'work' order by seq")"
	assert_same 'the step after' 'skipped 5' "$(jobs_by_state broken.one after)"
	assert_same 'steps' 'work failed, after skipped' "$(pg "select string_agg(step || ' ' || state, ', ' order by ordinal) from bf.step")"
	assert_same 'failures' 'work|2024-01-03|sql|enqueue retry broken.one --step=work --chunk=2024-01-03' \
		"$(pg 'select step, chunk, error_category, retry_with from bf.failures')"
	retry_broken
}

@test "a final failure in a step that continues stops neither the jobs after it nor the steps that need it; retry completes the run" {
	begin_broken continue
	assert_same 'jobs of the step' 'done 4, failed 1' "$(jobs_by_state broken.one)"
	assert_same 'the step after' 'done 5' "$(jobs_by_state broken.one after)"
	retry_broken
}

@test "a retry of one chunk leaves the other failures as they are" {
	pg "create table effect (chunk text); create table broken (chunk text); insert into broken values ('2024-01-02'), ('2024-01-03')"
	sql_pipeline two <<-'SQL'
		insert into effect values (:'chunk');
		select 1 / (not exists (select from broken where chunk = :'chunk'))::int;
	SQL
	enqueue_run two.one two --since=2024-01-01 --until=2024-01-04
	start_worker
	wait_for_end two.one
	assert_same 'jobs' 'done 2, failed 2' "$(jobs_by_state two.one)"
	pg 'delete from broken'
	enqueue retry two.one --step=work --chunk=2024-01-03 >"$BATS_TEST_TMPDIR/retry.log"
	wait_until "is 3 \"select count(*) from effect\""
	wait_for_end two.one
	assert_same 'jobs' '1 done
2 failed
3 done
4 done' "$(pg "select seq || ' ' || state from bf.job order by seq")"
	assert_same 'the run' failed "$(run_state two.one)"
}

@test "SQL that runs longer than its timeout is ended in the server, and fails as timeout" {
	pg 'create table effect (chunk text)'
	sql_pipeline slow '"timeout": "300ms"' <<-'SQL'
		insert into effect values (:'chunk');
		select pg_sleep(3600);
	SQL
	enqueue_run slow.one slow --since=2024-01-01 --until=2024-01-01
	start_worker
	wait_for_end slow.one
	assert_same 'the job' 'failed|timeout' "$(pg 'select state, error_category from bf.job')"
	assert_same 'tries' 'timeout' "$(pg 'select category from bf.attempt')"
	assert_same 'effects' 0 "$(pg 'select count(*) from effect')"
	at_gate 0
}

exec_pipeline() { # NAME MORE <<SCRIPT
	pipeline "$1" <<-JSON
		{"pipeline": "$1", "chunk": {"size": 1}, "env": {"pass": ["PATH", "MARK"]}, "params": {"text": {"default": "", "affects": "nothing"}},
		 "defaults": {"retry": {"attempts": ${attempts:-1}, "first": "200ms", "jitter": 0}},
		 "steps": [{"name": "work", "kind": "exec", "argv": ["bin/work", "{{chunk}}", "{{param.text}}"]${2:+, $2}}]}
	JSON
	program work
	export MARK=$BATS_TEST_TMPDIR/mark
}

@test "a program that runs longer than its timeout is ended with all that it has started, and fails as timeout" {
	exec_pipeline slow '"timeout": "300ms"' <<-'SH'
		echo "it was here"
		sleep 3600 &
		echo "$! $$" >"$MARK"
		wait
	SH
	enqueue_run slow.one slow --since=2024-01-01 --until=2024-01-01
	start_worker
	wait_for_end slow.one
	assert_same 'the job' 'failed|timeout' "$(pg 'select state, error_category from bf.job')"
	assert_same 'its output' 'it was here' "$(pg 'select output_tail from bf.attempt')"
	read -r child parent <"$MARK"
	! kill -0 "$child" "$parent" 2>/dev/null
}

@test "exit status 75 means later, without a try counted; 65 means never again; any other one is tried again" {
	exec_pipeline codes '"timeout": "1m"' <<-'SH'
		echo "$BF_ATTEMPT $BF_EPOCH $BF_JOB" >>"$MARK.$1"
		printf %s "said by $1"
		case $1 in
		2024-01-01) [ "$BF_EPOCH" -ge 3 ] || exit 75 ;;
		2024-01-02) exit 65 ;;
		2024-01-03) exit 7 ;;
		esac
	SH
	sed -i 's/"attempts": 1/"attempts": 2/' "$made/pipeline.json"
	enqueue_run codes.one codes --since=2024-01-01 --until=2024-01-03
	start_worker
	wait_for_end codes.one
	assert_same 'jobs' '2024-01-01|done|0|
2024-01-02|failed|1|exited with status 65
2024-01-03|failed|2|exited with status 7' "$(pg 'select chunk, state, attempts, error from bf.job order by seq')"
	assert_same 'starts of the first' '1 1 codes.one/work/2024-01-01
1 2 codes.one/work/2024-01-01
1 3 codes.one/work/2024-01-01' "$(cat "$MARK.2024-01-01")"
	assert_same 'starts of the second' 1 "$(wc -l <"$MARK.2024-01-02")"
	assert_same 'starts of the third' '1 1 codes.one/work/2024-01-03
2 2 codes.one/work/2024-01-03' "$(cat "$MARK.2024-01-03")"
	assert_same 'tries' '2|exit|said by 2024-01-02
3|exit|said by 2024-01-03
3|exit|said by 2024-01-03' "$(pg 'select seq, category, output_tail from bf.attempt order by seq, epoch')"
}

# ---- limits ----

@test "a pause between starts holds for all workers together" {
	fields='"pause": "150ms"' concurrency=4 sql_pipeline paced <<<'select 1;'
	start_worker
	start_worker
	enqueue_run paced.one paced --since=2024-01-01 --until=2024-01-10
	wait_for_end paced.one
	oracle paced.one
	# The first is handed out after the run was made, each next one at least a pause after the one before, and starts after that.
	# (A start itself may come late, so two of them can be closer.) Redis counts in whole milliseconds.
	assert_same 'starts that came too early' '' "$(pg "
		select n, started_at - created_at from (
			select j.started_at, r.created_at, row_number() over (order by j.started_at) as n from bf.job j join bf.run r using (run)) x
		 where started_at < created_at + (n - 1) * interval '150 ms' - interval '1 ms'")"
}

@test "a rate holds for all workers together, and is charged for each try" {
	pg 'create sequence tries'
	fields='"rate": "600/minute"' concurrency=4 attempts=2 sql_pipeline paced <<<"select 1 / (nextval('tries') > 2)::int;" # two tries fail
	sed -i 's/"200ms"/"1ms"/' "$made/pipeline.json"
	start_worker
	start_worker
	enqueue_run paced.one paced --since=2024-01-01 --until=2024-01-10
	wait_for_end paced.one
	oracle paced.one
	assert_same 'starts' 12 "$(pg 'select (select count(*) from bf.job) + (select count(*) from bf.attempt)')"
	assert_same 'starts that came too early' '' "$(pg "
		select n, started_at - created_at from (
			select started_at, (select created_at from bf.run) as created_at, row_number() over (order by started_at) as n
			  from (select started_at from bf.job union all select started_at from bf.attempt) s) x
		 where started_at < created_at + (n - 1) * interval '100 ms' - interval '1 ms'")"
}

# The most jobs that ran at the same time, by the ledger's times.
most_at_once() {
	pg "select max(n) from (select count(*) as n from bf.job a join bf.job b on b.started_at <= a.started_at and a.started_at < b.finished_at
	                         where a.run = '$1' and b.run = '$1' group by a.seq) x"
}

@test "the window of a run is never exceeded, over all workers" {
	gate
	concurrency=3 sql_pipeline window <<<"select pass_gate(:'chunk');"
	start_worker --slots=2
	start_worker --slots=2
	enqueue_run window.one window --since=2024-01-01 --until=2024-02-09
	wait_at_gate 3
	assert_same 'released' 3 "$(rd scard bf:run:window.one:released)"
	assert_same 'workers' 2 "$(pg "select count(distinct worker) from bf.job where state = 'running'")"
	open_gate
	wait_for_end window.one
	oracle window.one
	assert_same 'most at once' 3 "$(most_at_once window.one)"
}

@test "a step's own window of one is strictly chronological, in its order" {
	pg 'create table effect (id bigserial, chunk text)'
	concurrency=5 sql_pipeline single '"concurrency": 1, "order": "desc"' <<<"insert into effect (chunk) values (:'chunk');"
	start_worker --slots=2
	start_worker --slots=2
	enqueue_run single.one single --since=2024-01-01 --until=2024-01-20
	wait_for_end single.one
	oracle single.one work=effect
	assert_same 'most at once' 1 "$(most_at_once single.one)"
	assert_same 'the order' "$(pg 'select chunk from effect order by chunk desc')" "$(pg 'select chunk from effect order by id')"
}

@test "a job in back-off keeps its place in a chronological step: nothing overtakes it" {
	pg 'create sequence tries; create table effect (id bigserial, chunk text)'
	attempts=3 sql_pipeline single '"concurrency": 1' <<-'SQL'
		insert into effect (chunk) values (:'chunk');
		select 1 / (:'chunk' <> '2024-01-02' or nextval('tries') > 2)::int;
	SQL
	enqueue_run single.one single --since=2024-01-01 --until=2024-01-05
	start_worker
	start_worker
	wait_for_end single.one
	oracle single.one work=effect
	assert_same 'tries' 2 "$(pg 'select count(*) from bf.attempt')"
	assert_same 'the order' "$(pg 'select chunk from effect order by chunk')" "$(pg 'select chunk from effect order by id')"
}

# ---- what reaches SQL and programs ----

nasty=$'it\'s "quoted"; drop table effect; -- \\ \\n $$ $1 %s :since :\'since\' {{since}} E\'\\x\'\nnext line\tand ünïcode'

@test "values with quotes, semicolons, backslashes and newlines reach SQL and programs as data" {
	pg 'create table effect (chunk text, literal text, again text)'
	pipeline nasty <<-'JSON'
		{"pipeline": "nasty", "chunk": {"size": 1}, "params": {"text": {"default": "", "affects": "nothing"}, "name": {"default": "x", "affects": "nothing"}}, "env": {"pass": ["MARK"], "set": {"TEXT": "{{param.text}}"}},
		 "steps": [{"name": "work", "kind": "sql", "file": "sql/work.sql"},
		           {"name": "show", "kind": "exec", "argv": ["bin/show", "{{param.text}}"]}]}
	JSON
	sql_file work.sql <<-'SQL'
		-- :'text' in a comment, and in a string ':''text''', is none
		insert into effect values (:'chunk', :'text', ':''text''');
		create table :"name" as select :'text'::text as kept;
	SQL
	program show <<-'SH'
		printf %s "$1" >"$MARK.argv"
		printf %s "$TEXT" >"$MARK.env"
	SH
	export MARK=$BATS_TEST_TMPDIR/mark
	enqueue_run nasty.one nasty --since=2024-01-01 --until=2024-01-01 --param="text=$nasty" --param='name=a "table"; drop table effect; --'
	start_worker
	wait_for_end nasty.one
	oracle nasty.one work=effect
	assert_same 'in SQL' "$nasty" "$(pg 'select literal from effect')"
	assert_same 'in a string' ":'text'" "$(pg 'select again from effect')"
	assert_same 'as a name' "$nasty" "$(pg 'select kept from "a ""table""; drop table effect; --"')"
	assert_same 'in argv' "$nasty" "$(cat "$MARK.argv")"
	assert_same 'in the environment' "$nasty" "$(cat "$MARK.env")"
}

@test "keys with quotes, slashes, number signs and newlines keep their identity from end to end" {
	pg 'create table keys (n int, key text); create table effect (chunk text, key text)'
	psql -Xq -d "$BF_DATABASE_URL" -v nasty="$nasty" <<<"insert into keys values (1, 'a/b/c#7'), (2, 'plain'), (3, :'nasty'), (4, ' #1'), (5, '..'), (6, 'x''); drop table effect; --')"
	pipeline keys <<-'JSON'
		{"pipeline": "keys", "chunk": {"keys": {"sql": "sql/keys.sql"}}, "steps": [{"name": "work", "kind": "sql", "file": "sql/work.sql"}]}
	JSON
	sql_file keys.sql <<<'select key from keys order by n'
	sql_file work.sql <<<"insert into effect values (:'chunk', :'key');"
	run enqueue run keys --run-id=keys.one
	if [ "$status" -ne 0 ]; then # which keys are refused is for enqueue to say; the others must do
		[ "$status" -eq 2 ]
		pg "delete from keys where n in (3)"
		enqueue_run keys.one keys
	fi
	start_worker
	wait_for_end keys.one
	oracle keys.one work=effect
	assert_same 'keys' "$(pg 'select key from keys order by key collate "C"')" "$(pg 'select key from effect order by key collate "C"')"
}

@test "a value that is not UTF-8 is refused before anything is written" {
	sql_pipeline plain <<<'select 1;'
	sed -i 's/"chunk"/"params": {"text": {"default": "", "affects": "nothing"}}, "chunk"/' "$made/pipeline.json"
	run enqueue run plain --since=2024-01-01 --until=2024-01-01 --param=text=$'a\xff\xfeb'
	assert_same 'exit code' 2 "$status"
	[[ $output = *text*UTF-8* ]]
	assert_same 'runs' 0 "$(pg 'select count(*) from bf.run')"
	assert_same 'keys in Redis' 0 "$(rd dbsize)"
}

@test "what a program prints may be any bytes: it is kept as valid text, and holds nothing up" {
	exec_pipeline bytes <<-'SH'
		printf 'checkpoint \xff\xfe\n' >&"$BF_PROGRESS_FD"
		printf 'note \xc3(\n' >&"$BF_PROGRESS_FD"
		head -c 100000 /dev/urandom
		printf '\0\xff\xc3(the end'
		exit 65
	SH
	enqueue_run bytes.one bytes --since=2024-01-01 --until=2024-01-03
	start_worker
	wait_for_end bytes.one
	assert_same 'jobs' 'failed 3' "$(jobs_by_state bytes.one)"
	assert_same 'tails' 3 "$(pg "select count(*) from bf.attempt where output_tail like '%the end' and octet_length(output_tail) between 1000 and 30000")"
}

@test "SQL that tries to end the transaction it was given fails, and leaves nothing" {
	pg 'create table effect (chunk text)
	    ; create procedure ends() language plpgsql as $$ begin commit; end $$'
	sql_pipeline ends <<-'SQL'
		insert into effect values (:'chunk');
		call ends();
	SQL
	enqueue_run ends.one ends --since=2024-01-01 --until=2024-01-01
	start_worker
	wait_for_end ends.one
	assert_same 'the job' 'failed|sql' "$(pg 'select state, error_category from bf.job')"
	[[ $(pg 'select error from bf.job') = *'invalid transaction termination'* ]]
	assert_same 'effects' 0 "$(pg 'select count(*) from effect')"
}

@test "SQL that plays with the transaction's own marks raises BF002, is not tried again, and leaves nothing" {
	pg 'create table effect (chunk text)'
	attempts=3 sql_pipeline tricks <<-'SQL'
		insert into effect values (:'chunk');
		select set_config('bf.transaction', '1', true);
	SQL
	enqueue_run tricks.one tricks --since=2024-01-01 --until=2024-01-01
	start_worker
	wait_for_end tricks.one
	assert_same 'the job' 'failed|1|sql' "$(pg 'select state, attempts, error_category from bf.job')"
	[[ $(pg 'select error from bf.job') = *'ended the transaction it was given'* ]]
	assert_same 'effects' 0 "$(pg 'select count(*) from effect')"
}

# ---- an operator's decisions ----

@test "stop lets running jobs finish and starts nothing more; resume goes on in order" {
	gate
	pg 'create table effect (id bigserial, chunk text)'
	concurrency=2 sql_pipeline stopped <<<"insert into effect (chunk) values (:'chunk'); select pass_gate(:'chunk');"
	enqueue_run stopped.one stopped --since=2024-01-01 --until=2024-01-10
	start_worker
	wait_at_gate 2
	run enqueue stop stopped.one
	assert_same 'exit code' 0 "$status"
	assert_same 'the run' stopping "$(run_state stopped.one)"
	open_gate
	wait_until "[ \"\$(run_state stopped.one)\" = stopped ]"
	assert_same 'jobs' 'done 2, pending 8' "$(jobs_by_state stopped.one)"
	wait_until "is_empty scard bf:run:stopped.one:released"
	assert_same 'pending in Redis' "$(pg "select chunk || '#' || seq from bf.job where state = 'pending' order by seq")" \
		"$(rd lrange bf:run:stopped.one:pending:work 0 -1)"
	enqueue resume stopped.one >"$BATS_TEST_TMPDIR/resume.log"
	wait_for_end stopped.one
	oracle stopped.one work=effect
	assert_same 'what was decided' 'stop
resume' "$(pg "select what from bf.event where what in ('stop', 'resume') order by id")"
}
is_empty() { [ "$(rd "$@")" = 0 ]; }

@test "stop-all stops every run" {
	sql_pipeline many <<<'select 1;'
	enqueue_run many.one many --since=2024-01-01 --until=2024-01-10
	enqueue_run many.two many --since=2024-02-01 --until=2024-02-10
	enqueue stop-all >"$BATS_TEST_TMPDIR/stop.log"
	start_worker --drain
	exit_code_of "${WORKER_PIDS[0]}"
	assert_same 'exit code' 0 "$code"
	assert_same 'runs' 'stopped,stopped' "$(pg "select string_agg(state, ',') from bf.run")"
	assert_same 'jobs' 20 "$(pg "select count(*) from bf.job where state = 'pending' and epoch = 0")"
}

@test "cancel ends a query in mid-flight and rolls its effect back" {
	gate
	pg 'create table effect (chunk text)'
	sql_pipeline cancelled <<<"insert into effect values (:'chunk'); select pass_gate(:'chunk');"
	enqueue_run cancelled.one cancelled --since=2024-01-01 --until=2024-01-10
	start_worker
	wait_at_gate 3
	enqueue cancel cancelled.one >"$BATS_TEST_TMPDIR/cancel.log"
	wait_at_gate 0
	assert_same 'the run' cancelled "$(run_state cancelled.one)"
	assert_same 'jobs' 'cancelled 10' "$(jobs_by_state cancelled.one)"
	assert_same 'effects' 0 "$(pg 'select count(*) from effect')"
	assert_same 'tries' 0 "$(pg 'select count(*) from bf.attempt')"
	open_gate # the worker is free for others
	enqueue_run cancelled.two cancelled --since=2024-01-01 --until=2024-01-10
	wait_for_end cancelled.two
	oracle cancelled.two work=effect
	wait_until "is_empty exists bf:run:cancelled.one:released bf:run:cancelled.one:pending:work"
}

@test "cancel ends a program in mid-flight, with all that it has started" {
	exec_pipeline cancelled '"timeout": "1h"' <<-'SH'
		trap '' TERM
		sleep 3600 &
		echo "$! $$" >"$MARK.new"
		mv "$MARK.new" "$MARK"
		wait
	SH
	enqueue_run cancelled.one cancelled --since=2024-01-01 --until=2024-01-01
	start_worker
	wait_until "[ -e '$MARK' ]"
	read -r child parent <"$MARK"
	kill -0 "$child" "$parent"
	enqueue cancel cancelled.one >"$BATS_TEST_TMPDIR/cancel.log"
	wait_until "! kill -0 $child && ! kill -0 $parent"
	assert_same 'jobs' 'cancelled 1' "$(jobs_by_state cancelled.one)"
	wait_until "is_empty hlen bf:worker:$(rd zrange bf:workers 0 -1):jobs"
}

@test "cancel of one chunk leaves the others alone" {
	gate
	pg 'create table effect (chunk text)'
	sql_pipeline cancelled <<<"insert into effect values (:'chunk'); select pass_gate(:'chunk');"
	enqueue_run cancelled.one cancelled --since=2024-01-01 --until=2024-01-05
	start_worker
	wait_at_gate 3
	enqueue cancel cancelled.one --step=work --chunk=2024-01-02 >"$BATS_TEST_TMPDIR/cancel.log"
	enqueue cancel cancelled.one --step=work --chunk=2024-01-05 >"$BATS_TEST_TMPDIR/cancel.log"
	wait_until "is cancelled \"select state from bf.job where seq = 2\""
	open_gate
	wait_for_end cancelled.one
	assert_same 'jobs' '1 done
2 cancelled
3 done
4 done
5 cancelled' "$(pg "select seq || ' ' || state from bf.job order by seq")"
	assert_same 'effects' '2024-01-01
2024-01-03
2024-01-04' "$(pg 'select chunk from effect order by chunk')"
}

@test "decisions reach a worker while Redis is away" {
	own_servers
	gate
	sql_pipeline cancelled <<<"select pass_gate(:'chunk');"
	enqueue_run cancelled.one cancelled --since=2024-01-01 --until=2024-01-10
	start_worker
	wait_at_gate 3
	kill -KILL "$(server_pid redis)"
	run enqueue cancel cancelled.one
	assert_same 'exit code' 5 "$status"
	[[ $output = *'decided in the ledger'* ]]
	wait_at_gate 0
	assert_same 'the run' cancelled "$(run_state cancelled.one)"
}

@test "a job that changes in the moment of its being opened is opened as it then is" {
	pg 'create table effect (chunk text)'
	sql_pipeline moment <<<"insert into effect values (:'chunk');"
	enqueue_run moment.one moment --since=2024-01-01 --until=2024-01-02
	pg "begin; select from bf.run where run = 'moment.one' for update; select pg_sleep(3); commit" &
	local holder=$!
	wait_until 'at_gate 1'
	start_worker
	wait_until "is t \"select exists (select from pg_stat_activity where application_name like 'worker%' and wait_event_type = 'Lock')\""
	pg "update bf.job set epoch = 5 where run = 'moment.one' and chunk = '2024-01-01'"
	wait "$holder"
	wait_for_end moment.one
	assert_same 'effects' '2024-01-01 2024-01-02' "$(pg "select string_agg(chunk, ' ' order by chunk) from effect")"
	assert_same 'opened once each' '6 1' "$(pg "select string_agg(epoch::text, ' ' order by chunk) from bf.job")"
	assert_same 'fenced off' 0 "$(grep -c -i 'no longer held\|fenced' "$BATS_TEST_TMPDIR/worker-0.log")"
}

# ---- once, drain, logs ----

@test "--once runs one job and leaves" {
	pg 'create table effect (chunk text)'
	sql_pipeline once <<<"insert into effect values (:'chunk');"
	enqueue_run once.one once --since=2024-01-01 --until=2024-01-05
	for n in 1 2; do
		start_worker --once
		exit_code_of "${WORKER_PIDS[-1]}"
		assert_same 'exit code' 0 "$code"
		assert_same 'effects' "$n" "$(pg 'select count(*) from effect')"
		assert_same 'jobs' "done $n, pending $((5 - n))" "$(jobs_by_state once.one)"
	done
	assert_same 'held' '' "$(rd --raw keys 'bf:worker:*')"
}

@test "--drain leaves when no run of its queues is unfinished, and waits for what is delayed" {
	pg 'create sequence tries'
	attempts=2 sql_pipeline drained <<<"select 1 / (nextval('tries') > 1)::int;"
	enqueue_run drained.one drained --since=2024-01-01 --until=2024-01-05
	enqueue_run drained.other drained --since=2024-02-01 --until=2024-02-05 --queue=elsewhere
	start_worker --drain
	exit_code_of "${WORKER_PIDS[0]}"
	assert_same 'exit code' 0 "$code"
	assert_same 'its run' 'done' "$(run_state drained.one)"
	assert_same 'jobs of the other queue' 'pending 5' "$(jobs_by_state drained.other)"
	start_worker --drain --queues=elsewhere:2,default
	exit_code_of "${WORKER_PIDS[1]}"
	assert_same 'exit code' 0 "$code"
	assert_same 'the other run' 'done' "$(run_state drained.other)"
}

@test "a worker that finds nothing to do takes what comes later" {
	sql_pipeline later <<<'select 1;'
	start_worker
	wait_until "[ -n \"\$(rd smembers bf:idle:default)\" ]"
	enqueue_run later.one later --since=2024-01-01 --until=2024-01-05
	wait_for_end later.one
	oracle later.one
}

@test "log lines of a job carry its run, step, chunk and epoch, as text and as JSON" {
	sql_pipeline logged <<<'select 1;'
	enqueue_run logged.one logged --since=2024-01-01 --until=2024-01-01
	start_worker --drain
	exit_code_of "${WORKER_PIDS[0]}"
	worker_log 0 | grep -E '^[0-9-]{10}T[0-9:.]{12}Z info +job started .*run=logged\.one step=work chunk=2024-01-01 epoch=1$'
	worker_log 0 | grep -E '^[0-9-]{10}T[0-9:.]{12}Z info +job done after .*run=logged\.one step=work chunk=2024-01-01 epoch=1$'
	enqueue_run logged.two logged --since=2024-02-01 --until=2024-02-01
	BF_LOG=json start_worker --drain
	exit_code_of "${WORKER_PIDS[1]}"
	worker_log 1 | jq -e . >/dev/null
	assert_same 'lines of the job' 2 "$(worker_log 1 |
		jq -c 'select(.run == "logged.two" and .step == "work" and .chunk == "2024-02-01" and .epoch == 1 and (.message // .msg | startswith("job ")))' | wc -l)"
}

# ---- bad starts ----

refused() { # CODE PATTERN ARGUMENT…
	run --separate-stderr timeout 20 worker "${@:3}"
	assert_same 'exit code' "$1" "$status"
	# shellcheck disable=SC2053 # a pattern
	[[ $stderr = $2 ]] || {
		printf 'expected %s\nfound    %s\n' "$2" "$stderr" >&2
		return 1
	}
	assert_same 'lines' 1 "$(wc -l <<<"$stderr")"
}

@test "wrong options are refused with what was found and what is right" {
	refused 2 '*--slots*"0"*1*' --slots=0
	refused 2 '*--slots*abc*' --slots=abc
	refused 2 '*--slots*99999999999999999999*' --slots=99999999999999999999
	refused 2 '*--slot*--slots*' --slot=3
	refused 2 '*--queues*a:b*' --queues=a:b
	refused 2 '*--queues*No/pe*' --queues=No/pe
	refused 2 '*--grace*soon*' --grace=soon
	refused 2 '*--drain*' --drain=maybe
	refused 2 '*surplus*' surplus
	BF_LEASE=abc refused 2 '*BF_LEASE*abc*'
	BF_LEASE=1ms refused 2 '*BF_LEASE*1ms*1s*1h*'
	BF_LOG=xml refused 2 '*BF_LOG*xml*text*json*'
	BF_LOG_LEVEL=loud refused 2 '*BF_LOG_LEVEL*loud*debug*'
	BF_REDIS_URL=http://x refused 2 '*BF_REDIS_URL*"http"*redis://*'
	run worker --help
	assert_same 'exit code' 0 "$status"
	[[ $output = *--slots*--grace*BF_LEASE* ]]
	run worker --version
	assert_same 'exit code' 0 "$status"
}

@test "a server that is not there is named, with where it was looked for and how to start one" {
	BF_REDIS_URL=unix:///nowhere/redis.sock refused 5 '*Redis*/nowhere/redis.sock*deploy/local up*'
	BF_REDIS_URL=redis://me:hush-hush@127.0.0.1:1/0 refused 5 '*Redis*127.0.0.1:1*'
	[[ $stderr != *hush* ]]
	BF_DATABASE_URL='postgresql://backfill@/x?host=/nowhere' refused 5 '*PostgreSQL*/nowhere*deploy/local up*'
	BF_DATABASE_URL='postgresql://me:hush-hush@127.0.0.1:1/x' refused 5 '*PostgreSQL*127.0.0.1*'
	[[ $stderr != *hush* ]]
}

@test "a ledger that is missing, older, newer or read-only is said to be so" {
	ready=$BF_DATABASE_URL
	server_sql "$BF_TEST_SERVERS_URL" 'drop database if exists bf_test_empty'
	server_sql "$BF_TEST_SERVERS_URL" 'create database bf_test_empty'
	BF_DATABASE_URL=$(database_url "$BF_TEST_SERVERS_URL" bf_test_empty) refused 5 '*no ledger*bf_test_empty*enqueue migrate*'
	server_sql "$BF_TEST_SERVERS_URL" 'drop database bf_test_empty'
	server_sql "$BF_TEST_SERVERS_URL" "create database bf_test_latin encoding 'LATIN1' locale 'C' template template0"
	local latin
	latin=$(database_url "$BF_TEST_SERVERS_URL" bf_test_latin)
	BF_DATABASE_URL=$latin run -2 enqueue migrate
	[[ $output = *'bf_test_latin'*'encoded in LATIN1, expected UTF8'* ]]
	BF_DATABASE_URL=$latin refused 5 '*bf_test_latin*encoded in LATIN1, expected UTF8*'
	server_sql "$BF_TEST_SERVERS_URL" 'drop database bf_test_latin'
	latest=$(pg 'select max(number) from bf.migration')

	pg "insert into bf.migration (number, name, oldest_program) values ($latest + 1, 'next', '99.0.0')"
	refused 5 "*newer than this program*migration $((latest + 1))*99.0.0*"
	pg "update bf.migration set oldest_program = '0.1.0' where number = $latest + 1"
	start_worker --drain # one that this program can live with
	exit_code_of "${WORKER_PIDS[0]}"
	assert_same 'exit code' 0 "$code"

	pg "delete from bf.migration where number = $latest + 1; create table kept as select * from bf.migration where number = $latest;
	    delete from bf.migration where number = $latest"
	refused 5 "*older than this program*migration $((latest - 1)) of $latest*enqueue migrate*"
	pg "insert into bf.migration select * from kept"

	server_sql "$BF_TEST_SERVERS_URL" "alter database $(pg 'select current_database()') set default_transaction_read_only = on"
	BF_DATABASE_URL=$ready refused 5 '*PostgreSQL*read-only*'
}

@test "a Redis that evicts is refused, with the setting that is right" {
	redis_policy=$(rd config get maxmemory-policy | tail -n 1)
	rd config set maxmemory 500mb maxmemory-policy allkeys-lru >/dev/null
	refused 5 '*Redis*allkeys-lru*noeviction*'
}

@test "cancelling a step skips what needs it, and the run ends as cancelled" {
	pg 'create table effect (chunk text); create table after_effect (chunk text)'
	after='{"name": "after", "kind": "sql", "file": "sql/after.sql"}' sql_pipeline halved <<<"insert into effect values (:'chunk');"
	sql_file after.sql <<<"insert into after_effect values (:'chunk');"
	enqueue_run halved.one halved --since=2024-01-01 --until=2024-01-03
	enqueue cancel halved.one --step=work >"$BATS_TEST_TMPDIR/cancel.log"
	wait_for_end halved.one
	assert_same 'the run' cancelled "$(run_state halved.one)"
	assert_same 'steps' 'cancelled skipped' "$(pg "select string_agg(state, ' ' order by ordinal) from bf.step")"
	local code=0
	bfstat halved.one >"$BATS_TEST_TMPDIR/bfstat.log" || code=$?
	assert_same 'its exit code' 4 "$code"
	assert_same 'effects' 0 "$(pg 'select (select count(*) from effect) + (select count(*) from after_effect)')"
}

@test "a job that ends its own connection each time has failed in the end" {
	pg 'create table effect (chunk text)'
	attempts=2 sql_pipeline own-end <<<"insert into effect values (:'chunk'); select pg_terminate_backend(pg_backend_pid());"
	enqueue_run own-end.one own-end --since=2024-01-01 --until=2024-01-02
	start_worker
	wait_for_end own-end.one
	assert_same 'the run' failed "$(run_state own-end.one)"
	assert_same 'tries' 'connection 4' "$(pg "select string_agg(distinct category, ' ') || ' ' || count(*) from bf.attempt")"
	assert_same 'effects' 0 "$(pg 'select count(*) from effect')"
}

@test "a check that ends its own connection each time has failed in the end" {
	pipeline own-end <<-'JSON'
		{"pipeline": "own-end", "chunk": {"size": 1}, "defaults": {"retry": {"attempts": 1}},
		 "steps": [{"name": "work", "kind": "check", "type": "metric", "file": "sql/work.sql", "error_if": "> 1"}]}
	JSON
	sql_file work.sql <<<'select pg_terminate_backend(pg_backend_pid())::int;'
	enqueue_run own-end.one own-end --since=2024-01-01 --until=2024-01-02
	start_worker
	wait_for_end own-end.one
	assert_same 'the run' failed "$(run_state own-end.one)"
	assert_same 'tries' 'connection 1' "$(pg "select string_agg(distinct category, ' ') || ' ' || count(*) from bf.attempt")"
}

@test "a job that ends every connection of its worker each time has failed in the end, and the others are done" {
	pg 'create table effect (chunk text)'
	attempts=2 sql_pipeline all-end <<-'SQL'
		insert into effect values (:'chunk');
		select pg_terminate_backend(pid) from pg_stat_activity
		 where :'chunk' = '2024-01-02' and datname = current_database() and application_name like 'worker%' and pid <> pg_backend_pid();
		select pg_terminate_backend(pg_backend_pid()) where :'chunk' = '2024-01-02';
	SQL
	enqueue_run all-end.one all-end --since=2024-01-01 --until=2024-01-04
	start_worker
	wait_for_end all-end.one
	assert_same 'jobs' 'done 3, failed 1' "$(jobs_by_state all-end.one)"
	assert_same 'tries' 'connection 2 2024-01-02' "$(pg "
		select string_agg(distinct category, ' ') || ' ' || count(*) || ' ' || string_agg(distinct chunk, ' ') from bf.attempt join bf.job using (run, step, seq)")"
	assert_same 'effects' '2024-01-01 2024-01-03 2024-01-04' "$(pg "select string_agg(chunk, ' ' order by chunk) from effect")"
}

@test "progress that was lost on its way to the ledger is said again" {
	exec_pipeline said-again <<-'SH'
		while [ ! -e "$MARK.begin" ]; do sleep 0.02; done
		echo "progress 5 10" >&"$BF_PROGRESS_FD"
		while [ ! -e "$MARK.end" ]; do sleep 0.02; done
	SH
	enqueue_run said-again.one said-again --since=2024-01-01 --until=2024-01-01
	start_worker
	wait_until "is running 'select state from bf.job'"
	pg "begin; select from bf.job for update; select pg_sleep(3); commit" &
	local holder=$!
	wait_until 'at_gate 1'
	touch "$MARK.begin"
	local waiting="from pg_stat_activity where application_name like 'worker%' and wait_event_type = 'Lock' and query like '%progress_number%'"
	wait_until "is 1 \"select count(*) $waiting\""
	pg "select pg_terminate_backend(pid) $waiting" >/dev/null
	wait "$holder"
	wait_until "is '5 10' \"select progress_done || ' ' || progress_total from bf.job where state = 'running'\""
	touch "$MARK.end"
	wait_for_end said-again.one
	assert_same 'tries' 0 "$(pg 'select count(*) from bf.attempt')"
}

@test "an error that the SQL itself has is a try, whatever its class; one that says how the server is puts the job off" {
	pipeline moody <<-'JSON'
		{"pipeline": "moody", "chunk": {"keys": {"sql": "keys.sql"}}, "concurrency": {"default": 8},
		 "defaults": {"on_failure": "continue", "retry": {"attempts": 2, "first": "100ms", "jitter": 0}},
		 "steps": [{"name": "raise", "kind": "sql", "file": "sql/raise.sql", "needs": []},
		           {"name": "ask", "kind": "check", "per": "chunk", "type": "row_count", "file": "sql/ask.sql", "error_if": "< 1", "needs": []}]}
	JSON
	echo "values ('53000'), ('53200'), ('53400'), ('08001'), ('08006'), ('53100'), ('53300'), ('57P03')" >"$made/keys.sql"
	sql_file raise.sql <<<"select complain(:'key');"
	sql_file ask.sql <<<"select complain(:'key')"
	pg "create table calm (); create function complain(p_code text) returns void language plpgsql as
	    \$\$ begin if p_code in ('53100', '53300', '57P03') and exists (select from calm) then return; end if;
	      raise exception 'as if' using errcode = p_code; end \$\$"
	enqueue_run moody.one moody
	start_worker
	wait_until "[ \"\$(worker_log 0 | grep -c 'put off by .*not counted as a try')\" -ge 6 ]"
	pg 'insert into calm default values'
	wait_for_end moody.one
	assert_same 'jobs' 'ask: 08001 08006 53000 53200 53400 failed 2
ask: 53100 53300 57P03 done 0
raise: 08001 08006 53000 53200 53400 failed 2
raise: 53100 53300 57P03 done 0' "$(pg "select step || ': ' || string_agg(chunk, ' ' order by chunk) || ' ' || state || ' ' || attempts from bf.job
		group by step, state, attempts order by step, state desc")"
	assert_same 'categories' sql "$(pg 'select distinct category from bf.attempt')"
}

@test "a worker with one slot serves each of its queues" {
	pg 'create table effect (chunk text)'
	sql_pipeline fair <<<"insert into effect values (:'chunk');"
	enqueue_run fair.one fair --since=2024-01-01 --until=2024-01-05 --queue=second
	start_worker --queues=first:5,second --slots=1
	wait_for_end fair.one
	oracle fair.one work=effect
}

@test "in a step of one at a time nothing overtakes a job that asked to be tried later" {
	pg 'create table effect (n serial, chunk text); create sequence tries'
	sql_pipeline ordered '"concurrency": 1' <<-'SQL'
		do $$ begin if nextval('tries') = 2 then raise exception 'again' using errcode = '40P01'; end if; end $$;
		insert into effect (chunk) values (:'chunk');
	SQL
	enqueue_run ordered.one ordered --since=2024-01-01 --until=2024-01-06
	start_worker
	wait_for_end ordered.one
	assert_same 'the order' '2024-01-01 2024-01-02 2024-01-03 2024-01-04 2024-01-05 2024-01-06' \
		"$(pg "select string_agg(chunk, ' ' order by n) from effect")"
	assert_same 'tries that count' 0 "$(pg 'select count(*) from bf.attempt')"
}

@test "a run that is stopping stops although a worker that ran one of its jobs has died" {
	pg 'create table effect (chunk text)'
	exec_pipeline halting <<-'SH'
		[ "$1" = 2024-01-01 ] || exit 0
		sleep 600
	SH
	enqueue_run halting.one halting --since=2024-01-01 --until=2024-01-01
	start_worker
	wait_until "is running \"select state from bf.job\""
	enqueue stop halting.one >"$BATS_TEST_TMPDIR/stop.log"
	assert_same 'the run' stopping "$(run_state halting.one)"
	kill_worker "${WORKER_PIDS[0]}" KILL || true
	start_worker
	wait_until "is stopped \"select state from bf.run\"" 40
	assert_same 'the job' 'pending|0' "$(pg 'select state, attempts from bf.job')"
}
