# Least privilege: worker, operator and reader do all their work with the roles and users of deploy/, and nothing that is not theirs.
#
# taskforcesh/bullmq#2809 and #4757, OptimalBits/bull#2534, celery/celery#8724: which commands has a user of Redis to be allowed? Nobody has the list.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/secured.bash

setup() {
	secured_setup
	export BF_LEASE=2s
}
teardown() { secured_teardown; }

grant_weather() {
	pg 'grant usage on schema weather to backfill_worker;
	    grant select on weather.raw to backfill_worker;
	    grant select, insert, update, delete on weather.daily, weather.rolling to backfill_worker;
	    grant all on all tables in schema public to backfill_worker; grant all on all sequences in schema public to backfill_worker'
}

begin_weather() { # RUN
	load_weather
	pg "delete from weather.raw where day > '2012-02-29'"
	counted_weather
	grant_weather
	as operator enqueue_run "$1" weather --since=2012-01-01 --until=2012-02-29 --param="out=$BATS_TEST_TMPDIR/export"
}

# Neither server has refused anybody anything.
assert_nothing_refused() {
	assert_same 'what Redis refused' '' "$(rd acl log)"
	assert_same 'what PostgreSQL refused' '' "$(grep -E 'permission denied|must be owner|must be superuser|must be a member' "$pg_log")"
}

# look COMMAND…: bfstat as the reader, or as $looker; both can read all of it
look() {
	local status=0
	as "${looker:-reader}" bfstat "$@" >"$BATS_TEST_TMPDIR/look" 2>&1 || status=$?
	! grep -E 'not read|NOPERM|denied|refuse' "$BATS_TEST_TMPDIR/look"
	[ "$status" -eq 0 ] || { cat "$BATS_TEST_TMPDIR/look"; return 1; }
}
look_at_everything() { # RUN
	local command
	for command in '' "$1" "jobs $1" "failures $1" 'coverage weather' 'gaps weather' workers queues "events $1" "report $1 --out=$BATS_TEST_TMPDIR/report"; do
		# shellcheck disable=SC2086
		look $command
		# shellcheck disable=SC2086
		look $command --json
	done
	wait_until 'look verify'
	reader_cli fcall_ro bf_status 0 "$1" | grep -F "$1 is "
}

reader_cli() { REDISCLI_AUTH=${password[reader]} redis-cli -s "$redis_socket" --user backfill-reader "$@"; }

@test "the sample runs from end to end with a role for each: planned, taken over from a worker that stands still and is killed, looked at, decided about" {
	begin_weather weather.roles
	hold daily 2012-01-10
	as worker start_worker
	wait_until 'is_held weather.roles daily 2012-01-10'
	stale=$(pg "select backend_pid from bf.job where step = 'daily' and '2012-01-10' between since and until")
	look_at_everything weather.roles
	kill -STOP "${WORKER_PIDS[0]}" # not killed: the server would end the backend itself when it looks whether its client is still there
	as worker start_worker
	wait_until "grep -F '[$stale] FATAL:  terminating connection due to administrator command' '$pg_log'"
	kill -KILL "${WORKER_PIDS[0]}"
	wait_until 'is_held weather.roles daily 2012-01-10'
	[ "$(pg "select backend_pid from bf.job where step = 'daily' and '2012-01-10' between since and until")" != "$stale" ]

	as operator enqueue stop weather.roles
	let_go daily
	wait_until '[ "$(run_state weather.roles)" = stopped ]'
	as operator enqueue resume weather.roles
	wait_for_end weather.roles
	assert_counted_weather weather.roles
	assert_weather_verified
	assert_same 'files' 2 "$(find "$BATS_TEST_TMPDIR/export" -name '*.csv' | wc -l)"
	look_at_everything weather.roles
	looker=operator look_at_everything weather.roles
	assert_nothing_refused
}

