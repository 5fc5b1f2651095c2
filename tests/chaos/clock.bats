# Row 15: a clock jumps by an hour, or two hosts disagree by one. Leases, delays, rates and retries are what they would have been. All times
# are taken by the programs that are run, from a clock that nobody moves.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/chaos.bash
load ../support/clock.bash

setup() {
	bf_setup
	own_servers
	chaos_record
	clocked_pipelines
}
teardown() {
	[ -z "${monitor_pid:-}" ] || kill "$monitor_pid"
	bf_teardown
}

# held: four programs that wait until they are let go. again: two that fail at their first try and have to wait for 3 s. paced: another run,
# of which a job is handed out each two seconds.
clocked_pipelines() {
	export MARK=$BATS_TEST_TMPDIR/mark
	: >"$MARK"
	pipeline paced <<-'JSON'
		{"pipeline": "paced", "chunk": {"size": 1}, "concurrency": {"default": 2}, "rate": "30/minute", "env": {"pass": ["PATH", "MARK"]},
		 "steps": [{"name": "paced", "kind": "exec", "argv": ["bin/paced", "{{chunk}}"]}]}
	JSON
	program paced <<<'true'
	pipeline clocked <<-'JSON'
		{"pipeline": "clocked", "chunk": {"size": 1}, "concurrency": {"default": 6, "max": 6}, "env": {"pass": ["PATH", "MARK"]},
		 "defaults": {"timeout": "5m", "retry": {"attempts": 3, "first": "3s", "jitter": 0}},
		 "steps": [
		  {"name": "held", "kind": "exec", "argv": ["bin/held", "{{chunk}}"], "needs": []},
		  {"name": "again", "kind": "exec", "argv": ["bin/again", "{{chunk}}"], "chunk": {"size": 2}, "needs": []},
		  {"name": "copy", "kind": "sql", "file": "sql/copy.sql", "needs": ["held", "again"]}]}
	JSON
	program held <<-'SH'
		echo "held $1 $BF_EPOCH $(date +%s.%N)" >>"$MARK"
		until [ -e "$MARK.open" ]; do sleep 0.05; done
	SH
	program again <<-'SH'
		echo "again $1 $BF_EPOCH $(date +%s.%N)" >>"$MARK"
		[ "$BF_EPOCH" -gt 1 ]
	SH
	sql_file copy.sql <<<"insert into effect values (:'run', 'copy', :'chunk');"
}

started() { grep -c "^$1 " "$MARK"; } # STEP

# When Redis hands out a job of the run with a rate: each time it sets when the next one may be. That its program starts a moment later, each
# a different one, is not the rate's doing.
note_hand_outs() {
	rd monitor 3>&- 2>/dev/null </dev/null | perl -MTime::HiRes=time -ne 'BEGIN { $| = 1 } printf "paced - 1 %.3f\n", time if /"bf:run:paced.one" "tat"/' 3>&- >>"$MARK" &
	monitor_pid=$!
	wait_until '[ "$(rd client list type normal | grep -c "cmd=monitor")" = 1 ]'
}

# through COMMAND…: two workers are in the middle of it when the command moves a clock; then the one that has two of the held jobs is killed.
through() {
	enqueue_run clocked.one clocked --since=2024-01-01 --until=2024-01-04
	${first_worker:-start_worker} --slots=2
	wait_until '[ "$(started held)" = 2 ]'
	${second_worker:-start_worker} --slots=8
	wait_until '[ "$(started held)" = 4 ] && [ "$(started again)" = 2 ]'
	wait_until "is 2 \"select count(*) from bf.job where step = 'again' and state = 'pending' and attempts = 1\""
	note_hand_outs
	enqueue_run paced.one paced --since=2024-01-01 --until=2024-01-05
	wait_until '[ "$(started paced)" -ge 1 ]'
	"$@"
	killed_at=$(date +%s.%N)
	kill -KILL "${WORKER_PIDS[0]}"
	wait_until '[ "$(started held)" = 6 ]' # those of the dead one, by the other
	touch "$MARK.open"
	wait_for_end clocked.one
	wait_for_end paced.one
}

