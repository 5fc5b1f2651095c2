# A job is being opened, by a statement that takes its time: its answer is lost on the way (row 12), or the job is given to another worker.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/chaos.bash
load ../support/faultproxy.bash

setup() {
	chaos_setup
	export BF_LEASE=10s       # what is not answered for three of them is given up
	export BF_LOG_LEVEL=debug # tells where a job goes
}
teardown() {
	[ -z "${second:-}" ] || kill -CONT "$second" 2>/dev/null || true
	faultproxies_down
	bf_teardown
}

# A pipeline of one job a day. The first statement that opens one holds it, and does not come to its end until `let_open`.
slow_opening() { # OPTION… of the worker
	pipeline once <<-'JSON'
		{"pipeline": "once", "chunk": {"size": 1}, "defaults": {"retry": {"attempts": 1}},
		 "steps": [{"name": "once", "kind": "sql", "file": "sql/once.sql"}]}
	JSON
	sql_file once.sql <<<"insert into effect values (:'run', 'once', :'chunk');"
	pg "create table shut (shut int); insert into shut values (1); create sequence openings;
	    create function open_slowly() returns trigger language plpgsql as
	    \$\$ begin
	      if nextval('public.openings') = 1 then
	        while exists (select from public.shut) loop perform pg_sleep(0.02); end loop;
	      end if;
	      return new; end \$\$;
	    create trigger open_slowly before update on bf.job for each row when (new.state = 'running') execute function open_slowly()"
	postgres_behind_proxy
	enqueue_run once.slow once --since=2024-02-01 --until=2024-02-01
	BF_DATABASE_URL=$behind_postgres start_worker "$@"
	wait_until is_opening
}
is_opening() { is 1 "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'"; }
let_open() { pg 'delete from shut'; }

moves() { worker_log 0 | grep -F 'once.slow/once/2024-02-01#1: '; } # of that job, in the first worker
moved() { moves | grep -F "$1"; }

end_slow() {
	wait_for_end once.slow
	wait_for_redis once.slow
	assert_same 'the job' 'done|0' "$(pg "select state, attempts from bf.job where run = 'once.slow'")"
	pg "create view effect_once as select chunk from effect where run = 'once.slow'"
	oracle once.slow once=effect_once
}

# graphile/worker#254: the connection ends while a job is taken, which stays locked for good.
@test "12 an opening that is not answered goes on in the server: the job is asked for until it is through, and others go on meanwhile" {
	slow_opening
	fault postgres reset now
	wait_until 'moved "opening -> ask (locked)"'
	enqueue_run once.beside once --since=2024-02-01 --until=2024-02-05
	wait_for_end once.beside
	is_opening
	let_open
	end_slow
	assert_same 'how often it was opened, and counted as a crash' '2|0' "$(pg "select epoch, crashes from bf.job where run = 'once.slow'")"
	assert_same 'how often it was given away' 0 "$(moves | grep -cF -- '-> ack (later)')"
}

# As after an older image of Redis was restored: the claim of the first worker is gone, and a second one has the job. It stops there, so that
# it does not find out that the job is locked.
give_to_another() {
	local id
	id=$(worker_id "${WORKER_PIDS[0]}")
	start_hanging after_claim:1
	second=${WORKER_PIDS[1]}
	wait_until "[ \"\$(rd zcard bf:workers)\" = 2 ]"
	printf '%s\n' multi "hdel bf:worker:$id:jobs once.slow/once/2024-02-01#1" 'lpush bf:queue:default once.slow/once/2024-02-01#1' \
		'lpush bf:wake:default 1' exec | rd >/dev/null
	assert_hangs after_claim "$second"
	rd client kill type normal >/dev/null # the first one says what it holds as soon as it is back
	wait_until 'moved "another worker has it by now"'
	is_opening
}

@test "a job that is given to another worker while it is opened is handed back, not begun" {
	slow_opening --slots=1 # it has no room to take the job back
	give_to_another
	let_open
	wait_until 'moved "opening -> settle (returned)"'
	assert_same 'the job' 'pending|1' "$(pg 'select state, epoch from bf.job')"
	kill -CONT "$second"
	end_slow
}

@test "a job that is given to another worker while it is opened, and of which no answer comes, is not asked for again" {
	slow_opening --slots=1 # it has no room to take the job back
	give_to_another
	fault postgres reset now
	wait_until 'moved "opening -> ack (return)"'
	let_open
	kill -CONT "$second"
	end_slow
	assert_same 'how often it was asked for again' 0 "$(moves | grep -cF 'not answered')"
}