@test "failures, a crash, retry, cancel and a repair need no more than the roles have" {
	pg "create table broken (chunk text); insert into broken values ('2024-01-03'); create table effect (chunk text); create table hold (n int)"
	pg 'grant all on all tables in schema public to backfill_worker'
	pipeline broken <<-'JSON'
		{"pipeline": "broken", "chunk": {"size": 1}, "pause": "10ms", "env": {"set": {"MARK": "x"}},
		 "defaults": {"retry": {"attempts": 2, "first": "100ms", "jitter": 0}},
		 "steps": [{"name": "one", "kind": "sql", "file": "sql/one.sql", "concurrency": 1, "order": "asc"},
		           {"name": "two", "kind": "exec", "argv": ["bin/two"]},
		           {"name": "three", "kind": "noop", "wait_for": "chunk"}]}
	JSON
	sql_file one.sql <<-'SQL'
		insert into effect values (:'chunk');
		select 1 / (not exists (select from broken where chunk = :'chunk'))::int;
	SQL
	program two <<-'SH'
		echo "progress 1 2" >&"$BF_PROGRESS_FD"
		echo "checkpoint half" >&"$BF_PROGRESS_FD"
		echo "note slow" >&"$BF_PROGRESS_FD"
		echo "rows 3" >&"$BF_PROGRESS_FD"
		[ "$BF_ATTEMPT" = 2 ]
	SH
	as operator enqueue_run broken.one broken --since=2024-01-01 --until=2024-01-04
	as worker start_worker
	wait_for_end broken.one
	assert_same 'the run' failed "$(run_state broken.one)"
	look failures broken.one
	pg 'delete from broken'
	as operator enqueue retry broken.one --downstream
	wait_until '[ "$(run_state broken.one)" = done ]'
	oracle broken.one one=effect
	assert_same 'tries that failed' 'exit 4, sql 2' "$(pg "select string_agg(category || ' ' || n, ', ' order by category) from (select category, count(*) n from bf.attempt group by 1) x")"

	# three workers die in its company of one: the third death is its last
	sql_file one.sql <<<"select pg_sleep(case when exists (select from hold) then 3600 else 0 end);"
	pg 'insert into hold values (1)'
	as operator enqueue_run broken.two broken --since=2024-02-01 --until=2024-02-01
	for _ in 1 2 3 4 5; do
		wait_until "is 1 \"select count(*) from bf.job where run = 'broken.two' and step = 'one' and state = 'running' and worker like '%-${WORKER_PIDS[-1]}-%'\""
		kill -KILL "${WORKER_PIDS[-1]}"
		as worker start_worker
	done
	wait_until '[ "$(run_state broken.two)" = failed ]'
	assert_same 'why' crash "$(pg "select error_category from bf.job where run = 'broken.two' and step = 'one'")"

	# everything in Redis goes away while nobody is there: the operator's next plan rebuilds it
	kill_worker "${WORKER_PIDS[-1]}"
	as operator enqueue retry broken.two
	rd flushall
	rd function flush
	pg 'delete from hold'
	as operator enqueue_run broken.three broken --since=2024-03-01 --until=2024-03-02
	rd hset bf:run:broken.three done 7
	run as operator bfstat verify --repair
	[ "$status" -eq 0 ] && [[ $output = *Repaired* ]]
	as operator enqueue cancel broken.three --step=one --chunk=2024-03-02
	as worker start_worker
	wait_until '[ "$(run_state broken.two)" = done ]'
	wait_until 'run_ended broken.three'

	# and while a worker is there: it loads its functions and rebuilds
	as operator enqueue_run broken.four broken --since=2024-04-01 --until=2024-04-02
	rd flushall
	rd function flush
	wait_until '[ "$(run_state broken.four)" = done ]'
	as operator enqueue cancel broken.four

	# what an operator has begun to cancel, a worker ends
	pg 'insert into hold values (1)'
	as operator enqueue_run broken.five broken --since=2024-05-01 --until=2024-05-02
	pg "update bf.run set state = 'stopping', cancelling = true where run = 'broken.five'"
	wait_until '[ "$(run_state broken.five)" = cancelled ]'
	assert_nothing_refused
}

