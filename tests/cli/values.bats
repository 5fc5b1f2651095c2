# Values stay what they were: figures of gates to their last digit, numbers of a request as they are written, keys that are numbers.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/httpd.bash

setup() { bf_setup; }
teardown() { bf_teardown; }

# gate RUN FIELDS: the state of a run whose only step is this check; its query yields what table `figures` holds
gate() {
	pipeline gate <<-JSON
		{"pipeline": "gate", "steps": [{"name": "g", "kind": "check", "retry": {"attempts": 1}, $2}]}
	JSON
	sql_file a.sql <<<'select a from figures;'
	sql_file b.sql <<<'select b from figures;'
	enqueue_run "$1" gate --since=2024-01-01 --until=2024-01-01
	timeout 60 worker --drain >"$BATS_TEST_TMPDIR/worker.log" 2>&1
	run_state "$1"
}
found_by() { pg "select coalesce(actual::text, '-') || ' ' || outcome || ': ' || found from bf.check_result where run = '$1'"; }

@test "two figures that a double cannot tell apart are not equal, and the digits that differ are shown" {
	local n=0 a b
	pg 'create table figures (a numeric, b numeric)'
	while read -r a b; do
		n=$((n + 1))
		pg "truncate figures; insert into figures values ($a, $b)"
		assert_same "$a and $b" failed "$(gate "g.$n" '"type": "equals", "file": "sql/a.sql", "expected": "sql/b.sql"')"
		assert_same "$a and itself" done "$(gate "s.$n" "\"type\": \"equals\", \"file\": \"sql/a.sql\", \"expected\": $a")"
		assert_same 'the ledger has each digit' "$a" "$(pg "select actual from bf.check_result where run = 'g.$n'")"
	done <<-END
		9007199254740992 9007199254740993
		12345678901234567890.12 12345678901234567890.13
		-9223372036854775807 -9223372036854775808
	END
	[[ $(found_by g.2) = *'12,345,678,901,234,567,890.12 found, 12,345,678,901,234,567,890.13 expected'* ]]
	assert_same 'a threshold' failed "$(gate t.1 '"type": "metric", "file": "sql/a.sql", "error_if": "> -9223372036854775808"')"
	assert_same 'a range' failed "$(gate t.2 '"type": "range", "file": "sql/b.sql", "min": -9223372036854775807')"
	assert_same 'a tolerance' done "$(gate t.3 '"type": "equals", "file": "sql/a.sql", "expected": "sql/b.sql", "tolerance": 1')"
	assert_same 'a tolerance just below' failed "$(gate t.4 '"type": "equals", "file": "sql/a.sql", "expected": "sql/b.sql", "tolerance": 0.99999999999999999999')"
}

@test "a coverage of all but one in ten thousand is not shown, nor judged, as all" {
	pipeline cov <<-'JSON'
		{"pipeline": "cov", "steps": [{"name": "c", "kind": "check", "type": "coverage", "expected": "sql/e.sql", "present": "sql/p.sql", "error_if": "< 1", "retry": {"attempts": 1}}]}
	JSON
	sql_file e.sql <<<"select date '1990-01-01' + n from generate_series(0, 11999) n;"
	sql_file p.sql <<<"select date '1990-01-01' + n from generate_series(0, 11998) n;"
	enqueue_run c.one cov --since=1990-01-01 --until=2022-11-08
	timeout 60 worker --drain >"$BATS_TEST_TMPDIR/worker.log" 2>&1
	[[ $(found_by c.one) = '0.99991666666666666666 fail: c: 11,999 of 12,000 days there (99.99 %)'* ]]
}

