# shellcheck shell=bash
# Clocks that a test moves, on top of lib.bash and own_servers: each process asks a file of its own how far its clock is off (clock.c).
#
#   clock_of_redis; clock_of_postgres     restarts the test's own server under a clock of its own
#   with_clock first start_worker …       a worker with one
#   move_clock redis +3600                seconds beside the host's

move_clock() { # NAME SECONDS
	local file=$BF_LOCAL_DIR/clock.$1
	[ -e "$file" ] || install -m 644 /dev/null "$file"
	printf '%+08d' "$2" | dd of="$file" conv=notrunc status=none
}

# clocked NAME: what goes before a command is in $clocked
clocked() {
	local lib=$BF_LOCAL_DIR/clock.so
	[ -e "$lib" ] || gcc -std=gnu17 -O2 -shared -fPIC -o "$lib" "$bf_top/tests/support/clock.c" || return 1
	chmod 755 "$lib" # PostgreSQL's user loads it, too
	[ -e "$BF_LOCAL_DIR/clock.$1" ] || move_clock "$1" 0
	clocked=(env "LD_PRELOAD=$lib" "BF_TEST_CLOCK=$BF_LOCAL_DIR/clock.$1" "ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0")
}

clock_of_redis() {
	local path=${BF_REDIS_URL#unix://}
	clocked redis
	rd shutdown
	wait_until "[ -z \"\$(server_pid redis)\" ]"
	"${clocked[@]}" "$(command -v redis-server || command -v valkey-server)" "$bf_top/deploy/redis.conf" --port 0 --unixsocket "${path%%\?*}" \
		--unixsocketperm 700 --dir "$BF_LOCAL_DIR/redis" --pidfile "$BF_LOCAL_DIR/redis/redis.pid" --logfile "$BF_LOCAL_DIR/redis/redis.log" \
		--daemonize yes >/dev/null 3>&-
	wait_until 'rd ping'
}

clock_of_postgres() {
	local data=$BF_LOCAL_DIR/pg/data user as=() bin
	user=$(stat -c %U "$data")
	[ "$user" = "$(id -un)" ] || as=(setpriv "--reuid=$user" "--regid=$(id -g "$user")" --clear-groups)
	bin=$(dirname "$(readlink "/proc/$(server_pid postgres)/exe")")
	clocked postgres
	(cd / && "${as[@]}" "${clocked[@]}" "$bin/pg_ctl" -D "$data" -l "$BF_LOCAL_DIR/pg/postgresql.log" -w -m fast -s restart >/dev/null 2>&1 3>&-)
	wait_until 'pg "select 1"'
}

with_clock() { # NAME COMMAND…: of this shell
	local asan=${ASAN_OPTIONS:-}
	clocked "$1"
	export "${clocked[@]:1}"
	"${@:2}"
	unset LD_PRELOAD BF_TEST_CLOCK
	export ASAN_OPTIONS=$asan
}