# ---- what is refused ----

# denied ROLE SQL: PostgreSQL says that it may not
denied() {
	local said
	said=$(psql -XAtq -v ON_ERROR_STOP=1 -v VERBOSITY=sqlstate -d "${pg_url[$1]}" -c "$2" 2>&1) && { echo "$1 may: $2 ($said)"; return 1; }
	[[ $said = *42501* ]] || { echo "$1: $2: $said"; return 1; }
}

# noperm ROLE COMMAND…: Redis says that it may not
noperm() {
	local role=$1 said
	shift
	said=$(REDISCLI_AUTH=${password[$role]} redis-cli -s "$redis_socket" --user "backfill-$role" "$@" 2>&1)
	[[ $said = *NOPERM* || $said = *"ACL failure"* ]] || { echo "$role: $*: $said"; return 1; }
}

@test "PostgreSQL refuses each role what is not its own" {
	local table role
	pipeline one <<<'{"pipeline": "one", "chunk": {"size": 1}, "steps": [{"name": "one", "kind": "noop"}]}'
	as operator enqueue_run one.one one --since=2024-01-01 --until=2024-01-02
	tables=$(pg "select relname from pg_class where relnamespace = 'bf'::regnamespace and relkind = 'r' order by 1")
	assert_same 'tables' 'attempt check_result event job meta migration pipeline planning run split_wanted step' "${tables//$'\n'/ }"
	for table in $tables; do
		for role in worker operator reader; do
			denied "$role" "delete from bf.$table"
			denied "$role" "truncate bf.$table"
			denied "$role" "drop table bf.$table"
			denied "$role" "alter table bf.$table add column x int"
			denied "$role" "create trigger x before update on bf.$table for each row execute function suppress_redundant_updates_trigger()"
		done
		denied reader "insert into bf.$table default values"
		denied reader "update bf.$table set $(pg "select attname from pg_attribute where attrelid = 'bf.$table'::regclass and attnum = 1") = default"
		denied reader "begin; lock table bf.$table in row exclusive mode"
		denied reader "select from bf.$table for share"
	done
	for role in worker operator reader; do
		denied "$role" 'create table bf.x ()'
		denied "$role" 'drop schema bf cascade'
		denied "$role" 'drop function bf.settle'
		denied "$role" 'create schema x'
		denied "$role" 'create role x'
		denied "$role" 'alter role backfill_owner password null'
		denied "$role" 'set role backfill_owner'
		denied "$role" "select pg_read_file('/etc/passwd')"
		denied "$role" "copy bf.run to program 'cat'"
		denied "$role" 'update bf.run set concurrency = 1'
		denied "$role" "update bf.job set chunk = 'x'"
		denied "$role" 'update bf.attempt set error = default'
		denied "$role" 'update bf.event set who = default'
	done
	for call in "advance('one.one')" "stop('one.one', '', '')" "resume('one.one', '', '')" "cancel('one.one', null, null, '', '')" "retry('one.one', null, null, '', '')"; do
		denied reader "select bf.$call"
		[[ $call = advance* ]] || denied worker "select bf.$call"
	done
	for role in worker reader; do
		denied "$role" "select bf.undo_begin('one.one', 'one', 1, 0)"
		denied "$role" "select bf.undo('one.one', 'one', 1, 0, '', null)"
	done
	denied operator "insert into bf.split_wanted values ('one.one', 'one', 1)"
	as worker psql -XAtq -v ON_ERROR_STOP=1 -d "${pg_url[worker]}" -c "insert into bf.split_wanted values ('one.one', 'one', 1)" -c "select bf.split('one.one')"
	assert_same 'jobs that a worker could plan' 2 "$(pg "select count(*) from bf.job")"
	denied worker "insert into bf.run (run) values ('x')"
	denied worker "insert into bf.job (run) values ('x')"
	denied worker "insert into bf.pipeline (sha256) values ('x')"
	denied worker 'select from bf.event'
	denied operator "insert into bf.attempt (run) values ('x')"
	denied operator "insert into bf.check_result (run) values ('x')"
	denied operator "update bf.job set checkpoint = 'x'"
	denied operator "select bf.settle('one.one', 'one', 1, 1)"
	denied operator "update bf.job set state = 'done'"
	denied operator "insert into bf.job (run, step, seq, chunk, state) values ('one.one', 'one', 3, 'x', 'done')"
	denied operator "update bf.run set state = 'done'"
	denied operator "update bf.step set state = 'done'"
	denied worker "update bf.run set state = 'done'"
	denied worker "update bf.step set state = 'done'"
	denied worker "update bf.step set decision = 'approved'"
	for role in worker operator reader; do
		denied "$role" "insert into bf.event (run, who, what) values ('one.one', 'somebody', 'approve')"
		denied "$role" "select bf.decide_approval('one.one', 'one', true, 'somebody', null, 'rejected')"
		denied "$role" "select bf.advance_settled('one.one')"
		denied "$role" "select bf.note('one.one', 'one', null, 'somebody', 'approve', null)"
	done
	denied operator 'select from bf.pipeline'
	denied reader 'select from bf.pipeline'
	assert_same 'jobs, as planned' 2 "$(pg "select count(*) from bf.job where state = 'pending'")"
	assert_same 'who may do anything with the ledger, beside its owner and the three' '' "$(pg "
		select distinct grantee::regrole from pg_class c cross join lateral aclexplode(relacl)
		 where relnamespace = 'bf'::regnamespace and grantee not in (select oid from pg_roles where rolname ~ '^backfill_(owner|worker|operator|reader)$')")"
}

