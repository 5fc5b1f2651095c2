# Redis is disposable: what nobody can read in it is named, thrown away, and brought back from the ledger; by a worker, and by
# `bfstat verify --repair` where there is none. The keys and their types are those of the table in docs/queue.md.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 # of a hundred short calls of bfstat; bfstat.bats looks for leaks

setup() { bf_setup; }
teardown() {
	[ -z "${stopped:-}" ] || kill -CONT "$stopped"
	bf_teardown
}

# Thirty days, three at once, then one step that needs them all. A day waits in its middle until its gate is open.
garbage_run() { # RUN
	pg 'create table effect (chunk text); create table closed (chunk text); create table gate (day date)'
	pg "create function pass_gate(p_day date) returns void language plpgsql as
	    \$\$ begin while not exists (select from gate where day >= p_day) loop perform pg_sleep(0.02); end loop; end \$\$"
	pipeline garbage <<-'JSON'
		{"pipeline": "garbage", "chunk": {"size": 1}, "concurrency": {"default": 3}, "rate": "1000/second",
		 "steps": [{"name": "work", "kind": "sql", "file": "sql/work.sql"},
		           {"name": "close", "kind": "sql", "per": "run", "file": "sql/close.sql"}]}
	JSON
	sql_file work.sql <<-'SQL'
		insert into effect values (:'chunk');
		select pass_gate(:'since');
	SQL
	sql_file close.sql <<<"insert into closed values (:'chunk');"
	enqueue_run "$1" garbage --since=2024-01-01 --until=2024-01-30
}
open_gate() { pg "insert into gate values ('$1')"; } # DAY: up to it
done_days() { pg "select count(*) from bf.job where step = 'work' and state = 'done'"; }
at_work() { is 3 "select count(*) from bf.job where state = 'running'"; }

assert_completes() { # RUN
	open_gate 2024-02-01
	wait_for_end "$1" 60
	wait_until "[ \"\$(rd sismember bf:runs $1)\" = 0 ]"
	oracle "$1" work=effect close=closed
	assert_same 'what must be true of every run' '' "$(psql -XAtq -v ON_ERROR_STOP=1 -d "$BF_DATABASE_URL" -f "$bf_top/tests/support/invariants.sql")"
}

# The page's keys with these names put in, each followed by the type that it has to be.
keys_and_types() { # RUN WORKER
	sed -nE 's/^\| (`bf:.*`) \| ([A-Z]+) \|.*/\1|\2/p' "$bf_top/docs/queue.md" | while IFS='|' read -r names type; do
		grep -oE 'bf:[^`]*' <<<"$names" |
			sed "s/<run>/$1/; s/<id>/$2/; s/<q>/default/; s/<step>/work/; s/\$/ ${type,,}/"
	done
}

wrong_type() { # KEY TYPE: makes it something else, at once: nobody sees that it was away
	local command=SET
	[ "$2" != string ] || command=RPUSH
	rd eval "redis.call('DEL', ARGV[1]) redis.call('$command', ARGV[1], 'garbage')" 0 "$1" >/dev/null
}

# A worker that is stopped in the middle of three jobs: its keys stay, and it mends nothing.
stopped_worker() {
	export BF_LEASE=10m
	start_worker --slots=3
	wait_until at_work
	stopped=${WORKER_PIDS[-1]}
	wait_until '[ "$(rd hlen "bf:worker:$(rd zrange bf:workers 0 0):jobs")" -ge 3 ]'
	kill -STOP "$stopped"
	worker_name=$(rd zrange bf:workers 0 0)
}

# named KEY WHAT: `bfstat verify` has said so, with this exit code
named() {
	[ "$status" -eq "$1" ] && [[ $output = *"$2 in Redis $3"* ]] || { printf '%s: exit %s\n%s\n' "$2" "$status" "$output" >&2; return 1; }
}
mends() { # KEY WHAT
	run bfstat verify --repair
	named 0 "$1" "$2"
}

@test "verify names each key of ours that has a wrong type, and --repair mends it without a worker" {
	garbage_run garbage.types
	stopped_worker
	run bfstat verify
	assert_same "exit code, and $output" 0 "$status"
	keys_and_types garbage.types "$worker_name" >"$BATS_TEST_TMPDIR/keys"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/keys")" -ge 20 ]
	while read -r key type <&4; do
		wrong_type "$key" "$type"
	done 4<"$BATS_TEST_TMPDIR/keys"
	for page in '' garbage.types; do # the ledger is there, and tells of its runs
		run bfstat $page
		[ "$status" -eq 0 ] && [[ $output = *garbage.types*running* ]]
	done
	run bfstat workers
	[ "$status" -eq 1 ] && [[ $output = *'`bfstat verify` names the key'* ]]
	run bfstat verify
	while read -r key type <&4; do
		[[ $key = bf:worker* ]] || named 1 "$key" 'is a' # those of workers cannot be found while bf:workers is none
	done 4<"$BATS_TEST_TMPDIR/keys"
	mends bf:workers 'is a string, and has to be a zset'
	while read -r key type <&4; do
		wrong_type "$key" "$type"
		mends "$key" 'is a'
		[[ $(rd type "$key") = @("$type"|none) ]]
	done 4<"$BATS_TEST_TMPDIR/keys"
	kill -CONT "$stopped"
	stopped=''
	assert_completes garbage.types
}

