# The watcher of the other files (support/watcher.bash): that it sees what it looks for. The bfstat that lies is played, for no real one does on request.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/chaos.bash

setup() {
	chaos_setup
	watcher_stop # the looks are this test's own
	pipeline wait <<<'{"pipeline": "wait", "chunk": {"size": 1}, "steps": [{"name": "wait", "kind": "exec", "argv": ["/bin/sleep", "60"]}]}'
	enqueue_run wait.one wait --since=2024-01-01 --until=2024-01-01
	start_worker
	wait_until "is 1 \"select count(*) from bf.job where state = 'running'\""
}
teardown() {
	: >"$watcher_folder/wrong"
	bf_teardown
}

bfstat_is() { # a shell script, on stdin
	mkdir "$BATS_TEST_TMPDIR/played"
	{ echo '#!/bin/sh'; cat; } >"$BATS_TEST_TMPDIR/played/bfstat"
	chmod +x "$BATS_TEST_TMPDIR/played/bfstat"
	PATH=$BATS_TEST_TMPDIR/played:$PATH
}

@test "a worker that lives is seen, as one with a job and as one that is alive, and nothing is wrong with that" {
	me=$(worker_id "${WORKER_PIDS[0]}")
	assert_same 'of the running jobs' "$me" "$(shown_at_work 0)"
	assert_same 'of the workers' "$me" "$(shown_at_work 1)"
	watcher_look 0
	watcher_look 1
	assert_same 'wrong' '' "$(cat "$watcher_folder/wrong")"
}

@test "a worker without a lease that is shown as alive, or as one that runs a job, is noticed" {
	bfstat_is <<<'echo '\''{"workers": [{"worker": "w-dead", "state": "alive"}], "running": [{"worker": "w-gone", "lost": false}, {"worker": "w-lost", "lost": true}]}'\'
	watcher_look 0
	watcher_look 1
	assert_same 'wrong' 'shown at work, without a lease: w-gone|shown at work, without a lease: w-dead' "$(paste -sd'|' "$watcher_folder/wrong")"
	run watcher_end
	[ "$status" -eq 1 ]
}

@test "a bfstat that breaks down is noticed" {
	bfstat_is <<<'echo "ERROR: AddressSanitizer" >&2; exit 1'
	watcher_look 1
	grep -q AddressSanitizer "$watcher_folder/wrong"
	run watcher_end
	[ "$status" -eq 1 ]
}

@test "counts that are not the ledger's are noticed" {
	same_counts
	bfstat_is <<<'echo '\''{"jobs": {"pending": 0, "running": 0, "lost": 0, "done": 1, "failed": 0, "skipped": 0, "cancelled": 0}}'\'
	run same_counts
	[ "$status" -eq 1 ]
	[[ $output = *'counts of wait.one'* ]]
}

@test "a job that Redis counts as done while it runs is noticed" {
	kill -STOP "${WORKER_PIDS[0]}" # its upkeep would put the counter right
	rd hincrby bf:run:wait.one 'done' 1
	watcher_look 0
	kill -CONT "${WORKER_PIDS[0]}"
	assert_same 'wrong' 'Redis has 1 jobs of wait.one as done, and the ledger 0' "$(cat "$watcher_folder/wrong")"
}

@test "a ledger that is not in order is noticed" {
	pg "insert into history (run, step, seq, chunk, state, epoch, checkpoint) select run, step, seq, chunk, state, epoch + 1, '3' from bf.job"
	kill_worker "${WORKER_PIDS[0]}" KILL || true
	pg "insert into history (run, step, seq, chunk, state, epoch, checkpoint) select run, step, seq, chunk, state, epoch, '2' from bf.job"
	run watcher_end
	[ "$status" -eq 1 ]
	[[ $output = *'wait.one/wait went from running in epoch 2 at 3 to running in epoch 1 at 2'* ]]
	pg "update bf.run set state = 'done'"
	run psql -XAtq -d "$BF_DATABASE_URL" -f "$bf_top/tests/support/invariants.sql"
	[[ $output = *'wait.one is done, and wait/2024-01-01 is running'* ]]
	pg "update bf.run set state = 'running'; truncate history"
}
