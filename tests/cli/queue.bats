# The queue: every command of docs/queue.md against a run under way, and the functions of the Lua library, called one by one.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() { bf_setup; }
teardown() {
	[ -z "${full:-}" ] || rd config set maxmemory 0 >/dev/null
	bf_teardown
}

# ---- the cookbook ----

# redis-cli as the page types it, for this test's database
at_this_server() {
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	local real path
	real=$(command -v redis-cli)
	path=${BF_REDIS_URL#unix://}
	printf '#!/bin/sh\nexec %q -s %q -n %q "$@"\n' "$real" "${path%%\?*}" "${BF_REDIS_URL##*db=}" >"$BATS_TEST_TMPDIR/bin/redis-cli"
	chmod +x "$BATS_TEST_TMPDIR/bin/redis-cli"
	cookbook_path=$BATS_TEST_TMPDIR/bin:$PATH
}

cookbook_lines() { sed -n '/^```sh$/,/^```$/{/^```/d; p}' "$bf_top/docs/queue.md"; }

# What the answer to each command has to look like; a command that is not here fails the test.
expected_answer() {
	case $1 in
	*'FCALL_RO bf_status 0 $RUN') echo '^cookbook\.one is running: [0-9]+ of 12 jobs settled .*' ;;
	*'HGETALL bf:run:$RUN') echo '^planned$' ;;
	*'HGETALL bf:run:$RUN:step:$STEP') echo '^pushed$' ;;
	*'LRANGE bf:queue:default'*) echo '^cookbook\.one/work/2024-01-[0-9]{2}#[0-9]+$' ;;
	*'LLEN bf:run:$RUN:pending:$STEP') echo '^[1-9][0-9]*$' ;;
	*'LRANGE bf:run:$RUN:pending:$STEP'*) echo '^2024-01-[0-9]{2}#[0-9]+$' ;;
	*'SMEMBERS bf:run:$RUN:released') echo '^work/2024-01-[0-9]{2}#[0-9]+$' ;;
	*'ZRANGE bf:delayed:default 0 -1 WITHSCORES') echo '^cookbook\.one/work/2024-01-01#1$' ;;
	*'ZRANGE bf:workers 0 -1 WITHSCORES') echo "^$WORKER\$" ;;
	*'HGETALL bf:worker:$WORKER') echo '^slots$' ;;
	*'HGETALL bf:worker:$WORKER:jobs') echo '^cookbook\.one/work/2024-01-[0-9]{2}#[0-9]+$' ;;
	*'redis-cli TIME') echo '^[0-9]{10}$' ;;
	*) echo "no expectation for: $1" >&2; return 1 ;;
	esac
}

# Of 12 days the first is in back-off; of the next eight, which are released, one is in the only slot and waits. The worker may hold up to four
# more, the others are ready.
cookbook_run() {
	pg 'create table gate (open bool); insert into gate values (false)'
	pg "create function pass_gate() returns void language plpgsql as
	    \$\$ begin while not (select open from gate) loop perform pg_sleep(0.02); end loop; end \$\$"
	pipeline cookbook <<-'JSON'
		{"pipeline": "cookbook", "chunk": {"size": 1}, "concurrency": {"default": 8},
		 "defaults": {"retry": {"attempts": 2, "first": "1h", "max": "1h", "jitter": 0}},
		 "steps": [{"name": "work", "kind": "sql", "file": "sql/work.sql"}]}
	JSON
	sql_file work.sql <<-'SQL'
		select 1 / (:'chunk' <> '2024-01-01')::int;
		select pass_gate();
	SQL
	enqueue_run cookbook.one cookbook --since=2024-01-01 --until=2024-01-12
	start_worker --slots=1
	wait_until "[ \"\$(rd zcard bf:delayed:default)\" = 1 ]"
	wait_until "is 1 \"select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'\""
	wait_until '[ "$(rd llen bf:queue:default)" -gt 0 ]' # what the worker held ahead has been handed back
}

@test "every command of the cookbook answers, without an error, with what the page says" {
	cookbook_run
	at_this_server
	RUN=cookbook.one STEP=work
	WORKER=$(PATH=$cookbook_path bash -c "$(cookbook_lines | sed -n 's/^WORKER=\(.*\)/echo \1/p')")
	assert_same 'the worker' "$(pg "select distinct worker from bf.job where state = 'running'")" "$WORKER"
	commands=$(cookbook_lines | grep -v '^[A-Z]*=')
	assert_same 'lines that are no commands' '' "$(grep -v '^redis-cli ' <<<"$commands" || true)"
	[ "$(wc -l <<<"$commands")" -ge 10 ]
	while read -r line; do
		expected=$(expected_answer "$line")
		run env PATH="$cookbook_path" RUN="$RUN" STEP="$STEP" WORKER="$WORKER" bash -c "$line"
		printf '%s\n%s\n' "$line" "$output"
		[ "$status" -eq 0 ]
		grep -qE "$expected" <<<"$output"
		assert_same 'errors' '' "$(grep -E '^(\(error\)|ERR|WRONGTYPE|NOSCRIPT|NOPERM)' <<<"$output" || true)"
	done <<<"$commands"
}

