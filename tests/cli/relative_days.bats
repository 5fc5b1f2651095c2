#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031
# --since=yesterday, --since=-7d: which days these are, PostgreSQL's clock and the pipeline's time zone say.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	days_pipeline
}
teardown() { bf_teardown; }

days_pipeline() { # [FIELDS]
	pipeline days <<-JSON
		{"pipeline": "days", ${1:-} "chunk": {"size": 1}, "steps": [{"name": "make", "kind": "sql", "file": "sql/make.sql"}]}
	JSON
	sql_file make.sql <<<"select :'since';"
}

day() { # DAYS AGO [TIME ZONE]
	pg "select (now() at time zone '${2:-UTC}')::date - $1"
}
planned() { # OPTION…
	enqueue run days --dry-run --json "$@" | jq -r '"\(.since) \(.until) \(.today.day) \(.today.timezone)"'
}

@test "today, yesterday and so many days or weeks ago are days of PostgreSQL's clock" {
	assert_same '-7d to yesterday' "$(day 7) $(day 1) $(day 0) UTC" "$(planned --since=-7d --until=yesterday)"
	assert_same '-2w to today' "$(day 14) $(day 0) $(day 0) UTC" "$(planned --since -2w --until today)"
	assert_same 'from a day of the calendar' "2024-01-01 $(day 1) $(day 0) UTC" "$(planned --since=2024-01-01 --until=yesterday)"
	assert_same 'none is relative' '2024-01-01 2024-01-02 null null' "$(planned --since=2024-01-01 --until=2024-01-02)"
}

@test "the clock of the host and its TZ decide nothing" {
	assert_same 'TZ' "$(day 1) $(day 1) $(day 0) UTC" "$(TZ=Pacific/Kiritimati planned --since=yesterday --until=yesterday)"
	assert_same 'PGTZ' "$(day 1) $(day 1) $(day 0) UTC" "$(PGTZ=Pacific/Kiritimati planned --since=yesterday --until=yesterday)"
}

@test "the days are those of the pipeline's time zone" {
	local zone
	for zone in Pacific/Kiritimati Etc/GMT+12; do # at any time one of them has another day than UTC
		days_pipeline "\"timezone\": \"$zone\","
		assert_same "$zone" "$(day 1 "$zone") $(day 0 "$zone") $(day 0 "$zone") $zone" "$(planned --since=yesterday --until=today)"
	done
}

@test "the plan shows the days, and by which clock; the run keeps them" {
	run enqueue run days --since=-3d --until=yesterday --dry-run
	[ "$status" -eq 0 ]
	[[ $output = *"$(day 3)..$(day 1) (3 days)"* ]]
	[[ $output = *"Today is $(day 0) in UTC, by PostgreSQL's clock."* ]]
	enqueue run days --since=-3d --until=yesterday --run-id=days.one >/dev/null
	assert_same 'the run' "$(day 3) $(day 1)" "$(pg "select since || ' ' || until from bf.run where run = 'days.one'")"
	run enqueue run days --since=-3d --until=yesterday --run-id=days.one
	[[ $output = *'exists already'* ]]
}

@test "coverage and gaps take them, in the time zone of the pipeline's latest run" {
	days_pipeline '"timezone": "Pacific/Kiritimati",'
	enqueue run days --since=-3d --until=yesterday >/dev/null
	assert_same 'gaps' "$(day 2 Pacific/Kiritimati) $(day 1 Pacific/Kiritimati) $(day 0 Pacific/Kiritimati)" \
		"$(bfstat gaps days --since=-2d --until=today | xargs)"
	assert_same 'coverage' "$(day 1 Pacific/Kiritimati)" "$(bfstat coverage days --since=yesterday --until=yesterday --json | jq -r '.steps[0].ranges[0].since')"
}

@test "what is no day, an order that cannot be, and a time zone that nobody knows are refused" {
	refused() { # PATTERN ARGUMENT…
		local pattern=$1
		shift
		run enqueue run days "$@"
		assert_same "exit code of $*" 2 "$status"
		# shellcheck disable=SC2053
		[[ $output == $pattern ]] || { echo "$output" >&2; return 1; }
	}
	refused '*--since*expected YYYY-MM-DD, today, yesterday*-7d*' --since=last-week --until=today
	refused '*--since*expected YYYY-MM-DD*' --since=-7 --until=today
	refused '*--since*expected YYYY-MM-DD*' --since=-0d --until=today
	refused '*--since*expected YYYY-MM-DD*' --since=-99999d --until=today
	refused '*--until*before*--since*' --since=today --until=yesterday
	refused '*--until*before --since*' --since="$(day -1)" --until=yesterday
	refused '*expected at most 20000*' --since=1901-01-01 --until=today
	days_pipeline '"timezone": "Mars/Olympus",'
	refused '*timezone*Mars/Olympus*America/New_York*' --since=yesterday --until=today
	days_pipeline '"timezone": "no; zone",'
	refused '*timezone*America/New_York*' --since=yesterday --until=today
	assert_same 'runs' 0 "$(pg 'select count(*) from bf.run')"
}
