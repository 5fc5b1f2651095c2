# Faults of workers: killed at every fail point, told to leave and killed, stopped and gone on, crashed by their own work, rolled over.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/chaos.bash
load ../support/faultproxy.bash

setup() { chaos_setup; }
keepers=()
teardown() {
	let_keepers_go
	faultproxies_down
	bf_teardown
}

# ---- 1: killed at every fail point ----

# Two workers whose slots are full, so that others claim what follows; free_survivors empties the slots.
start_survivors() { # QUEUES
	pg "create table occupied (free bool); insert into occupied values (false);
	    create function stay() returns void language plpgsql as
	    \$\$ begin while not (select free from occupied) loop perform pg_sleep(0.02); end loop; end \$\$"
	pipeline occupy <<-'JSON'
		{"pipeline": "occupy", "queue": "occupy", "chunk": {"size": 1}, "concurrency": {"default": 8, "max": 8},
		 "steps": [{"name": "stay", "kind": "sql", "file": "sql/stay.sql"}]}
	JSON
	sql_file stay.sql <<<'select stay();'
	start_worker --slots=4 --queues="occupy:1000,$1"
	start_worker --slots=4 --queues="occupy:1000,$1"
	enqueue_run occupy.one occupy --since=2024-01-01 --until=2024-01-08
	wait_until "is 8 \"select count(*) from bf.job where run = 'occupy.one' and state = 'running'\""
}
free_survivors() { pg 'update occupied set free = true'; }

# kill_at AT_LEAST POINT:COUNT[:HOW]… : for each fail point a run, its queue, and a worker that alone has free slots for it, until it dies at
# that passage. All at the same time; then the survivors take over, at least so many jobs. COUNT is behind the first checkpoints wherever it
# can be. HOW: `walked`, its programs end by themselves; `walks`, so they do, and it has no other jobs.
kill_at() {
	local at_least=$1 point name i=0 victims=() names=() only
	shift
	for point; do
		name=${point%%:*}
		names+=("${name//_/-}")
	done
	# What a dead worker holds is noted before it is swept, of a dozen processes at a time.
	export BF_LEASE=4s
	lease_s=4
	mixed_pipeline
	start_survivors "$(IFS=,; echo "${names[*]}")"
	for point; do
		only=()
		[[ $point != *:walk* ]] || let_walk "mixed.${names[i]}"
		[[ $point != *:walks ]] || only=(--only=walk)
		begin_mixed "mixed.${names[i]}" "$(date -d "2024-02-01 +$((i * 10)) days" +%F)" --queue="${names[i]}" "${only[@]}"
		i=$((i + 1))
	done
	i=0
	for point; do
		start_victim "${point%:walk*}" --slots=4 --queues="${names[i]}"
		begin_noting "${point%%:*}" "${WORKER_PIDS[-1]}"
		victims+=("${WORKER_PIDS[-1]}")
		i=$((i + 1))
	done
	end_noting
	i=0
	for point; do
		assert_fired "${point%%:*}" "${victims[i]}"
		i=$((i + 1))
	done
	free_survivors
	for name in "${names[@]}"; do
		let_walk "mixed.$name"
	done
	for name in "${names[@]}"; do
		wait_for_end "mixed.$name"
		assert_mixed "mixed.$name"
	done
	assert_taken_over "$at_least"
	assert_same 'tries that were counted' 0 "$(pg 'select count(*) from bf.attempt')"
}

# sidekiq/sidekiq#3845: jobs lost when their process is killed; #3196: an orphan is not looked for by processes that are there already.
# oban-bg/oban#429: jobs of a process that was ended stay `executing` until someone changes them by hand.
@test "1: killed at after_claim, after_open, mid_job, before_commit, after_commit, before_ack: others go on from the last checkpoint within a lease and 5 s" {
	kill_at 12 after_claim:1 after_open:1 mid_job:5 before_commit:3 after_commit:1 before_ack:1
	for run in mid-job before-commit after-commit before-ack; do
		[ "$(resumed "mixed.$run")" -eq 2 ]
	done
}

