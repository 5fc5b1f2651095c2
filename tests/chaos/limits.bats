# What a host runs out of, and programs that take more than they should.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/chaos.bash

setup() {
	chaos_setup
	export MARK=$BATS_TEST_TMPDIR/mark
	: >"$MARK"
}
teardown() {
	bf_teardown
	[ ! -s "$MARK.away" ] || kill -KILL "$(cat "$MARK.away")" 2>/dev/null || true
	[ -z "${plain_role:-}" ] || server_sql "$BF_TEST_SERVERS_URL" "drop database $(plain_database) with (force)" -c "drop role $plain_role"
}

# ---- nothing left to start a program with ----

# Six days of a program (`send`) and of sql (`load`), all at a time; nothing may fail even once.
begin_many() { # RUN
	pipeline many <<-'JSON'
		{"pipeline": "many", "chunk": {"size": 1}, "concurrency": {"default": 12, "max": 12}, "env": {"pass": ["PATH", "MARK"]},
		 "defaults": {"timeout": "1m", "retry": {"attempts": 1}},
		 "steps": [{"name": "send", "kind": "exec", "argv": ["bin/send", "{{chunk}}"], "needs": []},
		           {"name": "load", "kind": "sql", "file": "sql/load.sql", "needs": []}]}
	JSON
	program send <<-'SH'
		echo "$1" >>"$MARK"
		while [ -e "$MARK.shut" ]; do sleep 0.05; done
	SH
	sql_file load.sql <<<"insert into effect values (:'run', 'load', :'chunk');"
	enqueue_run "$1" many --since=2024-05-01 --until=2024-05-06
}

end_many() { # RUN
	wait_for_end "$1"
	wait_for_redis "$1"
	pg "create or replace view effect_load as select chunk from effect where step = 'load'"
	oracle "$1" load=effect_load
	assert_same 'tries that were counted' 0 "$(pg 'select count(*) from bf.attempt')"
	assert_same 'days that were sent' "$(pg "select chunk from bf.job where run = '$1' and step = 'send' order by 1")" "$(sort "$MARK")"
	assert_counters "$1"
}

put_off() { grep -qE "$1; raise what the worker may use" "$BATS_TEST_TMPDIR/worker-0.log"; } # REASON

# apache/dolphinscheduler#6829: a worker without descriptors fails the tasks that it is given.
@test "21: file descriptors exhausted: programs wait until there are some, no try is counted, and the rest is done" {
	start_worker --slots=12
	wait_until "[ -n \"\$(rd smembers bf:idle:default)\" ]"
	touch "$MARK.shut"
	begin_many many.files
	wait_until "is 6 \"select count(*) from bf.job where step = 'load' and state = 'done'\""
	wait_until "[ \"\$(wc -l <'$MARK')\" = 6 ]"
	rm "$MARK.shut"
	end_many many.files
	# Now it has what it has open, and nothing more.
	pg 'truncate effect'
	: >"$MARK"
	worker=${WORKER_PIDS[0]}
	prlimit --pid "$worker" --nofile="$(first_free_descriptor "$worker"):"
	touch "$MARK.shut"
	enqueue_run many.few many --since=2024-06-01 --until=2024-06-06
	wait_until 'put_off "cannot start a supervisor: .*[Tt]oo many open files"'
	wait_until "is 6 \"select count(*) from bf.job where run = 'many.few' and step = 'load' and state = 'done'\""
	prlimit --pid "$worker" --nofile=1024:
	rm "$MARK.shut"
	end_many many.few
}
first_free_descriptor() { # PID
	local n=0
	while [ -e "/proc/$1/fd/$n" ]; do n=$((n + 1)); done
	echo "$n"
}

