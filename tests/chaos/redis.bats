# Faults of Redis as a server: killed, away, emptied, replaced, stopped, and back with what it knew a while ago. resume.bats has more of rows
# 4, 5, 6. What goes wrong on the way to it and inside it: exchanges.bats (9, 10), memory.bats (11); with sentinels: sentinel.bats (7).
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/chaos.bash
load ../support/gated.bash
load ../support/faultproxy.bash

setup() {
	bf_setup
	own_servers
	chaos_record
}
teardown() {
	[ -z "${stopped_redis:-}" ] || kill -CONT "$stopped_redis"
	faultproxies_down
	bf_teardown
}

kill_redis() {
	kill -KILL "$(server_pid redis)"
	wait_until "[ -z \"\$(server_pid redis)\" ]"
}
redis_files() { echo "$BF_LOCAL_DIR/redis/appendonlydir"; }

# ---- 4, 5: away ----

# taskforcesh/bullmq#2964, OptimalBits/bull#1873: connected again, the workers take no more jobs. sidekiq/sidekiq#3684: threads that are
# busy while Redis goes down are dead for good.
@test "4: Redis killed and started again, three times: its workers go on within 10 s, and each keeps the jobs that it runs" {
	begin_with_two_workers gated.killed
	for day in 01 02 03; do
		kill_redis
		own_servers_again
		assert_goes_on gated.killed "$day"
	done
	end_gated gated.killed
	assert_none_taken gated.killed
	logs_have 'claims stop until it is back'
}

# The newcomer sweeps as soon as it is there, and by then the leases of the others have been over for long.
# bats test_tags=long
@test "4: Redis away for longer than a lease, and a new worker there before those that it served: none of their jobs is taken" {
	export BF_LEASE=4s
	redis_behind_proxy
	BF_REDIS_URL=$behind_redis begin_with_two_workers gated.served
	mv "$BATS_TEST_TMPDIR/redis.sock" "$BATS_TEST_TMPDIR/redis.sock.away"
	kill_redis
	sleep 5 # the fault itself
	own_servers_again
	start_worker --queues=other
	wait_until "worker_id ${WORKER_PIDS[2]}"
	sleep 1 # it sweeps each second, and at once
	assert_same 'workers whose lease is over' 2 "$(rd zcount bf:workers -inf "$(($(rd time | head -n 1) * 1000))")"
	mv "$BATS_TEST_TMPDIR/redis.sock.away" "$BATS_TEST_TMPDIR/redis.sock"
	assert_goes_on gated.served 01
	end_gated gated.served
	assert_none_taken gated.served
}

# The longest that anything here waits for an answer of Redis: a plain command, of enqueue or bfstat (redis.c).
longest_wait_s=10

# sidekiq/sidekiq#4495: what could not be acknowledged while Redis was away is run again.
@test "5: Redis away for longer than every timeout: jobs of both kinds commit meanwhile, and are reported when it is back" {
	begin_with_two_workers gated.away
	kill_redis
	# shellcheck disable=SC2034 # read by wait_until
	gone=$SECONDS
	wait_until "logs_have 'claims stop until it is back'"
	open_gate gated.away 01
	rm "$MARK.gate"
	wait_at_work gated.away 'copy 2024-03-02'
	wait_until '((SECONDS - gone > longest_wait_s))' # the fault itself
	assert_same 'at work' 'copy 2024-03-02' "$(at_work gated.away)"
	own_servers_again
	assert_goes_on gated.away 02
	end_gated gated.away
	assert_none_taken gated.away
}

# ---- 6: emptied ----

is_rebuilt() { [ "$(rd get bf:generation)" = "$(pg 'select generation from bf.meta')" ]; }

# OptimalBits/bull#1143: jobs stop for good when Redis is flushed, and that is taken for right. sidekiq/sidekiq#2119: what was queued is gone.
@test "6: FLUSHALL with workers up: rebuilt from the ledger, and what runs at that moment is adopted, not run twice" {
	begin_with_two_workers gated.flushed
	before=$(rd get bf:generation)
	for day in 01 02; do
		rd flushall >/dev/null
		wait_until is_rebuilt
		assert_goes_on gated.flushed "$day"
	done
	end_gated gated.flushed
	assert_none_taken gated.flushed
	assert_same 'generation' $((before + 2)) "$(rd get bf:generation)"
}

