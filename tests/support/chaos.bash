# shellcheck shell=bash
# For tests/chaos, on top of lib.bash and work.bash: a record of everything that happens to the jobs of a ledger, work that tells what
# became of it, and what has to be true of a run that went through a fault. bfstat is looked at all the time (watcher.bash).
#
#   setup() { chaos_setup; }          or own_servers; chaos_record          for a pair of servers that the test kills
#   mixed_pipeline                    sql with effects that are counted, programs with checkpoints, a check
#   begin_mixed RUN DAY               six days of it from DAY; let_walk RUN lets its programs end
#   assert_mixed RUN                  the oracle, the counted effects, the history, the checkpoints, and Redis's counters

# shellcheck source=watcher.bash
source "$bf_top/tests/support/watcher.bash"

# Looking for leaks at its end costs each of a thousand short-lived programs 100 ms of a processor. The tests in cli/ and leaks.bats do.
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0

export BF_LEASE=2s
lease_s=2

chaos_setup() {
	bf_setup
	chaos_record
}

# history: a row for each change of a job, by a trigger, so that nothing of it is the program's own word. death: what a worker held when it
# was killed. effect: what the sql steps of `mixed` have done, without any unique key.
chaos_record() {
	pg "create table history (id bigserial, at timestamptz default clock_timestamp(), run text, step text, seq int, chunk text, state text,
	                          epoch int, attempts int, crashes int, worker text, checkpoint text, redone int);
	    create function keep_history() returns trigger language plpgsql as
	    \$\$ begin
	      insert into public.history (run, step, seq, chunk, state, epoch, attempts, crashes, worker, checkpoint, redone)
	      values (new.run, new.step, new.seq, new.chunk, new.state, new.epoch, new.attempts, new.crashes, new.worker, new.checkpoint, new.redone);
	      return null; end \$\$;
	    create trigger keep_history after update on bf.job for each row execute function keep_history();
	    create table death (at timestamptz, worker text, job text);
	    create table begun (run text, chunk text, epoch int, since text);
	    create table effect (run text, step text, chunk text)"
	watcher_begin
}

# ---- work ----

# walk: a program that counts its steps in its checkpoint, at least to 3 and until `let_walk`; it tells in $MARK where each try began, and in
# $MARK.beside when the program of an earlier try still lived.
# copy: sql that makes its effect, then waits until the programs that run beside it have a checkpoint. Then a check and a last sql job.
mixed_pipeline() {
	export MARK=$BATS_TEST_TMPDIR/mark
	: >"$MARK"
	pipeline mixed <<-'JSON'
		{"pipeline": "mixed", "chunk": {"size": 1}, "concurrency": {"default": 4, "max": 30}, "env": {"pass": ["PATH", "MARK"]},
		 "defaults": {"timeout": "5m", "retry": {"attempts": 3, "first": "100ms", "jitter": 0}},
		 "steps": [
		  {"name": "walk", "kind": "exec", "argv": ["bin/walk", "{{run}}", "{{chunk}}"], "chunk": {"size": 3}, "needs": []},
		  {"name": "copy", "kind": "sql", "file": "sql/copy.sql", "needs": []},
		  {"name": "count", "kind": "check", "type": "row_count", "file": "sql/count.sql", "error_if": "< 6", "needs": ["walk", "copy"]},
		  {"name": "close", "kind": "sql", "per": "run", "file": "sql/close.sql"}]}
	JSON
	program walk <<-'SH'
		at=${BF_CHECKPOINT:-0}
		for earlier in "$MARK.pid.$1.$2".*; do
			[ ! -e "$earlier" ] || ! kill -0 "$(cat "$earlier")" 2>/dev/null || echo "${earlier##*/} beside epoch $BF_EPOCH" >>"$MARK.beside"
		done
		echo $$ >"$MARK.pid.$1.$2.$BF_EPOCH"
		echo "$1 $2 $BF_EPOCH $at" >>"$MARK"
		until [ "$at" -ge 3 ] && [ -e "$MARK.$1" ]; do
			at=$((at + 1))
			echo "checkpoint $at" >&"$BF_PROGRESS_FD"
			sleep 0.05
		done
	SH
	sql_file copy.sql <<-'SQL'
		insert into effect values (:'run', 'copy', :'chunk');
		select wait_for_walks(:'run');
	SQL
	sql_file count.sql <<<"select chunk from effect where run = :'run' and step = 'copy'"
	sql_file close.sql <<<"insert into effect values (:'run', 'close', :'chunk');"
	pg "create function wait_for_walks(p_run text) returns void language plpgsql as
	    \$\$ begin while exists (select from bf.job where run = p_run and step = 'walk' and state = 'running' and coalesce(checkpoint, '0')::int < 3)
	             loop perform pg_sleep(0.02); end loop; end \$\$"
}

