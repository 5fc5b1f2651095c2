# Faults of PostgreSQL while a run is under way: killed, its backends ended, full of connections, read-only, its disk full.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/chaos.bash
load ../support/faultproxy.bash

setup() {
	bf_setup
	watcher_begin
}
teardown() {
	[ -z "${stopped_postgres:-}" ] || kill -CONT $stopped_postgres 2>/dev/null || true
	faultproxies_down
	[ -z "${monitor:-}" ] || kill "$monitor" 2>/dev/null || true
	bf_teardown
	[ -z "${small_disk:-}" ] || { umount "$small_disk" && rm -r "${small_disk%/small}"; } # the servers' folder, of which this was left
	[ -z "${plain_role:-}" ] || server_sql "$BF_TEST_SERVERS_URL" "drop database $(plain_database) with (force)" \
		-c "drop role $plain_role"
}

# ---- work ----

# Two steps side by side, a day a job. `load`: sql, leaves a row in effect_load, which has no unique key. `send`: a program, leaves a line in
# $SENT. Each may fail only once: a try that is burnt ends the run as failed. Both wait in their middle while `gate` is closed.
pair_pipeline() {
	export SENT=$BATS_TEST_TMPDIR/sent
	: >"$SENT"
	pipeline pair <<-'JSON'
		{"pipeline": "pair", "chunk": {"size": 1}, "concurrency": {"default": 6}, "env": {"pass": ["PATH", "SENT"]},
		 "defaults": {"timeout": "1m", "retry": {"attempts": 1}},
		 "steps": [{"name": "load", "kind": "sql", "file": "sql/load.sql", "concurrency": 3, "needs": []},
		           {"name": "send", "kind": "exec", "argv": ["bin/send", "{{chunk}}"], "needs": []}]}
	JSON
	sql_file load.sql <<-'SQL'
		insert into effect_load values (:'chunk');
		select pass_gate();
	SQL
	program send <<-'SH'
		echo "$1" >>"$SENT"
		while [ -e "$SENT.closed" ]; do sleep 0.02; done
	SH
	pg "create table effect_load (chunk text); create table gate (open bool); insert into gate values (true);
	    create function pass_gate() returns void language plpgsql as
	    \$\$ begin while not (select open from gate) loop perform pg_sleep(0.02); end loop; end \$\$"
}
close_gate() {
	pg 'update gate set open = false'
	touch "$SENT.closed"
}
open_gate() {
	pg 'update gate set open = true'
	rm "$SENT.closed"
}
begin_pair() { enqueue_run "$1" pair --since=2024-01-01 --until="$2"; } # RUN LAST_DAY
both_run() { is "$1" "select count(distinct step) from bf.job where state = 'running'" && at_least 1 "$asleep"; }
asleep="select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'"

# The run has ended well, each effect is there once, and no job has a try to its account.
end_pair() { # RUN [SECONDS]
	wait_for_end "$1" "${2:-40}"
	assert_same 'tries' '' "$(pg 'select step, seq, category, error from bf.attempt')"
	assert_same 'tries that were counted' 0 "$(pg 'select sum(attempts) from bf.job')"
	wait_for_redis "$1"
	oracle "$1" load=effect_load
	assert_same 'what was sent' "$(pg "select chunk from bf.job where run = '$1' and step = 'send' order by 1")" "$(sort "$SENT")"
}

# ---- calm ----

# assert_calm PATTERN PER_SECOND: waits for a line of the first worker's log that matches; during the four seconds after that the worker
# logs, and PostgreSQL is asked, no more often than so many times a second. What is put off comes back after two seconds: twice in four, but
# twice in three, too.
assert_calm() {
	local log=$BATS_TEST_TMPDIR/worker-0.log transactions asked said
	transactions="select xact_commit + xact_rollback from pg_stat_database where datname = current_database()"
	wait_until "grep -qE '$1' '$log'"
	watcher_stop # it asks, too
	asked=$(pg "$transactions")
	said=$(wc -l <"$log")
	sleep 4
	asked=$(($(pg "$transactions") - asked))
	said=$(($(wc -l <"$log") - said))
	watcher_begin
	echo "$said lines and $asked transactions in four seconds"
	[ "$said" -le $((4 * $2)) ] && [ "$asked" -le $((5 * 4 * $2)) ]
}

# ---- 12: killed ----

