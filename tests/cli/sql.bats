# The statements of common/core/sql against the migrated schema, and what two of them do to each other, driven step by step.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() { bf_setup; }
teardown() {
	end_sessions
	bf_teardown
}

# ---- two sessions that wait for each other ----

# A session is a psql that reads from a fifo: `say A 'SQL'` sends, `answer A` waits for what came back of all that was said before it.
declare -gA session_in session_pid said

session() { # NAME: its backend's application_name is NAME, too
	mkfifo "$BATS_TEST_TMPDIR/$1.in"
	PGAPPNAME=$1 stdbuf -oL psql -XAtq -d "$BF_DATABASE_URL" -f "$BATS_TEST_TMPDIR/$1.in" >"$BATS_TEST_TMPDIR/$1.out" 2>&1 3>&- &
	session_pid[$1]=$!
	exec {fd}>"$BATS_TEST_TMPDIR/$1.in"
	session_in[$1]=$fd
	said[$1]=0
	say "$1" '\set VERBOSITY verbose'
	say "$1" '\echo answer 0'
}

say() { printf '%s\n' "$2" >&"${session_in[$1]}"; }

answer() { # NAME: what came back since the last answer is in $got
	local mark="answer ${said[$1]}"
	said[$1]=$((said[$1] + 1))
	say "$1" "\\echo answer ${said[$1]}"
	wait_until "grep -qx 'answer ${said[$1]}' '$BATS_TEST_TMPDIR/$1.out'" || return 1
	got=$(sed "0,/^$mark\$/d; /^answer ${said[$1]}\$/,\$d" "$BATS_TEST_TMPDIR/$1.out")
}

waits_for_lock() { [ "$(pg "select wait_event_type from pg_stat_activity where application_name = '$1' and datname = current_database()")" = Lock ]; }

end_sessions() {
	local name fd
	for name in "${!session_in[@]}"; do
		fd=${session_in[$name]}
		exec {fd}>&-
		kill "${session_pid[$name]}" 2>/dev/null || true
		wait "${session_pid[$name]}" 2>/dev/null || true
	done
}

statement() { cat "$bf_top/common/core/sql/$1.sql"; } # ends in ;

# prepare NAME STATEMENT…: in the session, under the statement's own name
prepare() {
	local name=$1 file
	shift
	for file; do
		say "$name" "prepare $file as $(statement "$file")"
	done
}

# A run that has one step, released, with so many jobs
plan() { # RUN JOBS
	pg "insert into bf.pipeline (sha256, name, body) values ('x', 'p', '{}') on conflict do nothing;
	    insert into bf.run (run, pipeline, sha256, dir, queue, concurrency, requested_by) values ('$1', 'p', 'x', '/', 'default', 4, 'test');
	    insert into bf.step (run, step, ordinal, kind, planned, on_failure) values ('$1', 's', 0, 'noop', $2, 'halt');
	    insert into bf.job (run, step, seq, chunk, since, until)
	    select '$1', 's', n, (date '2024-01-01' + n - 1)::text, date '2024-01-01' + n - 1, date '2024-01-01' + n - 1 from generate_series(1, $2) n"
	assert_same 'the run' running "$(pg "select bf.advance('$1')")"
}