# bats test_tags=long
@test "1: killed at after_ack, after_settle, before_commit of programs, after_release, mid_push: others go on within a lease and 5 s" {
	kill_at 4 after_ack:6 after_settle:1:walks before_commit:1:walks after_release:7:walked mid_push:1:walked
	[ "$(resumed mixed.after-ack)" -eq 2 ]
	assert_same 'programs begun again' 2 "$(pg "select count(*) from begun where run = 'mixed.before-commit' and epoch = 2")"
	assert_none 'released steps that waited longer than a lease and 5 s' "
		select run, step, started - released_at from (
			select s.run, s.step, s.released_at, (select min(h.at) from history h where h.run = s.run and h.step = s.step and h.state = 'running') as started
			  from bf.step s where s.run in ('mixed.after-release', 'mixed.mid-push')) x
		 where started is null or started > released_at + interval '$((lease_s + 5)) s'"
}

# Three workers; the one that begins the rebuild dies in it. The others are kept from being first: stopped, for less than their lease, which
# is longer than the other's.
# bats test_tags=long
@test "1: killed at mid_rebuild: another worker rebuilds the queue, and running jobs keep their workers" {
	mixed_pipeline
	BF_LEASE=10s start_worker
	BF_LEASE=10s start_worker
	start_victim mid_rebuild:1
	begin_mixed mixed.rebuild 2024-02-01 --concurrency=24
	wait_until "is 2 \"select count(*) from bf.job where state = 'running' and checkpoint::int > 0\""
	kill -STOP "${WORKER_PIDS[@]:0:2}"
	rd flushdb >/dev/null
	assert_fired mid_rebuild "${WORKER_PIDS[2]}"
	kill -CONT "${WORKER_PIDS[@]:0:2}"
	wait_until "[ \"\$(rd get bf:generation)\" = \"\$(pg 'select generation from bf.meta')\" ]"
	let_walk mixed.rebuild
	wait_for_end mixed.rebuild
	assert_mixed mixed.rebuild
	assert_none 'jobs taken from a worker that lived' "
		select * from history h join history o using (run, step, seq)
		 where h.epoch > o.epoch and o.state = 'running' and split_part(o.worker, '-', -2) <> '${WORKER_PIDS[2]}' and h.state = 'running'"
}

# ---- 2: told to leave, and killed before it had ----

# Twelve days of programs that ignore SIGTERM: four jobs. One worker waits for its two within the grace time, the other has told its two to end.
# contribsys/faktory#268: told to leave and killed 40 s later, the process is shown as active, and its job stays busy.
@test "2: SIGTERM in mid-job and SIGKILL while draining: taken over with their checkpoints, and no try is counted" {
	mixed_pipeline
	sed -i "2i trap '' TERM" "$made/bin/walk"
	enqueue_run mixed.leaving mixed --since=2024-02-01 --until=2024-02-12 --only=walk
	start_worker --slots=2 --grace=1h
	start_worker --slots=2 --grace=100ms
	wait_until "is 4 \"select count(*) from bf.job where state = 'running' and checkpoint::int >= 3\""
	start_worker
	kill -TERM "${WORKER_PIDS[@]:0:2}"
	wait_until "grep -F 'draining: 2 running jobs' '$BATS_TEST_TMPDIR/worker-0.log'"
	wait_until "grep -F 'handing back 2 running jobs' '$BATS_TEST_TMPDIR/worker-1.log'"
	kill_noted "${WORKER_PIDS[0]}"
	kill_noted "${WORKER_PIDS[1]}"
	let_walk mixed.leaving
	wait_for_end mixed.leaving
	assert_mixed mixed.leaving
	assert_taken_over 4
	[ "$(resumed mixed.leaving)" -eq 4 ]
	assert_same 'tries that were counted' 0 "$(pg 'select count(*) from bf.attempt')"
}

# ---- 3: stopped for longer than a lease, and gone on ----

