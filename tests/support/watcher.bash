# shellcheck shell=bash
# bfstat, looked at all through a scenario, beside what both servers say by themselves (row 19 of docs/reliability.md).
#
#   watcher_begin       chaos_record calls it: every three seconds bfstat shows a run under way or the workers, in turn
#   watcher_end         bf_teardown calls it, once the workers are gone: what was shown was true, after `verify` it is the ledger's word, and
#                       the ledger is in order (invariants.sql)
#
# In between it also looks whether Redis counts a job as done that the ledger does not have as done: nothing is acknowledged before its commit.
# Where Redis throws away what it knows, it may count a job twice until that is noticed: counters_may_lie=1 leaves this out.
# Shown as running past its lease is a job that bfstat has as running (not `lost`) under a worker that had no lease just before bfstat was
# asked, nor just behind it.

watcher_pid='' watcher_folder=''

# Those whose lease goes on, by the queue's own clock; fails when Redis does not answer.
workers_with_lease() {
	local ids
	ids=$(rd -e eval "local t = redis.call('TIME')
		local now = t[1] * 1000 + math.floor(t[2] / 1000) + tonumber(redis.call('GET', 'bf:clock') or '0')
		return redis.call('ZRANGEBYSCORE', 'bf:workers', string.format('(%d', now), '+inf')" 0 2>/dev/null) || return 1
	printf '%s\n' "$ids"
}

# What bfstat says; that it broke down is written to `wrong`.
bfstat_says() { # ARGUMENT…
	local code=0
	timeout 30 bfstat "$@" --json 2>"$watcher_folder/err" || code=$?
	if ((code >= 6)) || grep -qE 'Sanitizer|runtime error' "$watcher_folder/err"; then
		printf 'bfstat %s ended with %d\n' "$*" "$code"
		cat "$watcher_folder/err"
	fi >>"$watcher_folder/wrong"
}

shown_at_work() { # TURN: the workers that bfstat shows as alive, or as those of running jobs
	local run
	if (($1 % 2)); then
		bfstat_says workers | jq -r '.workers[] | select(.state == "alive") | .worker'
	else
		run=$(pg "select run from bf.run where state in ('running', 'stopping') order by random() limit 1")
		[ -z "$run" ] || bfstat_says "$run" | jq -r '.running[] | select(.lost == false) | .worker'
	fi
}

acknowledged_too_early() {
	local counted run in_redis
	counted=$(for run in $(rd smembers bf:runs 2>/dev/null); do echo "$run $(rd hget "bf:run:$run" 'done' 2>/dev/null)"; done)
	while read -r run in_redis; do
		[[ $in_redis =~ ^[0-9]+$ ]] || continue
		pg "select 'Redis has $in_redis jobs of $run as done, and the ledger ' || count(*) from bf.job where run = '$run' and state = 'done' having count(*) < $in_redis"
	done <<<"$counted"
}

watcher_look() { # TURN
	local shown before behind
	[ -n "${counters_may_lie:-}" ] || acknowledged_too_early >>"$watcher_folder/wrong" 2>/dev/null
	before=$(workers_with_lease) || return 0
	shown=$(shown_at_work "$1" | sort -u)
	behind=$(workers_with_lease) || return 0
	grep -vxF -e "$before" -e "$behind" <<<"$shown" | grep . | sed "s/^/shown at work, without a lease: /" >>"$watcher_folder/wrong"
}

watcher_begin() {
	watcher_stop
	watcher_folder=$BATS_TEST_TMPDIR/watcher
	mkdir -p "$watcher_folder"
	touch "$watcher_folder/wrong"
	(
		turn=0
		while sleep 3; do watcher_look $((turn++)); done
	) >/dev/null 2>&1 3>&- </dev/null &
	watcher_pid=$!
}

watcher_stop() {
	[ -n "$watcher_pid" ] || return 0
	kill "$watcher_pid" 2>/dev/null || true
	wait "$watcher_pid" 2>/dev/null || true
	watcher_pid=
}

# What bfstat counts of each run, and what the ledger has.
same_counts() {
	local run shown
	for run in $(pg 'select run from bf.run'); do
		shown=$(timeout 30 bfstat "$run" --json 2>/dev/null | jq -c '.jobs | [.pending, .running + .lost, .done, .failed, .skipped, .cancelled]')
		assert_same "counts of $run" "$(pg "select json_build_array(count(*) filter (where state = 'pending'), count(*) filter (where state = 'running'),
			count(*) filter (where state = 'done'), count(*) filter (where state = 'failed'), count(*) filter (where state = 'skipped'),
			count(*) filter (where state = 'cancelled')) from bf.job where run = '$run'" | tr -d ' ')" "$shown" || return 1
	done
}
verified() { timeout 60 bfstat verify --repair && bfstat verify && same_counts; }

watcher_end() {
	watcher_stop
	assert_same 'what bfstat showed, and was not so' '' "$(cat "$watcher_folder/wrong")" || return 1
	# a scenario may end with a server away
	if [ "$(rd ping 2>/dev/null)" = PONG ] && pg 'select' >/dev/null 2>&1; then
		wait_until verified 30 || return 1
		assert_same 'what is wrong in the ledger' '' "$(psql -XAtq -v ON_ERROR_STOP=1 -d "$BF_DATABASE_URL" -f "$bf_top/tests/support/invariants.sql" 2>&1)"
	fi
}
