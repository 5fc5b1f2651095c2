# shellcheck shell=bash
# Clocks that a test moves, on top of lib.bash and own_servers: each process asks a file of its own how far its clock is off. CLOCK_MONOTONIC goes
# on as it does, as when the clock of a host is set.
#
#   clock_of_redis; clock_of_postgres     restarts the test's own server under a clock of its own
#   with_clock worker-1 start_worker …    a worker with one
#   move_clock redis +3600                seconds beside the host's

clock_file() { echo "$BF_LOCAL_DIR/clock.$1"; }

move_clock() {                                   # NAME SECONDS
	printf '%s\n' "$2" >"$(clock_file "$1").new" # whole at once: it is read at any moment
	chmod 644 "$(clock_file "$1").new"
	mv "$(clock_file "$1").new" "$(clock_file "$1")"
}

faketime_env() { # NAME: what goes before a command
	local lib
	lib=$(find /usr/lib -name libfaketimeMT.so.1 -print -quit)
	[ -n "$lib" ] || { echo 'libfaketimeMT.so.1 is not there: deploy/install-packages tests' >&2; return 1; }
	[ -e "$(clock_file "$1")" ] || move_clock "$1" +0
	clocked=(env "LD_PRELOAD=${2:-}$lib" "FAKETIME_TIMESTAMP_FILE=$(clock_file "$1")" FAKETIME_NO_CACHE=1 DONT_FAKE_MONOTONIC=1
		FAKETIME_DONT_FAKE_MONOTONIC=1)
}

clock_of_redis() {
	local path=${BF_REDIS_URL#unix://}
	faketime_env redis
	rd shutdown
	wait_until "! server_pid redis | grep ."
	"${clocked[@]}" "$(command -v redis-server || command -v valkey-server)" "$bf_top/deploy/redis.conf" --port 0 --unixsocket "${path%%\?*}" \
		--unixsocketperm 700 --dir "$BF_LOCAL_DIR/redis" --pidfile "$BF_LOCAL_DIR/redis/redis.pid" --logfile "$BF_LOCAL_DIR/redis/redis.log" \
		--daemonize yes >/dev/null
	wait_until 'rd ping'
}

clock_of_postgres() {
	local data=$BF_LOCAL_DIR/pg/data user as=() bin
	user=$(stat -c %U "$data")
	[ "$user" = "$(id -un)" ] || as=(setpriv "--reuid=$user" "--regid=$(id -g "$user")" --clear-groups)
	bin=$(dirname "$(readlink "/proc/$(server_pid postgres)/exe")")
	faketime_env postgres
	(cd / && "${as[@]}" "${clocked[@]}" "$bin/pg_ctl" -D "$data" -l "$BF_LOCAL_DIR/pg/postgresql.log" -w -m fast -s restart >/dev/null 2>&1 3>&-)
	wait_until 'pg "select 1"'
}

with_clock() { # NAME COMMAND…: of this shell
	faketime_env "$1" "$(ldd "$(command -v worker)" | sed -nE 's/.* => (.*libasan[^ ]*) .*/\1:/p')" # the sanitizer wants to be first
	local kept=${LD_PRELOAD:-}
	export "${clocked[@]:1}"
	"${@:2}"
	export LD_PRELOAD=$kept
	[ -n "$kept" ] || unset LD_PRELOAD
	unset FAKETIME_TIMESTAMP_FILE FAKETIME_NO_CACHE DONT_FAKE_MONOTONIC FAKETIME_DONT_FAKE_MONOTONIC
}