# hang_at POINT:COUNT[:HOW]…: as kill_at, with workers that stop themselves there. When the others have their jobs, they go on.
hang_at() {
	local point name i=0 names=() only hanging=()
	mixed_pipeline
	start_survivors "$(printf '%s\n' "$@" | sed 's/:.*//; s/_/-/g' | paste -sd,)"
	for point; do
		name=${point%%:*}
		names+=("${name//_/-}")
		only=()
		[[ $point != *:walk* ]] || let_walk "mixed.${names[i]}"
		[[ $point != *:walks ]] || only=(--only=walk)
		begin_mixed "mixed.${names[i]}" "$(date -d "2024-02-01 +$((i * 10)) days" +%F)" --queue="${names[i]}" "${only[@]}"
		start_hanging "${point%:walk*}" --slots=4 --queues="${names[i]}"
		hanging+=("${WORKER_PIDS[-1]}")
		begin_noting "${point%%:*}" "${WORKER_PIDS[-1]}"
		i=$((i + 1))
	done
	end_noting
	for i in "${!hanging[@]}"; do
		assert_hangs "${names[i]//-/_}" "${hanging[i]}"
	done
	free_survivors
	assert_programs_ended "${hanging[@]}"
	wait_until "all_elsewhere $(IFS=' '; echo "${hanging[*]}")"
	kill -CONT "${hanging[@]}"
	for i in "${!hanging[@]}"; do
		wait_until "grep -F 'given up for dead' '$BATS_TEST_TMPDIR/worker-$((i + 2)).log'"
	done
	for name in "${names[@]}"; do
		let_walk "mixed.$name"
	done
	for name in "${names[@]}"; do
		wait_for_end "mixed.$name"
		assert_mixed "mixed.$name"
	done
	assert_taken_over "${#names[@]}"
	assert_same 'tries that were counted' 0 "$(pg 'select count(*) from bf.attempt')"
}

# No job is with one of these workers any more.
all_elsewhere() { # PID…
	local pid
	for pid; do
		is 0 "select count(*) from bf.job where state = 'running' and split_part(worker, '-', -2) = '$pid'" || return 1
	done
}

# The programs of workers that stand still are ended by their supervisors, within a lease.
assert_programs_ended() { # PID…
	local pid
	for pid; do
		wait_until "! programs_of $pid" "$((lease_s + 1))"
	done
}
programs_of() { # PID: of a worker
	local supervisor found=1
	for supervisor in $(pgrep -P "$1"); do
		! pgrep -P "$supervisor" || found=0
	done
	return "$found"
}

# OptimalBits/bull#311: a worker that lost its lock works on beside its successor, and either may complete the job. taskforcesh/bullmq#439.
# bats test_tags=long
@test "3: stopped at after_open, mid_job and before_commit of sql and of programs, and gone on beside their successors: they change nothing" {
	hang_at after_open:1 mid_job:5 before_commit:3
	assert_same 'programs that the first of them began past its lease' 0 "$(worker_log 2 | grep -c 'job started .*run=mixed.after-open step=walk .*epoch=1' || true)"
	[ "$(resumed mixed.mid-job)" -eq 2 ]
}

# bats test_tags=long
@test "3: stopped with programs that have ended, with a check under way, with programs' ends to be settled, and gone on: they change nothing" {
	hang_at after_settle:1:walks mid_job:9:walked before_commit:1:walks
	assert_same 'figures that the check of each attempt has left' 2 "$(pg "select string_agg(epoch::text, ',') from bf.check_result where run = 'mixed.mid-job'")"
}

@test "3: stopped while noop jobs are opened and while they are settled, and gone on: it changes nothing" {
	pipeline idle <<-'JSON'
		{"pipeline": "idle", "chunk": {"size": 1}, "concurrency": {"default": 4}, "steps": [{"name": "idle", "kind": "noop"}]}
	JSON
	enqueue_run idle.stopped idle --since=2024-02-01 --until=2024-02-08
	start_hanging after_open:1 --slots=2
	assert_hangs after_open "${WORKER_PIDS[0]}"
	start_hanging before_commit:1 --slots=2
	assert_hangs before_commit "${WORKER_PIDS[1]}"
	note_death "${WORKER_PIDS[0]}" "$(fired_at after_open)"
	note_death "${WORKER_PIDS[1]}" "$(fired_at before_commit)"
	start_worker
	wait_for_end idle.stopped
	wait_for_redis idle.stopped
	changes=$(pg 'select max(id) from history')
	kill -CONT "${WORKER_PIDS[@]:0:2}"
	for i in 0 1; do
		wait_until "grep -F 'given up for dead' '$BATS_TEST_TMPDIR/worker-$i.log'"
		kill_worker "${WORKER_PIDS[i]}"
	done
	assert_same 'changes, with those of the workers that were stopped' "$changes" "$(pg 'select max(id) from history')"
	assert_taken_over 4
	oracle idle.stopped
	assert_history idle.stopped
	assert_counters idle.stopped
}

