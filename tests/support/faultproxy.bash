# shellcheck shell=bash
# The fault proxy in bats files: `load ../support/faultproxy.bash`, and faultproxies_down in teardown. faultproxy.py tells the commands.
#
#   redis_behind_proxy                     starts one; a worker gets $behind_redis as its BF_REDIS_URL
#   postgres_behind_proxy                  the same, with $behind_postgres as BF_DATABASE_URL
#   fault redis drop-reply _exchange       a command
#   wait_until 'fired redis drop-reply'    has it struck (at least once, or N times)?

# shellcheck disable=SC2154 # bf_top is of servers.sh
faultproxy_pids=()

fault() { # PROXY COMMAND…: prints the answer
	command -p python3 "$bf_top/tests/support/faultproxy.py" ask "$BATS_TEST_TMPDIR/$1.control" "${@:2}"
}
fired() { # PROXY FAULT [TIMES]
	[ "$(fault "$1" fired "$2")" -ge "${3:-1}" ]
}

start_faultproxy() { # PROXY LISTEN SERVER
	command -p python3 "$bf_top/tests/support/faultproxy.py" serve "$2" "$3" "$BATS_TEST_TMPDIR/$1.control" \
		>"$BATS_TEST_TMPDIR/$1.proxy.log" 2>&1 3>&- </dev/null &
	faultproxy_pids+=($!)
	wait_until "fault $1 open" 10
}

redis_behind_proxy() {
	local path=${BF_REDIS_URL#unix://}
	start_faultproxy redis "$BATS_TEST_TMPDIR/redis.sock" "${path%%\?*}"
	# shellcheck disable=SC2034 # for the test
	behind_redis=unix://$BATS_TEST_TMPDIR/redis.sock${BF_REDIS_URL#"unix://${path%%\?*}"}
}

postgres_behind_proxy() {
	local folder
	folder=$(sed -E 's/.*[?&]host=([^&]*).*/\1/' <<<"$BF_DATABASE_URL")
	start_faultproxy postgres "$BATS_TEST_TMPDIR/.s.PGSQL.5432" "$folder/.s.PGSQL.5432"
	# shellcheck disable=SC2034 # for the test
	behind_postgres=${BF_DATABASE_URL/"host=$folder"/"host=$BATS_TEST_TMPDIR"}
}

faultproxies_down() {
	local pid
	for pid in "${faultproxy_pids[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
}
