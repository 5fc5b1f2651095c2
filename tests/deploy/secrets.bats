# No secret is written anywhere: everything is done with known ones, then everything that was written is searched.
#
# celery/celery#5637, sidekiq/sidekiq#3119: the broker's password stands in the log of each start. celery/celery#6763, sidekiq/sidekiq#4354 and #6105: that
# for the sentinels does. celery/celery#273, #1546: a command that looks at a worker prints it.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/secured.bash

watcher='' cores=''
setup() {
	secured_setup
	export BF_LEASE=2s BF_LOG_LEVEL=debug
	said=$BATS_TEST_TMPDIR/said
	mkdir "$said"
	rd config set rdbcompression no # what is searched is to be readable
	rd config set slowlog-log-slower-than 0
	rd config set slowlog-max-len 100000
	pg "alter system set log_statement = 'all'"
	pg "alter system set log_connections = on"
	pg 'select pg_reload_conf()'
	secrets
}
teardown() {
	[ -z "$watcher" ] || kill "$watcher" 2>/dev/null || true
	[ -z "$cores" ] || rm -rf "$cores"
	secured_teardown
}

# The secrets: those of the roles, a token for the pipeline's programs, and one that is wrong everywhere.
secrets() {
	token=$(random_secret) wrong=$(random_secret)
	patterns=$BATS_TEST_TMPDIR/patterns
	printf '%s\n' "${password[owner]}" "${password[worker]}" "${password[operator]}" "${password[reader]}" "$token" "$wrong" >"$patterns"
}

# Looks at the command line of every process, over and over. (grep is told the secrets by a file.)
watch_command_lines() {
	while :; do
		grep -aHF -f "$patterns" /proc/[0-9]*/cmdline 2>/dev/null || true
		echo >>"$BATS_TEST_TMPDIR/rounds"
	done >"$said/command-lines" 3>&- &
	watcher=$!
}

# try NAME COMMAND…: whatever comes of it; what it says is kept
try() { "${@:2}" >"$said/$1" 2>&1 </dev/null || true; }

# Everything that was written by the programs, and by the servers about them, as files in $said.
collect() {
	rd save
	wait_until 'rd info persistence | tr -d "\r" | grep -qx aof_buffer_length:0' # while it syncs, it does not write
	cp -r "$secured/appendonlydir" "$secured/dump.rdb" "$secured/redis.log" "$said"
	for what in 'client list' 'slowlog get -1' 'acl log' 'function list withcode'; do
		# shellcheck disable=SC2086
		rd $what >"$said/redis-${what%% *}"
	done
	pg_dump -d "$BF_DATABASE_URL" >"$said/ledger.sql"
	cp "$pg_log" "$said/postgresql.log"
	pg 'select * from pg_stat_activity' >"$said/activity"
	cp "$BATS_TEST_TMPDIR"/*.log "$said"
	cp -r "$BF_PIPELINES" "$said/pipelines"
}
found() { grep -raoF -f "$patterns" "$said" | sort | uniq -c; }

secret_pipeline() {
	pg "create table effect (chunk text); grant all on all tables in schema public to backfill_worker"
	export SEEN=$BATS_TEST_TMPDIR/seen
	: >"$SEEN"
	pipeline quiet <<-'JSON'
		{"pipeline": "quiet", "chunk": {"size": 1}, "env": {"pass": ["API_TOKEN", "SEEN"], "set": {"HEADER": "Bearer {{env.API_TOKEN}}"}},
		 "defaults": {"retry": {"attempts": 2, "first": "100ms", "jitter": 0}, "on_failure": "continue"},
		 "steps": [{"name": "copy", "kind": "sql", "file": "sql/copy.sql"},
		           {"name": "broken", "kind": "sql", "file": "sql/broken.sql", "needs": []},
		           {"name": "call", "kind": "exec", "argv": ["bin/call"], "needs": []},
		           {"name": "missing", "kind": "exec", "argv": ["bin/missing"], "needs": []},
		           {"name": "count", "kind": "check", "type": "row_count", "file": "sql/count.sql", "error_if": "< 99", "needs": ["copy"]}]}
	JSON
	sql_file copy.sql <<<"insert into effect values (:'chunk');"
	sql_file broken.sql <<<"select 1 / 0;"
	sql_file count.sql <<<'select * from effect'
	program missing <<<'true'
	# The token is there, and so is nothing else that was not named; its supervisor has not even that.
	program call <<-'SH'
		token=$(printf %s "$API_TOKEN$HEADER" | sha256sum | cut -c1-64)
		names=$(env | sed -nE 's/^([A-Za-z_][A-Za-z0-9_]*)=.*/\1/p' | grep -vxE '_|PWD|SHLVL' | LC_ALL=C sort | paste -sd' ')
		above=$(tr '\0' '\n' <"/proc/$PPID/environ" | cut -d= -f1 | grep -vE '^(LD_LIBRARY_PATH|[A-Z]+SAN_OPTIONS)$' | paste -sd' ')
		echo "$token|$names|$above|" >>"$SEEN"
		[ "$BF_ATTEMPT" = 2 ]
	SH
}

