# Nothing that the server, the database, the role or the environment sets changes what a run does or says (common/io/pg_session.c).
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() { bf_setup; }
teardown() {
	[ -z "${other_db:-}" ] || server_sql "$BF_TEST_SERVERS_URL" "drop database if exists $other_db with (force)"
	bf_teardown
}

database() { pg 'select current_database()'; }

# What a role or a database can be made to set, at its most hostile; what only costs speed, too, as far as a test can wait for it.
# default_transaction_read_only is not among them: it is the owner's switch against writing, and obeyed (tests/cli/enqueue.bats).
hostile='
standard_conforming_strings=off
backslash_quote=off
escape_string_warning=off
array_nulls=off
DateStyle=German
IntervalStyle=sql_standard
TimeZone=Pacific/Kiritimati
timezone_abbreviations=India
client_encoding=LATIN1
client_min_messages=debug1
bytea_output=escape
extra_float_digits=-15
xmlbinary=hex
xmloption=document
quote_all_identifiers=on
transform_null_equals=on
row_security=off
gin_fuzzy_search_limit=1
session_replication_role=replica
exit_on_error=on
plpgsql.extra_errors=all
plpgsql.variable_conflict=use_variable
check_function_bodies=off
default_transaction_isolation=serializable
default_transaction_deferrable=on
synchronous_commit=off
statement_timeout=20
lock_timeout=1
idle_session_timeout=3000
idle_in_transaction_session_timeout=1
deadlock_timeout=1
plan_cache_mode=force_custom_plan
jit=on
jit_above_cost=0
work_mem=64
enable_seqscan=off
enable_indexscan=off
enable_bitmapscan=off
enable_sort=off
enable_nestloop=off
enable_hashagg=off
enable_material=off
join_collapse_limit=1
from_collapse_limit=1
geqo_threshold=2
track_activities=off
track_counts=off
synchronize_seqscans=on
search_path=nowhere
bf.options=on
bf.transaction=1
bf.undo=1'

make_hostile() { # URL: half of it for the database, half for the role in it
	local line n=0 name
	name=$(server_sql "$1" 'select current_database()')
	for line in $hostile 'restrict_nonsystem_relation_kind=view,foreign-table'; do
		n=$((n + 1))
		if ((n % 2)); then
			printf "alter database %s set %s = '%s';\n" "$name" "${line%%=*}" "${line#*=}"
		else
			printf "alter role backfill in database %s set %s = '%s';\n" "$name" "${line%%=*}" "${line#*=}"
		fi
	done >"$BATS_TEST_TMPDIR/hostile.sql"
	# what this server does not know is left out; lists are no single word
	sed -i "s/'view,foreign-table'/view, \"foreign-table\"/" "$BATS_TEST_TMPDIR/hostile.sql"
	psql -Xq -d "$1" -f "$BATS_TEST_TMPDIR/hostile.sql" 2>&1 | grep -v 'unrecognized configuration parameter' || true
}
make_normal() { # URL
	local name
	name=$(server_sql "$BF_TEST_SERVERS_URL" "select substring('$1' from '@/([^?]*)')")
	server_sql "$BF_TEST_SERVERS_URL" "alter database $name reset all"
	server_sql "$BF_TEST_SERVERS_URL" "alter role backfill in database $name reset all"
}

@test "the sample runs from end to end, ledger and all, where everything that a database and a role can set is set against it" {
	other_db=bf_hostile_$$_$BATS_SUITE_TEST_NUMBER
	server_sql "$BF_TEST_SERVERS_URL" "create database $other_db"
	BF_DATABASE_URL=$(database_url "$BF_TEST_SERVERS_URL" "$other_db")
	load_weather
	pg "delete from weather.raw where day > '2012-03-31'"
	make_hostile "$BF_DATABASE_URL"
	export PGDATESTYLE=German PGTZ=Asia/Kathmandu
	run -0 enqueue migrate
	run -0 enqueue run weather --since=2012-01-01 --until=2012-03-20 --dry-run
	enqueue_run weather.hostile weather --since=2012-01-01 --until=2012-03-20 --param="out=$BATS_TEST_TMPDIR/export"
	timeout 200 worker --slots=3 --drain >"$BATS_TEST_TMPDIR/worker-0.log" 2>&1
	bfstat coverage weather --since=2012-01-01 --until=2012-03-31 >"$BATS_TEST_TMPDIR/coverage"
	bfstat gaps weather --since=2012-01-01 --until=2012-03-22 >"$BATS_TEST_TMPDIR/gaps"
	run -0 enqueue run weather --since=2012-01-01 --until=2012-03-20 --run-id=weather.hostile --param="out=$BATS_TEST_TMPDIR/export"
	[[ $output = *weather.hostile* ]]
	enqueue_run weather.rest weather --since=2012-01-01 --until=2012-03-31 --param="out=$BATS_TEST_TMPDIR/export"
	timeout 200 worker --slots=3 --drain >"$BATS_TEST_TMPDIR/worker-1.log" 2>&1

	make_normal "$BF_DATABASE_URL"
	unset PGDATESTYLE PGTZ
	oracle weather.hostile
	oracle weather.rest
	assert_weather_verified
	assert_same 'gaps then' "2012-03-21 2012-03-22" "$(grep -oE '2012-[0-9-]+' "$BATS_TEST_TMPDIR/gaps" | sort -u | paste -sd' ')"
	assert_same 'days that the second run planned' '{[2012-03-21,2012-04-01)}' \
		"$(pg "select range_agg(daterange(since, until, '[]')) from bf.job where run = 'weather.rest' and step = 'daily'")"
	assert_same 'chunks that are not written as dates' 0 \
		"$(pg "select count(*) from bf.job where since is not null and chunk !~ '^2012-[0-9]{2}-[0-9]{2}([.][.]2012-[0-9]{2}-[0-9]{2})?\$'")"
	assert_same 'files' 4 "$(find "$BATS_TEST_TMPDIR/export" -name '2012-*.csv' | wc -l)"
	assert_same 'tries that failed' '' "$(pg 'select error from bf.attempt')"
}