postgres_log() { cat "$(sed -n 's/^pg_home=//p' "$BF_LOCAL_DIR/servers")/postgresql.log"; }

end_postgres() { # SIGNAL
	kill -s "$1" "$(server_pid postgres)"
	wait_until "[ -z \"\$(server_pid postgres)\" ]"
	own_servers_again
}

# Every commit of a job that is done takes a while, behind all its statements.
slow_commits() {
	pg "create function commit_slowly() returns trigger language plpgsql as \$\$ begin perform pg_sleep(0.4); return null; end \$\$;
	    create constraint trigger commit_slowly after update on bf.job deferrable initially deferred
	    for each row when (new.state = 'done' and old.state <> 'done') execute function commit_slowly()"
}

record_acknowledgements() {
	rd monitor >"$BATS_TEST_TMPDIR/monitor.log" 2>&1 3>&- &
	monitor=$!
	wait_until "grep -q OK '$BATS_TEST_TMPDIR/monitor.log'"
}

# Every job was acknowledged as done, and not before the commit that made it so: by Redis's time, and by that of the transaction.
assert_acknowledged_after_commit() { # RUN
	pg 'create table ack (at double precision, job text)'
	awk '/"bf_v1_exchange"/ {
	       for (i = 4; i <= NF; i++) if ($i == "\"done\"") { n = $(i + 2); gsub(/"/, "", n); for (k = i + 3; k < i + 3 + n; k++) print $1 "\t" $k } }' \
		"$BATS_TEST_TMPDIR/monitor.log" | tr -d '"' |
		psql -Xq -v ON_ERROR_STOP=1 -d "$BF_DATABASE_URL" -c '\copy ack from stdin'
	assert_same 'jobs not acknowledged, or before their commit' '' "$(pg "
		select j.step, j.seq, a.at - extract(epoch from c.at)
		  from bf.job j
		  cross join lateral (select pg_xact_commit_timestamp(case when j.step = 'send' then j.xmin
		                             else (select e.xmin from effect_load e where e.chunk = j.chunk) end) as at) c
		  left join lateral (select min(at) as at from ack where job = j.run || '/' || j.step || '/' || j.chunk || '#' || j.seq) a on true
		 where j.run = '$1' and (a.at is null or c.at is null or a.at < extract(epoch from c.at))")"
}

# Workers that stay stuck after a restart of their database, until they are restarted themselves: NixOS/hydra#1336, collectiveidea/delayed_job#961.
# Work that a restart strands: dbos-inc/dbos-transact-py#716.
@test "12 PostgreSQL killed in three ways while jobs commit: nothing is acknowledged before its commit, and no try is burnt" {
	own_servers
	watcher_begin
	pg 'alter system set track_commit_timestamp = on'
	end_postgres INT
	pair_pipeline
	slow_commits
	record_acknowledgements
	begin_pair pair.killed 2024-02-29 # more than can end between two faults
	start_worker
	start_worker
	for fault in restart kill crash; do
		wait_until "at_least 1 \"$asleep\""
		assert_same 'the run' running "$(run_state pair.killed)"
		case $fault in
		restart) end_postgres QUIT ;;
		kill) end_postgres KILL ;;
		crash) # of one backend; the others are ended by PostgreSQL then
			kill -KILL "$(pg "select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep' limit 1")"
			wait_until "postgres_log | grep -F 'all server processes terminated; reinitializing'"
			;;
		esac
	done
	end_pair pair.killed 60
	assert_same 'times that PostgreSQL had to recover' 3 "$(postgres_log | grep -cF 'database system was interrupted')"
	assert_acknowledged_after_commit pair.killed
}

# A job is done, and the one who was to be told of it is not: cloudfoundry/bosh#2413.
@test "12 the answer to a COMMIT lost on the way is looked up in the ledger: no second effect, and no try is burnt" {
	pair_pipeline
	postgres_behind_proxy
	BF_DATABASE_URL=$behind_postgres start_worker
	wait_until "[ -n \"\$(rd smembers bf:idle:default)\" ]"
	fault postgres drop-reply 'bf.settle(' close 6
	fault postgres drop-reply settle_jobs close 3
	begin_pair pair.lost 2024-01-10
	end_pair pair.lost
	assert_same 'answers that were lost' 9 "$(fault postgres fired drop-reply)"
	assert_same 'jobs of sql that were looked up, not run again' "10 1" "$(pg "select count(*) || ' ' || max(epoch) from bf.job where step = 'load'")"
	assert_same 'times that the log says so' 6 "$(worker_log 0 | grep -c 'outcome not known.*step=load')"
}