# gaps STEP: the seconds between its starts, one after the other; of the same chunk where that started twice
gaps() { awk -v step="$1" '$1 == step {key = step == "paced" ? "" : $2; if (key in at) printf "%.3f\n", $4 - at[key]; at[key] = $4}' "$MARK"; }

assert_between() { # WHAT LEAST MOST COUNT: of the lines that come in
	local lines
	lines=$(cat)
	assert_same "$1" "$4" "$(grep -c . <<<"$lines")"
	assert_same "$1, not within $2 and $3 s" '' "$(awk -v least="$2" -v most="$3" '$1 < least || $1 > most' <<<"$lines")"
}

assert_in_time() {
	local soon=$((lease_s + 5))
	gaps again | assert_between 'retries' 3 $((3 + soon)) 2
	gaps paced | assert_between 'between two jobs of the run with a rate' 1.9 $((2 + soon)) 4
	awk '$1 == "held" && $3 == 2 {print $4 - '"$killed_at"'}' "$MARK" | assert_between 'the dead one taken over' 0 "$soon" 2
	assert_same 'jobs of the living one that were run again' 4 "$(awk '$1 == "held" && $3 == 1' "$MARK" | wc -l)"
	pg "create or replace view effect_copy as select chunk from effect where run = 'clocked.one' and step = 'copy'"
	"${as_seen_by:-oracle}" clocked.one copy=effect_copy
	"${as_seen_by:-oracle}" paced.one
}

# The oracle on the servers' word, but for the times of a ledger whose clock was set back: what was settled before lies after its run's end.
oracle_of_a_late_clock() {
	psql() { command psql "$@" | grep -v "was settled outside of its run's time" || true; }
	oracle "$@"
	unset -f psql
}

jump_redis() {
	local before
	before=$(rd time | head -n 1)
	move_clock redis "$1"
	wait_until "[ \$((\$(rd time | head -n 1) - $before)) -gt 3000 ] || [ \$((\$(rd time | head -n 1) - $before)) -lt -3000 ]"
}
jump_postgres() {
	local before
	before=$(pg 'select extract(epoch from clock_timestamp())::bigint')
	move_clock postgres "$1"
	wait_until "[ \$(pg 'select abs(extract(epoch from clock_timestamp())::bigint - $before)') -gt 3000 ]"
}

# bats test_tags=long
@test "the clock of Redis goes forward by an hour" {
	clock_of_redis
	through jump_redis +3600
	assert_in_time
}

# bats test_tags=long
@test "the clock of Redis goes back by an hour" {
	clock_of_redis
	through jump_redis -3600
	assert_in_time
}

@test "the clock of PostgreSQL goes forward by an hour" {
	clock_of_postgres
	through jump_postgres +3600
	assert_in_time
}

# bats test_tags=long
@test "the clock of PostgreSQL goes back by an hour" {
	clock_of_postgres
	through jump_postgres -3600
	as_seen_by=oracle_of_a_late_clock
	assert_in_time
}

# The log of a worker tells its time.
time_of_worker() { date -d "$(tail -n 1 "$BATS_TEST_TMPDIR/worker-$1.log" | cut -d' ' -f1)" +%s; } # N

@test "two workers' clocks disagree by two hours, then one jumps" {
	first_clock() { with_clock first start_worker "$@"; }
	second_clock() { with_clock second start_worker "$@"; }
	first_worker=first_clock second_worker=second_clock
	move_clock first +3600
	move_clock second -3600
	through move_clock second +3600
	[ "$(($(time_of_worker 0) - $(head -n 1 "$BATS_TEST_TMPDIR/worker-1.log" | cut -d' ' -f1 | xargs -I{} date -d {} +%s)))" -gt 7000 ]
	[ "$(time_of_worker 1)" -gt "$(($(date +%s) + 3000))" ]
	assert_in_time
}
