# docs/failure-recovery.md: each of its blocks, after the failure that it is about.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	BLOCKS_RUN=$BATS_TEST_TMPDIR/blocks
}
teardown() { bf_teardown; }

# recover HEADING: executes the block under it, line by line; the outputs are in $said, the exit codes in $codes
recover() {
	local line out code=0
	said='' codes=''
	awk -v heading="## $1" '$0 == heading {here = 1; next} /^## / {here = 0} here && /^```sh/ {inside = 1; next} /^```$/ {inside = 0} here && inside' \
		"$bf_top/docs/failure-recovery.md" >"$BLOCKS_RUN"
	[ -s "$BLOCKS_RUN" ] || { echo "no block under $1" >&2; return 1; }
	while IFS= read -r line; do
		code=0
		out=$(bash -c "$line" 2>&1 </dev/null) || code=$?
		said+="$out"$'\n'
		codes+="$code "
	done <"$BLOCKS_RUN"
	echo "$1: $codes"
	echo "$said"
}

# `load` makes a row for each day, but for those in `bad`; a gate counts; a person signs.
shop() {
	export PIPELINE=shop STEP=load GATE=gate APPROVAL=sign RUN=s.one SINCE=2024-01-01 UNTIL=2024-01-05 CHUNK=2024-01-02
	[ -d "$BATS_TEST_TMPDIR/pipelines/shop" ] || {
		pg 'create table made (day date, by text); create table bad (day date)'
		pipeline shop <<-'JSON'
			{"pipeline": "shop", "chunk": {"size": 1}, "defaults": {"retry": {"attempts": 1}},
			 "steps": [{"name": "load", "kind": "sql", "file": "sql/load.sql", "expected": "sql/days.sql", "present": "sql/present.sql", "rollback": "sql/undo.sql"},
			           {"name": "gate", "kind": "check", "type": "coverage", "of": "load"},
			           {"name": "sign", "kind": "approval"},
			           {"name": "send", "kind": "noop"}]}
		JSON
		sql_file load.sql <<<"select 1 / (not exists (select from bad where day = :'since'))::int; insert into made values (:'since', :'run');"
		sql_file days.sql <<<"select d::date from generate_series(:'since'::date, :'until'::date, interval '1 day') d"
		sql_file present.sql <<<"select day from made"
		sql_file undo.sql <<<"delete from made where day = :'since' and by = :'run';"
	}
	enqueue_run "$RUN" shop --since=$SINCE --until=$UNTIL
}
work() { worker --drain >>"$BATS_TEST_TMPDIR/worker.log" 2>&1; }
is_asked() { is t "select asked_at is not null from bf.step where run = '$1' and step = 'sign'"; }
wait_asked() { wait_until "is_asked $1"; }
made() { pg 'select count(*) || chr(32) || count(distinct day) from made'; }

@test "jobs that failed are tried again, one, a step, all; what was skipped for them goes on" {
	shop
	pg "insert into bad values ('2024-01-02'), ('2024-01-04')"
	work
	assert_same 'state' failed "$(run_state s.one)"
	bfstat failures s.one | grep -q 'division by zero'
	pg 'delete from bad'
	recover 'Jobs have failed'
	assert_same 'codes' '0 0 0 ' "$codes"
	start_worker
	wait_asked s.one
	assert_same 'made once each' '5 5' "$(made)"
}

@test "a failure that nothing more comes of is closed, and calls for nobody" {
	shop
	pg "insert into bad values ('2024-01-02')"
	work
	recover 'Nothing more comes of what failed'
	assert_same 'exit codes' '0 ' "$codes"
	assert_same 'attention' false "$(bfstat --json | jq '.runs[0].attention')"
}