@test "a date reaches a step as it was asked for, whatever DateStyle the database, the role and the environment have" {
	pg 'create table public.got (since text, back text, braces text)'
	pipeline dates <<-'JSON'
		{"pipeline": "dates", "chunk": {"unit": "day"}, "env": {"pass": ["PATH"], "set": {"GOT": "OUT"}},
		 "steps": [{"name": "sql", "kind": "sql", "file": "sql/got.sql", "lookback": {"days": 2}},
		           {"name": "exec", "kind": "exec", "argv": ["bin/got", "{{since}}"]}]}
	JSON
	sed -i "s|OUT|$BATS_TEST_TMPDIR/got|" "$made/pipeline.json"
	sql_file got.sql <<<"insert into public.got values (:'since', :'lookback_since', null);"
	program got <<<'echo "$1 $BF_SINCE" >"$GOT"'
	pg "alter database $(database) set DateStyle = 'German'"
	pg "alter role backfill in database $(database) set DateStyle = 'SQL, DMY'"
	PGDATESTYLE=Postgres enqueue_run dates.one dates --since=2024-03-04 --until=2024-03-04
	PGDATESTYLE=Postgres timeout 60 worker --drain
	assert_same 'in SQL' '2024-03-04|2024-03-02' "$(pg 'select since, back from public.got')"
	assert_same 'in a program' '2024-03-04 2024-03-04' "$(cat "$BATS_TEST_TMPDIR/got")"
	assert_same 'the second time' 0 "$(PGDATESTYLE=Postgres enqueue run dates --since=2024-03-04 --until=2024-03-04 --run-id=dates.one >/dev/null; echo $?)"
}

@test "short jobs are done where transactions are serializable by default" {
	pipeline short <<-'JSON'
		{"pipeline": "short", "chunk": {"unit": "day"}, "concurrency": {"default": 10},
		 "steps": [{"name": "one", "kind": "sql", "file": "sql/one.sql", "retry": {"attempts": 1}}]}
	JSON
	sql_file one.sql <<<'select 1;'
	pg "alter database $(database) set default_transaction_isolation = 'serializable'"
	enqueue_run short.one short --since=2024-01-01 --until=2024-02-19
	timeout 60 worker --slots=4 --drain
	oracle short.one
}

@test "with target_session_attrs=read-write, enqueue plans and bfstat looks" {
	pipeline plain <<-'JSON'
		{"pipeline": "plain", "chunk": {"unit": "day"}, "steps": [{"name": "nothing", "kind": "noop"}]}
	JSON
	BF_DATABASE_URL="$BF_DATABASE_URL&target_session_attrs=read-write"
	run -0 enqueue run plain --since=2024-01-01 --until=2024-01-03 --dry-run
	enqueue_run plain.one plain --since=2024-01-01 --until=2024-01-03
	run -0 --separate-stderr bfstat gaps plain --since=2024-01-01 --until=2024-01-03
	assert_same 'what bfstat complained about' '' "$stderr"
}

@test "a file of a step sees the search_path of the database, in planning, in the worker and in a rollback" {
	pg 'create schema mine; create table mine.days (day date); insert into mine.days values ($$2024-01-02$$); create table mine.got (day date)'
	pipeline mine <<-'JSON'
		{"pipeline": "mine", "chunk": {"unit": "day"},
		 "steps": [{"name": "copy", "kind": "sql", "file": "sql/copy.sql", "expected": "sql/days.sql", "present": "sql/got.sql",
		            "rollback": "sql/undo.sql"}]}
	JSON
	sql_file days.sql <<<"select day from days where day between :'since' and :'until'"
	sql_file got.sql <<<"select day from got where day between :'since' and :'until'"
	sql_file copy.sql <<<"insert into got select day from days where day between :'since' and :'until';"
	sql_file undo.sql <<<"delete from got where day between :'since' and :'until';"
	pg "alter database $(database) set search_path = mine, public"
	enqueue_run mine.one mine --since=2024-01-01 --until=2024-01-03
	timeout 60 worker --drain
	assert_same 'the run' done "$(run_state mine.one)"
	assert_same 'days' 2024-01-02 "$(pg 'select day from mine.got')"
	run -0 enqueue rollback mine.one
	assert_same 'days after the rollback' 0 "$(pg 'select count(*) from mine.got')"
}

