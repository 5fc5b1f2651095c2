# The worker as a service: what it tells the service manager, and what the unit in deploy/systemd makes of it.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/chaos.bash
load ../support/faultproxy.bash
load ../support/systemd.bash

listener=''
setup() { chaos_setup; }
teardown() {
	systemd_down
	bf_teardown
	faultproxies_down
	if [ -n "$listener" ]; then
		kill -KILL "$listener" 2>/dev/null || true
		wait "$listener" 2>/dev/null || true
	fi
}

# ---- what is told: the test is the manager ----

listen() {
	export NOTIFY_SOCKET=$BATS_TEST_TMPDIR/notify
	command -p python3 "$bf_top/tests/support/notify_listener.py" "$NOTIFY_SOCKET" "$BATS_TEST_TMPDIR/told" >/dev/null 2>&1 3>&- </dev/null &
	listener=$!
	wait_until '[ -S "$NOTIFY_SOCKET" ]'
}
told() { grep -cE "^[0-9]+ $1" "$BATS_TEST_TMPDIR/told" || true; } # PATTERN: how often
is_told() { [ "$(told "$1")" -ge "${2:-1}" ]; }

@test "a worker says that it is ready once Redis has greeted it, and not before" {
	listen
	redis_behind_proxy
	fault redis drop-reply _hello close 1000
	BF_REDIS_URL=$behind_redis start_worker
	wait_until 'fired redis drop-reply 3'
	wait_until 'is_told "STATUS=waiting for Redis: "'
	assert_same 'said to be ready' 0 "$(told READY=1)"
	fault redis pass
	wait_until 'is_told READY=1'
	wait_until 'is_told "STATUS=taking jobs: "'
}

@test "a worker says that it is ready once PostgreSQL has greeted it, and not before" {
	listen
	postgres_behind_proxy
	fault postgres reset 'worker (control)' 1000
	BF_DATABASE_URL=$behind_postgres start_worker
	wait_until 'fired postgres reset 3'
	wait_until 'is_told "STATUS=waiting for PostgreSQL: "'
	assert_same 'said to be ready' 0 "$(told READY=1)"
	fault postgres pass
	wait_until 'is_told READY=1'
	wait_until 'is_told "STATUS=taking jobs: "'
}

@test "a watched worker gives signs of life in time while it works, and says what it does and that it stops" {
	listen
	mixed_pipeline
	WATCHDOG_USEC=1000000 start_worker --slots=4
	begin_mixed mixed.told 2024-01-01
	wait_until 'is_told "STATUS=taking jobs: [1-9][0-9]* jobs held, [1-9][0-9]* running; "'
	let_walk mixed.told
	wait_for_end mixed.told
	wait_until 'is_told "STATUS=taking jobs: 0 jobs held, 0 running; 10 done, 0 failed"'
	wait_until 'is_told WATCHDOG=1 8'
	assert_same 'ready' 1 "$(told READY=1)"
	assert_same 'signs of life that came later than the manager allows' '' \
		"$(awk '$2 == "WATCHDOG=1" { if (last && $1 - last > 1000) print $1 - last " ms"; last = $1 }' "$BATS_TEST_TMPDIR/told")"

	begin_mixed mixed.stopped 2024-02-01
	wait_until 'is_told "STATUS=taking jobs: [1-9][0-9]* jobs held, [1-9][0-9]* running; "'
	assert_same 'said to stop' 0 "$(told STOPPING=1)"
	kill "${WORKER_PIDS[0]}"
	wait_until 'is_told STOPPING=1'
	wait_until 'is_told "STATUS=draining: "'
	kill "${WORKER_PIDS[0]}"
	exit_code_of "${WORKER_PIDS[0]}"
	assert_same 'exit code' 0 "$code"
	assert_same 'said to stop' 1 "$(told STOPPING=1)"
}

@test "a watchdog that is another process's hears nothing from the worker" {
	listen
	WATCHDOG_USEC=100000 WATCHDOG_PID=1 start_worker
	wait_until 'is_told READY=1'
	kill_worker "${WORKER_PIDS[0]}"
	wait_until 'is_told STOPPING=1'
	assert_same 'signs of life' 0 "$(told WATCHDOG=1)"
}

# ---- the unit ----

@test "systemd finds nothing wrong with the units, and little that the worker is exposed to" {
	units=$BATS_TEST_TMPDIR/units
	mkdir "$units"
	sed "s|^ExecStart=/usr/local/bin/worker|ExecStart=$(command -v worker)|" "$bf_top/deploy/systemd/worker@.service" >"$units/worker@.service"
	cp -r /lib/systemd/system/stunnel@.service "$bf_top/deploy/systemd/stunnel@backfill-redis.service.d" "$units"
	run systemd-analyze verify --man=no "$units/worker@1.service" "$units/stunnel@backfill-redis.service"
	assert_same 'exit code' 0 "$status"
	assert_same 'what systemd says' '' "$output"
	# the figure that docs/security.md states
	run systemd-analyze security --offline=true "$bf_top/deploy/systemd/worker@.service"
	[[ $output =~ 'Overall exposure level for worker@'.*': '([0-9.]+)' ' ]]
	grep -F "an exposure of ${BASH_REMATCH[1]} (of 10)" "$bf_top/docs/security.md"
}