# plant KEY: what may not stand in it, and how verify says so
plant() { # RUN WORKER
	local run=$1 worker=$2
	echo "bf:clock|is \"abc\"|set bf:clock abc"
	echo "bf:last|is \"abc\"|set bf:last abc"
	echo "bf:grace|lies further ahead|set bf:grace 99999999999999"
	echo "bf:generation|is \"abc\"|set bf:generation abc"
	echo "bf:runs|has a member that is no run: No run|sadd bf:runs No?run"
	echo "bf:workers|has a time too far ahead for worker fake|zadd bf:workers 9999999999999 fake"
	echo "bf:worker:$worker|has the number \"abc\"|hset bf:worker:$worker number abc"
	echo "bf:worker:$worker:jobs|has a member that is no job: garbage|hset bf:worker:$worker:jobs garbage 1"
	echo "bf:queue:default|has 2 members that are no jobs|lpush bf:queue:default garbage junk"
	echo "bf:delayed:default|has a member that is no job: garbage|zadd bf:delayed:default 1 garbage"
	echo "bf:delayed:default|has a time too far ahead for job|zadd bf:delayed:default 9e16 $run/work/2024-01-29#29"
	echo "bf:run:$run|has the concurrency \"abc\"|hset bf:run:$run concurrency abc"
	echo "bf:run:$run|has no queue|hdel bf:run:$run queue"
	echo "bf:run:$run|has a tat too far ahead|hset bf:run:$run tat 99999999999999"
	echo "bf:run:$run:released|has 3 members that are no jobs|sadd bf:run:$run:released a b/c work/2024-01-02"
	echo "bf:run:$run:step:work|has the pushed \"abc\"|hset bf:run:$run:step:work pushed abc"
	echo "bf:run:$run:step:work|has the running \"1.5\"|hset bf:run:$run:step:work running 1.5"
	echo "bf:run:$run:pending:work|has a member that is no chunk: garbage|lpush bf:run:$run:pending:work garbage"
	echo "bf:run:$run:returned:work|has a member that is no chunk: garbage|zadd bf:run:$run:returned:work 1 garbage"
	echo "bf:run:$run:released:work|has a member that is no chunk: garbage|sadd bf:run:$run:released:work garbage"
}

put() { # COMMAND: `?` is a space within a word
	local words
	read -ra words <<<"$1"
	rd "${words[@]//\?/ }" >/dev/null
}

@test "verify names what may not stand in a key of ours, and --repair takes it out without a worker" {
	garbage_run garbage.members
	stopped_worker
	plant garbage.members "$worker_name" >"$BATS_TEST_TMPDIR/plants"
	while IFS='|' read -r key what command <&4; do
		put "$command"
		mends "$key" "$what"
	done 4<"$BATS_TEST_TMPDIR/plants"
	rd zadd bf:delayed:default 1 garbage >/dev/null
	run bfstat verify
	named 1 bf:delayed:default 'has a member that is no job: garbage'
	kill -CONT "$stopped"
	stopped=''
	assert_completes garbage.members
}

has_said() { grep -qF -- "$1" "$BATS_TEST_TMPDIR/worker-0.log"; }

@test "a worker names each key that has a wrong type, throws it away, and its run goes on to the right end" {
	garbage_run garbage.worked
	export BF_LEASE=4s
	start_worker --slots=3
	wait_until at_work
	keys_and_types garbage.worked "$(rd zrange bf:workers 0 0)" >"$BATS_TEST_TMPDIR/keys"
	while read -r key type <&4; do
		: >"$BATS_TEST_TMPDIR/worker-0.log"
		wrong_type "$key" "$type"
		case $key in
		bf:worker:*:reply | bf:last | bf:grace | bf:rebuilding) ;; # may be written anew before anybody reads it
		*) wait_until "has_said '$key in Redis is a'" ;;
		esac
		wait_until "[[ \$(rd type '$key') = @($type|none) ]]"
	done 4<"$BATS_TEST_TMPDIR/keys"
	assert_completes garbage.worked
}

@test "what may not stand in a key does not stop a run under way: a worker takes it out, and says so" {
	garbage_run garbage.taken
	export BF_LEASE=4s
	start_worker --slots=3
	wait_until at_work
	plant garbage.taken "$(rd zrange bf:workers 0 0)" >"$BATS_TEST_TMPDIR/plants"
	while IFS='|' read -r _ _ command <&4; do
		put "$command"
	done 4<"$BATS_TEST_TMPDIR/plants"
	wait_until "has_said 'in Redis '"
	assert_completes garbage.taken
}

@test "members that are no jobs keep no place in a run's window: they are taken out and named, and it completes" {
	garbage_run garbage.window
	export BF_LEASE=4s
	rd sadd bf:run:garbage.window:released a b c d e f >/dev/null
	start_worker --slots=3
	wait_until "has_said 'bf:run:garbage.window:released in Redis has 6 members that are no jobs'"
	assert_completes garbage.window
}

@test "a worker with a lease that nobody can have is swept, and what it held goes to others" {
	garbage_run garbage.fake
	rd hset bf:worker:fake:jobs garbage.fake/work/2024-01-01#1 1 >/dev/null
	rd lrem bf:queue:default 1 garbage.fake/work/2024-01-01#1 >/dev/null
	rd zadd bf:workers 9999999999999 fake >/dev/null
	export BF_LEASE=2s
	open_gate 2024-02-01
	start_worker --slots=3
	wait_until "has_said 'bf:workers in Redis has a time too far ahead for worker fake'"
	assert_completes garbage.fake
}