# A worker that is stopped while its job has locked a row and yields more than anyone reads who is stopped: its transaction stays open, and
# the job's successor needs the row. SUCCESSOR starts the worker that takes over.
stop_with_transaction() { # RUN SUCCESSOR…
	pipeline hog <<-'JSON'
		{"pipeline": "hog", "chunk": {"size": 1}, "steps": [{"name": "take", "kind": "sql", "file": "sql/take.sql"}]}
	JSON
	sql_file take.sql <<-'SQL'
		insert into effect values (:'run', 'take', :'chunk');
		update counter set n = n + 1;
		select wait_while_shut();
		select repeat('x', 100000) from generate_series(1, 200);
	SQL
	shut_out
	pg "create table counter (n int); insert into counter values (0)"
	enqueue_run "$1" hog --since=2024-02-01 --until=2024-02-01
	start_worker
	wait_until "is 1 \"$asleep\""
	"${@:2}"
	kill -STOP "${WORKER_PIDS[0]}"
	note_death "${WORKER_PIDS[0]}" "$(date +%s.%N)"
	pg 'delete from shut'
	wait_until "is 1 \"select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'ClientWrite' and backend_xid is not null\""
}

# The successor was there in time, and done within a lease; the one that was stopped has changed nothing.
end_with_transaction() { # RUN
	wait_for_end "$1"
	assert_taken_over 1
	assert_none 'successors that were held up' "
		select d.at - r.at from history d join (select run, step, seq, min(at) as at from history where state = 'running' and epoch >= 2 group by 1, 2, 3) r
		 using (run, step, seq) where d.state = 'done' and d.at > r.at + interval '$lease_s s'"
	kill -CONT "${WORKER_PIDS[0]}"
	wait_until "grep -F 'given up for dead' '$BATS_TEST_TMPDIR/worker-0.log'"
	kill_worker "${WORKER_PIDS[0]}"
	assert_same 'what was counted' 1 "$(pg 'select n from counter')"
	pg "create view effect_take as select chunk from effect"
	wait_for_redis "$1"
	oracle "$1" take=effect_take
	assert_history "$1"
}

# Work that waits while the table `shut` has a row.
shut_out() {
	pg "create table shut (); insert into shut default values;
	    create function wait_while_shut() returns void language plpgsql as
	    \$\$ begin while exists (select from shut) loop perform pg_sleep(0.02); end loop; end \$\$"
}
asleep="select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'"

@test "3: stopped with a transaction open: it blocks its successor for less than a lease" {
	stop_with_transaction hog.one start_worker
	end_with_transaction hog.one
	assert_same 'the job' 'done|2' "$(pg 'select state, epoch from bf.job')"
}

# bats test_tags=long
@test "3: stopped with a transaction open, and its successor loses the connection over which it would end it: it is ended all the same" {
	postgres_behind_proxy
	start_behind_proxy() { BF_DATABASE_URL=$behind_postgres start_worker; }
	fault postgres reset pg_terminate_backend
	stop_with_transaction hog.two start_behind_proxy
	end_with_transaction hog.two
	fired postgres reset
	assert_same 'the job' 'done|3' "$(pg 'select state, epoch from bf.job')"
}

# ---- two workers that live, one job ----

# What Redis hands out a second time, as after an older image of it was restored: the ledger says whose it is.
hand_out_again() { # WORKER JOB: from that worker's jobs to the head of the queue, and one idle worker is woken
	[ "$(rd hexists "bf:worker:$1:jobs" "$2")" = 1 ] || return 0
	printf '%s\n' multi "hdel bf:worker:$1:jobs $2" "lpush bf:queue:default $2" 'lpush bf:wake:default 1' exec | rd >/dev/null
}
handed_out_again() {
	hand_out_again "$@"
	at_least 2 'select epoch from bf.job'
}

