# shellcheck shell=bash
# Work for end-to-end tests, on top of lib.bash: the sample pipeline with its data, and small pipelines made on the spot.

# shellcheck disable=SC2154 # of servers.sh
weather_files=$bf_top/deploy/pipelines/weather

load_weather() {
	psql -Xq -v ON_ERROR_STOP=1 -d "$BF_DATABASE_URL" -f "$weather_files/schema.sql" &&
		psql -Xq -v ON_ERROR_STOP=1 -d "$BF_DATABASE_URL" -f "$weather_files/load.sql" <"$weather_files/data/seattle-weather.csv"
}

# What verify.sql says is different from one plain query over the whole table: nothing.
assert_weather_verified() {
	assert_same 'rows that differ from one plain query' '' "$(psql -XAt -v ON_ERROR_STOP=1 -d "$BF_DATABASE_URL" -f "$weather_files/verify.sql")"
}

# counted_weather: the sample pipeline, copied; each of its sql jobs leaves one row in effect_<step> (column chunk) and one for each of its
# days in effect_day, which have no unique key. Jobs can be made to wait before they end: see hold.
counted_weather() {
	local step
	export BF_PIPELINES=$BATS_TEST_TMPDIR/pipelines HOLD=$BATS_TEST_TMPDIR/hold
	mkdir -p "$BF_PIPELINES"
	cp -r "$weather_files" "$BF_PIPELINES/"
	pg 'create table effect_daily (chunk text); create table effect_rolling (chunk text);
	    create table effect_day (id bigserial, step text, day date); create table hold (step text, day date);
	    create function wait_while_held(p_step text, p_since date, p_until date) returns void language plpgsql as
	    $$ begin while exists (select from hold where step = p_step and day between p_since and p_until) loop perform pg_sleep(0.02); end loop; end $$'
	for step in daily rolling; do
		cat >>"$BF_PIPELINES/weather/sql/$step.sql" <<SQL
insert into effect_$step values (:'since' || case when :'since' <> :'until' then '..' || :'until' else '' end);
insert into effect_day (step, day) select '$step', d from generate_series(:'since'::date, :'until'::date, interval '1 day') d;
select wait_while_held('$step', :'since', :'until');
SQL
	done
	sed -i 's/"pass": \[/&"HOLD", /' "$BF_PIPELINES/weather/pipeline.json"
	sed -i "s|^mkdir -p \"\$out\"|while [ -e \"\$HOLD.export.\$since\" ]; do sleep 0.02; done\n&|" "$BF_PIPELINES/weather/bin/export"
}

# hold STEP DAY: the job of that day (of `export`: that begins on it) will wait in its middle, its effect made and not committed.
hold() {
	if [ "$1" = export ]; then touch "$HOLD.export.$2"; else pg "insert into hold values ('$1', '$2')"; fi
}
let_go() { # STEP DAY
	if [ "$1" = export ]; then rm -f "$HOLD.export.$2"; else pg "delete from hold where step = '$1'"; fi
}
is_held() { # RUN STEP DAY
	is 1 "select count(*) from bf.job where run = '$1' and step = '$2' and '$3' between since and until and state = 'running'" &&
		{ [ "$2" = export ] || at_least 1 "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'"; }
}

# Every day of RUN has had exactly one effect of each sql step, those of `rolling` in their order; the oracle has nothing against it.
assert_counted_weather() { # RUN
	oracle "$1" daily=effect_daily rolling=effect_rolling
	assert_same 'days without exactly one effect' '' "$(pg "
		select s.step, d::date, count(e.day)
		  from bf.run r cross join generate_series(r.since, r.until, interval '1 day') d cross join (values ('daily'), ('rolling')) s(step)
		  left join effect_day e on e.step = s.step and e.day = d
		 where r.run = '$1' group by 1, 2 having count(e.day) <> 1")"
	assert_same 'days that were rolled before an earlier one' '' "$(pg "
		select day from (select day, lag(day) over (order by id) as before from effect_day where step = 'rolling') x where day < before")"
}

# pipeline NAME <<JSON: its file, in a folder of this test that BF_PIPELINES names; sql NAME <<SQL: a file beside it
pipeline() {
	export BF_PIPELINES=$BATS_TEST_TMPDIR/pipelines
	mkdir -p "$BF_PIPELINES/$1/sql" "$BF_PIPELINES/$1/bin"
	cat >"$BF_PIPELINES/$1/pipeline.json"
	made=$BF_PIPELINES/$1
}
sql_file() { cat >"$made/sql/$1"; }
program() { # NAME <<SCRIPT
	{
		printf '#!/usr/bin/env bash\n'
		cat
	} >"$made/bin/$1"
	chmod +x "$made/bin/$1"
}

# enqueue_run RUN PIPELINE OPTION…
enqueue_run() {
	local run=$1
	shift
	enqueue run "$@" --run-id="$run" >"$BATS_TEST_TMPDIR/enqueue.log" 2>&1 || {
		cat "$BATS_TEST_TMPDIR/enqueue.log" >&2
		return 1
	}
}

# is COUNT SQL: the condition that the query's one value is that; at_least N SQL
is() { [ "$(pg "$2")" = "$1" ]; }
at_least() { [ "$(pg "$2")" -ge "$1" ]; }

wait_for_end() { wait_until "run_ended '$1'" "${2:-40}"; } # RUN [SECONDS]

# exit_code_of PID [SECONDS]: waits for its end; the code is in $code
exit_code_of() {
	wait_until "! kill -0 $1" "${2:-30}" || return 1
	code=0
	# shellcheck disable=SC2034 # for the test
	wait "$1" || code=$?
}

# Chunks that wait for chunks: no job began before those that it waits for had ended, by the ledger's own times.
assert_behind() { # RUN
	assert_same "$1: what began before what it waits for" '' "$(pg "
		select b.step, b.chunk, a.step, a.chunk from bf.step s join bf.job b using (run, step) cross join unnest(s.by_chunk, b.after) as w (need, seqs)
		  join bf.job a on a.run = s.run and a.step = w.need and a.seq <@ w.seqs where s.run = '$1' and b.started_at < a.finished_at")"
}

worker_log() { cat "$BATS_TEST_TMPDIR/worker-$1.log"; }
