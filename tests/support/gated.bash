# shellcheck shell=bash
# Jobs that stay at work until a test lets them go, on top of lib.bash, work.bash and chaos.bash.
#
#   begin_with_two_workers RUN        four jobs at work: two of sql, two programs
#   assert_goes_on RUN DAY            the sql job of that day ends, is acknowledged, and another one is claimed
#   end_gated RUN…                    all gates open; the runs end, the oracle and the counted effects agree
#   assert_none_taken RUN…            no job was given to anyone but the worker that had it

# begin_gated RUN: two programs (`send`, six days each) and twelve sql jobs (`copy`), at most four at once, then one sql job (`close`). Each
# makes its effect and waits at a gate of its own, the one of `close` is open: so at first two of each kind are at work.
begin_gated() {
	export MARK=$BATS_TEST_TMPDIR/mark
	touch "$MARK" "$MARK.gate"
	[ -d "$BATS_TEST_TMPDIR/pipelines/gated" ] || make_gated
	pg "insert into gate select '$1', '2024-03-01'::date + d from generate_series(0, 11) d"
	enqueue_run "$1" gated --since=2024-03-01 --until=2024-03-12 "${@:2}"
}
make_gated() {
	pipeline gated <<-'JSON'
		{"pipeline": "gated", "chunk": {"size": 1}, "concurrency": {"default": 4, "max": 4}, "env": {"pass": ["PATH", "MARK"]},
		 "defaults": {"timeout": "5m", "retry": {"attempts": 3, "first": "100ms", "jitter": 0}},
		 "steps": [
		  {"name": "send", "kind": "exec", "argv": ["bin/send", "{{run}}", "{{chunk}}"], "chunk": {"size": 6}, "needs": []},
		  {"name": "copy", "kind": "sql", "file": "sql/copy.sql", "needs": []},
		  {"name": "close", "kind": "sql", "per": "run", "file": "sql/close.sql", "needs": ["send", "copy"]}]}
	JSON
	program send <<-'SH'
		echo "$1 send $2" >>"$MARK"
		while [ -e "$MARK.gate" ]; do sleep 0.05; done
	SH
	sql_file copy.sql <<-'SQL'
		insert into effect values (:'run', 'copy', :'chunk');
		select wait_at_gate(:'run', :'chunk');
	SQL
	sql_file close.sql <<<"insert into effect values (:'run', 'close', :'chunk');"
	pg "create table gate (run text, day date);
	    create function wait_at_gate(p_run text, p_day date) returns void language plpgsql as
	    \$\$ begin while exists (select from gate where run = p_run and day = p_day) loop perform pg_sleep(0.02); end loop; end \$\$"
}

open_gate() { pg "delete from gate where run = '$1' and day = '2024-03-$2'"; } # RUN DAY: of that copy
open_gates() {                                                                 # all
	pg 'delete from gate'
	rm -f "$MARK.gate"
}

at_work() { pg "select coalesce(string_agg(step || ' ' || chunk, ', ' order by step, chunk), '') from bf.job where run = '$1' and state = 'running'"; }
wait_at_work() { wait_until "[ \"\$(at_work '$1')\" = '$2' ]" "${3:-20}"; } # RUN JOBS [SECONDS]
sends='send 2024-03-01..2024-03-06, send 2024-03-07..2024-03-12'
first="copy 2024-03-01, copy 2024-03-02, $sends"

# Two workers, each with two of the first four jobs.
begin_with_two_workers() { # RUN
	begin_gated "$1"
	start_worker --slots=2
	start_worker --slots=2
	wait_at_work "$1" "$first"
	assert_same 'workers that have them' 2 "$(pg "select count(distinct worker) from bf.job where state = 'running'")"
}

# Within ten seconds the end of a job is acknowledged and the next one is claimed.
assert_goes_on() { # RUN DAY: of the oldest copy at work
	local next
	next=$(printf '%02d' $((10#$2 + 2)))
	open_gate "$1" "$2"
	wait_until "is running \"select state from bf.job where run = '$1' and chunk = '2024-03-$next'\"" 10
}

agree() { bfstat verify; }

end_gated() { # RUN…
	local run
	open_gates
	for run; do
		wait_for_end "$run"
		wait_for_redis "$run"
	done
	psql -Xq -v ON_ERROR_STOP=1 -d "$BF_DATABASE_URL" -c "delete from effect where step = 'send'" -c "\\copy effect from '$MARK' delimiter ' '"
	for run; do
		pg "create or replace view effect_copy as select chunk from effect where run = '$run' and step = 'copy';
		    create or replace view effect_close as select chunk from effect where run = '$run' and step = 'close'"
		oracle "$run" copy=effect_copy close=effect_close
		assert_same 'jobs' 15 "$(pg "select count(*) from bf.job where run = '$run' and state = 'done'")"
		assert_history "$run"
		assert_counters "$run"
	done
	agree
	assert_same 'tries that were counted' 0 "$(pg 'select count(*) from bf.attempt')"
}

# No job was taken from the worker that had it: each was opened once, and each program ran once.
assert_none_taken() { # RUN…
	local run
	for run; do
		assert_same "jobs of $run that were opened again" '' "$(pg "select step, chunk, epoch from bf.job where run = '$run' and epoch <> 1")"
		assert_sent_once "$run"
	done
}
assert_sent_once() { # RUN: its programs, of those that are in $MARK
	pg "create or replace view effect_send as select chunk from effect where run = '$1' and step = 'send'"
	oracle "$1" send=effect_send
}

logs_have() { # WORDS: the log of each worker has them
	local log
	for log in "$BATS_TEST_TMPDIR"/worker-*.log; do
		grep -qF -- "$1" "$log" || return 1
	done
}
