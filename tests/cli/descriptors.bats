# What a process is given by whoever starts it, and what it is told by signals: descriptors that are closed, files that are none,
# a terminal that goes away, a stop while it connects.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/httpd.bash

setup() {
	bf_setup
	pg 'create table effect (chunk text)'
}
teardown() { bf_teardown; }

effects() { # a pipeline whose step leaves a row of each chunk in `effect`
	pipeline effects <<-'JSON'
		{"pipeline": "effects", "chunk": {"size": 1}, "steps": [{"name": "one", "kind": "sql", "file": "sql/one.sql"}]}
	JSON
	sql_file one.sql <<<"insert into effect values (:'chunk');"
}

# start_silent: a server that never answers; SILENT_PORT, and $silent.accepted once it is connected to
start_silent() {
	silent=$BATS_TEST_TMPDIR/silent
	python3 "$bf_top/tests/support/silent.py" "$silent" 3>&- </dev/null >/dev/null 2>&1 &
	WORKER_PIDS+=($!)
	wait_until "[ -s '$silent' ]"
	SILENT_PORT=$(<"$silent")
}

@test "enqueue, bfstat and worker do their work with standard descriptors closed" {
	local closed n=0
	effects
	for closed in '0<&-' '1>&-' '2>&-' '0<&- 1>&-' '1>&- 2>&-' '0<&- 1>&- 2>&-'; do
		n=$((n + 1))
		eval "enqueue run effects --since=2024-01-01 --until=2024-01-05 --run-id=e.$n --reprocess=completed $closed" >"$BATS_TEST_TMPDIR/out" 2>&1
		assert_same "state of the run that was planned with $closed" running "$(run_state "e.$n")"
		eval "timeout 60 worker --drain $closed" >>"$BATS_TEST_TMPDIR/out" 2>&1
		assert_same "what was done with $closed" "done $((5 * n))" "$(run_state "e.$n") $(pg 'select count(*) from effect')"
		eval "bfstat e.$n $closed" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/said"
		assert_same "what bfstat complained of with $closed" '' "$(cat "$BATS_TEST_TMPDIR/said")"
	done
}

@test "a program of a step runs in a worker with standard descriptors closed" {
	pipeline prog <<-'JSON'
		{"pipeline": "prog", "steps": [{"name": "one", "kind": "exec", "argv": ["bin/one", "{{chunk}}"]}]}
	JSON
	program one <<<'echo "1/2"; ls -l /proc/self/fd >&2; touch "${BASH_SOURCE%/*}/done.$1"'
	enqueue_run p.one prog --since=2024-01-01 --until=2024-01-01
	timeout 60 worker --drain 0<&- 1>&- 2>&-
	assert_same 'state' done "$(run_state p.one)"
	[ -e "$made/bin/done.2024-01-01" ]
}

@test "what is no regular file is refused at once, and the message says what it is" {
	local what
	effects
	rm "$made/sql/one.sql"
	for what in pipe directory device socket; do
		rm -rf "$made/sql/one.sql"
		case $what in
		pipe) mkfifo "$made/sql/one.sql" ;;
		directory) mkdir "$made/sql/one.sql" ;;
		device) ln -s /dev/zero "$made/sql/one.sql" ;;
		socket) python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$made/sql/one.sql" ;;
		esac
		run -2 timeout 20 enqueue validate effects
		[[ $output = *"steps[0].file: found \"sql/one.sql\", expected a regular file, for step "*"/sql/one.sql is a "*"$what)"* ]]
	done
	rm "$made/pipeline.json"
	mkfifo "$made/pipeline.json"
	run -2 timeout 20 enqueue validate effects
	[[ $output = *'/pipeline.json: found a named pipe, expected a regular file'* ]]

	run -2 timeout 20 enqueue validate /dev/tty
	run -2 timeout 20 enqueue run effects --since=2024-01-01 --until=2024-01-01 --dry-run
	[[ $output = *'found a named pipe'* ]]
}

@test "keys, present files and programs that are named pipes do not hold up anybody" {
	pipeline keyed <<-'JSON'
		{"pipeline": "keyed", "chunk": {"keys": {"file": "keys.json", "array": "all"}},
		 "steps": [{"name": "one", "kind": "exec", "argv": ["bin/one"], "expected": "sql/e.sql", "present": "sql/p.sql"}]}
	JSON
	mkfifo "$made/keys.json" "$made/bin/one" "$made/sql/e.sql" "$made/sql/p.sql"
	chmod +x "$made/bin/one"
	run -2 timeout 20 enqueue validate keyed
	[[ $output = *'keys.json is a named pipe'*'sql/e.sql is a named pipe'*'sql/p.sql is a named pipe'*'bin/one is a named pipe'* ]]
}