@test "every key that is there is one of the page's table, of the type it says" {
	cookbook_run
	enqueue_run cookbook.two cookbook --since=2024-02-01 --until=2024-02-02
	keys=0
	while read -r key; do
		pattern=$(sed -E 's/^bf:run:cookbook\.[a-z]+/bf:run:<run>/; s/:step:work$/:step:<step>/; s/:(pending|released):work$/:\1:<step>/
			s/^bf:(queue|delayed|idle|wake):default$/bf:\1:<q>/; s/^bf:worker:[^:]+/bf:worker:<id>/' <<<"$key")
		row=$(grep -F "| \`$pattern\`" "$bf_top/docs/queue.md") ||
			row=$(grep -E "^\|.*[\`, ]\`$pattern\`" "$bf_top/docs/queue.md") || { echo "not in the table: $key" >&2; return 1; }
		type=$(cut -d'|' -f3 <<<"$row" | tr -d ' ' | tr '[:upper:]' '[:lower:]')
		assert_same "type of $key" "$type" "$(rd type "$key")"
		keys=$((keys + 1))
	done < <(rd --raw keys '*' | sort)
	[ "$keys" -ge 12 ]
}

@test "a run of concurrency 1 keeps its order although a job has to be tried again" {
	pg 'create table effect (id bigserial, chunk text); create sequence tries'
	pipeline one <<-'JSON'
		{"pipeline": "one", "chunk": {"size": 1}, "defaults": {"retry": {"attempts": 2, "first": "200ms", "jitter": 0}},
		 "steps": [{"name": "work", "kind": "sql", "file": "sql/work.sql"}]}
	JSON
	sql_file work.sql <<-'SQL'
		select 1 / (nextval('tries') <> 2)::int;
		insert into effect (chunk) values (:'chunk');
	SQL
	enqueue_run one.one one --since=2024-01-01 --until=2024-01-04 --concurrency=1
	start_worker --slots=4
	wait_for_end one.one
	assert_same 'tries' 5 "$(pg "select last_value from tries")"
	assert_same 'the order' '2024-01-01 2024-01-02 2024-01-03 2024-01-04' "$(pg "select string_agg(chunk, ' ' order by id) from effect")"
}

# ---- the library ----

lua() { rd -x function load replace <"$bf_top/common/core/lua/$1.lua" >/dev/null; }

library() {
	lua bf_v1
	lua bf
	rd set bf:generation 1 >/dev/null
}

# q FUNCTION ARGUMENT… under generation 1; the answer as JSON
q() { rd --json fcall "bf_v1_$1" 0 "${generation-1}" "${@:2}" | jq -c .; }

chunks() { seq "$2" "$3" | sed "s|.*|$1c&#&|" | paste -sd' '; } # PREFIX FROM TO

# run_of NAME JOBS CONCURRENCY [STEP_CONCURRENCY [CHRONOLOGICAL]]: a running run with one step s, all of it pushed
run_of() {
	sync "$1" "$2" "$3" running "${4:-0}" "${5:-0}" >/dev/null
	# shellcheck disable=SC2046 # one word each
	q push "$1" s 0 "$2" $(chunks '' 1 "$2") >/dev/null
}
# sync RUN JOBS CONCURRENCY STATE [STEP_CONCURRENCY [CHRONOLOGICAL [PLAN_NUMBER]]]
sync() { q sync_run "$1" 5 state "$4" queue default concurrency "$3" version 1 steps s s 0 released "$2" "${5:-0}" "${6:-0}" "${7:-1}"; }

lease=3600000 # so long that no test ever comes near it
hello() { q hello "$1" "$lease" host h queues default >/dev/null; }
# exchange WORKER NUMBER WANT [VERB DELAY JOB…]: one group at most
exchange() {
	local groups=(0)
	[ $# -le 3 ] || groups=(1 "$4" "$5" $(($# - 5)) "${@:6}")
	q exchange "$1" "$2" "$lease" "${groups[@]}" 0 1 default "$3"
}
jobs_in() { jq -r '.[3] | join(" ")' <<<"$1"; }
pending() { rd lrange "bf:run:$1:pending:s" 0 -1 | paste -sd' '; }
ready() { rd lrange bf:queue:default 0 -1 | paste -sd' '; }
released() { rd smembers "bf:run:$1:released" | sort -V | paste -sd' '; }
held() { rd hkeys "bf:worker:$1:jobs" | sort -V | paste -sd' '; }
counters() { rd hmget "bf:run:$1" running 'done' failed | paste -sd' '; } # of the run

# Everything that is in this database, but when anyone was last heard.
contents() {
	local key
	rd --raw keys '*' | sort | while read -r key; do
		[[ $key = bf:last || $key = bf:grace ]] || printf '%s %s\n' "$key" "$(rd --no-raw dump "$key")"
	done
}

@test "an exchange that is repeated gives the same reply and has no second effect" {
	library
	run_of r 6 2
	hello w
	first=$(exchange w 1 2)
	assert_same 'claimed' 'r/s/c1#1 r/s/c2#2' "$(jobs_in "$first")"
	assert_same 'again' "$first" "$(exchange w 1 2)"
	assert_same 'held' 'r/s/c1#1 r/s/c2#2' "$(held w)"
	second=$(exchange w 2 2 'done' 0 r/s/c1#1)
	assert_same 'claimed' 'r/s/c3#3' "$(jobs_in "$second")"
	before=$(contents | grep -v '^bf:workers ')
	assert_same 'again' "$second" "$(exchange w 2 2 'done' 0 r/s/c1#1)"
	assert_same 'everything' "$before" "$(contents | grep -v '^bf:workers ')"
	assert_same 'running, done, failed' '2 1 0' "$(counters r)"
}

@test "an exchange with a number that is not the next one is told the last, and one of an unknown worker that it is unknown" {
	library
	run_of r 6 2
	hello w
	exchange w 1 1 >/dev/null
	before=$(contents)
	assert_same 'two ahead' '["resync",1]' "$(exchange w 3 1 'done' 0 r/s/c1#1)"
	assert_same 'one back' '["resync",1]' "$(exchange w 0 1 'done' 0 r/s/c1#1)"
	assert_same 'unknown' '["unknown"]' "$(exchange nobody 1 1 'done' 0 r/s/c1#1)"
	assert_same 'everything' "$before" "$(contents)"
}

@test "every function refuses another generation, names the present one, and changes nothing" {
	library
	run_of r 6 2
	hello w
	exchange w 1 1 >/dev/null
	before=$(contents)
	for generation in 0 2 ''; do
		for call in 'exchange w 2 1000 1 done 0 1 r/s/c1#1 0 1 default 5' 'hello x 1000' 'goodbye w default' 'hold w 1' 'sweep 1000' \
			'sync_run r 1 state cancelled' 'push r s 6 7 c7#7' 'missing r s c6#6' 'adopt r 1000 0 s c6#6 w' 'recount r s 9 9 9 9 0 0 0 0' 'repair r s 9 9 9 9' 'end_run r' \
			'rebuild_end 1000'; do
			# shellcheck disable=SC2086 # words
			assert_same "$call" '["generation","1"]' "$(q $call)"
		done
	done
	unset generation
	assert_same 'everything' "$before" "$(contents)"
}

@test "an acknowledgement of a job that the worker does not hold changes nothing" {
	library
	run_of r 6 3
	hello w
	hello other
	exchange w 1 2 >/dev/null
	exchange other 1 1 >/dev/null
	before=$(contents | grep -vE '^bf:(workers|idle:|wake:|worker:w)')
	for verb in 'done' failed skipped cancelled retry later return drop; do
		n=$((${n:-1} + 1))
		assert_same "$verb" '' "$(jobs_in "$(exchange w "$n" 0 "$verb" 0 r/s/c3#3 r/s/c5#5 r/s/nothing#99 gone/s/c1#1)")"
	done
	assert_same 'everything else' "$before" "$(contents | grep -vE '^bf:(workers|idle:|wake:|worker:w)')"
	assert_same 'held' 'r/s/c1#1 r/s/c2#2 r/s/c3#3' "$(held w) $(held other)"
}

@test "what is given back goes to its place in the order, by number" {
	library
	run_of r 250 20
	hello w
	exchange w 1 20 >/dev/null
	sync r 250 20 stopping >/dev/null # so that it is not released again at once
	exchange w 2 0 return 0 r/s/c9#9 r/s/c2#2 r/s/c17#17 r/s/c20#20 r/s/c10#10 >/dev/null
	assert_same 'pending' "c2#2 c9#9 c10#10 c17#17 c20#20 $(chunks '' 21 250)" "$(pending r)"
	assert_same 'running, done, failed' '15 0 0' "$(counters r)"
	exchange w 3 0 return 0 r/s/c1#1 r/s/c1#1 >/dev/null # twice in one call
	assert_same 'the head' 'c1#1 c2#2 c9#9' "$(pending r | cut -d' ' -f1-3)"
	sync r 250 20 running >/dev/null
	assert_same 'ready' "r/s/c1#1 r/s/c2#2 r/s/c9#9 r/s/c10#10 r/s/c17#17 r/s/c20#20" "$(ready)"
}

@test "a push applies only where the last one ended, and leaves out what is released or delayed" {
	library
	sync r 9 2 running >/dev/null
	assert_same 'the first' '["ok",3]' "$(q push r s 0 3 c1#1 c2#2 c3#3)"
	assert_same 'again' '["ok",3]' "$(q push r s 0 3 c1#1 c2#2 c3#3)"
	assert_same 'too far' '["ok",3]' "$(q push r s 5 7 c6#6 c7#7)"
	assert_same 'ready' 'r/s/c1#1 r/s/c2#2' "$(ready)"
	assert_same 'pending' 'c3#3' "$(pending r)"
	assert_same 'the next' '["ok",6]' "$(q push r s 3 6 c4#4 c5#5 c6#6)"
	assert_same 'pending' 'c3#3 c4#4 c5#5 c6#6' "$(pending r)"
	hello w
	exchange w 1 2 >/dev/null
	exchange w 2 0 retry 3600000 r/s/c2#2 >/dev/null # a place is free: 3 is released
	assert_same 'another plan' '["ok",[0]]' "$(sync r 9 2 running 0 0 2 | jq -c .[:2])"
	assert_same 'all of it' '["ok",6]' "$(q push r s 0 6 c1#1 c2#2 c3#3 c4#4 c5#5 c6#6)"
	assert_same 'pending' 'c4#4 c5#5 c6#6' "$(pending r)"
	assert_same 'delayed' 'r/s/c2#2' "$(rd zrange bf:delayed:default 0 -1)"
}

@test "a pending list that was thrown away is asked for anew, and one that an unknown step has left is not added to" {
	library
	run_of r 9 3
	hello w
	exchange w 1 2 >/dev/null
	exchange w 2 0 'done' 0 r/s/c1#1 >/dev/null
	assert_same 'nothing is lost' '["ok",[9]]' "$(sync r 9 3 running | jq -c .[:2])"
	for lost in bf:run:r:pending:s bf:run:r:step:s; do
		rd unlink "$lost" >/dev/null
		assert_same "without $lost" '["ok",[0]]' "$(sync r 9 3 running | jq -c .[:2])"
		assert_same 'pending' '' "$(pending r)"
		# shellcheck disable=SC2046 # one word each
		assert_same 'all that is not settled' '["ok",9]' "$(q push r s 0 9 $(chunks '' 2 9))"
		assert_same 'pending' 'c5#5 c6#6 c7#7 c8#8 c9#9' "$(pending r)"
	done
	run_of all 3 3
	assert_same 'a list that is empty because all is released' '["ok",[3]]' "$(sync all 3 3 running | jq -c .[:2])"
	exchange w 3 5 >/dev/null
	exchange w 4 0 'done' 0 all/s/c1#1 >/dev/null
	exchange w 5 0 failed 0 all/s/c2#2 >/dev/null
	exchange w 6 0 retry 3600000 all/s/c3#3 >/dev/null
	assert_same 'or settled, or delayed' '["ok",[3]]' "$(sync all 3 3 running | jq -c .[:2])"
}

@test "at most the window of a run is released, and of a step its own" {
	library
	run_of r 10 3
	assert_same 'released' 's/c1#1 s/c2#2 s/c3#3' "$(released r)"
	run_of narrow 10 3 1
	assert_same 'released' 's/c1#1' "$(released narrow)"
	hello w
	exchange w 1 10 >/dev/null
	assert_same 'held' 'narrow/s/c1#1 r/s/c1#1 r/s/c2#2 r/s/c3#3' "$(held w)"
	exchange w 2 0 'done' 0 r/s/c2#2 narrow/s/c1#1 >/dev/null
	assert_same 'released' 's/c1#1 s/c3#3 s/c4#4' "$(released r)"
	assert_same 'released' 's/c2#2' "$(released narrow)"
	sync r 10 5 running >/dev/null # a wider window
	assert_same 'released' 's/c1#1 s/c3#3 s/c4#4 s/c5#5 s/c6#6' "$(released r)"
}

@test "a job in back-off gives its place in the window to the next one, but keeps it in a chronological step" {
	library
	run_of r 5 1
	run_of c 5 1 1 1
	hello w
	exchange w 1 2 >/dev/null
	exchange w 2 0 retry 3600000 r/s/c1#1 c/s/c1#1 >/dev/null
	assert_same 'ready' 'r/s/c2#2' "$(ready)"
	assert_same 'released' 's/c2#2' "$(released r)"
	assert_same 'released' 's/c1#1' "$(released c)"
	rd zadd bf:delayed:default 0 r/s/c1#1 0 c/s/c1#1 >/dev/null # their time has come
	assert_same 'claimed' 'c/s/c1#1 r/s/c2#2' "$(jobs_in "$(exchange w 3 5)")"
	assert_same 'its place' 'c1#1 c3#3 c4#4 c5#5' "$(pending r)"
}

@test "what is too early for the rate is delayed until it may start, and a new start is charged" {
	library
	q sync_run r 5 state running queue default concurrency 3 version 1 interval_ms 3600000 s 0 released 9 0 0 1 >/dev/null
	q push r s 0 3 c1#1 c2#2 c3#3 >/dev/null
	hello w
	reply=$(exchange w 1 3)
	assert_same 'claimed' 'r/s/c1#1' "$(jobs_in "$reply")"
	now=$(jq '.[1]' <<<"$reply")
	assert_same 'delayed until' "$((now + 3600000)) $((now + 3600000))" \
		"$(rd zmscore bf:delayed:default r/s/c2#2 r/s/c3#3 | paste -sd' ')"
	assert_same 'ms until then' 3600000 "$(jq '.[2]' <<<"$reply")"
	rd hset bf:run:r tat 0 >/dev/null
	rd zadd bf:delayed:default 0 r/s/c2#2 0 r/s/c3#3 >/dev/null
	assert_same 'claimed' 'r/s/c2#2' "$(jobs_in "$(exchange w 2 3)")"
}

@test "a run with a rate releases no more than can soon start" {
	library
	q sync_run r 5 state running queue default concurrency 5000 version 1 interval_ms 1000 s 0 released 300 0 0 1 >/dev/null
	# shellcheck disable=SC2046 # one word each
	q push r s 0 300 $(chunks '' 1 300) >/dev/null
	assert_same 'released' 100 "$(rd scard bf:run:r:released)"
	hello w
	exchange w 1 1 >/dev/null
	exchange w 2 0 'done' 0 r/s/c1#1 >/dev/null
	assert_same 'released' 100 "$(rd scard bf:run:r:released)"
	rd hset bf:run:r tat 0 >/dev/null
	exchange w 3 1 >/dev/null # what runs is no part of it
	sync r 300 5000 running >/dev/null
	assert_same 'released' 101 "$(rd scard bf:run:r:released)"
}

@test "jobs of a run that is not running are taken back when they would be handed out" {
	library
	run_of r 5 3
	hello w
	sync r 5 3 stopped >/dev/null
	assert_same 'claimed' '' "$(jobs_in "$(exchange w 1 5)")"
	assert_same 'pending' 'c1#1 c2#2 c3#3 c4#4 c5#5' "$(pending r)"
	assert_same 'released' '' "$(released r)"
	sync r 5 3 running >/dev/null
	assert_same 'claimed' 'r/s/c1#1 r/s/c2#2 r/s/c3#3' "$(jobs_in "$(exchange w 2 5)")"
}

@test "the last job of a step is a hint to ask the ledger about its run" {
	library
	run_of r 2 2
	hello w
	exchange w 1 2 >/dev/null
	assert_same 'after the first' '[]' "$(exchange w 2 0 'done' 0 r/s/c1#1 | jq -c '.[4]')"
	assert_same 'after the last' '["r"]' "$(exchange w 3 0 'done' 0 r/s/c2#2 | jq -c '.[4]')"
}

@test "a step whose last jobs are in back-off is no hint" {
	library
	run_of r 2 2
	hello w
	exchange w 1 2 >/dev/null
	assert_same 'after the first' '[]' "$(exchange w 2 0 retry 3600000 r/s/c1#1 | jq -c '.[4]')"
	assert_same 'after the second' '[]' "$(exchange w 3 0 'done' 0 r/s/c2#2 | jq -c '.[4]')"
}

# ---- large numbers ----

# claim_all WORKER JOBS: in as many exchanges as it takes, from number 1
claim_all() {
	local n=0 got=0 some
	while ((got < $2)); do
		n=$((n + 1))
		some=$(exchange "$1" "$n" "$(($2 - got < 500 ? $2 - got : 500))" | jq '.[3] | length')
		[ "$some" -gt 0 ] || { echo "only $got of $2 jobs are ready" >&2; return 1; }
		got=$((got + some))
	done
}

@test "what comes back behind many others is released in its order all the same" {
	library
	run_of r 1400 1300
	for _ in 1 2 3 4; do sync r 1400 1300 running >/dev/null; done # one call releases 300
	hello w
	claim_all w 1300
	sync r 1400 1300 stopping >/dev/null
	n=$(rd hget bf:worker:w number)
	for part in '1 450' '451 900' '901 1300'; do
		n=$((n + 1))
		# shellcheck disable=SC2046,SC2086 # one word each
		exchange w "$n" 0 return 0 $(chunks r/s/ $part | tr ' ' '\n' | rev | sort | rev) >/dev/null
	done
	[ "$(rd zcard bf:run:r:returned:s)" -gt 0 ]
	assert_same 'waiting' 1400 "$(($(rd zcard bf:run:r:returned:s) + $(rd llen bf:run:r:pending:s)))"
	[[ $(rd fcall_ro bf_status 0 r) = *'1400 waiting in the pending list'* ]]
	for _ in 1 2 3 4 5; do sync r 1400 1400 running >/dev/null; done
	assert_same 'released, in order' "$(chunks r/s/ 1 1400)" "$(ready)"
	assert_same 'waiting' 0 "$(($(rd zcard bf:run:r:returned:s) + $(rd llen bf:run:r:pending:s)))"
}

@test "all of a dead worker's jobs go to others, however many it had, and many dead workers share one sweep's allowance" {
	library
	run_of r 2600 2600
	for _ in $(seq 8); do sync r 2600 2600 running >/dev/null; done
	hello w
	hello v
	claim_all w 2400
	claim_all v 150
	before=$(rd llen bf:queue:default)
	for i in $(seq 13); do
		for worker in v w; do rd zadd bf:workers xx 1 "$worker" >/dev/null; done
		rd set bf:grace 0 >/dev/null
		q sweep "$lease" >/dev/null
		((i > 1)) || assert_same 'moved by one sweep' 200 $(($(rd llen bf:queue:default) - before))
	done
	assert_same 'held' ' ' "$(held w) $(held v)"
	assert_same 'ready, each once' 2600 "$(rd lrange bf:queue:default 0 -1 | sort -u | wc -l)"
	assert_same 'ready' 2600 "$(rd llen bf:queue:default)"
	assert_same 'workers' '' "$(rd zrange bf:workers 0 -1)"
}

@test "a hold list of more jobs than one call settles is settled by the next ones" {
	library
	run_of r 700 700
	for _ in 1 2; do sync r 700 700 running >/dev/null; done
	hello w
	claim_all w 700
	number=$(rd hget bf:worker:w number)
	rd del bf:worker:w:jobs >/dev/null # an older image: the jobs are ready
	# shellcheck disable=SC2046 # one word each
	rd rpush bf:queue:default $(chunks r/s/ 1 700) >/dev/null
	for i in $(seq 7); do
		# shellcheck disable=SC2046 # one word each
		reply=$(q hold w "$number" $(chunks r/s/ 1 700))
		assert_same 'lost' '[]' "$(jq -c '.[1]' <<<"$reply")"
		assert_same "are some left after $i" "$((i < 7))" "$(($(jq '.[2]' <<<"$reply") > 0))"
	done
	assert_same 'held' 700 "$(rd hlen bf:worker:w:jobs)"
	assert_same 'ready' '' "$(ready)"
	q hold w "$number" >/dev/null
	assert_same 'held, of which it holds none' 500 "$(rd hlen bf:worker:w:jobs)"
}

# ---- the clock ----

# jump MS: Redis's clock jumps, seen from the queue: it has heard somebody so much later or earlier
jump() {
	rd set bf:last "$(($(rd get bf:last) - $1))" >/dev/null
	rd zincrby bf:workers "$((-$1))" w >/dev/null
}

@test "the queue's clock does not jump with Redis's while a worker lives" {
	library
	lease=15000
	run_of r 5 3
	hello w
	n=0
	for ms in 3600000 -3600000; do
		before=$(exchange w "$((n + 1))" 0 | jq '.[1]')
		jump "$ms"
		after=$(exchange w "$((n + 2))" 0 | jq '.[1]')
		passed=$((after - before + ms))
		[ "$passed" -ge 0 ]
		[ "$passed" -lt 7500 ]
		assert_same 'its lease' "$((after + lease))" "$(rd zscore bf:workers w)"
		[ "$(rd get bf:grace)" -ge "$((after + lease))" ] # nobody is swept for a lease
		n=$((n + 2))
	done
}

@test "what was delayed is due when all workers were gone for that long" {
	library
	lease=15000
	run_of r 1 1
	hello w
	exchange w 1 1 >/dev/null
	exchange w 2 0 retry 1800000 r/s/c1#1 >/dev/null
	rd zincrby bf:delayed:default -3600000 r/s/c1#1 >/dev/null
	jump 3600000
	hello later
	assert_same 'claimed' 'r/s/c1#1' "$(jobs_in "$(exchange later 1 1)")"
}

# ---- workers that are gone ----

redis_now() { echo "$(rd time | head -n 1)000"; }

@test "nobody is swept within the grace, however long a lease is over" {
	library
	run_of r 5 3
	hello w
	exchange w 1 2 >/dev/null
	rd zadd bf:workers 1 w >/dev/null
	rd set bf:last "$(redis_now)" >/dev/null
	rd set bf:grace "$(($(redis_now) + 3600000))" >/dev/null
	assert_same 'swept' '["ok",[]]' "$(q sweep "$lease")"
	assert_same 'held' 'r/s/c1#1 r/s/c2#2' "$(held w)"
	rd set bf:grace 0 >/dev/null
	rd set bf:last "$(($(redis_now) - lease))" >/dev/null # nobody was heard for a lease: the server was away
	assert_same 'swept' '["ok",[]]' "$(q sweep "$lease")"
	[ "$(rd get bf:grace)" -gt "$(($(redis_now) + lease / 2))" ]
	rd set bf:grace 0 >/dev/null
	rd set bf:last "$(($(redis_now) + lease))" >/dev/null # its clock went back
	assert_same 'swept' '["ok",[]]' "$(q sweep "$lease")"
	assert_same 'held' 'r/s/c1#1 r/s/c2#2' "$(held w)"
}

sweep_w() {
	rd zadd bf:workers 1 w >/dev/null
	rd set bf:last "$(redis_now)" >/dev/null
	rd set bf:grace 0 >/dev/null
	assert_same 'swept' '["ok",["w"]]' "$(q sweep "$lease")"
}

@test "a swept worker's jobs go to the head of the queue in their order, and it is condemned" {
	library
	run_of r 15 12
	hello w
	hello alive
	exchange alive 1 1 >/dev/null
	exchange w 1 10 >/dev/null
	sweep_w
	assert_same 'ready' "$(chunks r/s/ 2 12)" "$(ready)"
	assert_same 'held' 'r/s/c1#1' "$(held alive)"
	assert_same 'running, done, failed' '1 0 0' "$(counters r)"
	assert_same 'workers' alive "$(rd zrange bf:workers 0 -1)"
	before=$(contents | grep -v '^bf:workers ')
	assert_same 'exchange' '["condemned"]' "$(exchange w 2 5 'done' 0 r/s/c2#2)"
	assert_same 'hello' '["condemned"]' "$(q hello w "$lease" host h)"
	assert_same 'hold' '["condemned"]' "$(q hold w 1 r/s/c2#2)"
	assert_same 'everything' "$before" "$(contents | grep -v '^bf:workers ')"
	[ "$(rd ttl bf:worker:w)" -gt 0 ]
	assert_same 'swept again' '["ok",[]]' "$(q sweep "$lease")"
}

@test "more jobs than one sweep moves are moved by the next ones" {
	library
	run_of r 600 500
	sync r 600 500 running >/dev/null # one call releases 300
	hello w
	exchange w 1 500 >/dev/null
	for _ in 1 2 3; do
		rd zadd bf:workers xx 1 w >/dev/null
		rd set bf:grace 0 >/dev/null
		q sweep "$lease" >/dev/null
	done
	assert_same 'held' '' "$(held w)"
	assert_same 'ready, each once' 500 "$(rd lrange bf:queue:default 0 -1 | sort -u | wc -l)"
	assert_same 'ready' 500 "$(rd llen bf:queue:default)"
	assert_same 'workers' '' "$(rd zrange bf:workers 0 -1)"
}

@test "a worker that leaves is forgotten, but not while it holds something" {
	library
	run_of r 5 3
	hello w
	exchange w 1 1 >/dev/null
	assert_same 'while it holds' '["holds",1]' "$(q goodbye w default)"
	exchange w 2 0 'done' 0 r/s/c1#1 >/dev/null
	assert_same 'then' '["ok"]' "$(q goodbye w default)"
	assert_same 'keys of it' '' "$(rd --raw keys 'bf:worker*')"
	assert_same 'idle' '' "$(rd smembers bf:idle:default)"
}

# ---- hold lists ----

@test "what Redis lists under a worker that does not hold it goes back to the queue" {
	library
	run_of r 6 4
	hello w
	exchange w 1 4 >/dev/null
	assert_same 'lost' '["ok",[],0]' "$(q hold w 1 r/s/c3#3)"
	assert_same 'ready' 'r/s/c1#1 r/s/c2#2 r/s/c4#4' "$(ready)"
	assert_same 'held' 'r/s/c3#3' "$(held w)"
	assert_same 'running, done, failed' '1 0 0' "$(counters r)"
	before=$(contents)
	assert_same 'again' '["ok",[],0]' "$(q hold w 1 r/s/c3#3)"
	assert_same 'everything' "$before" "$(contents)"
}

@test "a hold list of before the last exchange, or of one that is not known, is refused and changes nothing" {
	library
	run_of r 6 4
	hello w
	exchange w 1 2 >/dev/null
	exchange w 2 2 'done' 0 r/s/c1#1 >/dev/null
	before=$(contents)
	for number in 1 0 3 ''; do
		assert_same "of exchange '$number'" '["resync",2]' "$(q hold w "$number" r/s/c1#1)"
	done
	assert_same 'everything' "$before" "$(contents)"
	assert_same 'of the last one' '["ok",[],0]' "$(q hold w 2 r/s/c2#2)"
	assert_same 'held' 'r/s/c2#2' "$(held w)"
}

@test "what a worker holds and Redis has forgotten is its own again, unless another one has it" {
	library
	run_of r 9 5
	hello w
	hello other
	exchange other 1 1 >/dev/null # 1
	exchange w 1 1 >/dev/null     # 2
	rd zadd bf:delayed:default 9e15 r/s/c5#5 >/dev/null
	rd lrem bf:queue:default 0 r/s/c5#5 >/dev/null
	# 1 is another's, 3 is ready, 5 is delayed, 7 is pending, 9 is nowhere at all
	rd lrem bf:run:r:pending:s 0 c9#9 >/dev/null
	assert_same 'lost' '["ok",["r/s/c1#1"],0]' "$(q hold w 1 r/s/c1#1 r/s/c2#2 r/s/c3#3 r/s/c5#5 r/s/c7#7 r/s/c9#9)"
	assert_same 'held' 'r/s/c2#2 r/s/c3#3 r/s/c5#5 r/s/c7#7 r/s/c9#9' "$(held w)"
	assert_same 'the other holds' 'r/s/c1#1' "$(held other)"
	assert_same 'ready' 'r/s/c4#4' "$(ready)"
	assert_same 'pending' 'c6#6 c8#8' "$(pending r)"
	assert_same 'delayed' '' "$(rd zrange bf:delayed:default 0 -1)"
	assert_same 'running, done, failed' '6 0 0' "$(counters r)"
}

# ---- what was lost ----

@test "missing finds jobs that are nowhere, and only those" {
	library
	run_of r 9 3
	hello w
	exchange w 1 1 >/dev/null
	exchange w 2 0 retry 3600000 r/s/c1#1 >/dev/null
	rd lrem bf:run:r:pending:s 0 c6#6 >/dev/null
	assert_same 'nowhere' '["ok",[3]]' "$(q missing r s c1#1 s c2#2 s c6#6 s c8#8 s c10#10)" # 10 is not pushed yet
	assert_same 'of an unknown run' '["ok",[]]' "$(q missing unknown s c1#1)"
}

@test "adopt puts a lost job under its worker if that lives, else to its place; what is somewhere stays there" {
	library
	run_of r 9 2
	hello w
	for n in 3 5 6; do rd lrem bf:run:r:pending:s 0 "c$n#$n" >/dev/null; done
	assert_same 'put right' '["ok",3]' "$(q adopt r "$lease" 0 s c1#1 '' s c3#3 w s c5#5 dead s c6#6 '' s c8#8 '')"
	assert_same 'held' 'r/s/c3#3' "$(held w)"
	assert_same 'ready' 'r/s/c1#1 r/s/c2#2' "$(ready)"
	assert_same 'pending' 'c4#4 c5#5 c6#6 c7#7 c8#8 c9#9' "$(pending r)"
	assert_same 'again' '["ok",0]' "$(q adopt r "$lease" 0 s c1#1 '' s c3#3 w s c5#5 dead s c6#6 '' s c8#8 '')"
	assert_same 'running, done, failed' '1 0 0' "$(counters r)"
}

@test "repair brings back what is released and nowhere, and sets the counters to the ledger's" {
	library
	run_of r 9 4
	hello w
	exchange w 1 1 >/dev/null
	rd lrem bf:queue:default 0 r/s/c3#3 >/dev/null # a lossy failover
	rd hset bf:run:r running 7 'done' 7 failed 7 >/dev/null
	assert_same 'put back' '["ok",1]' "$(q repair r s 2 1 0 0)"
	assert_same 'ready' 'r/s/c2#2 r/s/c4#4 r/s/c3#3' "$(ready)"
	assert_same 'running, done, failed' '1 2 1' "$(counters r)"
	assert_same 'the step' '1 2 1' "$(rd hmget bf:run:r:step:s running 'done' failed | paste -sd' ')"
	assert_same 'again' '["ok",0]' "$(q repair r s 2 1 0 0)"
	assert_same 'ready' 'r/s/c2#2 r/s/c4#4 r/s/c3#3' "$(ready)"
}

@test "a recount leaves alone what is on its way, and puts right what cannot be" {
	library
	run_of r 9 4
	hello w
	exchange w 1 4 >/dev/null
	exchange w 2 0 'done' 0 r/s/c1#1 >/dev/null
	# The ledger has settled three; two of them are not acknowledged yet.
	assert_same 'recount' '["ok"]' "$(q recount r s 3 0 0 0 1 0 0 0)"
	assert_same 'running, done, failed' '3 1 0' "$(counters r)"
	# One was acknowledged between the counting and now.
	exchange w 3 0 'done' 0 r/s/c2#2 >/dev/null
	assert_same 'recount' '["ok"]' "$(q recount r s 1 0 0 0 1 0 0 0)"
	assert_same 'running, done, failed' '2 2 0' "$(counters r)"
	# Too many before the ledger counted; too few, even if all that is held were settled; nobody's running jobs; sums that are none.
	rd hincrby bf:run:r:step:s 'done' 5 >/dev/null
	assert_same 'recount' '["ok"]' "$(q recount r s 2 0 0 0 7 0 0 0)"
	assert_same 'running, done, failed' '2 2 0' "$(counters r)"
	assert_same 'recount' '["ok"]' "$(q recount r s 8 0 0 0 2 0 0 0)"
	assert_same 'running, done, failed' '2 6 0' "$(counters r)"
	rd hset bf:run:r:step:s running 9 >/dev/null
	rd hset bf:run:r running 8 'done' 1 failed 3 >/dev/null
	assert_same 'recount' '["ok"]' "$(q recount r s 6 0 0 0 6 0 0 0)"
	assert_same 'running, done, failed' '2 6 0' "$(counters r)"
	assert_same 'of the step' '2 6 0' "$(rd hmget bf:run:r:step:s running 'done' failed | paste -sd' ')"
}

@test "an ended run's lists go at once, its hashes after a week" {
	library
	run_of r 9 4
	hello w
	exchange w 1 4 >/dev/null
	exchange w 2 0 'done' 0 r/s/c1#1 r/s/c2#2 r/s/c3#3 r/s/c4#4 >/dev/null
	exchange w 3 9 >/dev/null
	exchange w 4 0 'done' 0 r/s/c5#5 r/s/c6#6 r/s/c7#7 r/s/c8#8 >/dev/null
	exchange w 5 9 >/dev/null
	exchange w 6 0 'done' 0 r/s/c9#9 >/dev/null
	assert_same 'ended' '["ok"]' "$(q end_run r 1 s 8 1 0 0)"
	assert_same 'keys' 'bf:run:r bf:run:r:step:s' "$(rd --raw keys 'bf:run:*' | sort | paste -sd' ')"
	assert_same 'runs' '' "$(rd smembers bf:runs)"
	assert_same 'running, done, failed' '0 8 1' "$(counters r)" # the ledger's
	for key in bf:run:r bf:run:r:step:s; do
		[ "$(rd ttl $key)" -gt 600000 ]
	done
}

@test "an end that a newer decision has overtaken changes nothing" {
	library
	run_of r 9 4
	rd hset bf:run:r version 2 >/dev/null # opened again
	before=$(contents)
	assert_same 'ended' '["ok"]' "$(q end_run r 1 s 9 0 0 0)"
	assert_same 'everything' "$before" "$(contents)"
}

@test "of a run that is over, an acknowledgement changes the number of the running ones only" {
	library
	run_of r 9 4
	hello w
	exchange w 1 4 >/dev/null
	q end_run r 1 s 0 0 0 9 >/dev/null # cancelled
	assert_same 'running, done, failed' '4 0 0' "$(counters r)"
	exchange w 2 0 cancelled 0 r/s/c1#1 r/s/c2#2 >/dev/null
	exchange w 3 0 'done' 0 r/s/c3#3 r/s/c4#4 >/dev/null
	assert_same 'running, done, failed' '0 0 0' "$(counters r)"
	assert_same 'cancelled' 9 "$(rd hget bf:run:r cancelled)"
	assert_same 'released' '' "$(released r)"
}

@test "what a worker holds of a cancelled run is not handed out to another one when the run is opened again at once" {
	library
	run_of r 3 3
	hello w
	hello other
	exchange w 1 1 >/dev/null
	sync r 3 3 cancelled >/dev/null
	q end_run r 1 s 0 0 0 3 >/dev/null
	sync r 3 3 running 0 0 2 >/dev/null
	q push r s 0 3 c1#1 c2#2 c3#3 >/dev/null
	assert_same 'claimed by the other' 'r/s/c2#2 r/s/c3#3' "$(jobs_in "$(exchange other 1 9)")"
	exchange w 2 0 return 0 r/s/c1#1 >/dev/null # its try was fenced off
	assert_same 'claimed, once' 'r/s/c1#1' "$(jobs_in "$(exchange other 2 9)")"
	assert_same 'claimed' '' "$(jobs_in "$(exchange w 3 9)")"
	assert_same 'held' 'r/s/c1#1 r/s/c2#2 r/s/c3#3' "$(held other)"
	[ "$(rd ttl bf:run:r:released)" = -1 ]
}

@test "a dead worker's job of a run that stops goes to the queue, where it is opened and left behind" {
	library
	run_of r 9 2
	hello w
	exchange w 1 2 >/dev/null
	sync r 9 2 stopping >/dev/null
	# the ledger has c4 and c5 as running, under a worker that is dead and one that lives; Redis has both in the pending list
	assert_same 'put right' '["ok",2]' "$(q adopt r "$lease" 0 s c4#4 dead s c5#5 w s c6#6 '')"
	assert_same 'ready' 'r/s/c4#4' "$(ready)"
	assert_same 'held' 'r/s/c1#1 r/s/c2#2 r/s/c5#5' "$(held w)"
	assert_same 'pending' 'c3#3 c6#6 c7#7 c8#8 c9#9' "$(pending r)"
	assert_same 'released' 's/c1#1 s/c2#2 s/c4#4 s/c5#5' "$(released r)"
	assert_same 'claimed' 'r/s/c4#4' "$(jobs_in "$(exchange w 2 5)")"
}

@test "while the queue is rebuilt only the rebuilder is let in, and claims begin with the new generation" {
	library
	run_of r 9 4
	hello w
	exchange w 1 1 >/dev/null
	generation=2 q rebuild_begin 1 default r 1 s >/dev/null
	assert_same 'the old one' '["generation",""]' "$(exchange w 2 1)"
	assert_same 'a worker of the new one' '["generation",""]' "$(generation=2 exchange w 2 1)"
	assert_same 'ready' '' "$(ready)"
	assert_same 'the rebuilder' '["ok",[0]]' "$(generation=2 sync r 9 4 running | jq -c .[:2])"
	assert_same 'the rebuilder' '["ok",9]' "$(generation=2 q push r s 0 9 c1#1 c2#2)"
	assert_same 'another rebuilder' '["generation",""]' "$(generation=3 q rebuild_end "$lease")"
	assert_same 'the end' '["ok"]' "$(generation=2 q rebuild_end "$lease")"
	assert_same 'the old one' '["generation","2"]' "$(exchange w 2 1)"
	assert_same 'the new one' 'r/s/c1#1' "$(jobs_in "$(generation=2 exchange w 2 1)")"
	[ "$(rd get bf:grace)" -gt "$(redis_now)" ]
}

@test "a full Redis refuses a push, and nothing that a worker needs to finish what it has" {
	library
	run_of r 9 4
	hello w
	exchange w 1 1 >/dev/null
	full=1
	rd config set maxmemory 1 >/dev/null
	[[ $(rd fcall bf_v1_push 0 1 r s 9 10 c10#10 2>&1) = *OOM* ]]
	assert_same 'claimed' 'r/s/c2#2' "$(jobs_in "$(exchange w 2 1 'done' 0 r/s/c1#1)")"
	assert_same 'hold' '["ok",[],0]' "$(q hold w 2 r/s/c2#2)"
	assert_same 'running, done, failed' '1 1 0' "$(counters r)"
}

@test "bf_status says what it does not know" {
	library
	[[ $(rd fcall_ro bf_status 0 nothing.here) = 'There is no run nothing.here'* ]]
	[[ $(rd fcall_ro bf_status 0 2>&1) = 'ERR say which run'* ]]
}