@test "no lock that a reader can take holds up planning, or opening jobs again" {
	pipeline one <<<'{"pipeline": "one", "chunk": {"size": 1}, "steps": [{"name": "one", "kind": "noop"}]}'
	denied reader 'select from bf.planning for key share'
	denied reader "select bf.lock_planning('one', true)"
	denied worker "select bf.lock_planning('one', true)"
	as reader psql -XAtq -d "${pg_url[reader]}" -c "begin; select pg_advisory_lock(hashtext('bf.plan'), hashtext('one')); select from bf.run; select pg_sleep(60)" >/dev/null 3>&- &
	reader=$!
	wait_until "is 1 \"select count(*) from pg_stat_activity where usename = 'backfill_reader' and wait_event = 'PgSleep'\""
	as operator timeout 20 enqueue run one --run-id=one.one --since=2024-01-01 --until=2024-01-02
	pg "update bf.job set state = 'failed'; update bf.step set state = 'failed'; update bf.run set state = 'failed'"
	as operator timeout 20 enqueue retry one.one
	assert_same 'jobs opened again' 2 "$(pg "select count(*) from bf.job where state = 'pending' and epoch = 1")"
	assert_same 'the reader still has its locks' 1 "$(pg "select count(*) from pg_stat_activity where usename = 'backfill_reader' and wait_event = 'PgSleep'")"
	kill "$reader"
	wait "$reader" || true
}

@test "an event says which role was logged in, whatever name was given" {
	pipeline one <<<'{"pipeline": "one", "chunk": {"size": 1}, "steps": [{"name": "one", "kind": "noop"}]}'
	as operator enqueue_run one.one one --since=2024-01-01 --until=2024-01-02
	as operator enqueue stop one.one
	assert_same 'events' 'plan by backfill_operator, stop by backfill_operator' \
		"$(pg "select string_agg(what || ' by ' || role, ', ' order by id) from bf.event where what in ('plan', 'stop')")"
	as operator bfstat events one.one --json | jq -e '.events[0].role == "backfill_operator"'
}