@test "nothing that is written anywhere holds a secret: logs, messages, command lines, Redis, the ledger" {
	secret_pipeline
	watch_command_lines
	try run as operator enqueue run quiet --since=2024-01-01 --until=2024-01-03 --run-id=quiet.one
	rm "$made/bin/missing"
	API_TOKEN=$token as worker start_worker
	API_TOKEN=$token BF_LOG=json as worker start_worker --slots=2
	wait_for_end quiet.one
	for command in '' quiet.one 'failures quiet.one' 'jobs quiet.one --json' workers 'events quiet.one --json' verify; do
		# shellcheck disable=SC2086
		try "look-${command// /-}" as reader bfstat $command
	done
	# two deaths, of which one is a crash; a queue that is lost; a server that goes away
	try again as operator enqueue retry quiet.one
	kill -ABRT "${WORKER_PIDS[0]}"
	kill -KILL "${WORKER_PIDS[1]}"
	API_TOKEN=$token as worker start_worker
	wait_until 'worker_log 2 | grep -F " slots, queues "'
	rd flushall
	rd function flush
	pg "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'backfill_worker'"
	wait_for_end quiet.one
	try cancel as operator enqueue cancel quiet.one
	try migrate as owner enqueue migrate
	assert_same 'what the programs were given' \
		"$(printf %s "${token}Bearer $token" | sha256sum | cut -c1-64)|API_TOKEN BF_ATTEMPT BF_CHUNK BF_EPOCH BF_JOB BF_KEY BF_LOOKBACK_SINCE BF_PROGRESS_FD BF_RUN BF_SINCE BF_STEP BF_UNTIL HEADER PATH SEEN||" \
		"$(sort -u "$SEEN")"

	wait_until '[ "$(wc -l <"$BATS_TEST_TMPDIR/rounds")" -ge 3 ]'
	collect
	assert_same 'secrets found' '' "$(found)"
	# the search does find them: in a value of Redis, in a row, in a line of a log, on a command line
	rd set bf:planted "x$token"
	pg "create table planted as select '${password[worker]}'::text as word" # which is in PostgreSQL's log, too
	echo "${password[operator]}" >"$BATS_TEST_TMPDIR/planted.log"
	tail -f /dev/null "$wrong" 2>/dev/null 3>&- &
	printf '%s\n' "$wrong" >"$BATS_TEST_TMPDIR/wrong"
	wait_until 'grep -qaF -f "$BATS_TEST_TMPDIR/wrong" "$said/command-lines"'
	kill $!
	collect
	for secret in "$token" "${password[worker]}" "${password[operator]}" "$wrong"; do
		[[ $(found) = *"$secret"* ]] || { echo "planted and not found: $secret, among: $(found)"; false; }
	done
}

