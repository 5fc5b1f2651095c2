# Debian's pgbouncer between the programs and PostgreSQL: with pool_mode = session all is as without it, whether it drops the options of a
# startup packet or refuses them; with pool_mode = transaction or statement each program refuses at once, in one line.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/pooler.bash

setup() { bf_setup; }
teardown() {
	pooler_down
	bf_teardown
}

settings_pipeline() { # each job notes what its session is like
	pg 'create table public.seen (chunk text, synchronous text, style text, zone text, nulls text, path text)'
	pipeline seen <<-'JSON'
		{"pipeline": "seen", "chunk": {"unit": "day", "size": 1},
		 "steps": [{"name": "look", "kind": "sql", "file": "sql/look.sql"}]}
	JSON
	sql_file look.sql <<-'SQL'
		insert into public.seen values (:'since', current_setting('synchronous_commit'), current_setting('DateStyle'),
			current_setting('TimeZone'), current_setting('array_nulls'), current_setting('search_path'));
	SQL
	pg "alter database $(pg 'select current_database()') set synchronous_commit = off"
	pg "alter database $(pg 'select current_database()') set DateStyle = 'German'"
	pg "alter database $(pg 'select current_database()') set TimeZone = 'Pacific/Kiritimati'"
	pg "alter database $(pg 'select current_database()') set array_nulls = off"
	pg "alter database $(pg 'select current_database()') set search_path = mine, public"
}

assert_whole_life_through_the_pooler() {
	settings_pipeline
	run -0 enqueue run seen --since=2024-03-04 --until=2024-03-13 --dry-run
	enqueue_run seen.one seen --since=2024-03-04 --until=2024-03-13
	timeout 60 worker --slots=2 --drain
	oracle seen.one
	assert_same 'what each job had' '10|on|ISO, MDY|UTC|on|mine, public' \
		"$(pg 'select count(distinct chunk), synchronous, style, zone, nulls, path from public.seen group by 2, 3, 4, 5, 6')"
	assert_same 'gaps' '' "$(enqueue_look gaps seen --since=2024-03-04 --until=2024-03-13)"
	assert_same 'the days, as the ledger names them' 2024-03-04 "$(pg "select min(chunk) from bf.job where run = 'seen.one'")"
}
enqueue_look() { bfstat "$@" 2>&1; }

@test "in session mode, where the options of a startup packet are dropped, a run has its whole life and its own settings" {
	pooler_up session 'ignore_startup_parameters = options'
	assert_whole_life_through_the_pooler
}

@test "in session mode, where the options of a startup packet are refused, a run has its whole life and its own settings" {
	pooler_up session
	assert_whole_life_through_the_pooler
}

@test "in session mode a dry run cannot write, whatever the pooler does with options" {
	pooler_up session 'ignore_startup_parameters = options'
	pg 'create table public.written (n int);
	    create function public.writes() returns setof text language plpgsql as $$ begin insert into public.written values (1); return next $q$a$q$; end $$'
	pipeline writes <<-'JSON'
		{"pipeline": "writes", "chunk": {"keys": {"sql": "sql/keys.sql"}}, "steps": [{"name": "nothing", "kind": "noop"}]}
	JSON
	sql_file keys.sql <<<'select public.writes()'
	run -2 enqueue run writes --dry-run
	[[ $output = *read-only* ]]
	assert_same 'rows that were written' 0 "$(pg 'select count(*) from public.written')"
}

@test "in session mode the ledger knows the backend of a job, not the number that the pooler gave the connection" {
	pooler_up session
	pipeline sleeps <<-'JSON'
		{"pipeline": "sleeps", "chunk": {"unit": "day"}, "steps": [{"name": "sleep", "kind": "sql", "file": "sql/sleep.sql"}]}
	JSON
	sql_file sleep.sql <<<'select pg_sleep(600);'
	enqueue_run sleeps.one sleeps --since=2024-03-04 --until=2024-03-04
	start_worker
	wait_until "is 1 \"select count(*) from bf.job j join pg_stat_activity a on a.pid = j.backend_pid and a.backend_start = j.backend_start
		where a.wait_event = 'PgSleep'\""
}

@test "in session mode without a reset query, what another client left in the session is put back before it is used" {
	pooler_up session 'server_reset_query =' 'default_pool_size = 6'
	local i others=()
	for i in 1 2 3 4 5 6; do # each leaves statements of our names, and settings
		printf '%s\n' 'prepare open_jobs as select 1; prepare migrate_exists as select 1; set search_path = pg_temp; set array_nulls = off;' \
			"select pg_sleep(0.2), pg_advisory_lock(4711 + $i);" | psql -XAtq -d "$BF_DATABASE_URL" >/dev/null 3>&- &
		others+=($!)
	done
	for i in "${others[@]}"; do
		wait "$i"
	done
	pipeline plain <<-'JSON'
		{"pipeline": "plain", "chunk": {"unit": "day"}, "steps": [{"name": "nothing", "kind": "noop"}]}
	JSON
	enqueue_run plain.one plain --since=2024-03-04 --until=2024-03-13
	timeout 60 worker --slots=1 --drain
	oracle plain.one
}

assert_refused() { # COMMAND…: at once, with one line, which says what to do
	local code=0 said
	said=$(timeout 20 "$@" 2>&1) || code=$?
	[ "$code" -ne 0 ] && [ "$code" -ne 124 ] || { printf '%s: %s: %s\n' "$code" "$*" "$said" >&2; return 1; }
	assert_same "lines that $1 said" 1 "$(wc -l <<<"$said")" || { printf '%s\n' "$said" >&2; return 1; }
	[[ $said = *'gives each transaction another session'*'pool_mode = session'* ]] || { printf '%s\n' "$said" >&2; return 1; }
}

assert_all_refused() {
	assert_refused worker --drain
	assert_refused enqueue run weather --since=2012-01-01 --until=2012-01-02
	assert_refused enqueue migrate
	assert_refused bfstat gaps weather
}

@test "transaction pooling is found out at start, and refused in one line by each program" {
	pooler_up transaction 'ignore_startup_parameters = options'
	assert_all_refused
	assert_same 'runs' 0 "$(pg 'select count(*) from bf.run')"
}

@test "transaction pooling is found out also while other clients keep the pool busy, and where servers take turns" {
	pooler_up transaction 'default_pool_size = 10' 'server_round_robin = 1'
	local i busy=()
	for i in 1 2 3; do
		(while :; do echo 'select 1;'; done | psql -XAtq -d "$BF_DATABASE_URL" >/dev/null 2>&1) 3>&- &
		busy+=($!)
	done
	for i in 1 2 3; do
		assert_refused enqueue run weather --since=2012-01-01 --until=2012-01-02 || {
			kill "${busy[@]}"
			return 1
		}
	done
	kill "${busy[@]}"
}

@test "statement pooling is refused in the same way" {
	pooler_up statement 'ignore_startup_parameters = options'
	assert_all_refused
}