# OptimalBits/bull#311: a worker whose lock was lost goes on beside the one that took the job.
# bats test_tags=long
@test "a job that Redis hands to a second worker leaves the first one for good: neither ends the other's transaction in turn" {
	pipeline twice <<-'JSON'
		{"pipeline": "twice", "chunk": {"size": 1}, "defaults": {"retry": {"attempts": 1}},
		 "steps": [{"name": "once", "kind": "sql", "file": "sql/once.sql"}]}
	JSON
	sql_file once.sql <<-'SQL'
		insert into effect values (:'run', 'once', :'chunk');
		select wait_while_shut();
	SQL
	shut_out
	enqueue_run twice.one twice --since=2024-02-01 --until=2024-02-01
	start_worker --slots=1
	wait_until "is 1 \"$asleep\""
	start_worker --slots=1
	wait_until "[ \"\$(rd zcard bf:workers)\" = 2 ]"
	wait_until "handed_out_again '$(worker_id "${WORKER_PIDS[0]}")' 'twice.one/once/2024-02-01#1'"
	wait_until "grep -F 'fenced off' '$BATS_TEST_TMPDIR/worker-0.log'"
	assert_same 'whose it is' "2|${WORKER_PIDS[1]}" "$(pg "select epoch, split_part(worker, '-', -2) from bf.job")"
	pg 'delete from shut'
	wait_for_end twice.one
	wait_for_redis twice.one
	assert_same 'the job' 'done|2|0' "$(pg 'select state, epoch, attempts from bf.job')"
	pg "create view effect_once as select chunk from effect"
	oracle twice.one once=effect_once
}

# The worker waits for Redis before it opens the job again, and is told to leave meanwhile.
# bats test_tags=long
@test "a job whose connection was lost is handed back by a worker that leaves, and counts as nobody's crash" {
	own_servers
	chaos_record
	pipeline broken <<-'JSON'
		{"pipeline": "broken", "chunk": {"size": 1}, "steps": [{"name": "once", "kind": "sql", "file": "sql/once.sql"}]}
	JSON
	sql_file once.sql <<-'SQL'
		insert into effect values (:'run', 'once', :'chunk');
		select wait_while_shut();
	SQL
	shut_out
	enqueue_run broken.one broken --since=2024-02-01 --until=2024-02-01
	start_worker
	wait_until "is 1 \"$asleep\""
	kill -KILL "$(server_pid redis)"
	wait_until "grep -F 'claims stop until it is back' '$BATS_TEST_TMPDIR/worker-0.log'"
	pg "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'" >/dev/null
	wait_until "grep -F 'outcome not known' '$BATS_TEST_TMPDIR/worker-0.log'"
	kill -TERM "${WORKER_PIDS[0]}"
	wait_until "is pending 'select state from bf.job'"
	own_servers_again
	exit_code_of "${WORKER_PIDS[0]}"
	assert_same 'exit code of the worker' 0 "$code"
	pg 'delete from shut'
	start_worker
	wait_for_end broken.one
	wait_for_redis broken.one
	assert_same 'the job' 'done|2|0|0' "$(pg 'select state, epoch, attempts, crashes from bf.job')"
	pg "create view effect_once as select chunk from effect"
	oracle broken.one once=effect_once
}

# ---- 14: a chunk that takes its worker down ----