@test "an approval that the worker's role writes into the ledger is asked for again" {
	pipeline signed <<-'JSON'
		{"pipeline": "signed", "chunk": {"size": 1}, "steps": [{"name": "one", "kind": "noop"},
		  {"name": "sign-off", "kind": "approval"}, {"name": "two", "kind": "noop"}]}
	JSON
	as operator enqueue_run signed.one signed --since=2024-01-01 --until=2024-01-02
	as worker start_worker
	wait_until '[ "$(run_state signed.one)" = waiting ]'
	psql -XAtq -v ON_ERROR_STOP=1 -d "${pg_url[worker]}" \
		-c "update bf.job set state = 'done', epoch = epoch + 1, note = 'approved by the director' where step = 'sign-off'"
	wait_until 'is 1 "select count(*) from bf.event where what = '"'approval asked for again'"'"'
	assert_same 'the run still waits' waiting "$(run_state signed.one)"
	assert_same 'what comes after it' 'pending 2' "$(pg "select state || ' ' || count(*) from bf.job where step = 'two' group by state")"
	as operator enqueue approve signed.one sign-off --by=me
	wait_for_end signed.one
	assert_same 'the run' 'done' "$(run_state signed.one)"
	assert_nothing_refused
}

@test "Redis refuses each user what is not its own" {
	rd set other:key 1
	rd set bf:probe 1
	[[ $(redis-cli -s "$redis_socket" ping) = NOAUTH* ]]
	[[ $(redis-cli -s "$redis_socket" auth x 2>&1) = *WRONGPASS* ]]
	for role in worker operator reader; do
		noperm "$role" get other:key
		noperm "$role" keys '*'
		noperm "$role" scan 0
		noperm "$role" flushall
		noperm "$role" flushdb
		noperm "$role" config get '*'
		noperm "$role" shutdown
		noperm "$role" config set maxmemory 1
		noperm "$role" save
		noperm "$role" swapdb 0 1
		noperm "$role" acl list
		noperm "$role" client list
		noperm "$role" monitor
		noperm "$role" function flush
		noperm "$role" function delete bf_v1
		noperm "$role" function dump
		noperm "$role" eval 'return 1' 0
		noperm "$role" dump bf:probe
		noperm "$role" rename bf:probe other:key
		noperm "$role" replicaof no one
		noperm "$role" publish x y
		noperm "$role" slowlog get
	done
	noperm operator blpop bf:wake:default 1
	noperm reader set bf:probe 2
	noperm reader del bf:probe
	noperm reader expire bf:probe 1
	noperm reader lpop bf:queue:default
	noperm reader fcall bf_v1_end_run 0 1 x
	noperm reader function load "$(cat "$bf_top/common/core/lua/bf.lua")"
	# the function that changes is not even to be had by way of the read-only call
	as operator enqueue run weather --since=2012-01-01 --until=2012-01-02 --no-preflight >/dev/null
	[[ $(reader_cli fcall_ro bf_v1_end_run 0 1 x) = *'write flag'* ]]
	assert_same 'the probe' 1 "$(rd get bf:probe)"
}

