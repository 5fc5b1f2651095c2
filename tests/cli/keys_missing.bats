# What is missing is answered for keys as for days, for the identity that was asked about, and with the range that is judged.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() { bf_setup; }
teardown() { bf_teardown; }

# Thirty keys, of which those behind a twelfth fail.
keys_pipeline() { # [FIELDS of the step]
	pipeline keyed <<-JSON
		{"pipeline": "keyed", "chunk": {"keys": {"sql": "sql/keys.sql"}}, "defaults": {"retry": {"attempts": 1}, "on_failure": "continue"},
		 "steps": [{"name": "make", "kind": "sql", "file": "sql/make.sql"${1:-}}]}
	JSON
	sql_file keys.sql <<<"select 'k' || lpad(n::text, 2, '0') from generate_series(1, 30) n"
	sql_file make.sql <<<"insert into made values (:'key'); select 1 / (substr(:'key', 2)::int <= 12)::int;"
	pg 'create table made (key text)'
}
counts() { # STEP COLUMN…: of coverage --json in $output
	jq -r --arg step "$1" '.steps[] | select(.step == $step) | "\(.asked) \(.done) \(.failed) \(.missing)"' <<<"$output"
}

@test "gaps lists the keys that are not done, a page of them, and says how many there are" {
	keys_pipeline
	enqueue_run keyed.one keyed
	start_worker
	wait_for_end keyed.one
	run --separate-stderr -0 bfstat gaps keyed
	assert_same 'keys' "$(printf 'k%02d\n' {13..30})" "$output"
	run --separate-stderr -0 bfstat gaps keyed --limit=3
	assert_same 'a page' "$(printf 'k%02d\n' 13 14 15)" "$output"
	[[ $stderr = *'18 of 30 keys are not done; 3 are shown'* ]]
	run --separate-stderr -0 bfstat gaps keyed --limit=2 --after=k15
	assert_same 'the next page' "$(printf 'k%02d\n' 16 17)" "$output"
	run --separate-stderr -0 bfstat gaps keyed --json --limit=2
	assert_same 'JSON' 'k13 failed k14 failed 18 30' "$(jq -r '"\([.gaps[] | "\(.key) \(.state)"] | join(" ")) \(.missing) \(.asked)"' <<<"$output")"
}

@test "coverage counts keys and lists the first of those that are missing" {
	keys_pipeline
	enqueue_run keyed.one keyed
	start_worker
	wait_for_end keyed.one
	run -0 bfstat coverage keyed --limit=2
	[[ $output = *'make'*'40 %: 12 of 30 keys done'* ]]
	[[ $output = *'k13 failed'*'k14 failed'*'and 16 more: bfstat gaps keyed --step=make'* ]]
	run --separate-stderr -0 bfstat coverage keyed --json
	assert_same 'asked, done, failed, missing' '30 12 18 0' "$(counts make)"
}

@test "a keys pipeline that never ran, or ran for some keys, lists the others as missing" {
	keys_pipeline
	run --separate-stderr -0 bfstat gaps keyed --json
	assert_same 'never ran' '30 30' "$(jq -r '"\(.missing) \(.asked)"' <<<"$output")"
	enqueue_run keyed.two keyed --key=k01 --key=k02
	start_worker
	wait_for_end keyed.two
	run --separate-stderr -0 bfstat gaps keyed --limit=1
	assert_same 'the first that is missing' 'k03' "$output"
	[[ $stderr = *'28 of 30 keys are not done'* ]]
}

@test "where the pipeline's file is not at hand, the keys that runs were asked for count" {
	keys_pipeline
	enqueue_run keyed.two keyed --key=k01 --key=k20
	start_worker
	wait_for_end keyed.two
	rm -r "$BF_PIPELINES/keyed"
	run --separate-stderr -0 bfstat gaps keyed
	assert_same 'keys' 'k20' "$output"
	[[ $stderr = *'the keys that runs were asked for'* ]]
}

@test "keys whose data is asked: what is expected, there without a record, and gone" {
	keys_pipeline ', "expected": "sql/wanted.sql", "present": "sql/made.sql"'
	sql_file wanted.sql <<<"select 'k' || lpad(n::text, 2, '0') from generate_series(1, 12) n"
	sql_file made.sql <<<'select key from made'
	enqueue_run keyed.one keyed
	start_worker
	wait_for_end keyed.one
	pg "delete from made where key = 'k04'"
	run --separate-stderr -0 bfstat gaps keyed --json
	assert_same 'what is gone' 'k04 gone 1 12' "$(jq -r '"\([.gaps[] | "\(.key) \(.state)"] | join(" ")) \(.missing) \(.asked)"' <<<"$output")"
	run --separate-stderr -0 bfstat coverage keyed --json
	assert_same 'coverage' '12 11 1 true' "$(jq -r '.steps[0] | "\(.asked) \(.done) \(.gone) \(.data_asked)"' <<<"$output")"
}