# ---- what others have put where our statements might look ----

plant() { # SIGNATURE RESULT: a function in public that nobody may call
	pg "create function public.$1 returns $2 language plpgsql as \$\$ begin raise exception 'planted: $1 was called'; end \$\$"
}

assert_whole_life() { # RUN
	pipeline plain <<-'JSON'
		{"pipeline": "plain", "chunk": {"unit": "day"}, "concurrency": {"default": 3},
		 "steps": [{"name": "sql", "kind": "sql", "file": "sql/one.sql"}, {"name": "noop", "kind": "noop"},
		           {"name": "check", "kind": "check", "type": "metric", "file": "sql/one.sql", "error_if": "< 0"},
		           {"name": "sign-off", "kind": "approval"}]}
	JSON
	sql_file one.sql <<<'select 1;'
	enqueue_run "$1" plain --since=2024-01-01 --until=2024-01-09
	start_worker --slots=2
	wait_until "is waiting \"select state from bf.run where run operator(pg_catalog.=) '$1'\""
	run -0 enqueue stop "$1"
	run -0 enqueue resume "$1"
	run -0 enqueue approve "$1" sign-off --by=me
	wait_for_end "$1"
	for look in "" "$1" "jobs $1" "failures $1" "coverage plain" "gaps plain --since=2024-01-01 --until=2024-01-09" "events $1" "verify"; do
		# shellcheck disable=SC2086
		run -0 --separate-stderr bfstat $look
		assert_same "what bfstat $look complained about" '' "$stderr"
	done
	assert_same 'what was called' '' "$(grep -h "planted:" "$BATS_TEST_TMPDIR"/worker-*.log)"
	oracle "$1"
}

@test "functions that fit better than the server's own, planted by another role, are never called by a statement of ours" {
	plant 'unnest(text[])' 'setof text'
	plant 'unnest(int[])' 'setof int'
	plant 'unnest(text[], int[])' 'setof record'
	plant 'jsonb_object(text[], text[])' jsonb
	plant 'format(text, text)' text
	plant 'format(text, text, text)' text
	plant 'count(text)' bigint
	plant 'coalesce_int(int, int)' int
	plant 'greatest_date(date, date)' date
	plant 'cardinality(text[])' int
	plant 'array_append(text[], text)' 'text[]'
	plant 'replace(text, text, varchar)' text
	plant 'to_char(timestamp, varchar)' text
	plant 'range_agg(daterange)' datemultirange
	plant 'lower(daterange)' date
	plant 'upper(daterange)' date
	assert_whole_life plain.fits
}

@test "operators and functions that stand before pg_catalog in the search_path of the database are never called by a statement of ours" {
	plant 'evil(text, text)' boolean
	plant 'evil(int, int)' boolean
	plant 'clock_timestamp()' timestamptz
	plant 'current_setting(text, boolean)' text
	plant 'set_config(text, text, boolean)' text
	plant 'pg_current_xact_id()' xid8
	plant 'pg_advisory_unlock_all()' void
	plant 'pg_backend_pid()' int
	plant 'hashtext(text)' int
	plant 'now()' timestamptz
	pg 'create operator public.= (leftarg = text, rightarg = text, function = public.evil);
	    create operator public.= (leftarg = int, rightarg = int, function = public.evil);
	    create operator public.< (leftarg = int, rightarg = int, function = public.evil)'
	pg "alter database $(database) set search_path = public, pg_catalog"
	export PGOPTIONS='-c search_path=pg_catalog' # of this test's own psql
	local url=$BF_DATABASE_URL
	pg "alter role backfill in database $(database) set search_path = public, pg_catalog"
	wrapped=$BATS_TEST_TMPDIR/wrapped
	mkdir -p "$wrapped"
	for program in enqueue worker bfstat; do
		printf '#!/bin/sh\nunset PGOPTIONS\nexec %s "$@"\n' "$(command -v $program)" >"$wrapped/$program"
		chmod +x "$wrapped/$program"
	done
	PATH=$wrapped:$PATH assert_whole_life plain.before
}

@test "every function of the ledger pins its search_path" {
	assert_same 'functions that do not' '' "$(pg "
		select p.oid::regprocedure from pg_proc p where p.pronamespace = 'bf'::regnamespace
		   and not coalesce('search_path=pg_catalog, bf, pg_temp' = any (p.proconfig), false)")"
}

@test "the days of a gap are counted as days, also where a day has no midnight" {
	pipeline plain <<-'JSON'
		{"pipeline": "plain", "chunk": {"unit": "day"}, "steps": [{"name": "nothing", "kind": "noop"}]}
	JSON
	enqueue_run plain.one plain --since=2024-04-24 --until=2024-04-28
	assert_same 'gaps in Cairo' '2024-04-24 2024-04-25 2024-04-26 2024-04-27 2024-04-28' \
		"$(PGTZ=Africa/Cairo pg 'select day from bf.gaps order by day' | paste -sd' ')"
}