# open_jobs SESSION WORKER RUN SEQ…; alone_too=true: one that runs them alone
open_jobs() {
	local n=$(($# - 3)) runs steps seqs nulls alone
	runs=$(printf "'$3',%.0s" $(seq "$n")) steps=$(printf "'s',%.0s" $(seq "$n")) nulls=$(printf 'null,%.0s' $(seq "$n")) alone=$(printf "${alone_too:-false},%.0s" $(seq "$n"))
	seqs=$(IFS=,; echo "${*:4}")
	say "$1" "execute open_jobs (array[${runs%,}], array[${steps%,}], array[$seqs], '$2', array[${nulls%,}]::int[], array[${nulls%,}]::timestamptz[], array[${alone%,}]);"
}

verdicts() { cut -d'|' -f2 <<<"$got" | paste -sd' '; }

# settle SESSION RUN EPOCH OUTCOME SEQ
settle() {
	local error=null
	[[ $4 = 'done' || $4 = return ]] || error="'it broke'"
	say "$1" "execute settle_jobs (array['$2'], array['s'], array[$5], array[$3], array['$4'], array[0::bigint], array[7::bigint],
		array[$([ "$error" = null ] && echo null || echo "'exit'")]::text[], array[$error]::text[], array[null]::text[], array[null]::text[],
		array[null]::text[], array[5::bigint], array[10::bigint]);"
}

# ---- the statements ----

@test "each statement is accepted by the migrated schema" {
	for file in "$bf_top"/common/core/sql/*.sql; do
		name=$(basename "$file" .sql)
		if grep -qi '^copy ' "$file"; then # cannot be prepared: it is run, with nothing to copy
			psql -Xq -v ON_ERROR_STOP=1 -d "$BF_DATABASE_URL" -f "$file" </dev/null
		else
			psql -Xq -v ON_ERROR_STOP=1 -d "$BF_DATABASE_URL" -c "prepare $name as $(statement "$name")" || { echo "$file" >&2; return 1; }
		fi
	done
}

@test "each statement has one function in the program, and each that the program names is there" {
	files=$(cd "$bf_top/common/core/sql" && printf '%s\n' *.sql | sed 's/\.sql$//' | sort)
	used=$(grep -rhoE '\bbf_sql_[a-z0-9_]+\b' "$bf_top"/common/core/*.c "$bf_top"/worker "$bf_top"/enqueue --include='*.c' | sed 's/^bf_sql_//' | sort -u)
	assert_same 'statements that nobody uses' '' "$(comm -23 <(echo "$files") <(echo "$used"))"
}

# ---- open ----

@test "of two workers that open the same job at once, the second is told that it is locked, without waiting" {
	plan r.one 2
	session a
	session b
	prepare a open_jobs
	prepare b open_jobs
	say a 'begin;'
	open_jobs a worker-a r.one 1
	answer a
	assert_same 'a' opened "$(verdicts)"
	open_jobs b worker-b r.one 1 2
	answer b # while a's transaction is open
	assert_same 'b' 'locked opened' "$(verdicts)"
	say a 'commit;'
	answer a
	assert_same 'jobs' '1|running|worker-a|1
2|running|worker-b|1' "$(pg 'select seq, state, worker, epoch from bf.job order by seq')"
}

@test "a cancel that comes while a job is being opened waits for it, and takes the job away" {
	plan r.one 1
	session a
	session b
	prepare a open_jobs settle_jobs
	say a 'begin;'
	open_jobs a worker-a r.one 1
	answer a
	assert_same 'a' opened "$(verdicts)"
	say b "select bf.cancel('r.one', null, null, 'me', null);"
	wait_until 'waits_for_lock b'
	say a 'commit;'
	answer b
	assert_same 'cancelled' 1 "$got"
	assert_same 'the job' 'cancelled|2' "$(pg 'select state, epoch from bf.job')"
	settle a r.one 1 'done' 1
	answer a
	assert_same 'what a is told' '1|cancelled|2' "$got"
	assert_same 'the run' 'cancelled' "$(run_state r.one)"
}

@test "an open that comes while a run is being cancelled waits, and is told that it is cancelled" {
	plan r.one 1
	session a
	session b
	prepare a open_jobs
	say b 'begin;'
	say b "select bf.cancel('r.one', null, null, 'me', null);"
	answer b
	open_jobs a worker-a r.one 1
	wait_until 'waits_for_lock a'
	say b 'commit;'
	answer a
	assert_same 'a' cancelled "$(verdicts)"
	assert_same 'the job' 'cancelled|1|' "$(pg 'select state, epoch, worker from bf.job')"
}

@test "an open that comes while a run is being stopped waits, and is told that the run is closed" {
	plan r.one 1
	session a
	session b
	prepare a open_jobs
	say b 'begin;'
	say b "select bf.stop('r.one', 'me', null);"
	answer b
	open_jobs a worker-a r.one 1
	wait_until 'waits_for_lock a'
	say b 'commit;'
	answer a
	assert_same 'a' closed "$(verdicts)"
	assert_same 'the job' 'pending|0' "$(pg 'select state, epoch from bf.job')"
	assert_same 'the run' stopped "$(run_state r.one)"
}

@test "open says of each job what has become of it, in the order asked" {
	plan r.one 7
	pg "update bf.job set state = 'done' where seq = 2; update bf.job set state = 'failed' where seq = 3;
	    update bf.job set state = 'cancelled' where seq = 4; update bf.job set not_before = now() + interval '1 hour' where seq = 5;
	    update bf.job set state = 'running', epoch = 4, worker = 'dead', checkpoint = 'here' where seq = 6"
	session a
	prepare a open_jobs
	open_jobs a me r.one 1 2 3 4 5 6 7 8
	answer a
	assert_same 'verdicts' 'opened settled settled cancelled early opened opened unknown' "$(verdicts)"
	assert_same 'the job that was taken over' 'running|5|me|here' "$(pg 'select state, epoch, worker, checkpoint from bf.job where seq = 6')"
	[ "$(sed -n 5p <<<"$got" | cut -d'|' -f10)" -gt 3590000 ] # ms until it may start
	open_jobs a me r.unknown 1
	answer a
	assert_same 'verdicts' unknown "$(verdicts)"
}

@test "a job of a step that has halted is not opened, though nobody has looked at its run since" {
	plan r.one 3
	pg "update bf.step set chronological = true"
	session a
	prepare a open_jobs settle_jobs
	open_jobs a worker-a r.one 1
	settle a r.one 1 failed 1
	answer a
	open_jobs a worker-a r.one 2
	answer a
	assert_same 'the next one' closed "$(verdicts)"
	assert_same 'it waits' pending "$(pg 'select state from bf.job where seq = 2')"
}

@test "a job whose worker died twice has to run alone, and one that takes down three workers alone is failed" {
	plan r.one 2
	session a
	prepare a open_jobs
	for n in 1 2; do # opened, and nobody heard of again
		open_jobs a "dead-$n" r.one 1
		answer a
		assert_same "open $n" opened "$(verdicts)"
	done
	open_jobs a alive r.one 1 2
	answer a
	assert_same 'in company' 'suspect opened' "$(verdicts)"
	for n in 3 4 5; do
		alone_too=true open_jobs a "dead-$n" r.one 1
		answer a
		assert_same "open $n" opened "$(verdicts)"
	done
	alone_too=true open_jobs a alive r.one 1
	answer a
	assert_same 'after three deaths alone' settled "$(verdicts)"
	assert_same 'jobs' '1|failed|crash
2|running|' "$(pg 'select seq, state, error_category from bf.job order by seq')"
	assert_same 'tries' '1|crash' "$(pg 'select seq, category from bf.attempt')"
}

# ---- settle ----

@test "an effect whose job was taken over raises BF001 and is rolled back" {
	plan r.one 1
	pg 'create table effect (chunk text)'
	session a
	session b
	prepare a open_jobs
	prepare b open_jobs
	open_jobs a worker-a r.one 1
	answer a
	say a "begin; select set_config('bf.transaction', pg_current_xact_id()::text, true);"
	say a "insert into effect values ('from a');"
	answer a
	open_jobs b worker-b r.one 1 # a was thought dead
	answer b
	assert_same 'b' opened "$(verdicts)"
	say a "select bf.settle('r.one', 's', 1, 1);"
	say a 'commit;'
	answer a
	[[ $got = *'ERROR:  BF001'*'no longer held by epoch 1'* ]]
	assert_same 'effects' 0 "$(pg 'select count(*) from effect')"
	say b "begin; select set_config('bf.transaction', pg_current_xact_id()::text, true);
	       insert into effect values ('from b'); select bf.settle('r.one', 's', 1, 2); commit;"
	answer b
	assert_same 'effects' 'from b' "$(pg 'select chunk from effect')"
	assert_same 'the job' 'done|2|worker-b' "$(pg 'select state, epoch, worker from bf.job')"
}

@test "a takeover that comes between an effect and its commit is told that the job is locked, then that it is settled" {
	plan r.one 1
	session a
	session b
	prepare a open_jobs
	prepare b open_jobs
	open_jobs a worker-a r.one 1
	say a "begin; select set_config('bf.transaction', pg_current_xact_id()::text, true); select bf.settle('r.one', 's', 1, 1);"
	answer a
	open_jobs b worker-b r.one 1
	answer b
	assert_same 'b' locked "$(verdicts)"
	say a 'commit;'
	answer a
	open_jobs b worker-b r.one 1
	answer b
	assert_same 'b' settled "$(verdicts)"
	assert_same 'the job' 'done|1|worker-a' "$(pg 'select state, epoch, worker from bf.job')"
}

@test "settling in another transaction than the effect's raises BF002" {
	plan r.one 1
	session a
	prepare a open_jobs
	open_jobs a worker-a r.one 1
	say a "begin; select set_config('bf.transaction', pg_current_xact_id()::text, false); commit; begin; select bf.settle('r.one', 's', 1, 1);"
	answer a
	[[ $got = *'ERROR:  BF002'* ]]
	say a 'rollback;'
	answer a
	assert_same 'the job' running "$(pg 'select state from bf.job')"
}

@test "a settle that is repeated gives the same answer and changes nothing more" {
	plan r.one 4
	session a
	prepare a open_jobs settle_jobs
	open_jobs a worker-a r.one 1 2 3 4
	answer a
	for outcome in done:1 failed:2 retry:3 return:4; do
		settle a r.one 1 "${outcome%:*}" "${outcome#*:}"
		answer a
		first=$got
		before=$(pg 'select * from bf.job order by seq')
		tries=$(pg 'select * from bf.attempt order by seq')
		settle a r.one 1 "${outcome%:*}" "${outcome#*:}"
		answer a
		assert_same "the answer to $outcome" "$first" "$got"
		assert_same "jobs after $outcome" "$before" "$(pg 'select * from bf.job order by seq')"
		assert_same "tries after $outcome" "$tries" "$(pg 'select * from bf.attempt order by seq')"
	done
	assert_same 'jobs' '1|done|0|7
2|failed|1|7
3|pending|1|7
4|pending|0|7' "$(pg 'select seq, state, attempts, rows from bf.job order by seq')"
	assert_same 'tries' '2|exit|it broke
3|exit|it broke' "$(pg 'select seq, category, error from bf.attempt order by seq')"
}

@test "a settle of an attempt that was taken over changes nothing, and names the present epoch" {
	plan r.one 1
	session a
	session b
	prepare a open_jobs settle_jobs
	prepare b open_jobs
	open_jobs a worker-a r.one 1
	answer a
	open_jobs b worker-b r.one 1
	answer b
	for outcome in 'done' failed retry return; do
		settle a r.one 1 "$outcome" 1
		answer a
		assert_same "the answer to $outcome" '1|running|2' "$got"
	done
	assert_same 'the job' 'running|2|0|worker-b' "$(pg 'select state, epoch, attempts, worker from bf.job')"
	assert_same 'tries' 0 "$(pg 'select count(*) from bf.attempt')"
}

@test "a settle waits for the takeover that is being committed, and then finds itself fenced off" {
	plan r.one 1
	session a
	session b
	prepare a open_jobs settle_jobs
	prepare b open_jobs
	open_jobs a worker-a r.one 1
	answer a
	say b 'begin;'
	open_jobs b worker-b r.one 1
	answer b
	settle a r.one 1 'done' 1
	wait_until 'waits_for_lock a'
	say b 'commit;'
	answer a
	assert_same 'a' '1|running|2' "$got"
	assert_same 'the job' 'running|2|worker-b' "$(pg 'select state, epoch, worker from bf.job')"
}

@test "whoever decides about a run comes before those that begin to open its jobs later" {
	plan r.one 3
	session a
	session b
	session d
	prepare a open_jobs
	prepare b open_jobs
	prepare d decide_stop
	say a 'begin;'
	open_jobs a worker-a r.one 1
	answer a
	[[ $got = '1|opened|'* ]]
	say d "execute decide_stop('r.one', 'me', null);"
	wait_until 'waits_for_lock d'
	open_jobs b worker-b r.one 2
	wait_until 'waits_for_lock b'
	say a 'commit;'
	answer d
	assert_same 'the run' stopping "$got"
	answer b
	[[ $got = '1|closed|'* ]]
	assert_same 'jobs' 'running pending pending' "$(pg "select string_agg(state, ' ' order by seq) from bf.job")"
}

# ---- progress ----

progress() { # SESSION EPOCH NUMBER DONE CHECKPOINT
	say "$1" "execute note_progress (array['r.one'], array['s'], array[1], array[$2], array[$3], array[$4::bigint], array[10::bigint], array['$5'], array[null]::text[]);"
}

@test "progress of an attempt that was taken over is ignored, and so is what comes too late" {
	plan r.one 1
	session a
	prepare a open_jobs note_progress
	open_jobs a worker-a r.one 1
	progress a 1 2 5 five
	progress a 1 1 3 three
	progress a 1 2 4 four
	answer a
	assert_same 'progress' '5|10|five' "$(pg 'select progress_done, progress_total, checkpoint from bf.job')"
	open_jobs a worker-b r.one 1
	progress a 1 9 9 nine
	answer a
	assert_same 'progress' '5|10|five' "$(pg 'select progress_done, progress_total, checkpoint from bf.job')"
	progress a 2 1 6 six
	answer a
	assert_same 'progress' '6|10|six' "$(pg 'select progress_done, progress_total, checkpoint from bf.job')"
	pg "select bf.cancel('r.one', null, null, 'me', null)" >/dev/null
	progress a 2 2 7 seven
	progress a 3 3 7 seven
	answer a
	assert_same 'progress' '6|10|six' "$(pg 'select progress_done, progress_total, checkpoint from bf.job')"
}

@test "rows that an attempt reports after its job was taken over change nothing" {
	plan r.one 1
	session a
	prepare a open_jobs settle_jobs note_rows
	open_jobs a worker-a r.one 1
	open_jobs a worker-b r.one 1
	settle a r.one 2 'done' 1
	say a "execute note_rows (array['r.one'], array['s'], array[1], array[1], array[9::bigint]);"
	answer a
	assert_same 'of the attempt that settled it' 7 "$(pg 'select rows from bf.job')"
	say a "execute note_rows (array['r.one'], array['s'], array[1], array[2], array[8::bigint]);"
	answer a
	assert_same 'said again' 8 "$(pg 'select rows from bf.job')"
}

@test "an attempt that ends without a checkpoint of its own leaves the checkpoint that is there" {
	plan r.one 1
	session a
	prepare a open_jobs settle_jobs note_progress
	open_jobs a worker-a r.one 1
	progress a 1 1 5 five
	settle a r.one 1 retry 1
	open_jobs a worker-a r.one 1
	settle a r.one 2 return 1
	answer a
	assert_same 'the job' 'pending|2|five' "$(pg 'select state, epoch, checkpoint from bf.job')"
}

# ---- what a worker asks and does beside ----

@test "a worker is told of a job that another one has taken over, or that was cancelled" {
	plan r.one 3
	session a
	prepare a open_jobs look
	open_jobs a worker-a r.one 1 2 3
	open_jobs a worker-b r.one 2
	answer a
	pg "select bf.cancel('r.one', 's', '2024-01-03', 'me', null)" >/dev/null
	say a "execute look (array_fill('r.one'::text, '{3}'), array_fill('s'::text, '{3}'),
		array[1, 2, 3], array[1, 1, 1]);"
	answer a
	assert_same 'which are no longer its own' '2 3' "$(paste -sd' ' <<<"$got")"
}

@test "a backend that has the number of an earlier one is not ended in its place" {
	session a
	session b
	prepare b end_backend
	say a 'select pg_backend_pid();'
	answer a
	local pid=$got start
	start=$(pg "select backend_start from pg_stat_activity where pid = $pid")
	say b "execute end_backend ($pid, '2024-01-01');"
	answer b
	assert_same 'ended' '' "$got"
	say a "select 'still there';"
	answer a
	assert_same 'the other one' 'still there' "$got"
	say b "execute end_backend ($pid, '$start');"
	answer b
	assert_same 'ended' t "$got"
}

@test "a job that was settled before it could not be opened stays as it was settled" {
	plan r.one 2
	session a
	prepare a open_jobs settle_jobs fail_unopened
	open_jobs a worker-a r.one 1 2
	settle a r.one 1 'done' 1
	answer a
	say a "execute fail_unopened (array['r.one', 'r.one'], array['s', 's'], array[1, 2],
		'ledger', 'unreadable', 'worker-b');"
	answer a
	assert_same 'what became of them' '1|done 2|failed' "$(paste -sd' ' <<<"$got")"
	assert_same 'jobs' 'done|1
failed|2' "$(pg 'select state, epoch from bf.job order by seq')"
}

# ---- advance ----

@test "two that move a run on at once release each step once" {
	plan r.one 1
	pg "insert into bf.step (run, step, ordinal, kind, planned, needs, on_failure) values ('r.one', 't', 1, 'noop', 1, '{s}', 'halt');
	    insert into bf.job (run, step, seq, chunk) values ('r.one', 't', 1, 'x');
	    update bf.job set state = 'done' where step = 's'"
	session a
	session b
	say a 'begin;'
	say a "select bf.advance('r.one');"
	answer a
	say b "select bf.advance('r.one');"
	wait_until 'waits_for_lock b'
	say a 'commit;'
	answer b
	assert_same 'the run' running "$got"
	assert_same 'steps' 's|done
t|released' "$(pg 'select step, state from bf.step order by ordinal')"
	assert_same 'what happened' 's|step released|1
s|step done|1
t|step released|1' "$(pg "select step, what, count(*) from bf.event group by step, what order by min(id)")"
}

@test "a run is not done when nobody has done what it skipped" {
	plan r.one 2
	plan r.two 2
	pg "update bf.job set state = case seq when 1 then 'done' else 'skipped' end;
	    update bf.job set taken_by = 'r.one' where run = 'r.two' and seq = 2"
	assert_same 'skipped' failed "$(pg "select bf.advance('r.one')")"
	assert_same 'taken by another run' 'done' "$(pg "select bf.advance('r.two')")"
}