tenants() {
	pipeline tenants <<-'JSON'
		{"pipeline": "tenants", "chunk": {"size": 5}, "params": {"tenant": {"identity": true}},
		 "steps": [{"name": "make", "kind": "noop"}, {"name": "more", "kind": "noop"}]}
	JSON
	enqueue_run tenants.one tenants --since=2024-01-01 --until=2024-01-10 --param=tenant=1
	start_worker
	wait_for_end tenants.one
}

@test "of an identity that never ran everything is missing, and no other one is shown" {
	tenants
	run --separate-stderr -0 bfstat gaps tenants --step=make --param=tenant=4
	assert_same 'days' "$(printf '2024-01-%02d\n' {1..10})" "$output"
	[[ $stderr = *'judged 2024-01-01..2024-01-10'* ]]
	run --separate-stderr -0 bfstat coverage tenants --param=tenant=4 --json
	assert_same 'steps' 'make {"tenant":"4"} 10 0 10, more {"tenant":"4"} 10 0 10' \
		"$(jq -r '[.steps[] | "\(.step) \(.identity | tojson) \(.asked) \(.done) \(.missing)"] | join(", ")' <<<"$output")"
	run --separate-stderr -0 bfstat coverage tenants --param=tenant=1 --json
	assert_same 'one that ran' '["1"] 10' "$(jq -rc '"\([.steps[].identity.tenant] | unique) \(.steps[0].done)"' <<<"$output")"
	run --separate-stderr -0 bfstat coverage tenants --param=tenant=4 --since=2024-01-08 --until=2024-01-12 --json
	assert_same 'a range' '5 5' "$(jq -r '.steps[0] | "\(.asked) \(.missing)"' <<<"$output")"
}

@test "a step that never ran is missing where a range is judged" {
	pipeline two <<-'JSON'
		{"pipeline": "two", "chunk": {"size": 5}, "steps": [{"name": "make", "kind": "noop"}, {"name": "more", "kind": "noop"}]}
	JSON
	enqueue_run two.one two --since=2024-01-01 --until=2024-01-05 --only=make
	start_worker
	wait_for_end two.one
	run --separate-stderr -0 bfstat gaps two --since=2024-01-05 --until=2024-01-06
	assert_same 'gaps' "$(printf 'make\t2024-01-06\nmore\t2024-01-05\nmore\t2024-01-06')" "$output"
}

@test "coverage and gaps say which range they judge" {
	tenants
	run -0 bfstat coverage tenants
	[[ ${lines[0]} = *'2024-01-01..2024-01-10'*'runs were asked for'* ]]
	run --separate-stderr -0 bfstat gaps tenants
	[[ $stderr = *'judged 2024-01-01..2024-01-10'*'runs were asked for'* ]]
	run --separate-stderr -0 bfstat gaps tenants --since=2024-01-01 --until=2024-01-10
	assert_same 'of a range that was given nothing is said' '' "$stderr"
	run --separate-stderr -0 bfstat coverage tenants --json
	assert_same 'JSON' '2024-01-01 2024-01-10 asked' "$(jq -r '"\(.since) \(.until) \(.range)"' <<<"$output")"
}

@test "a limited run says so, and what it was asked for and did not plan stays missing" {
	tenants
	enqueue_run tenants.few tenants --since=2024-02-01 --until=2024-02-29 --limit=2 --param=tenant=1
	wait_for_end tenants.few
	grep -F 'limited: 10 of 29 days' "$BATS_TEST_TMPDIR/enqueue.log"
	run -0 bfstat tenants.few
	[[ $output = *'limited: 10 of 29 days'* ]]
	run -0 bfstat tenants.few --json
	assert_same 'JSON' '10 29' "$(jq -r '.limited | "\(.planned) \(.asked)"' <<<"$output")"
	run --separate-stderr -0 bfstat coverage tenants --json
	assert_same 'asked, done, missing' '39 20 19' "$(jq -r '.steps[0] | "\(.asked) \(.done) \(.missing)"' <<<"$output")"
	assert_same 'by SQL' 19 "$(pg "select count(*) from bf.gaps where pipeline = 'tenants' and step = 'make'")"
	enqueue_run tenants.rest tenants --since=2024-02-01 --until=2024-02-29 --param=tenant=1
	wait_for_end tenants.rest
	run --separate-stderr -0 bfstat gaps tenants
	assert_same 'gaps' '' "$output"
	assert_same 'a run that is not limited' null "$(bfstat tenants.rest --json | jq .limited)"
}