@test "a check of a named pipe fails with the reason, and its worker leaves when it is told" {
	pipeline look <<-'JSON'
		{"pipeline": "look", "steps": [{"name": "c", "kind": "check", "type": "json", "json_file": "data.json", "pointer": "/n",
		  "error_if": "< 1", "retry": {"attempts": 1}, "timeout": "20s"}]}
	JSON
	mkfifo "$made/data.json"
	enqueue_run l.one look --since=2024-01-01 --until=2024-01-01
	start_worker
	wait_for_end l.one
	[[ $(pg "select error from bf.job where run = 'l.one'") = *'data.json: found a named pipe, expected a regular file'* ]]
	kill "${WORKER_PIDS[-1]}"
	exit_code_of "${WORKER_PIDS[-1]}" 10
	assert_same 'exit code' 0 "$code"
}

@test "an authority file that is a named pipe fails the request, and does not stop the worker" {
	start_httpd
	pipeline ask <<-'JSON'
		{"pipeline": "ask", "steps": [{"name": "one", "kind": "http", "url": "{{env.API_URL}}/x", "retry": {"attempts": 1}, "timeout": "20s"}]}
	JSON
	mkfifo "$BATS_TEST_TMPDIR/authorities.pem"
	enqueue_run a.one ask --since=2024-01-01 --until=2024-01-01
	API_URL=https://127.0.0.1:1 SSL_CERT_FILE=$BATS_TEST_TMPDIR/authorities.pem start_worker
	wait_for_end a.one
	[[ $(pg "select error from bf.job where run = 'a.one'") = *'SSL_CERT_FILE: '*'authorities.pem: found a named pipe, expected a regular file'* ]]
}

@test "a closed terminal drains a worker as SIGTERM does, said in its log; a second one does not hurry it" {
	local pid
	pipeline slow <<-'JSON'
		{"pipeline": "slow", "steps": [{"name": "one", "kind": "sql", "file": "sql/one.sql"}]}
	JSON
	pg 'create table hold as select 1'
	sql_file one.sql <<-'SQL'
		do $$ begin while exists (select from hold) loop perform pg_sleep(0.02); end loop; end $$;
		insert into effect values (:'chunk');
	SQL
	enqueue_run s.one slow --since=2024-01-01 --until=2024-01-01
	start_worker
	pid=${WORKER_PIDS[-1]}
	wait_until "is 1 \"select count(*) from bf.job where run = 's.one' and state = 'running'\""
	kill -HUP "$pid"
	wait_until "grep -F 'SIGHUP (the terminal was closed): draining: 1 running jobs' '$BATS_TEST_TMPDIR/worker-0.log'"
	kill -HUP "$pid"
	kill -HUP "$pid"
	pg 'delete from hold'
	exit_code_of "$pid"
	assert_same 'exit code, effects, state' "0 1 done" "$code $(pg 'select count(*) from effect') $(pg "select state from bf.job where run = 's.one'")"
	run ! grep -F 'handing back' "$BATS_TEST_TMPDIR/worker-0.log"
}

@test "a worker that was started under nohup goes on when the terminal is closed" {
	effects
	(trap '' HUP && exec worker >"$BATS_TEST_TMPDIR/worker-0.log" 2>&1 3>&- </dev/null) &
	WORKER_PIDS+=($!)
	wait_until "grep -F 'slots, queues' '$BATS_TEST_TMPDIR/worker-0.log'"
	kill -HUP "${WORKER_PIDS[-1]}"
	enqueue_run n.one effects --since=2024-01-01 --until=2024-01-03
	wait_for_end n.one
	run ! grep -F 'draining' "$BATS_TEST_TMPDIR/worker-0.log"
	kill_worker "${WORKER_PIDS[-1]}"
}

@test "a worker that is told to leave while it connects says so and leaves with 0" {
	local signal redis=$BF_REDIS_URL postgres=$BF_DATABASE_URL
	start_silent
	for signal in TERM INT HUP; do
		for hanging in redis postgres; do
			rm -f "$silent.accepted"
			case $hanging in
			redis) BF_REDIS_URL=redis://127.0.0.1:$SILENT_PORT/0 BF_DATABASE_URL=$postgres start_worker ;;
			postgres) BF_DATABASE_URL="postgresql://127.0.0.1:$SILENT_PORT/x?sslmode=disable" BF_REDIS_URL=$redis start_worker ;;
			esac
			wait_until "[ -s '$silent.accepted' ]"
			kill "-$signal" "${WORKER_PIDS[-1]}"
			exit_code_of "${WORKER_PIDS[-1]}" 5
			assert_same "exit code after SIG$signal while $hanging hangs" 0 "$code"
			grep -F "SIG$signal while connecting to the servers: leaving, no job was taken" "$BATS_TEST_TMPDIR/worker-$((${#WORKER_PIDS[@]} - 1)).log"
		done
	done
}