@test "steps that went on without a chunk: it is tried again, and what they did of its day" {
	pg 'create table made (day date, by text); create table bad (day date)'
	pipeline shop <<-'JSON'
		{"pipeline": "shop", "chunk": {"size": 1}, "defaults": {"retry": {"attempts": 1}, "on_failure": "continue"},
		 "steps": [{"name": "load", "kind": "sql", "file": "sql/load.sql"}, {"name": "sum", "kind": "sql", "file": "sql/sum.sql"}]}
	JSON
	sql_file load.sql <<<"select 1 / (not exists (select from bad where day = :'since'))::int;"
	sql_file sum.sql <<<"insert into made values (:'since', :'run');"
	pg "insert into bad values ('2024-01-02')"
	shop
	work
	pg 'delete from bad'
	recover 'Steps went on without a chunk that failed'
	assert_same 'codes' '0 ' "$codes"
	[[ $said = *'2 jobs of run s.one opened again.'* ]]
	work
	assert_same 'run' done "$(run_state s.one)"
	assert_same 'twice' '2024-01-02' "$(pg 'select day from made group by 1 having count(*) = 2')"
	assert_same 'all' '6 5' "$(made)"
}

@test "a wrong file: the run is cancelled, the new one takes what is missing" {
	shop
	pg "insert into bad values ('2024-01-02')"
	work
	sql_file load.sql <<<"insert into made values (:'since', :'run');"
	recover "The step's SQL or program is wrong"
	[[ $said = *'Run shop.'*' is planned:'* ]]
	start_worker
	wait_until 'is "5 5" "select count(*) || chr(32) || count(distinct day) from made"'
	assert_same 'of the second run' 1 "$(pg "select count(*) from made where by <> 's.one'")"
}

@test "what was made is wrong: all of it again" {
	shop
	work
	wait_asked s.one
	enqueue reject s.one sign --note=wrong
	pg 'delete from made' # its SQL would replace it
	recover 'What was made is wrong'
	start_worker
	wait_until 'is "5 5" "select count(*) || chr(32) || count(distinct day) from made"'
	assert_same 'of the second run' 5 "$(pg "select count(*) from made where by <> 's.one'")"
}

# alerts: the exit codes of what docs/operations.md asks now and then, in their order
alerts() {
	local line code codes=''
	while IFS= read -r line; do
		code=0
		bash -c "$line" >"$BATS_TEST_TMPDIR/alert.log" 2>&1 </dev/null || code=$?
		codes+="$code "
	done < <(awk '/^To be told/ {here = 1} here && /^```sh/ {inside = 1; next} inside && /^```$/ {exit} inside' "$bf_top/docs/operations.md")
	echo "$codes"
}

@test "what is to be asked now and then tells when someone should look" {
	shop
	assert_same 'nobody works' '1 2 0 1 1 0 ' "$(alerts)"
	start_worker
	wait_asked s.one
	assert_same 'a person is asked' '0 1 1 0 0 0 ' "$(alerts)"
	enqueue approve s.one sign
	wait_for_end s.one
	wait_until 'bfstat verify'
	assert_same 'all is well' '0 0 0 0 0 0 ' "$(alerts)"
	pg "update bf.run set state = 'failed' where run = 's.one'"
	assert_same 'a run has failed' '0 1 1 0 0 0 ' "$(alerts)"
}

@test "what a run has done is taken back" {
	shop
	start_worker
	wait_asked s.one
	pg "insert into made values ('2023-12-31', 'before')"
	recover 'What a run has done must be taken back'
	assert_same 'codes' '0 0 0 ' "$codes"
	assert_same 'what is left' '1 1' "$(made)"
	bfstat verify
}

@test "a gate that failed is filled and asked again" {
	shop
	start_worker
	pg "create function deleted() returns trigger language plpgsql as 'begin return null; end';
	    create trigger t before insert on made for each row when (new.day = '2024-01-03') execute function deleted()"
	wait_for_end s.one
	bfstat failures s.one | grep -q 'gate: 4 of 5 days there'
	pg 'drop trigger t on made'
	recover 'A gate has failed'
	wait_asked s.one
	assert_same 'made once each' '5 5' "$(made)"
}