# seomoz/qless-py#32: the worker does not survive a fork that fails with EAGAIN.
@test "21: fork fails, of the supervisor and of the program: they wait until it does not, no try is counted, and the rest is done" {
	user=$((50000 + $$ % 10000))
	limited_worker
	begin_many many.forks
	wait_until 'put_off "cannot start a supervisor: .*temporarily unavailable"'
	assert_same 'days that were sent' '' "$(cat "$MARK")"
	may_fork "$(($(threads_of "$user") + 1))" # one supervisor at a time, and no program
	wait_until 'put_off "cannot start .*bin/send: no new process: .*temporarily unavailable"'
	may_fork 1024
	end_many many.forks
}
may_fork() { setpriv --reuid="$user" --regid="$user" --clear-groups prlimit --pid "${WORKER_PIDS[0]}" --nproc="$1:"; } # PROCESSES
threads_of() { ps -o nlwp= -U "$1" | awk '{n += $1} END {print n + 0}'; } # USER

# The limit counts the processes of a user, and does not hold for root: the worker is another one, that may read and write what root may.
limited_worker() {
	[ "$(id -u)" = 0 ] || skip 'needs root, to be another user'
	setpriv --reuid="$user" --regid="$user" --clear-groups --inh-caps=+dac_override --ambient-caps=+dac_override \
		"$(command -v worker)" --slots=3 >"$BATS_TEST_TMPDIR/worker-${#WORKER_PIDS[@]}.log" 2>&1 3>&- </dev/null &
	WORKER_PIDS+=($!)
	wait_until "[ -n \"\$(rd smembers bf:idle:default)\" ]"
	may_fork 1
}

# ---- programs that take more than they should ----

memory_of() { awk '/^VmHWM:/ {print $2}' "/proc/$1/status"; } # PID: the most that it had, in KiB

# supervisor_of CHUNK: the process that watches that job's program
supervisor_of() { pgrep -P "${WORKER_PIDS[0]}" -f "/work/$1#"; }

# Each day behaves badly in its own way; `work` of the last days is as it should be. Then each step beside them.
begin_bad() { # RUN
	pipeline bad <<-'JSON'
		{"pipeline": "bad", "chunk": {"size": 1}, "concurrency": {"default": 4}, "env": {"pass": ["PATH", "MARK"]},
		 "defaults": {"timeout": "1s", "on_failure": "continue", "retry": {"attempts": 1}},
		 "steps": [{"name": "work", "kind": "exec", "argv": ["bin/work", "{{chunk}}"], "timeout": "1m", "needs": []},
		           {"name": "deaf", "kind": "exec", "argv": ["bin/deaf", "{{chunk}}"], "needs": []}]}
	JSON
	program work <<-'SH'
		case $1 in
		*-01) # prints a gigabyte, to both of its outputs and without a line's end
			head -c 512M /dev/zero
			head -c 512M /dev/zero | tr '\0' x >&2
			touch "$MARK.printed"
			while [ ! -e "$MARK.measured" ]; do sleep 0.05; done ;;
		*-02) # the disk is full
			echo 'a result' >/dev/full || exit 1 ;;
		*-03) # leaves a process behind in a session of its own, which ignores everything
			setsid bash -c 'trap "" TERM HUP INT; echo $$ >"$MARK.away"; sleep 1000 & wait; sleep 1000' >/dev/null 2>&1 &
			while [ ! -s "$MARK.away" ]; do sleep 0.05; done ;;
		*-04) # says too much where progress is read
			head -c 64M /dev/zero | tr '\0' y >&"$BF_PROGRESS_FD" ;;
		esac
		echo "$1" >>"$MARK"
	SH
	program deaf <<-'SH'
		[ "$1" != 2024-05-01 ] || trap '' TERM
		[ "$1" != 2024-05-01 ] || while :; do sleep 1; done
	SH
	enqueue_run "$1" bad --since=2024-05-01 --until=2024-05-06
}