new_empty_redis() {
	local id
	id=$(rd info server | grep run_id)
	kill_redis
	rm -r "$(redis_files)"
	own_servers_again
	[ "$(rd info server | grep run_id)" != "$id" ]
}

# bats test_tags=long
@test "6: a new empty Redis in the old one's place with workers up: the same" {
	begin_with_two_workers gated.replaced
	before=$(rd get bf:generation)
	new_empty_redis
	wait_until is_rebuilt
	assert_same 'generation' $((before + 1)) "$(rd get bf:generation)"
	assert_goes_on gated.replaced 01
	end_gated gated.replaced
	assert_none_taken gated.replaced
}

# bats test_tags=long
@test "6: a new empty Redis while all workers are down: the next ones rebuild it, and finish what was at work" {
	begin_with_two_workers gated.alone
	kill -KILL "${WORKER_PIDS[@]}"
	new_empty_redis
	: >"$MARK" # those programs have ended with their workers; what counts is what the next ones begin
	start_worker --slots=2
	start_worker --slots=2
	wait_until "is 4 \"select count(*) from bf.job where state = 'running' and epoch = 2\"" $((2 * lease_s + 5))
	end_gated gated.alone
	assert_same 'times that the first four were opened' '2 4' "$(pg "select epoch || ' ' || count(*) from bf.job where epoch > 1 group by epoch")"
	assert_sent_once gated.alone
}

# ---- 8: stopped ----

# celery/celery#2906, redis/redis-py#1305: a worker that waits for ever on a connection which is open, and silent.
@test "8: Redis stopped with its connections open: noticed by its silence, jobs commit meanwhile, and all go on with it afterwards" {
	begin_with_two_workers gated.stopped
	stopped_redis=$(server_pid redis)
	kill -STOP "$stopped_redis"
	# shellcheck disable=SC2034 # read by wait_until
	gone=$SECONDS
	wait_until "logs_have 'broke (no answer for'" "$lease_s"
	open_gate gated.stopped 01
	rm "$MARK.gate"
	wait_at_work gated.stopped 'copy 2024-03-02'
	wait_until '((SECONDS - gone > longest_wait_s))'
	kill -CONT "$stopped_redis"
	stopped_redis=
	assert_goes_on gated.stopped 02
	end_gated gated.stopped
	assert_none_taken gated.stopped
}

# ---- 9: an older image ----

# One that knows a worker that is dead by now and not the one that has its job, and lists as claimed what is done. The slots are full, so
# that nobody claims before each worker has said what it holds.
@test "9: an older image of Redis under live workers: hold lists resolve it, no job is stranded, and nothing is done twice" {
	begin_gated gated.older
	for slot in 1 2 3 4; do
		start_worker --slots=1
	done
	wait_at_work gated.older "$first"
	cp -r "$(redis_files)" "$BATS_TEST_TMPDIR/older"
	dead=$(pg "select worker from bf.job where run = 'gated.older' and chunk = '2024-03-01'")
	kill -KILL "$(pg "select split_part('$dead', '-', -2)")"
	start_worker --slots=1
	wait_until "is 2 \"select epoch from bf.job where run = 'gated.older' and chunk = '2024-03-01' and state = 'running'\"" 20
	open_gate gated.older 02
	wait_at_work gated.older "copy 2024-03-01, copy 2024-03-03, $sends"
	kill_redis
	rm -r "$(redis_files)"
	cp -r "$BATS_TEST_TMPDIR/older" "$(redis_files)"
	grep -rqaF "$dead" "$(redis_files)" # it is an older one
	own_servers_again
	wait_until "[ -z \"\$(rd zscore bf:workers '$dead')\" ]" $((2 * lease_s + 5))
	end_gated gated.older
	assert_same 'jobs of which a try was not the only one' 'copy 2024-03-01' "$(pg "select step || ' ' || chunk from bf.job where epoch > 1")"
	assert_sent_once gated.older
}