@test "no message about an address that is wrong, or a password that is refused, shows what may be one" {
	local url n=0
	for url in "redis://x:$wrong@127.0.0.1:1" "redis://$wrong@127.0.0.1:1" "redis://x:$wrong@127.0.0.1:nothing" "redis://x:$wrong@h/x" "redis://x:a/$wrong@127.0.0.1:1" \
		"redis:/x:$wrong@127.0.0.1" "rediss://x:$wrong@h" "http://x:$wrong@h" "x:$wrong@h" "unix://x:$wrong@relative" "unix://x:$wrong@$redis_socket" \
		"unix://x:$wrong@/none.sock?x" "sentinel://x:$wrong@127.0.0.1:1/m" "sentinel://x:$wrong@/m" "sentinel://x:$wrong@h" "redis://x:%zz$wrong@h"; do
		for program in bfstat worker; do
			n=$((n + 1))
			BF_DATABASE_URL=${pg_url[operator]} BF_REDIS_URL=$url try "redis-$n" "$program"
		done
	done
	for url in "postgresql://x:$wrong@127.0.0.1:1/d" "postgresql://x:$wrong@/backfill?host=${pg_run:-/none}" "postgresql://x:$wrong@h:nothing/d" "postgresql://x:$wrong@[h/d" \
		"postgresql://h/d?password=$wrong&nonsense=1" "postgresql://x:$wrong" "password=$wrong host=/none" "password=$wrong nonsense=1" "password='$wrong" "password $wrong" \
		"host=/none passwordx=$wrong" "http://x:$wrong@h/d" "x:$wrong@h/d" "postgresql://backfill_worker:$wrong@/backfill?host=$(sed -n 's/^pg_run=//p' "$BF_LOCAL_DIR/servers")"; do
		for program in bfstat worker; do
			n=$((n + 1))
			BF_DATABASE_URL=$url BF_REDIS_URL=${redis_url[operator]} try "postgres-$n" "$program"
		done
	done
	assert_same 'messages' "$n" "$(find "$said" -type f -size +0 | wc -l)"
	assert_same 'messages that show it' '' "$(found)"
}

@test "a program that crashes leaves no core, and no program of the same user can read what it holds" {
	local pid
	cores=$(mktemp -d /tmp/bf-cores-XXXXXX)
	chmod 777 "$cores"
	install -m 755 "$(command -v worker)" "$(command -v bfstat)" "$(command -v enqueue)" "$cores"
	# servers that accept and say nothing: programs wait for their greeting
	command -p python3 -c 'import socket, sys, time
servers = [socket.socket(socket.AF_UNIX) for name in sys.argv[1:]]
for server, name in zip(servers, sys.argv[1:]):
    server.bind(name)
    server.listen(99)
print(flush=True)
time.sleep(600)' "$cores/mute" "$cores/.s.PGSQL.5432" >"$BATS_TEST_TMPDIR/mute" 3>&- </dev/null &
	WORKER_PIDS+=($!)
	wait_until '[ -s "$BATS_TEST_TMPDIR/mute" ]'
	chmod 777 "$cores/mute" "$cores/.s.PGSQL.5432"
	for program in worker "bfstat workers" "enqueue stop-all" "sleep 600"; do
		# shellcheck disable=SC2086
		(
			cd "$cores" && ulimit -c unlimited && ASAN_OPTIONS=disable_coredump=0:detect_leaks=0 PATH=$cores:$PATH BF_REDIS_URL=unix://x:$wrong@$cores/mute \
				BF_DATABASE_URL="postgresql://x:$wrong@/d?host=$cores" exec setpriv --reuid=nobody --regid=nogroup --clear-groups $program >/dev/null 2>&1 3>&- </dev/null
		) &
		pid=$!
		WORKER_PIDS+=("$pid")
		wait_until "[ \"\$(cat /proc/$pid/comm)\" = '${program%% *}' ]"
		if [ "${program%% *}" = sleep ]; then
			assert_same 'whose a plain program is' nobody "$(stat -c %U "/proc/$pid/environ")"
		else
			wait_until "[ \"\$(stat -c %U /proc/$pid/environ)\" = root ]"
		fi
		kill -ABRT "$pid"
		wait "$pid" || true
		[ "${program%% *}" = sleep ] || assert_same 'cores' '' "$(find "$cores" -name 'core*')"
	done
	# that of the plain program is there, or the kernel puts cores elsewhere
	[ -n "$(find "$cores" -name 'core*')" ] || [[ $(cat /proc/sys/kernel/core_pattern) =~ ^[|/] ]]
}