# keep_workers N: so many, each started again when it has ended, as a service manager does
keep_workers() {
	local i
	for ((i = 0; i < $1; i++)); do
		start_again_and_again 3>&- </dev/null &
		keepers+=($!)
	done
}
start_again_and_again() {
	local pid code
	trap 'kill -KILL "$pid" 2>/dev/null; exit 0' TERM
	while :; do
		worker >>"$BATS_TEST_TMPDIR/worker-kept-$BASHPID.log" 2>&1 &
		pid=$!
		code=0
		wait "$pid" || code=$?
		echo "$code" >>"$BATS_TEST_TMPDIR/kept.codes"
	done
}
let_keepers_go() {
	[ ${#keepers[@]} -eq 0 ] || kill -TERM "${keepers[@]}" 2>/dev/null || true
	[ ${#keepers[@]} -eq 0 ] || wait "${keepers[@]}" 2>/dev/null || true
}

# sidekiq/sidekiq#3400, #4069, #5300: a job that kills its process is run for ever, and its neighbours are lost or blamed with it.
@test "14: a chunk that ends its worker each time fails after three times alone, and the rest of the run completes" {
	export MARK=$BATS_TEST_TMPDIR/mark
	: >"$MARK"
	pipeline poison <<-'JSON'
		{"pipeline": "poison", "chunk": {"size": 1}, "concurrency": {"default": 8}, "env": {"pass": ["PATH", "MARK"]},
		 "defaults": {"timeout": "1m", "on_failure": "continue", "retry": {"attempts": 1}},
		 "steps": [{"name": "send", "kind": "exec", "argv": ["bin/send", "{{chunk}}"], "needs": []},
		           {"name": "load", "kind": "sql", "file": "sql/load.sql", "needs": []}]}
	JSON
	# shellcheck disable=SC2016 # for the program
	program send <<-'SH'
		if [ "$1" = 2024-02-03 ]; then
			sleep 0.3 # neighbours have begun
			kill -KILL "$(ps -o ppid= -p "$PPID")"
			sleep 60
		fi
		sleep 0.5
		echo "$1" >>"$MARK"
	SH
	sql_file load.sql <<<"insert into effect values (:'run', 'load', :'chunk'); select pg_sleep(0.2);"
	enqueue_run poison.one poison --since=2024-02-01 --until=2024-02-10
	keep_workers 2
	wait_for_end poison.one 60
	let_keepers_go
	wait_for_redis poison.one
	assert_same 'jobs that are not done' 'send|2024-02-03|failed|crash' \
		"$(pg "select step, chunk, state, error_category from bf.job where state <> 'done'")"
	assert_same 'deaths alone' 'send 3' "$(pg "select string_agg(step || ' ' || deaths, ',') from bf.job where deaths > 0")"
	assert_same 'tries that were counted' 'send|2024-02-03|crash' "$(pg 'select a.step, j.chunk, a.category from bf.attempt a join bf.job j using (run, step, seq)')"
	assert_same 'the run' failed "$(run_state poison.one)"
	assert_same 'workers that died' 5 "$(grep -c 137 "$BATS_TEST_TMPDIR/kept.codes")"
	assert_same 'effects' "$(pg "select chunk from bf.job where step = 'load' order by 1")" "$(pg 'select chunk from effect order by 1')"
	assert_same 'days that were sent at least once' 9 "$(sort -u "$MARK" | wc -l)"
	assert_history poison.one
	assert_counters poison.one
}

# ---- 16: a rolling deploy ----

# The programs are replaced as a package does it: a new file under the old name, beside which the old ones run on.
deploy_worker() {
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	cp "$BF_BUILD/bin/worker" "$BATS_TEST_TMPDIR/bin/worker.new"
	mv "$BATS_TEST_TMPDIR/bin/worker.new" "$BATS_TEST_TMPDIR/bin/worker"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
	hash -r
}

# contribsys/faktory#268: after a deploy the old process is shown as busy for minutes, and its job is not given to the new one.
# rails/solid_queue#159: jobs that a deploy leaves behind.
@test "16: new workers up, old ones killed or told to leave: the run goes on, and no try is counted" {
	mixed_pipeline
	deploy_worker
	start_worker --slots=2 --grace=100ms
	start_worker --slots=2 --grace=100ms
	start_worker --slots=2 --grace=1h
	begin_mixed mixed.deploy 2024-02-01 --concurrency=6
	enqueue_run mixed.deploy-too mixed --since=2024-03-01 --until=2024-03-12 --only=walk
	wait_until "is 6 \"select count(*) from bf.job where state = 'running'\" && at_least 3 \"select count(distinct worker) from bf.job where state = 'running' and checkpoint::int > 3\""
	deploy_worker
	start_worker --slots=2
	start_worker --slots=2
	start_worker --slots=2
	kill_noted "${WORKER_PIDS[0]}"
	kill -TERM "${WORKER_PIDS[1]}"
	exit_code_of "${WORKER_PIDS[1]}"
	assert_same 'exit code of the one told to leave' 0 "$code"
	kill -TERM "${WORKER_PIDS[2]}"
	let_walk mixed.deploy
	let_walk mixed.deploy-too
	exit_code_of "${WORKER_PIDS[2]}"
	assert_same 'exit code of the one with time to finish' 0 "$code"
	for run in mixed.deploy mixed.deploy-too; do
		wait_for_end "$run"
		assert_mixed "$run"
	done
	assert_taken_over 1
	assert_same 'tries that were counted' 0 "$(pg 'select count(*) from bf.attempt')"
}
