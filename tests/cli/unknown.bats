# Requests that did not succeed and may have been carried out: a rollback asks about them, and the script names them. What was undone is
# counted, and the command that takes it again is the next one.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/httpd.bash

setup() {
	bf_setup
	start_httpd
	pg 'create table profile (key text, version text)'
}
teardown() { bf_teardown; }

# `ok` is done, `close` and `partial` have no whole answer, and of these `close` was carried out.
apply() { # FIELDS of the step
	pipeline apply <<-JSON
		{"pipeline": "apply", "chunk": {"keys": {"sql": "sql/keys.sql"}}, "defaults": {"retry": {"attempts": 1}, "on_failure": "continue"},
		 "artifacts": {"rollback.sql": {"what": "rollback"}},
		 "steps": [{"name": "apply", "kind": "http", "url": "{{env.API_URL}}/{{key}}", "timeout": "5s", $1}]}
	JSON
	sql_file keys.sql <<<"values ('ok'), ('close'), ('partial')"
	sql_file undo.sql <<<"delete from profile where key = :'key';"
	sql_file there.sql <<<'select key from profile where version is not null;'
	sql_file changed.sql <<<"select key, version from profile where key = :'key' and version <> 'v1';"
	enqueue_run a.one apply
	start_worker
	wait_for_end a.one
	assert_same 'what came of them' 'close failed, ok done, partial failed' \
		"$(pg "select string_agg(key || ' ' || state, ', ' order by key) from bf.job where run = 'a.one'")"
	pg "insert into profile values ('ok', 'v1'), ('close', 'v1')" # by whoever the requests were sent to
}
outcomes() { jq -r '[.jobs[] | "\(.chunk) \(.outcome) \(.unknown)"] | sort | join(", ")' <<<"$output"; }

@test "what had no answer is undone where its data is there, and left alone where it is not" {
	apply '"present": "sql/there.sql", "rollback": "sql/undo.sql"'
	run -0 enqueue rollback a.one --dry-run --json
	assert_same 'dry run' 'close undone true, ok undone false, partial absent true' "$(outcomes)"
	assert_same 'nothing was written' 2 "$(pg 'select count(*) from profile')"
	run -0 enqueue rollback a.one
	[[ $output = *'apply: 2 jobs undone'*'apply: 1 of them did not succeed, and had been carried out all the same'* ]]
	[[ $output = *'apply: 1 more did not succeed, and what they make is not there'* ]]
	assert_same 'left' 0 "$(pg 'select count(*) from profile')"
	assert_same 'jobs' 'close undone, ok undone, partial failed' \
		"$(pg "select string_agg(key || ' ' || state, ', ' order by key) from bf.job where run = 'a.one'")"
}

@test "without a query for what is there, what nobody has changed since is undone" {
	apply '"rollback": {"file": "sql/undo.sql", "changed": "sql/changed.sql"}'
	pg "insert into profile values ('partial', 'mine')"
	run -1 enqueue rollback a.one --json
	assert_same 'outcomes' 'close undone true, ok undone false, partial changed true' "$(outcomes)"
	assert_same 'left' partial "$(pg "select string_agg(key, ' ') from profile")"
}

@test "what nothing tells of stays, and is named by the command and by the script" {
	apply '"rollback": "sql/undo.sql"'
	bfstat report a.one --out="$BATS_TEST_TMPDIR/report" >/dev/null
	grep -F 'unknown, and not undone here: apply close did not succeed' "$BATS_TEST_TMPDIR/report/rollback.sql"
	run -1 enqueue rollback a.one
	[[ $output = *'apply close: it did not succeed, and may have been carried out'* ]]
	assert_same 'left' close "$(pg "select string_agg(key, ' ') from profile")"
}

@test "the script asks about what is unknown, too" {
	apply '"present": "sql/there.sql", "rollback": "sql/undo.sql"'
	bfstat report a.one --out="$BATS_TEST_TMPDIR/report" >/dev/null
	grep -F 'apply partial, unknown: it did not succeed, and may have been carried out' "$BATS_TEST_TMPDIR/report/rollback.sql"
	grep -F "it is not there, so it was not carried out" "$BATS_TEST_TMPDIR/report/rollback.sql"
}

@test "what was undone has a column, and the next command is the run that takes it again" {
	apply '"present": "sql/there.sql", "rollback": "sql/undo.sql"'
	enqueue rollback a.one >/dev/null
	run bfstat a.one
	[[ $output = *', 2 undone'*'UNDONE'* ]]
	[[ $output = *'enqueue run apply '*'takes again what was undone'* ]]
	run bfstat
	[[ $output = *'UNDONE'* ]]
	pipeline days <<-'JSON'
		{"pipeline": "days", "chunk": {"size": 1}, "params": {"site": {"default": "a b", "identity": true}},
		 "steps": [{"name": "make", "kind": "noop", "rollback": "sql/undo.sql"}, {"name": "more", "kind": "noop"}]}
	JSON
	sql_file undo.sql <<<'select 1;'
	enqueue_run d.one days --since=2024-01-01 --until=2024-01-03 --only=make
	wait_for_end d.one
	enqueue rollback d.one >/dev/null
	run bfstat d.one
	[[ $output = *"enqueue run days --since=2024-01-01 --until=2024-01-03 --only=make --param=site='a b'"* ]]
}