# ---- 12: silent ----

# What it takes at most until a statement that is not answered is given up: three leases (BF_SILENCE_LEASES).
silent_s=$((3 * lease_s))

# OCA/queue#984: the jobs of a runner whose connection was dropped without a word stay pending until it is restarted. timgit/pg-boss#850: a
# listener that is not connected any more, and does not know.
# bats test_tags=long
@test "12 connections to PostgreSQL forgotten on the way, without a word: noticed by their silence, and no try is burnt" {
	pair_pipeline
	postgres_behind_proxy
	close_gate
	begin_pair pair.forgotten 2024-01-08
	BF_DATABASE_URL=$behind_postgres start_worker
	wait_until "is 3 \"$asleep\""
	fault postgres swallow
	open_gate
	wait_until "is 0 \"$asleep\"" # they have committed, and the answers are lost
	wait_until 'fired postgres swallow 5'
	fault postgres pass # new connections work; those that lost something are open, and nothing passes on them any more
	wait_until "worker_log 0 | grep -F 'no answer for $((silent_s * 1000)) ms'" $((silent_s + 5))
	end_pair pair.forgotten 60
	assert_same 'jobs of sql that were looked up, not run again' 1 "$(pg "select max(epoch) from bf.job where step = 'load'")"
}

# bats test_tags=long
@test "12 PostgreSQL stopped with its connections open: it is given up, no try is burnt, and all goes on when it does" {
	own_servers
	watcher_begin
	pair_pipeline
	close_gate
	begin_pair pair.stopped 2024-01-08
	start_worker
	wait_until "is 3 \"$asleep\""
	stopped_postgres="$(server_pid postgres) $(pgrep -P "$(server_pid postgres)" | paste -sd' ')"
	kill -STOP $stopped_postgres 2>/dev/null || true # one may have ended meanwhile
	wait_until "worker_log 0 | grep -F 'nothing is opened or settled until it is back' | grep -F 'no answer for $((silent_s * 1000)) ms'" $((silent_s + 10))
	wait_until "worker_log 0 | grep 'reconcile: .*no answer for $((silent_s * 1000)) ms'" $((silent_s + 10))
	[ -n "$(worker_id "${WORKER_PIDS[0]}")" ] # its lease is kept
	kill -CONT $stopped_postgres 2>/dev/null || true
	stopped_postgres=
	open_gate
	end_pair pair.stopped
}

# ---- 12: backends ended ----

# A job that counts a lost connection as its own failure: janbjorge/pgqueuer#224 and tobymao/saq#163 lose the whole worker.
@test "12 a storm of pg_terminate_backend over a worker burns no try" {
	pair_pipeline
	pg "create function storm(p_least int) returns int language plpgsql as -- until so many were ended
	    \$\$ declare v_ended int := 0; begin
	      for i in 1..300 loop
	        exit when v_ended >= p_least;
	        perform pg_stat_clear_snapshot();
	        v_ended := v_ended + (select count(pg_terminate_backend(pid)) from pg_stat_activity
	                               where datname = current_database() and application_name like 'worker%');
	        perform pg_sleep(0.1);
	      end loop; return v_ended; end \$\$"
	close_gate
	begin_pair pair.storm 2024-01-06
	start_worker
	wait_until 'both_run 2'
	[ "$(pg 'select storm(30)')" -ge 30 ]
	wait_until 'both_run 2' # again
	[ "$(pg 'select storm(2)')" -ge 2 ]
	wait_until "at_least 3 \"select max(epoch) from bf.job where step = 'load'\""
	open_gate
	end_pair pair.storm
}

# ---- 12: no connection left ----

plain_database() { printf 'bf_plain_%s\n' "$$"; }

# The worker's role is one whose connections PostgreSQL limits, as it does with everybody's at max_connections (SQLSTATE 53300 both times).
limited_role() {
	plain_role=bf_plain_role_$$
	server_sql "$BF_TEST_SERVERS_URL" "create role $plain_role login"
	server_sql "$BF_TEST_SERVERS_URL" "create database $(plain_database) template bf_template owner $plain_role"
	BF_DATABASE_URL=$(database_url "$BF_TEST_SERVERS_URL" "$(plain_database)")
	watcher_begin
	as_plain=postgresql://$plain_role@${BF_DATABASE_URL#*@}
}