@test "a number in a file or an answer is compared as it is written; a text is one by JSON's grammar only" {
	local value n=0
	start_httpd
	pipeline gate <<<'{}'
	echo '{"big": 18446744073709551615, "money": 19.99, "text": "18446744073709551615"}' | tee "$made/data.json" >"$httpd_dir/answer.json"
	for value in big text; do
		assert_same "file, $value" done "$(gate "f.$value" "\"type\": \"json\", \"json_file\": \"data.json\", \"pointer\": \"/$value\", \"error_if\": \"!= 18446744073709551615\"")"
		assert_same "answer, $value" failed "$(gate "h.$value" "\"type\": \"http\", \"url\": \"{{env.API_URL}}/json\", \"pointer\": \"/$value\", \"error_if\": \"!= 18446744073709551614\"")"
	done
	assert_same 'money' done "$(gate f.money '"type": "json", "json_file": "data.json", "pointer": "/money", "error_if": "!= 19.99"')"
	assert_same 'as the ledger has it' 19.99 "$(pg "select actual from bf.check_result where run = 'f.money'")"
	for value in 0x10 true ' 1' '1 ' +1 .5 1. NaN Infinity 01; do
		n=$((n + 1))
		jq -n --arg v "$value" '{v: $v}' >"$made/data.json"
		assert_same "\"$value\"" failed "$(gate "n.$n" '"type": "json", "json_file": "data.json", "pointer": "/v", "error_if": "< -1000000"')"
		[[ $(found_by "n.$n") = "- fail: g: data.json: "*"found \"$value\" at /v, expected a number"* ]] ||
			[[ $(found_by "n.$n") = "- fail: g: "*"found \"$value\" at /v, expected a number"* ]]
	done
}

@test "the numbers of a request's body are sent as the pipeline's file has them" {
	start_httpd
	pipeline send <<-'JSON'
		{"pipeline": "send", "chunk": {"size": 1}, "steps": [{"name": "s", "kind": "http", "url": "{{env.API_URL}}/x",
		  "body": {"price": 19.99, "small": 1e-3, "trailing": 1.50, "big": 18446744073709551616, "huge": 1e400, "minus": -0, "int": 7,
		   "list": [0.1, 0.30000000000000004], "text": "19.99 on {{since}}"}}]}
	JSON
	enqueue_run s.one send --since=2024-01-01 --until=2024-01-01
	timeout 60 worker --drain >"$BATS_TEST_TMPDIR/worker.log" 2>&1
	assert_same 'body' '{"big":18446744073709551616,"huge":1e400,"int":7,"list":[0.1,0.30000000000000004],"minus":-0,"price":19.99,"small":1e-3,"text":"19.99 on 2024-01-01","trailing":1.50}' \
		"$(requests .body)"
	# planned again, it is the same pipeline
	enqueue_run s.two send --since=2024-01-02 --until=2024-01-02
	assert_same 'pipelines' 1 "$(pg 'select count(*) from bf.pipeline')"
}

@test "a number that jsonb writes out in full does not stop the run that it is pinned for" {
	start_httpd
	pg 'create table figures (a numeric, b numeric); insert into figures values (10000000000000000000, 1e19)'
	assert_same 'state' done "$(gate j.one '"type": "equals", "file": "sql/a.sql", "expected": 1e19, "tolerance": 1e-19')"
	# as an older program pinned it
	pg 'update bf.pipeline set written = null'
	assert_same 'state' done "$(gate j.two '"type": "equals", "file": "sql/b.sql", "expected": 1e19, "tolerance": 1e-19')"
}

@test "keys that are numbers of any length are keys, as they are written" {
	pipeline keyed <<-'JSON'
		{"pipeline": "keyed", "chunk": {"keys": {"file": "keys.json", "array": "all", "id": "id"}}, "steps": [{"name": "one", "kind": "noop"}]}
	JSON
	echo '{"all": [{"id": 18446744073709551616, "p": 19.99}, {"id": 9007199254740993}, {"id": -9223372036854775809}, {"id": "1.50"}]}' >"$made/keys.json"
	enqueue_run k.one keyed
	assert_same 'keys' '-9223372036854775809 1.50 18446744073709551616 9007199254740993' \
		"$(pg "select string_agg(key, ' ' order by key) from bf.job where run = 'k.one'")"
	echo '{"all": [{"id": 1.5}]}' >"$made/keys.json"
	run -2 enqueue run keyed
	[[ $output = *'key number 1: found a number that is not whole, expected a text or a whole number'* ]]
}
