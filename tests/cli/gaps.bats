# What is missing, by the step's own data: `expected` and `present`, what a run takes of it, how coverage shows it; and what is looked back at.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	pg "create table wanted (day date); insert into wanted select '2024-01-01'::date + n from generate_series(0, 19) n where n % 5 <> 4;
	    create table made (day date)"
	gaps_pipeline
}
teardown() { bf_teardown; }

# Of 20 days 16 are wanted; each job makes its days.
gaps_pipeline() { # [FIELDS of the step]
	pipeline gaps <<-JSON
		{"pipeline": "gaps", "chunk": {"size": 2, "max": 5}, "defaults": {"retry": {"attempts": 1}},
		 "steps": [{"name": "make", "kind": "sql", "file": "sql/make.sql", "concurrency": 1, "expected": "sql/wanted.sql", "present": "sql/made.sql"${1:-}}]}
	JSON
	sql_file make.sql <<<"insert into made select day from wanted where day between :'since' and :'until';"
	sql_file wanted.sql <<<"select day from wanted where day between :'since' and :'until';"
	sql_file made.sql <<<"select day from made;"
}
range=(--since=2024-01-01 --until=2024-01-20)
planned() { # [OPTION…]: chunks of a dry run
	enqueue run gaps "${range[@]}" --dry-run --json "$@" | jq -r '.steps[0] | "\(.jobs) jobs, \(.expected) expected, \(.gone) gone, " + ([.skipped[] | "\(.count) \(.reason)"] | join(" "))'
}
shown() { bfstat coverage gaps "${range[@]}" --json | jq -r '.steps[0] | "\(.asked) \(.done) \(.missing) \(.not_recorded) \(.gone)"'; }

@test "a run takes what is expected and not present, and no more" {
	pg "insert into made select day from wanted where day <= '2024-01-04'"
	assert_same 'plan' '6 jobs, 16 expected, 0 gone, 4 present' "$(planned)"
	assert_same 'coverage before any run: expected, done, missing, not recorded, gone' '16 0 12 4 0' "$(shown)"
	enqueue_run gaps.one gaps "${range[@]}"
	start_worker
	wait_for_end gaps.one
	assert_same 'days made twice' 0 "$(pg 'select count(*) from (select day from made group by day having count(*) > 1) d')"
	assert_same 'days not made' 0 "$(pg 'select count(*) from wanted where day not in (select day from made)')"
	assert_same 'coverage' '16 12 0 4 0' "$(shown)"
	run enqueue run gaps "${range[@]}"
	[[ $output = *'Nothing to do: '*'everything is done.'*'make: 4 days not expected, according to sql/wanted.sql'*'make: 16 days there already, according to sql/made.sql'* ]]
}

@test "what was done and is gone is shown as gone, and taken again; what was never recorded is not" {
	enqueue_run gaps.one gaps "${range[@]}"
	start_worker
	wait_for_end gaps.one
	pg "delete from made where day in ('2024-01-02', '2024-01-08'); insert into wanted values ('2024-01-10'); insert into made values ('2024-01-10')"
	assert_same 'coverage' '17 14 0 1 2' "$(shown)"
	assert_same 'gaps' '2024-01-02 2024-01-08' "$(bfstat gaps gaps "${range[@]}" | paste -sd' ')"
	run bfstat coverage gaps "${range[@]}"
	[[ $output = *'88 %: 15 of 17 days there'*'! gone   □ not recorded'* || $output = *'! gone   + not recorded'* ]]
	run enqueue run gaps "${range[@]}" --run-id=gaps.two
	[[ $output = *'Planned again:'*'make: 2 days done according to the ledger, and missing according to sql/made.sql'* ]]
	wait_for_end gaps.two
	assert_same 'jobs' '2024-01-02 2024-01-08' "$(pg "select string_agg(chunk, ' ' order by seq) from bf.job where run = 'gaps.two'")"
	assert_same 'coverage' '17 16 0 1 0' "$(shown)"
	assert_same 'plan of everything' '9 jobs, 17 expected, 0 gone, ' "$(planned --reprocess=completed)"
}