# In the servers' folders everybody may do everything: the unit's user is nobody.
open_servers() {
	local home run
	home=$(sed -n 's/^pg_home=//p' "$BF_LOCAL_DIR/servers") run=$(sed -n 's/^pg_run=//p' "$BF_LOCAL_DIR/servers")
	chmod 755 "$home" "$run" "$BF_LOCAL_DIR" "$BF_LOCAL_DIR/redis"
	chmod 777 "$run"/.s.PGSQL.* "${BF_REDIS_URL#unix://}"
}

# The unit as it is, but for its user, a shorter watchdog, and what a worker of the test has to see: the rest of /tmp is hidden from it.
the_unit() {
	mkdir -p "$BATS_TEST_TMPDIR/unit/worker@.service.d"
	cp "$bf_top/deploy/systemd/worker@.service" "$BATS_TEST_TMPDIR/unit"
	printf '%s=%s\n' BF_REDIS_URL "$BF_REDIS_URL" BF_DATABASE_URL "$BF_DATABASE_URL" BF_LEASE 2s MARK "$MARK" ASAN_OPTIONS detect_leaks=0 \
		>"$BATS_TEST_TMPDIR/unit.env"
	cat >"$BATS_TEST_TMPDIR/unit/worker@.service.d/test.conf" <<-INI
		[Service]
		User=nobody
		EnvironmentFile=
		EnvironmentFile=$BATS_TEST_TMPDIR/unit.env
		WatchdogSec=2
		BindReadOnlyPaths=$(dirname "$(command -v worker)"):/usr/local/bin $BF_LOCAL_DIR $BF_PIPELINES
		BindPaths=$BATS_TEST_TMPDIR/marks
		StandardError=append:$BATS_TEST_TMPDIR/worker-unit.log
	INI
}
# Each program of the step `walk` tells, too, what it may do, in $MARK.may: the parts of the unit that only a program can feel.
told_by_programs() {
	mv "$made/bin/walk" "$made/bin/walk.plain"
	program walk <<-'SH'
		may=$(
			touch "/var/lib/backfill/$2" && echo -n 'state '
			touch /etc/x /usr/x "$MARK.x" 2>&1 | sed "s/^touch: cannot touch //" | paste -sd' '
			sed -nE 's/^(NoNewPrivs|Seccomp|CapBnd):\s*/\1 /p' /proc/self/status | paste -sd' '
		)
		echo "$may" >>"$MARK.may" # at once: there are several of them
		exec bash "$0.plain" "$@"
	SH
	chmod -R a+rX "$BF_PIPELINES"
}
property() { inside systemctl show -P "$1" worker@1; }

@test "systemd starts workers by the unit, starts one again whose loop stands still, and stops them: within what the unit allows, every kind of job is done" {
	systemd_can_run || skip "$why"
	own_servers
	chaos_record
	mixed_pipeline
	mkdir -m 777 "$BATS_TEST_TMPDIR/marks"
	export MARK=$BATS_TEST_TMPDIR/marks/mark
	install -m 666 /dev/null "$MARK"
	told_by_programs
	open_servers
	the_unit
	systemd_up "$BATS_TEST_TMPDIR/unit/worker@.service" "$BATS_TEST_TMPDIR/unit/worker@.service.d"
	inside systemctl start worker@1
	assert_same 'state' 'active running' "$(property ActiveState) $(property SubState)"
	begin_mixed mixed.unit 2024-01-01
	wait_until '[[ $(property StatusText) = "taking jobs: "[1-9]*" jobs held, "[1-9]*" running; "* ]]'

	# stopped, it cannot end by itself: what ends it is the watchdog
	inside kill -STOP "$(property MainPID)"
	wait_until '[ "$(property NRestarts)" = 1 ]'
	wait_until '[ "$(property SubState)" = running ]'
	inside systemctl start worker@2
	let_walk mixed.unit
	wait_for_end mixed.unit
	assert_mixed mixed.unit
	assert_same 'what programs may do' \
		"CapBnd 0000000000000000 NoNewPrivs 1 Seccomp 2|state '/etc/x': Read-only file system '/usr/x': Read-only file system" \
		"$(sort -u "$MARK.may" | paste -sd'|')"

	begin_mixed mixed.stopped 2024-02-01
	wait_until 'at_least 2 "select count(*) from bf.job where run = '"'mixed.stopped'"' and state = '"'running'"'"'
	let_walk mixed.stopped
	inside systemctl stop worker@1 worker@2
	assert_same 'state' 'inactive success 0' "$(property ActiveState) $(property Result) $(property ExecMainStatus)"
	assert_same 'jobs still running' 0 "$(pg "select count(*) from bf.job where state = 'running'")"
	assert_same 'tries that failed' 0 "$(pg "select count(*) from bf.attempt where run = 'mixed.stopped'")"
}
