# Faults between a worker and Redis: answers lost after what was asked for was done, requests that come late (row 9); the functions themselves
# gone, or there in two versions (row 10).
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/chaos.bash
load ../support/gated.bash
load ../support/faultproxy.bash

setup() {
	chaos_setup
	export BF_LOG_LEVEL=debug # tells when a worker has said what it holds
}
teardown() {
	faultproxies_down
	bf_teardown
}

# ---- 9: lost, late ----

start_worker_behind_proxy() { BF_REDIS_URL=$behind_redis start_worker "$@"; }

# What is done, is done once, by the worker that was given it.
assert_never_again() { # RUN
	assert_same "jobs of $1 that were opened again" '' "$(pg "select step, chunk, epoch from bf.job where run = '$1' and epoch <> 1")"
}

# rq/rq#2079: a job is popped, the connection ends, and it is in no queue any more. bee-queue/bee-queue#170: 1200 jobs `active` for good.
@test "9: answers of exchanges lost after they ran, closed and silent: asked again, the same answer, each job begun once" {
	mixed_pipeline
	redis_behind_proxy
	start_worker_behind_proxy
	wait_until "[ -n \"\$(rd smembers bf:idle:default)\" ]"
	fault redis drop-reply _exchange close 6
	fault redis drop-reply _exchange silent 6
	let_walk mixed.dropped
	begin_mixed mixed.dropped 2024-02-01
	wait_until 'fired redis drop-reply 12' 40
	wait_for_end mixed.dropped
	assert_mixed mixed.dropped
	assert_never_again mixed.dropped
	assert_same 'tries that were counted' 0 "$(pg 'select count(*) from bf.attempt')"
}

# bats test_tags=long
@test "9: answers to the first words and to hold lists lost: said again, and nothing is taken from the worker" {
	redis_behind_proxy
	begin_gated gated.words
	start_worker_behind_proxy --slots=4
	wait_at_work gated.words "$first"
	start_worker --slots=4 # would take what is free
	for how in close silent; do
		fault redis drop-reply _hold "$how" 2
		fault redis drop-reply _hello "$how" 2
	done
	wait_until 'fired redis drop-reply 8' 40
	assert_goes_on gated.words 01
	end_gated gated.words
	assert_none_taken gated.words
}

# The hold list of a broken connection comes when another exchange has ended one of its jobs and begun another: it would give the new one to
# the worker beside, and the old one back to this.
# bats test_tags=long
@test "9: a hold list that comes late, on the connection that it was sent on, is refused" {
	redis_behind_proxy
	begin_gated gated.late
	start_worker_behind_proxy --slots=4
	wait_at_work gated.late "$first"
	start_worker --slots=4
	fault redis late _hold '$4\r\ndone\r\n'
	wait_until "worker_log 0 | grep -F 'broke ('"
	wait_until "worker_log 0 | sed -n '/broke/,\$p' | grep -F 'redis: ready'"
	assert_same 'late ones so far' 0 "$(fault redis fired late)"
	open_gate gated.late 01
	wait_until 'fired redis late'
	wait_at_work gated.late "copy 2024-03-02, copy 2024-03-03, $sends"
	id=$(worker_id "${WORKER_PIDS[0]}")
	runs=$(pg "select (run || '/' || step || '/' || chunk || '#' || seq) collate \"C\" from bf.job where state = 'running' and worker = '$id' order by 1")
	[ "$(wc -l <<<"$runs")" -ge 3 ] # the worker beside may have got the new one
	assert_same 'what it holds' "$runs" "$(rd hkeys "bf:worker:$id:jobs" | LC_ALL=C sort)"
	end_gated gated.late
	assert_none_taken gated.late
}

@test "9: an exchange that comes late, when it has been asked again on another connection, has no second effect" {
	mixed_pipeline
	redis_behind_proxy
	start_worker_behind_proxy
	let_walk mixed.late
	begin_mixed mixed.late 2024-02-01
	for times in 1 2 3 4; do
		fault redis late _exchange
		wait_until "fired redis late $times"
	done
	wait_for_end mixed.late
	assert_mixed mixed.late
	assert_never_again mixed.late
}

# ---- 10: the functions ----

@test "10: FUNCTION FLUSH in mid-run: the functions are loaded again, and no job is taken from its worker" {
	begin_with_two_workers gated.functions
	for day in 01 02 03; do
		rd function flush >/dev/null
		assert_goes_on gated.functions "$day"
		assert_same 'libraries' 'bf bf_v1 bf_v1_keys' "$(libraries)"
	done
	end_gated gated.functions
	assert_none_taken gated.functions
}
libraries() { rd function list | grep -A 1 -x library_name | grep -E '^bf' | sort | paste -sd' '; }

# The next version of the protocol: this worker, with another name for its library and for the functions in it.
make_next_version() {
	mkdir "$BATS_TEST_TMPDIR/next"
	sed 's/bf_v1/bf_v2/g' "$(command -v worker)" >"$BATS_TEST_TMPDIR/next/worker"
	chmod +x "$BATS_TEST_TMPDIR/next/worker"
}
start_next_worker() { PATH=$BATS_TEST_TMPDIR/next:$PATH start_worker "$@"; }

# hibiken/asynq#305, taskforcesh/bullmq#1207: workers of two versions break each other's scripts, or the jobs that they share.
@test "10: workers of two versions of the protocol side by side share a run; the new one takes over what the old one had" {
	make_next_version
	begin_gated gated.rolling
	start_worker --slots=2
	wait_until "is 2 \"select count(*) from bf.job where state = 'running'\""
	start_next_worker --slots=4
	wait_at_work gated.rolling "$first"
	assert_same 'workers that have them' 2 "$(pg "select count(distinct worker) from bf.job where state = 'running'")"
	assert_same 'libraries' 'bf bf_v1 bf_v1_keys bf_v2 bf_v2_keys' "$(libraries)"
	assert_goes_on gated.rolling 01
	assert_goes_on gated.rolling 02
	kill -TERM "${WORKER_PIDS[0]}"
	wait_until "grep -qF draining '$BATS_TEST_TMPDIR/worker-0.log'" # two signals of a kind that wait together are one
	kill -TERM "${WORKER_PIDS[0]}"
	exit_code_of "${WORKER_PIDS[0]}"
	assert_same 'exit code of the old one' 0 "$code"
	wait_until "is 4 \"select count(*) from bf.job where state = 'running'\" && is 1 \"select count(distinct worker) from bf.job where state = 'running'\""
	end_gated gated.rolling
	for library in bf_v2 bf_v2_keys; do # the tests that follow share this server
		rd function delete "$library" >/dev/null
	done
}
