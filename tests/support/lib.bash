# shellcheck shell=bash
# For bats files: `load ../support/lib.bash`, `setup() { bf_setup; }`, `teardown() { bf_teardown; }`.
#
# bf_setup gives each test a migrated database of its own and a Redis database that is empty, on the private servers that tests/run
# started. A test that kills servers calls own_servers first and has a pair to itself.

# shellcheck source=servers.sh
source "$(dirname "${BASH_SOURCE[0]}")/servers.sh"

# The psql of Debian's PATH is a wrapper in Perl that takes longer to start than psql does to ask, and it is asked all the time.
for psql_dir in /usr/lib/postgresql/*/bin; do
	[ ! -x "$psql_dir/psql" ] || PATH=$psql_dir:$PATH
done
unset psql_dir

WORKER_PIDS=()
own_folders=()

bf_setup() {
	[ -n "${BF_REDIS_URL:-}" ] || { echo 'run this through tests/run, which starts the servers' >&2; return 1; }
	export PATH=${BF_BUILD:-$bf_top/build-test}/bin:$PATH BF_PIPELINES=${BF_PIPELINES:-$bf_top/deploy/pipelines}
	export BF_TEST_SERVERS_URL=${BF_TEST_SERVERS_URL:-$BF_DATABASE_URL}
	local name=bf_test_${BATS_SUITE_TEST_NUMBER:-0}_$$
	make_template "$BF_TEST_SERVERS_URL"
	server_sql "$BF_TEST_SERVERS_URL" "create database $name template bf_template"
	BF_DATABASE_URL=$(database_url "$BF_TEST_SERVERS_URL" "$name")
	BF_REDIS_URL=${BF_REDIS_URL%%\?*}'?db='$((1 + ${BATS_SUITE_TEST_NUMBER:-0} % 15))
	export BF_DATABASE_URL BF_REDIS_URL
	rd flushdb >/dev/null
}

bf_teardown() {
	local pid folder code=0
	for pid in "${WORKER_PIDS[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	[ -z "${watcher_pid:-}" ] || watcher_end || code=1 # of watcher.bash
	for folder in "${own_folders[@]}"; do
		servers_down "$folder"
	done
	[ -n "${BATS_TEST_COMPLETED:-}" ] || tail -n 20 "$BATS_TEST_TMPDIR"/worker-*.log 2>/dev/null || true
	return $code
}

server_sql() { psql -XAtq -v ON_ERROR_STOP=1 -d "$1" -c "$2"; }

# The migrated database that the others are copies of; made once a server.
make_template() { # URL
	[ "$(server_sql "$1" "select 1 from pg_database where datname = 'bf_template'")" != 1 ] || return 0
	server_sql "$1" 'create database bf_template_new'
	BF_DATABASE_URL=$(database_url "$1" bf_template_new) enqueue migrate >"$BATS_TEST_TMPDIR/migrate.log" 2>&1 || {
		cat "$BATS_TEST_TMPDIR/migrate.log" >&2
		return 1
	}
	server_sql "$1" 'alter database bf_template_new rename to bf_template'
}

# A PostgreSQL and a Redis of this test's own, migrated. server_pid names what to kill; own_servers_again starts what is not running.
own_servers() {
	servers_up
	own_folders+=("$BF_LOCAL_DIR")
	enqueue migrate >/dev/null
}
own_servers_again() { servers_up "$BF_LOCAL_DIR"; }

server_pid() { # postgres|redis
	"$bf_top/deploy/local" status | sed -nE "s/^${1}(ql)? .*running +pid ([0-9]+),.*/\2/Ip"
}

# ---- workers ----

start_worker() { # [ARGUMENT…]: its pid is the last of WORKER_PIDS, its log $BATS_TEST_TMPDIR/worker-N.log
	worker "$@" >"$BATS_TEST_TMPDIR/worker-${#WORKER_PIDS[@]}.log" 2>&1 3>&- </dev/null &
	WORKER_PIDS+=($!)
}

kill_worker() { # PID [SIGNAL]; waits for its end and returns its exit code
	kill -s "${2:-TERM}" "$1"
	wait "$1"
}

# ---- looking ----

# wait_until CONDITION [SECONDS]: a condition is a command line; polled until it succeeds, less often after the first second
wait_until() {
	local deadline=$((SECONDS + ${2:-30})) polls=0
	until eval "$1" >/dev/null 2>&1; do
		if ((SECONDS >= deadline)); then
			printf 'not within %s s: %s\n' "${2:-30}" "$1" >&2
			eval "$1" >&2 || true
			return 1
		fi
		if ((++polls < 15)); then sleep 0.05; else sleep 0.2; fi
	done
}

pg() { server_sql "$BF_DATABASE_URL" "$1"; }

rd() {
	local db=0
	[[ ! $BF_REDIS_URL =~ \?db=([0-9]+)$ ]] || db=${BASH_REMATCH[1]}
	local path=${BF_REDIS_URL#unix://}
	redis-cli -s "${path%%\?*}" -n "$db" "$@"
}

run_state() { pg "select state from bf.run where run = '$1'"; }
run_ended() { [[ $(run_state "$1") =~ ^(done|failed|cancelled)$ ]]; }

# assert_same WHAT EXPECTED ACTUAL
assert_same() {
	[ "$2" = "$3" ] || {
		printf '%s\n  expected: %s\n  found:    %s\n' "$1" "$2" "$3" >&2
		return 1
	}
}

# ---- the oracle: looks at both servers from outside the programs ----

# oracle RUN [STEP=TABLE…]: the run is done, its steps and jobs are settled without hole or overlap, what was asked for is done, and Redis
# keeps nothing of it. For each STEP=TABLE: the table has exactly one row (column chunk) for each done chunk of the step. Such a table must
# have no unique key, which would hide a double.
oracle() {
	local run=$1 wrong pair queue
	shift
	wrong=$(psql -XAtq -v ON_ERROR_STOP=1 -v run="$run" -d "$BF_DATABASE_URL" -f "$bf_top/tests/support/oracle.sql")
	for pair in "$@"; do
		wrong+=$(psql -XAtq -v ON_ERROR_STOP=1 -v run="$run" -v step="${pair%%=*}" -v table="${pair#*=}" -d "$BF_DATABASE_URL" \
			-f "$bf_top/tests/support/oracle_effects.sql")
	done
	queue=$(pg "select queue from bf.run where run = '$run'")
	wrong+=$(rd smembers "bf:run:$run:released" | sed -n 's/^./still released in Redis: &/p')
	wrong+=$(rd lrange "bf:queue:$queue" 0 -1 | grep -F "$run/" | sed 's/^/still queued in Redis: /')
	wrong+=$(rd zrange "bf:delayed:$queue" 0 -1 | grep -F "$run/" | sed 's/^/still delayed in Redis: /')
	assert_same "what the oracle has against $run" '' "$wrong"
}