# Pools that starve: dagster-io/dagster#33054; workers that die of it: que-rb/que#316.
# bats test_tags=long
@test "12 no connection to be had, then fewer than wanted: it waits, says so, and goes on with what it gets" {
	limited_role
	pair_pipeline
	pg "grant usage on schema bf to $plain_role; grant all on all tables in schema bf to $plain_role; grant all on all tables in schema public to $plain_role"
	close_gate
	begin_pair pair.crowded 2024-01-12
	BF_DATABASE_URL=$as_plain start_worker
	wait_until 'both_run 2'
	pg "alter role $plain_role connection limit 0"
	pg "select pg_terminate_backend(pid) from pg_stat_activity where usename = '$plain_role'" >/dev/null
	assert_calm 'too many connections for role' 10
	assert_same 'connections' 0 "$(pg "select count(*) from pg_stat_activity where usename = '$plain_role'")"
	wait_until "[ -n \"\$(worker_id ${WORKER_PIDS[0]})\" ]"
	pg "alter role $plain_role connection limit 4" # to open, to settle, for the upkeep, and one for all jobs
	open_gate
	end_pair pair.crowded
	assert_same 'connections' t "$(pg "select count(*) between 1 and 4 from pg_stat_activity where usename = '$plain_role'")"
}

# ---- 13 ----

# A job that stays "processing" for ever after its database was read-only for a while: jobrunr/jobrunr#1264, graphile/worker#449.
@test "13 PostgreSQL read-only in mid-run: it waits, says so, does not spin, and goes on when it may write again" {
	pair_pipeline
	close_gate
	begin_pair pair.readonly 2024-01-08
	start_worker
	wait_until 'both_run 2'
	pg "alter database $(pg 'select current_database()') set default_transaction_read_only = on"
	since=$(pg 'select clock_timestamp()')
	# Sessions begun before may still write: they are ended. Those of this test say so for themselves.
	pg "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'worker%'" >/dev/null
	export PGOPTIONS='-c default_transaction_read_only=off'
	open_gate
	assert_calm 'read-only transaction' 10
	assert_same 'jobs that are done' 0 "$(pg "select count(*) from bf.job where state = 'done'")"
	# the steward has a session of its own from this time, which stays read-only
	wait_until "at_least 1 \"select count(*) from pg_stat_activity where datname = current_database() and application_name = 'worker (steward)'
		and backend_start > '$since'\""
	pg "alter database $(pg 'select current_database()') reset default_transaction_read_only"
	end_pair pair.readonly
}

# Work that fails for good because the disk was full: NatLabRockies/OpenStudio-server#775.
@test "13 PostgreSQL's disk full in mid-run: it waits, says so, does not spin, and goes on when there is room" {
	own_servers
	watcher_begin
	small_disk=$BF_LOCAL_DIR/small
	mkdir "$small_disk"
	mount -t tmpfs -o size=40m,mode=777 tmpfs "$small_disk" 2>/dev/null || {
		small_disk=
		skip 'no right to mount a small file system'
	}
	mkdir "$small_disk/space"
	chown "$(stat -c %U "$(sed -n 's/^pg_home=//p' "$BF_LOCAL_DIR/servers")"):" "$small_disk/space"
	chmod 700 "$small_disk/space"
	pg "create tablespace small location '$small_disk/space'"
	server_sql "$(database_url "$BF_DATABASE_URL" postgres)" 'alter database backfill set tablespace small'
	pair_pipeline
	sql_file load.sql <<-'SQL'
		insert into effect_load values (:'chunk');
		insert into ballast select string_agg(md5(n::text), '') from generate_series(1, 10000) n;
		select pass_gate();
	SQL
	pg 'create table ballast (text text)'
	close_gate
	begin_pair pair.full 2024-01-12
	start_worker
	wait_until 'both_run 2'
	head -c 100M /dev/zero >"$small_disk/filler" 2>"$BATS_TEST_TMPDIR/filler.log" || true
	grep -F 'No space left' "$BATS_TEST_TMPDIR/filler.log"
	open_gate
	wait_until "is 0 \"select count(*) from bf.job where step = 'send' and state <> 'done'\"" # programs go on, and say so
	assert_calm 'No space left on device' 15
	assert_same 'the run' running "$(run_state pair.full)"
	rm "$small_disk/filler"
	end_pair pair.full
}