@test "the programs themselves say that they may not" {
	local role
	run as worker enqueue run weather --since=2012-01-01 --until=2012-01-02
	[ "$status" -eq 1 ] && [[ $output = *'permission denied for table pipeline'* ]]
	run as reader enqueue run weather --since=2012-01-01 --until=2012-01-02
	[ "$status" -eq 1 ] && [[ $output = *NOPERM* ]]
	assert_same 'runs' 0 "$(pg 'select count(*) from bf.run')"
	# a migration that is still to be applied is the owner's to apply
	pg 'create table migration_before as table bf.migration; delete from bf.migration'
	for role in worker operator reader; do
		run as "$role" enqueue migrate
		[ "$status" -eq 1 ] && [[ $output = *'permission denied'* ]]
	done
	assert_same 'migrations applied' 0 "$(pg 'select count(*) from bf.migration')"
	pg 'insert into bf.migration table migration_before'
	as operator enqueue_run weather.x weather --since=2012-01-01 --until=2012-01-02 --no-preflight # it has no tables here
	for role in worker reader; do
		run as "$role" enqueue stop weather.x
		[ "$status" -eq 1 ] && [[ $output = *'permission denied'* ]]
	done
	run as reader worker
	[ "$status" -ne 0 ] && [[ $output = *NOPERM* ]]
	run as reader bfstat verify --repair
	[ "$status" -eq 0 ] # nothing to repair
	rd hset bf:run:weather.x done 7
	run as reader bfstat verify --repair
	[ "$status" -ne 0 ] && [[ $output = *NOPERM* ]]
	assert_same 'the run' running "$(run_state weather.x)"
	assert_same 'the counter' 7 "$(rd hget bf:run:weather.x done)"
}

# ---- the smallest set ----

# The commands that an ACL line allows, one a line.
allowed() { sed -n "s/^user backfill-$1 //p" "$bf_top/deploy/redis.acl" | tr ' ' '\n' | sed -n 's/^+//p' | LC_ALL=C sort; }

# The commands that were run since `rd config resetstat`, by clients and by functions, but for those of redis-cli itself.
used() {
	rd info commandstats | sed -nE 's/^cmdstat_([^:]+):calls=.*/\1/p' | grep -vxE 'auth|config\|resetstat' | LC_ALL=C sort
}

lua_commands() { command -p python3 "$bf_top/tests/support/lua_commands.py" "$bf_top/common/core/lua/$1.lua" "${@:2}"; }

# The functions of bf_v1 that programs other than the worker's loop call.
upkeep_functions() {
	local name
	for name in $(sed -nE "s/^register\('(\w+)'.*|^redis.register_function\('bf_v1_(\w+)'.*/\1\2/p" "$bf_top/common/core/lua/bf_v1.lua"); do
		! grep -rqs --include='*.c' "\"$name\"" "$bf_top/common/core" "$bf_top/enqueue" || echo "$name"
	done
}

# role: is it the master, as the sentinels said?
@test "the worker's user may use exactly the commands that the functions and the worker use" {
	assert_same 'commands' \
		"$({ lua_commands bf_v1 && lua_commands bf_v1_keys && printf '%s\n' ping role select info 'client|setname' 'function|list' 'function|load' fcall blpop smembers get; } | LC_ALL=C sort -u)" \
		"$(allowed worker)"
}

@test "the operator's user may use exactly the commands of the functions that enqueue calls, of enqueue, and of bfstat" {
	local functions
	functions=$(upkeep_functions)
	assert_same 'functions' 'sync_run missing adopt recount repair end_run rebuild_begin rebuild_end push' "${functions//$'\n'/ }"
	# shellcheck disable=SC2086
	assert_same 'commands' \
		"$({ lua_commands bf_v1 $functions && lua_commands bf_v1_keys && printf '%s\n' info 'function|list' 'function|load' fcall zcount && allowed reader; } | LC_ALL=C sort -u)" \
		"$(allowed operator)"
}

@test "the reader's user may use exactly the commands that a run of all of bfstat uses" {
	begin_weather weather.looked
	hold daily 2012-01-10
	as worker start_worker
	wait_until 'is_held weather.looked daily 2012-01-10'
	kill -KILL "${WORKER_PIDS[-1]}" # so that the reader is alone with what the worker held
	wait_until '[ "$(rd info clients | sed -nE "s/^connected_clients:([0-9]+).*/\1/p")" = 1 ]'
	rd config resetstat
	look_at_everything weather.looked
	as reader bfstat watch weather.looked --json | head -n 1 | jq -e .run
	assert_same 'commands' "$(printf '%s\n' "$(used)" ping role select | LC_ALL=C sort -u)" "$(allowed reader)"
	assert_nothing_refused
}