@test "21: a gigabyte printed, no disk to write to, a process left behind, SIGTERM ignored: bounded memory, clear errors, and the rest is done" {
	start_worker --slots=4
	wait_until "[ -n \"\$(rd smembers bf:idle:default)\" ]"
	worker=${WORKER_PIDS[0]}
	before=$(memory_of "$worker")
	begin_bad bad.one
	wait_until "[ -e '$MARK.printed' ]"
	supervisor=$(supervisor_of 2024-05-01)
	printf 'worker: %s KiB, then %s; supervisor: %s\n' "$before" "$(memory_of "$worker")" "$(memory_of "$supervisor")"
	[ $(($(memory_of "$worker") - before)) -lt 65536 ]
	[ "$(memory_of "$supervisor")" -lt $((before + 65536)) ]
	touch "$MARK.measured"
	wait_for_end bad.one
	wait_for_redis bad.one
	assert_same 'jobs that failed' 'deaf|2024-05-01|timeout
work|2024-05-02|exit' "$(pg "select step, chunk, error_category from bf.job where state <> 'done' order by 1, 2")"
	assert_same 'what the failed one printed' 1 "$(pg "select count(*) from bf.attempt where step = 'work' and output_tail like '%No space left on device%'")"
	assert_same 'days that were worked' 5 "$(sort -u "$MARK" | wc -l)"
	assert_same 'what was left behind, and lives' '' "$(ps -o pid= -p "$(cat "$MARK.away")" || true)"
	wait_until "[ -z \"\$(pgrep -P $worker)\" ]"
	assert_counters bad.one
	printf 'worker at the end: %s KiB\n' "$(memory_of "$worker")"
	[ $(($(memory_of "$worker") - before)) -lt 65536 ]
}

# bats test_tags=long
@test "21: a worker whose log cannot be written goes on" {
	pipeline idle <<<'{"pipeline": "idle", "chunk": {"size": 1}, "steps": [{"name": "idle", "kind": "exec", "argv": ["/bin/echo", "x"]}]}'
	worker >/dev/full 2>&1 3>&- </dev/null &
	WORKER_PIDS+=($!)
	enqueue_run idle.one idle --since=2024-05-01 --until=2024-05-06
	wait_for_end idle.one
	wait_for_redis idle.one
	oracle idle.one
	kill_worker "${WORKER_PIDS[0]}"
}

# ---- connections that jobs do not get ----

plain_database() { printf 'bf_plain_%s\n' "$$"; }

# que-rb/que#316, dagster-io/dagster#33054: work is held up by a process that has no connection for it.
# bats test_tags=long
@test "21: sql jobs that a worker has no connection for are not kept from workers that have" {
	plain_role=bf_limits_role_$$
	server_sql "$BF_TEST_SERVERS_URL" "create role $plain_role login connection limit 5"
	server_sql "$BF_TEST_SERVERS_URL" "create database $(plain_database) template bf_template owner $plain_role"
	BF_DATABASE_URL=$(database_url "$BF_TEST_SERVERS_URL" "$(plain_database)")
	chaos_record
	pipeline long <<-'JSON'
		{"pipeline": "long", "chunk": {"size": 1}, "concurrency": {"default": 4}, "defaults": {"retry": {"attempts": 1}},
		 "steps": [{"name": "keep", "kind": "sql", "file": "sql/keep.sql"}]}
	JSON
	sql_file keep.sql <<-'SQL'
		insert into effect values (:'run', 'keep', :'chunk');
		select wait_while_shut();
	SQL
	pg "create table shut (); insert into shut default values;
	    create function wait_while_shut() returns void language plpgsql as
	    \$\$ begin while exists (select from shut) loop perform pg_sleep(0.02); end loop; end \$\$;
	    grant usage on schema bf to $plain_role; grant all on all tables in schema bf to $plain_role;
	    grant all on all tables in schema public to $plain_role; grant all on all sequences in schema public to $plain_role"
	enqueue_run long.one long --since=2024-05-01 --until=2024-05-04
	BF_DATABASE_URL=postgresql://$plain_role@${BF_DATABASE_URL#*@} start_worker --slots=4 # three connections for itself, two for jobs
	wait_until "is 2 \"select count(*) from bf.job where state = 'running'\""
	start_worker --slots=2
	wait_until "is 4 \"select count(*) from bf.job where state = 'running'\"" $((lease_s + 5))
	assert_same 'workers that have them' 2 "$(pg "select count(distinct worker) from bf.job where state = 'running'")"
	pg 'delete from shut'
	wait_for_end long.one
	wait_for_redis long.one
	pg 'create view effect_keep as select chunk from effect'
	oracle long.one keep=effect_keep
	assert_same 'tries that were counted' 0 "$(pg 'select count(*) from bf.attempt')"
}