begin_mixed() { # RUN FIRST_DAY [OPTION…]
	enqueue_run "$1" mixed --since="$2" --until="$(date -d "$2 +5 days" +%F)" "${@:3}"
}
let_walk() { touch "$MARK.$1"; } # RUN

# ---- faults ----

# start_victim POINT:COUNT [ARGUMENT…]: a worker that kills itself at that passage of a fail point; assert_fired POINT PID waits for it.
# start_hanging: one that stops itself there, as SIGSTOP does; assert_hangs POINT PID waits for it.
start_victim() {
	BF_FAILPOINT=${1%:*}:kill:${1#*:} BF_FAILPOINT_LOG=$BATS_TEST_TMPDIR/fired.${1%:*} start_worker "${@:2}"
}
start_hanging() {
	BF_FAILPOINT=${1%:*}:hang:${1#*:} BF_FAILPOINT_LOG=$BATS_TEST_TMPDIR/fired.${1%:*} start_worker "${@:2}"
}
is_stopped() { [[ $(ps -o state= -p "$1") = T ]]; } # PID
assert_hangs() {                                    # POINT PID
	wait_until "is_stopped $2" 20
	assert_same 'what fired' "$1" "$(cat "$BATS_TEST_TMPDIR/fired.$1")"
}
assert_fired() { # POINT PID
	exit_code_of "$2"
	assert_same "ended by the fail point $1" 137 "$code"
	assert_same 'what fired' "$1" "$(cat "$BATS_TEST_TMPDIR/fired.$1")"
}
fired_at() { stat -c %.6Y "$BATS_TEST_TMPDIR/fired.$1"; } # POINT: as seconds since 1970

worker_id() { rd zrange bf:workers 0 -1 | grep -E -- "-$1-[a-z0-9]{6}$"; } # PID

# What Redis lists under a worker: its id in the first line, then its jobs. One question, for it is soon swept.
held_by() { # PID
	rd -e eval "for _, id in ipairs(redis.call('ZRANGE', 'bf:workers', 0, -1)) do
		if string.find(id, '%-' .. ARGV[1] .. '%-%w%w%w%w%w%w$') then return { id, unpack(redis.call('HKEYS', 'bf:worker:' .. id .. ':jobs')) } end
	end" 0 "$1"
}

# death_of PID AT: rows for `death`, each with a comma behind it. What a dead worker holds that is not yet swept has to be running elsewhere soon.
death_of() {
	local id jobs
	{ read -r id && jobs=$(cat); } < <(held_by "$1")
	[ -n "$id" ] || {
		echo 'a dead worker is not in bf:workers: it was swept before what it held could be noted' >&2
		return 1
	}
	awk -v at="$2" -v id="$id" -v q="'" 'NF { printf "(to_timestamp(%s), %s%s%s, %s%s%s),", at, q, id, q, q, $0, q }' <<<"$jobs"
}
keep_deaths() { # ROWS
	[ -z "$1" ] || pg "insert into death values ${1%,}"
}

note_death() { # PID AT
	local rows
	rows=$(death_of "$1" "$2") || return 1
	keep_deaths "$rows"
}

# begin_noting POINT PID: beside the test, notes what that worker holds as soon as it has ended, or stopped itself, at its fail point: soon
# after a lease it is swept. end_noting: all of them have.
noters=()
begin_noting() {
	(
		deadline=$((SECONDS + 30))
		until [ -s "$BATS_TEST_TMPDIR/fired.$1" ] && stands_still "$2"; do
			((SECONDS < deadline)) || exit 1
			sleep 0.03
		done
		death_of "$2" "$(fired_at "$1")" >"$BATS_TEST_TMPDIR/deaths.$1"
	) 3>&- &
	noters+=("$1=$!")
}
stands_still() { # PID: has ended, or is stopped
	local stat
	read -r stat 2>/dev/null <"/proc/$1/stat" || return 0
	[[ ${stat##*) } = [TZ]* ]]
}
end_noting() {
	local noter rows=''
	for noter in "${noters[@]}"; do
		wait "${noter#*=}" || {
			echo "nothing was noted of the worker at ${noter%=*}" >&2
			return 1
		}
		rows+=$(<"$BATS_TEST_TMPDIR/deaths.${noter%=*}")
	done
	noters=()
	keep_deaths "$rows"
}

kill_noted() { # PID: kill -9, and note what it held
	kill -KILL "$1"
	note_death "$1" "$(date +%s.%N)"
	wait "$1" 2>/dev/null || true
}

# assert_taken_over AT_LEAST [SECONDS]: the jobs noted by note_death were opened by another worker within a lease and five seconds, by the
# ledger's times; but those that the dead one had settled (or its transaction after it). There were at least so many of them.
assert_taken_over() {
	local bound=${2:-$((lease_s + 5))} open count
	open="
		select d.worker, d.job, t.at - d.at as took, t.at is null or t.at > d.at + interval '$bound s' as late
		  from death d
		  cross join lateral (select min(h.at) as at from history h
		                       where h.run || '/' || h.step || '/' || h.chunk || '#' || h.seq = d.job and h.at > d.at
		                         and h.state = 'running' and h.worker <> d.worker) t
		 where not exists (select from history h where h.run || '/' || h.step || '/' || h.chunk || '#' || h.seq = d.job
		                      and h.worker = d.worker and h.state not in ('pending', 'running'))"
	assert_none "jobs not taken over within $bound s" "select * from ($open) x where late"
	count=$(pg "select count(*) from ($open) x")
	[ "$count" -ge "$1" ] || {
		printf 'expected at least %s jobs to be taken over, found %s:\n%s\n' "$1" "$count" "$(pg "$open")" >&2
		return 1
	}
}

# ---- what has to be true afterwards ----

# assert_none WHAT QUERY: it has no row. (A query that fails does not count as one without rows.)
assert_none() {
	local rows
	rows=$(pg "$2") || return 1
	assert_same "$1" '' "$rows"
}

# Redis knows that the run is over: the worker that ended it in the ledger may have died before it said so.
wait_for_redis() { wait_until "[ \"\$(rd sismember bf:runs '$1')\" = 0 ]"; } # RUN

# assert_history RUN…: no epoch and no checkpoint ever went backwards, and nothing was changed after it was done.
assert_history() {
	local runs
	runs=$(printf "'%s'," "$@")
	[ "$(pg "select count(*) from history where run in (${runs%,}) and state = 'done'")" -gt 0 ]
	assert_none 'changes that must not be' "
		select * from (select *, lag(epoch) over w as epoch_before, lag(state) over w as state_before, lag(checkpoint) over w as checkpoint_before
		                 from history where run in (${runs%,}) window w as (partition by run, step, seq order by id)) h
		 where epoch < epoch_before
		    or (checkpoint_before is not null and (checkpoint is null or checkpoint::int < checkpoint_before::int))
		    or (state_before = 'done' and (state <> 'done' or epoch <> epoch_before))
		 order by id"
}

# assert_resumed RUN…: each try of a program began at the checkpoint that the ledger had when it was opened.
assert_resumed() {
	local run
	psql -Xq -v ON_ERROR_STOP=1 -d "$BF_DATABASE_URL" -c 'truncate begun' -c "\\copy begun from '$MARK' delimiter ' '"
	for run; do
		[ "$(pg "select count(*) from begun where run = '$run'")" -gt 0 ]
		assert_none 'programs that did not begin at their checkpoint' "
			select b.*, h.checkpoint from begun b
			  left join lateral (select coalesce(checkpoint, '0') as checkpoint from history
			                      where run = b.run and step = 'walk' and chunk = b.chunk and epoch = b.epoch and state = 'running'
			                      order by id limit 1) h on true
			 where b.run = '$run' and h.checkpoint is distinct from b.since"
	done
}
resumed() { pg "select count(*) from begun where run = '$1' and epoch > 1 and since::int >= 3"; } # RUN: tries that went on from a checkpoint

# What people read in Redis about a run that is over is what the ledger says (I5).
assert_counters() { # RUN
	assert_same "counters of $1" "$(pg "select count(*) filter (where state = 'done') || ' ' || count(*) filter (where state = 'failed') || ' 0'
		from bf.job where run = '$1'")" "$(rd hmget "bf:run:$1" 'done' failed running | paste -sd' ')"
}

assert_mixed() { # RUN
	wait_for_redis "$1"
	pg "create or replace view effect_copy as select chunk from effect where run = '$1' and step = 'copy';
	    create or replace view effect_close as select chunk from effect where run = '$1' and step = 'close'"
	oracle "$1" copy=effect_copy close=effect_close
	assert_history "$1"
	assert_resumed "$1"
	assert_counters "$1"
	assert_same 'programs beside the next try of their job' '' "$(cat "$MARK.beside" 2>/dev/null)"
}
