# Row 18: a backlog of a million and 2,000 leased jobs.
bats_require_minimum_version 1.5.0
load ../support/lib.bash

setup() { redis=$BATS_TEST_TMPDIR/redis; }
teardown() {
	[ ! -e "$redis/pid" ] || kill -KILL "$(cat "$redis/pid")"
}

# A Redis of its own, of which nobody else asks anything.
start_redis() {
	mkdir "$redis"
	"$(command -v redis-server || command -v valkey-server)" --port 0 --unixsocket "$redis/socket" --dir "$redis" --save '' --appendonly no \
		--pidfile "$redis/pid" --logfile "$redis/log" --daemonize yes >/dev/null
	wait_until "redis-cli -s '$redis/socket' ping"
}

@test "no function of the queue's library takes more than 5 ms with a backlog of a million and 2,000 leased jobs" {
	start_redis
	run --separate-stderr command -p python3 "$bf_top/tests/support/scale.py" "$redis/socket" "$bf_top/common/core/lua/bf_v1.lua"
	printf 'function calls us\n%s\n%s\n' "$output" "$stderr"
	[ "$status" -eq 0 ]
	functions=$(sed -nE "s/^register\('([a-z_]+)'.*/\1/p; s/^redis.register_function\('bf_v1_([a-z_]+)'.*/\1/p" "$bf_top/common/core/lua/bf_v1.lua" | sort)
	assert_same 'functions that were called' "$functions" "$(cut -d' ' -f1 <<<"$output")"
	assert_same 'functions that took more than 5 ms' '' "$(awk '$3 >= 5000' <<<"$output")"
}
