# The sample pipeline on its real data: 1,461 days of Seattle, worked off by two workers.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	load_weather
	out=$BATS_TEST_TMPDIR/export
}
teardown() { bf_teardown; }

weather() { # RUN SINCE UNTIL OPTION…
	enqueue_run "$1" weather --since="$2" --until="$3" --param="out=$out" "${@:4}"
}

two_workers_until_the_end() { # RUN
	start_worker --slots=2
	start_worker --slots=2
	wait_for_end "$1"
}

# days_of RUN STEP: the ranges that the run planned for the step
days_of() { pg "select range_agg(daterange(since, until, '[]')) from bf.job where run = '$1' and step = '$2'"; }

lines_in_exports() { cat "$out"/*.csv | grep -vc '^day,'; }

@test "two workers work off the whole range, and the figures are those of one plain query over the whole table" {
	weather weather.whole 2012-01-01 2015-12-31
	two_workers_until_the_end weather.whole
	oracle weather.whole
	assert_weather_verified
	assert_same 'workers that took part' 2 "$(pg "select count(distinct worker) from bf.job where run = 'weather.whole'")"
	assert_same 'jobs and rows by step' 'daily|487|1461
rolling|487|1461
export|48|1461
complete|1|' "$(pg "select s.step, count(*), sum(rows) from bf.step s join bf.job j using (run, step) group by s.step, s.ordinal order by s.ordinal")"
	assert_same 'tries that failed' 0 "$(pg 'select count(*) from bf.attempt')"

	# the files of all months, whole
	assert_same 'files' 48 "$(find "$out" -name '????-??-01..????-??-??.csv' | wc -l)"
	assert_same 'files that were left behind' 48 "$(find "$out" -type f | wc -l)"
	assert_same 'days in the files' 1461 "$(lines_in_exports)"
	assert_same 'a file and its table' \
		"$(pg "copy (select * from weather.daily left join weather.rolling using (day) where day between '2014-02-01' and '2014-02-28' order by day) to stdout with (format csv, header)")" \
		"$(cat "$out/2014-02-01..2014-02-28.csv")"

	assert_same 'the check' 'equals|1461|= 1461|pass' "$(pg "select type, actual, expected, outcome from bf.check_result where run = 'weather.whole'")"

	# once more: nothing
	before=$(pg 'select count(*) from bf.run')
	run enqueue run weather --since=2012-01-01 --until=2015-12-31
	[ "$status" -eq 0 ]
	[[ $output = 'Nothing to do:'*'No run was made.'* ]]
	assert_same 'runs' "$before" "$(pg 'select count(*) from bf.run')"
}

@test "an overlapping range adds only what is missing, and the figures stay those of one plain query" {
	pg "delete from weather.raw where day < '2013-01-15' or day > '2013-05-20'"
	weather weather.first 2013-02-10 2013-04-10
	two_workers_until_the_end weather.first
	weather weather.second 2013-01-15 2013-05-20
	assert_same 'days planned' '{[2013-01-15,2013-02-10),[2013-04-11,2013-05-21)}' "$(days_of weather.second daily)"
	assert_same 'days planned' '{[2013-01-15,2013-02-10),[2013-04-11,2013-05-21)}' "$(days_of weather.second rolling)"
	assert_same 'days planned' '{[2013-01-15,2013-02-10),[2013-04-11,2013-05-21)}' "$(days_of weather.second export)"
	wait_for_end weather.second
	oracle weather.first
	oracle weather.second
	assert_weather_verified
	assert_same 'coverage' '{[2013-01-15,2013-05-21)}' "$(pg "select done from bf.coverage where step = 'daily'")"
	assert_same 'days in the files' 126 "$(lines_in_exports)"
}

@test "a range that is asked for while another run holds a part of it leaves that part to the other" {
	pg "delete from weather.raw where day > '2012-02-29'"
	weather weather.held 2012-01-01 2012-01-31
	weather weather.rest 2012-01-20 2012-02-29 --queue=later --only=daily # what looks back at the other's days has to wait for them
	assert_same 'days planned' '{[2012-02-01,2012-03-01)}' "$(days_of weather.rest daily)"
	two_workers_until_the_end weather.held
	start_worker --queues=later
	wait_for_end weather.rest
	oracle weather.held
	# the oracle's word on coverage counts all runs: together they have done what the second was asked for
	oracle weather.rest
	weather weather.last 2012-01-20 2012-02-29 --queue=later
	wait_for_end weather.last
	oracle weather.last
	assert_weather_verified
}

@test "--reprocess=completed does all of it again, and the figures stay the same" {
	pg "delete from weather.raw where day > '2012-03-31'"
	weather weather.once 2012-01-01 2012-03-31
	two_workers_until_the_end weather.once
	figures=$(pg 'select * from weather.rolling order by day')
	pg "update weather.daily set precipitation = precipitation + 1; delete from weather.rolling where day > '2012-02-20'"
	weather weather.again 2012-01-01 2012-03-31 --reprocess=completed
	wait_for_end weather.again
	oracle weather.again
	assert_weather_verified
	assert_same 'figures' "$figures" "$(pg 'select * from weather.rolling order by day')"
}