@test "data that was deleted is found and made again" {
	shop
	start_worker
	wait_asked s.one
	enqueue approve s.one sign
	wait_for_end s.one
	pg "delete from made where day = '2024-01-04'"
	recover "Data was deleted behind the run's back"
	[[ $said = *2024-01-04* ]]
	wait_until 'is "5 5" "select count(*) || chr(32) || count(distinct day) from made"'
}

@test "a rejected approval is asked again" {
	shop
	start_worker
	wait_asked s.one
	enqueue reject s.one sign --note='not yet'
	wait_for_end s.one
	recover 'Somebody has rejected, or nobody answered in time'
	assert_same 'codes' '0 0 ' "$codes"
	wait_for_end s.one
	assert_same 'state' done "$(run_state s.one)"
	oracle s.one
}

@test "everything stops, and goes on where it was" {
	shop
	enqueue_run s.two shop --since=2024-02-01 --until=2024-02-03
	recover 'Everything has to stop, now'
	assert_same 'codes' '0 0 ' "$codes"
	[[ $said = *'Run s.one is stop'*'Run s.two is stop'* ]]
	start_worker
	wait_asked s.one
	assert_same 'the other one' 0 "$(pg "select count(*) from made where by = 's.two'")"
	enqueue resume s.two
	wait_asked s.two
}

@test "a worker that died is replaced by the next one" {
	export BF_LEASE=1s
	shop
	sed -i 's/^/select pg_sleep(0.3); /' "$made/sql/load.sql"
	enqueue_run s.slow shop --since=2024-03-01 --until=2024-03-04
	start_worker --slots=2
	wait_until 'at_least 1 "select count(*) from bf.job where state = '"'running'"'"'
	kill_worker "${WORKER_PIDS[-1]}" KILL || true
	enqueue cancel s.one # of two runs one is enough
	local deciding
	(wait_asked s.slow && enqueue approve s.slow sign) &
	deciding=$!
	recover 'A worker died'
	wait "$deciding"
	start_worker
	wait_for_end s.slow
	oracle s.slow
	assert_same 'made once each' '4 4' "$(pg "select count(*) || chr(32) || count(distinct day) from made where by = 's.slow'")"
}

@test "Redis that has lost everything is built again; counters are put right; and what does not move is looked at" {
	shop
	rd flushdb
	recover 'Redis has lost everything'
	[[ $codes = *'0 ' ]]
	assert_same 'in the queue' 3 "$(rd llen bf:queue:default)"
	rd hincrby bf:run:s.one:step:load done 2
	recover 'The counters look wrong'
	assert_same 'codes' '1 0 ' "$codes"
	[[ $said = *'Redis counts 2 done, the ledger 0'* ]]
	bfstat verify
	recover 'It does not move'
	assert_same 'codes' '0 0 0 0 ' "$codes"
	start_worker
	wait_asked s.one
	assert_same 'made once each' '5 5' "$(made)"
}

@test "PostgreSQL that was away is found again, and nothing is counted as a try" {
	own_servers
	shop
	start_worker
	kill -KILL "$(server_pid postgres)"
	own_servers_again
	wait_asked s.one
	recover 'PostgreSQL was away'
	assert_same 'codes' '0 ' "$codes"
	assert_same 'made once each' '5 5' "$(made)"
	assert_same 'tries' 0 "$(pg 'select count(*) from bf.attempt')"
}

@test "every block of the page is one of these" {
	assert_same 'headings without a test' '' "$(sed -n 's/^## //p' "$bf_top/docs/failure-recovery.md" | while IFS= read -r heading; do
		grep -qF "recover '$heading'" "${BASH_SOURCE[0]}" "$BATS_TEST_FILENAME" || grep -qF "recover \"$heading\"" "$BATS_TEST_FILENAME" || echo "$heading"
	done)"
}