@test "what another run holds or has failed at is left to it, present or not" {
	enqueue_run gaps.held gaps --since=2024-01-06 --until=2024-01-09
	assert_same 'plan' '6 jobs, 16 expected, 0 gone, 4 held' "$(planned)"
	enqueue cancel gaps.held >/dev/null
	sql_file make.sql <<<"select 1 / 0;"
	enqueue_run gaps.bad gaps --since=2024-01-06 --until=2024-01-09
	start_worker
	wait_for_end gaps.bad
	assert_same 'plan' '7 jobs, 16 expected, 0 gone, 2 failed' "$(planned)" # the chunk that failed; the one behind it was not tried
	pg "insert into made values ('2024-01-06')" # somebody made one of them
	assert_same 'plan' '7 jobs, 16 expected, 0 gone, 1 present 1 failed' "$(planned)"
}

refused() { # WORDS [OPTION…]: instead of the range
	[ $# -gt 1 ] || set -- "$1" "${range[@]}"
	run enqueue run gaps "${@:2}"
	[ "$status" -eq 2 ]
	[[ $output = *"$1"* ]]
	assert_same 'runs' "${runs:-0}" "$(pg 'select count(*) from bf.run')"
}

@test "queries that yield a date twice, null, no date, or fail: each with its file, and nothing is planned" {
	sql_file wanted.sql <<<"select day from wanted union all select '2024-01-03'::date"
	refused 'step make, expected, sql/wanted.sql: row 17: found 2024-01-03 for the second time, expected each once (SELECT DISTINCT)'
	sql_file wanted.sql <<<"select null::date"
	refused 'step make, expected, sql/wanted.sql: row 1: found null, expected a date'
	sql_file wanted.sql <<<"select 'tomorrow'::text"
	refused 'step make, expected, sql/wanted.sql: row 1: found "tomorrow", expected a date'
	sql_file wanted.sql <<<"select now()"
	refused 'step make, expected, sql/wanted.sql: row 1: found "20'
	sql_file wanted.sql <<<"select day from nowhere"
	refused 'nothing was planned: this is not there'
	[[ $output = 'step make: sql/wanted.sql: line 1: relation "nowhere" does not exist'* ]]
	sql_file wanted.sql <<<"select day from wanted where 1 / 0 = 1"
	refused 'step make, expected, sql/wanted.sql: division by zero'
	sql_file wanted.sql <<<"select day from wanted where day = :'run'::date"
	refused 'sql/wanted.sql: line 1: found "run", expected a variable that exists here'
	sql_file wanted.sql <<<"select day from wanted"
	sql_file made.sql <<<"insert into made values (now()) returning day"
	refused 'step make, present, sql/made.sql: cannot execute INSERT in a read-only transaction'
	sql_file made.sql <<<"select null::date"
	refused 'step make, present, sql/made.sql: row 1: found null, expected a date'
}

@test "data that cannot be asked is no reason not to show what the ledger has" {
	enqueue_run gaps.one gaps --since=2024-01-01 --until=2024-01-04
	start_worker
	wait_for_end gaps.one
	pg 'drop table made'
	run --separate-stderr bfstat coverage gaps --json
	[ "$status" -eq 0 ]
	assert_same 'from the ledger' '4 4 false' "$(jq -r '.steps[0] | "\(.asked) \(.done) \(.data_asked)"' <<<"$output")"
	[[ $stderr = 'bfstat: what is there was not asked, only the ledger: step make, present, sql/made.sql: '*'relation "made" does not exist'* ]]
}

@test "parameters of the identity: each season is compared with its own data" {
	pipeline seasons <<-'JSON'
		{"pipeline": "seasons", "chunk": {"size": 1}, "params": {"season": {"identity": true}, "scale": {"default": "1", "affects": "nothing"}},
		 "steps": [{"name": "make", "kind": "sql", "file": "sql/make.sql", "expected": "sql/wanted.sql", "present": "sql/made.sql"}]}
	JSON
	pg "create table of_season (season text, day date)"
	sql_file make.sql <<<"insert into of_season values (:'season', :'since');"
	sql_file wanted.sql <<<"select d::date from generate_series(date '2024-01-01', date '2024-01-06', interval '1 day') d where :'season' <> '2022' or d <> '2024-01-02'"
	sql_file made.sql <<<"select distinct day from of_season where season = :'season' and :scale = 1"
	enqueue_run seasons.one seasons --since=2024-01-01 --until=2024-01-04 --param=season=2021
	enqueue_run seasons.two seasons --since=2024-01-01 --until=2024-01-03 --param=season=2022
	start_worker
	wait_for_end seasons.one
	wait_for_end seasons.two
	pg "delete from of_season where season = '2021' and day = '2024-01-03'; insert into of_season values ('2022', '2024-01-05')"
	by_season() { bfstat coverage seasons --since=2024-01-01 --until=2024-01-06 --json "$@" | jq -r '[.steps[] | "\(.identity.season): \(.asked) \(.done) \(.missing) \(.not_recorded) \(.gone)"] | sort | join(", ")'; }
	assert_same 'expected, done, missing, not recorded, gone' '2021: 6 3 2 0 1, 2022: 5 2 2 1 0' "$(by_season)"
	assert_same 'a season without a run' '2023: 6 0 6 0 0' "$(by_season --param=season=2023)"
	run -2 bfstat coverage seasons --param=seasn=2022
	[[ $output = *'--param: unknown parameter "seasn"'*'season'* ]]
	assert_same 'one that has one' '2022: 5 2 2 1 0' "$(by_season --param=season=2022)"
	run --separate-stderr bfstat gaps seasons --since=2024-01-01 --until=2024-01-06 --json
	assert_same 'gaps' 0 "$status"
	assert_same 'nothing was left unasked' '' "$stderr"
}

@test "keys: what is expected and present of a list of them" {
	pipeline gaps <<-'JSON'
		{"pipeline": "gaps", "chunk": {"keys": {"sql": "sql/keys.sql"}},
		 "steps": [{"name": "make", "kind": "noop", "expected": "sql/wanted.sql", "present": "sql/made.sql"}]}
	JSON
	sql_file keys.sql <<<"select 'k' || n from generate_series(1, 10) n"
	sql_file wanted.sql <<<"select 'k' || n from generate_series(1, 8) n union all select 'another'"
	sql_file made.sql <<<"select 'k' || n from generate_series(7, 20) n"
	enqueue_run gaps.keys gaps
	assert_same 'jobs' 'k1 k2 k3 k4 k5 k6' "$(pg "select string_agg(key, ' ' order by seq) from bf.job where run = 'gaps.keys'")"
}

@test "warmup: block refuses a run whose look-back is not there, and says what to fill; what is not expected does not count" {
	gaps_pipeline ', "lookback": {"days": 4, "warmup": "block"}'
	refused 'step make looks back 4 days ("warmup": "block"), and of those before 2024-01-08 3 are not there; expected them first: enqueue run gaps --only=make --since=2024-01-04 --until=2024-01-07' --since=2024-01-08 --until=2024-01-20
	enqueue_run gaps.first gaps --since=2024-01-01 --until=2024-01-07 # nothing is expected before it
	runs=1
	refused 'run gaps.first holds some and is not finished; expected it to be done first' --since=2024-01-08 --until=2024-01-20
	start_worker
	wait_for_end gaps.first
	enqueue_run gaps.next gaps --since=2024-01-08 --until=2024-01-20
	wait_for_end gaps.next
	pg "delete from made where day = '2024-01-16'"
	runs=2
	refused 'of those before 2024-01-17 1 are not there' --since=2024-01-17 --until=2024-01-20 --reprocess=completed
	gaps_pipeline ', "lookback": {"days": 4, "warmup": "allow"}'
	enqueue_run gaps.allowed gaps --since=2024-01-17 --until=2024-01-20 --reprocess=completed
}
