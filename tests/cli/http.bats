# Steps that ask over HTTP, and checks that do: what servers answer, and what they do not.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/httpd.bash

setup() { bf_setup; }
teardown() { bf_teardown; }

# call PATH [FIELDS]: a pipeline `call` whose only step asks API_URL/PATH for each of the days
call() {
	pipeline call <<-JSON
		{"pipeline": "call", "chunk": {"size": 1}, "params": {"who": {"default": "a b/ü", "affects": "nothing"}},
		 "steps": [{"name": "ask", "kind": "http", "url": "{{env.API_URL}}$1", "retry": {"attempts": ${attempts:-3}, "first": "100ms", "jitter": 0}${2:-}}]}
	JSON
}
run_call() { # RUN [ARGUMENT…]: to its end
	enqueue_run "$1" call --since=2024-01-01 --until="${until:-2024-01-01}" "${@:2}" >/dev/null
	start_worker
	wait_for_end "$1"
}
error_of() { pg "select error from bf.job where run = '$1'"; }
category_of() { pg "select state || ' ' || error_category || ' ' || attempts from bf.job where run = '$1'"; }

@test "a request is made from templates: URL, headers and JSON body, with a key that stays the same" {
	start_httpd
	export API_KEY=s3cr3t-value
	call '/sessions/{{param.who}}/{{since}}?x={{param.who}}' ', "headers": {"Authorization": "Bearer {{env.API_KEY}}", "X-Run": "{{run}}"},
	     "body": {"day": "{{since}}", "who": "{{param.who}}", "list": [1, "{{chunk}}"]}'
	until=2024-01-03 run_call c.one --param 'who=q"\/ü {'
	oracle c.one
	assert_same 'what was asked' '/sessions/q%22%5C%2F%C3%BC%20%7B/2024-01-01?x=q%22%5C%2F%C3%BC%20%7B' "$(requests | sort | head -n 1)"
	assert_same 'requests' 3 "$(requests | sort -u | wc -l)"
	assert_same 'method and headers' 'POST|Bearer s3cr3t-value|c.one|application/json|c.one/ask/2024-01-02' \
		"$(requests '[.method, .headers.authorization, .headers["x-run"], .headers["content-type"], .headers["idempotency-key"]] | join("|")' | grep 01-02)"
	assert_same 'body' '{"day":"2024-01-02","list":[1,"2024-01-02"],"who":"q\"\\/ü {"}' "$(requests .body | grep 01-02)"
	run enqueue run call --since=2024-02-01 --until=2024-02-01 --dry-run
	[[ $output = *'at least once'* ]]
	# the secret is nowhere but in the request
	pg_dump -d "$BF_DATABASE_URL" >"$BATS_TEST_TMPDIR/dump"
	assert_same 'where the secret is' '' "$(grep -l s3cr3t "$BATS_TEST_TMPDIR/dump" "$BATS_TEST_TMPDIR"/worker-*.log)"
}

@test "what may pass is asked again, not before the moment that Retry-After names; the key is the same" {
	start_httpd
	call /after/3/429/2
	run_call c.wait
	oracle c.wait
	assert_same 'tries that failed' 2 "$(pg "select count(*) from bf.attempt where run = 'c.wait'")"
	assert_same 'keys' 'c.wait/ask/2024-01-01' "$(requests '.headers["idempotency-key"]' | sort -u)"
	local waits
	waits=$(requests .at | awk 'NR > 1 { printf "%s", ($1 - last >= 1.9 ? "long " : "short ") } { last = $1 }')
	assert_same 'waits of two seconds' 'long long ' "$waits"
	assert_same 'why' "GET {{env.API_URL}}/after/3/429/2 (${API_URL#*//}) answered 429, expected 200 to 299; it asks to wait for 2.0 s" \
		"$(pg "select error from bf.attempt where run = 'c.wait' order by epoch limit 1")"
	[[ $(pg "select output_tail from bf.attempt where run = 'c.wait' limit 1") = 'not yet' ]]
}

@test "what the server would answer again has failed for good, at once" {
	start_httpd
	call /status/422
	run_call c.no
	assert_same 'the job' 'failed http-4xx 1' "$(category_of c.no)"
	assert_same 'requests' 1 "$(requests | wc -l)"
	run bfstat failures c.no
	[[ $output = *"GET {{env.API_URL}}/status/422 (${API_URL#*//}) answered 422, expected 200 to 299"*'because of xxxx'* ]]
}

@test "a status that the pipeline expects is the job done" {
	start_httpd
	call /status/409 ', "expected_status": [200, 409], "method": "PUT"'
	run_call c.exp
	oracle c.exp
	assert_same 'method' PUT "$(requests .method)"
}

@test "errors of the server are tried as often as retry says, and its answer is kept" {
	start_httpd
	call /status/503
	run_call c.bad
	assert_same 'the job' 'failed http-5xx 3' "$(category_of c.bad)"
	assert_same 'requests' 3 "$(requests | wc -l)"
}

@test "a server that is slow, endless, long, partial, closes early or speaks rubbish is a failed try with a clear reason" {
	local path expected
	start_httpd
	while IFS='|' read -r path expected; do
		attempts=1 call "$path" ', "timeout": "700ms"'
		enqueue_run "c${path//\//.}" call --since=2024-01-01 --until=2024-01-01 --reprocess=completed >/dev/null
		worker --drain >"$BATS_TEST_TMPDIR/worker.log" 2>&1
		assert_same "state after $path" failed "$(run_state "c${path//\//.}")"
		[[ $(error_of "c${path//\//.}") = *"$expected"* ]] || { error_of "c${path//\//.}" >&2; false; }
	done <<-END
		/slow/60000|no whole answer within its timeout of 700ms
		/endless|no whole answer within its timeout of 700ms
		/huge|the answer is longer than 1048576 bytes
		/partial|bytes remaining to read
		/close|Empty reply from server
		/rubbish|HTTP/0.9
		/redirect/ok|answered 302, expected 200 to 299; it redirects to ***/ok, and "redirects" is 0
	END
	export API_URL=http://127.0.0.1:1
	call /
	enqueue_run c.none call --since=2024-01-01 --until=2024-01-01 --reprocess=completed >/dev/null
	worker --drain >"$BATS_TEST_TMPDIR/worker.log" 2>&1
	[[ $(error_of c.none) = 'GET {{env.API_URL}}/ (127.0.0.1:1): Failed to connect to 127.0.0.1 port 1'* ]]
	assert_same 'tries' 'failed http 3' "$(category_of c.none)"
}

@test "redirects are followed as far as the pipeline says" {
	start_httpd
	call /redirect/redirect/ok ', "redirects": 2'
	run_call c.follow
	oracle c.follow
	assert_same 'requests' '/redirect/redirect/ok /redirect/ok /ok' "$(requests | paste -sd' ')"
}

@test "what a server echoes of the environment is taken out before it is kept" {
	start_httpd
	export API_KEY=s3cr3t-value
	call /echo/400 ', "headers": {"Authorization": "Bearer {{env.API_KEY}}"}, "body": "key={{env.API_KEY}}"'
	run_call c.echo
	[[ $(pg "select output_tail from bf.attempt where run = 'c.echo'") = *'Bearer ***'*'key=***'* ]]
	pg_dump -d "$BF_DATABASE_URL" >"$BATS_TEST_TMPDIR/dump"
	assert_same 'where the secret is' '' "$(grep -l s3cr3t "$BATS_TEST_TMPDIR/dump" "$BATS_TEST_TMPDIR"/worker-*.log)"
}

@test "a certificate is verified, against the authorities that SSL_CERT_FILE names" {
	start_httpd https
	attempts=1 call /
	run_call c.tls
	[[ $(error_of c.tls) = *certificate* ]]
	assert_same 'requests' 0 "$(requests | wc -l)"
	kill_worker "${WORKER_PIDS[-1]}"
	export SSL_CERT_FILE=$httpd_dir/cert.pem
	run_call c.trusted --reprocess=completed
	oracle c.trusted
	kill_worker "${WORKER_PIDS[-1]}"
	API_URL=${API_URL/localhost/127.0.0.1} # another name than the certificate's
	run_call c.name --reprocess=completed
	[[ $(error_of c.name) = *'SSL'* ]]
}

@test "slots are filled with requests side by side, and a worker that leaves gives them back" {
	start_httpd
	call /slow/400 ', "concurrency": 8'
	until=2024-01-16 run_call c.many --concurrency=8
	oracle c.many
	local most
	most=$(requests .at | awk '{ t[NR] = $1 } END { for (i in t) { n = 0; for (k in t) n += t[k] <= t[i] && t[k] > t[i] - 0.35; if (n > m) m = n } print m }')
	[ "$most" -ge 6 ]

	call /slow/60000
	enqueue_run c.leave call --since=2024-03-01 --until=2024-03-04 >/dev/null
	wait_until 'is 3 "select count(*) from bf.job where run = '"'c.leave'"' and state = '"'running'"'"'
	kill -TERM "${WORKER_PIDS[-1]}"
	wait_until "grep -q draining '$BATS_TEST_TMPDIR'/worker-*.log" # two signals at once would be one
	kill -TERM "${WORKER_PIDS[-1]}"
	exit_code_of "${WORKER_PIDS[-1]}"
	assert_same 'exit code' 0 "$code"
	assert_same 'tries counted' 0 "$(pg "select sum(attempts) from bf.job where run = 'c.leave'")"
	assert_same 'handed back' 4 "$(pg "select count(*) from bf.job where run = 'c.leave' and state = 'pending'")"
}

@test "a worker that dies while it asks: the next asks again, with the same key" {
	start_httpd
	export BF_LEASE=1s
	call /slow/1500
	enqueue_run c.dies call --since=2024-01-01 --until=2024-01-02 >/dev/null
	start_worker
	wait_until '[ "$(requests | wc -l)" -eq 2 ]'
	kill_worker "${WORKER_PIDS[-1]}" KILL || true
	start_worker
	wait_for_end c.dies
	oracle c.dies
	assert_same 'asked twice each' '2 2' "$(requests '.headers["idempotency-key"]' | sort | uniq -c | awk '{print $1}' | paste -sd' ')"
}

@test "cancelled while it asks: the request is broken off, and its answer changes nothing" {
	start_httpd
	call /slow/60000
	enqueue_run c.cancel call --since=2024-01-01 --until=2024-01-01 >/dev/null
	start_worker
	wait_until '[ "$(requests | wc -l)" -eq 1 ]'
	run enqueue cancel c.cancel
	[ "$status" -eq 0 ]
	wait_until 'is 0 "select count(*) from bf.job where run = '"'c.cancel'"' and state = '"'running'"'"'
	wait_until '[ "$(rd hlen "bf:worker:$(rd zrange bf:workers 0 0):jobs")" -eq 0 ]'
	assert_same 'state' cancelled "$(run_state c.cancel)"
}

# ---- checks ----

# check TYPE-FIELDS: a pipeline `probe` with one check
check() {
	pipeline probe <<-JSON
		{"pipeline": "probe", "steps": [{"name": "look", "kind": "check", "retry": {"attempts": 2, "first": "100ms"}, $1}]}
	JSON
	enqueue_run "$2" probe --since=2024-01-01 --until=2024-01-01 --reprocess=completed >/dev/null
	worker --drain >"$BATS_TEST_TMPDIR/worker.log" 2>&1
}
result_of() { pg "select outcome || ' ' || coalesce(round(actual::numeric)::text, '-') || ': ' || found from bf.check_result where run = '$1' order by at desc limit 1"; }

@test "a check asks over HTTP for a status, a latency or a value, as ClickHouse and BigQuery answer" {
	start_httpd
	check '"type": "http", "url": "{{env.API_URL}}/ok"' p.ok
	assert_same 'state' done "$(run_state p.ok)"
	[[ $(result_of p.ok) = "pass 200: look: GET {{env.API_URL}}/ok (${API_URL#*//}) answered 200 in "* ]]

	check '"type": "http", "url": "{{env.API_URL}}/status/404"' p.no
	assert_same 'state' failed "$(run_state p.no)"
	[[ $(result_of p.no) = "fail -: look: GET {{env.API_URL}}/status/404 (${API_URL#*//}) answered 404, expected 200 to 299"* ]]
	assert_same 'tries' 1 "$(pg "select attempts from bf.job where run = 'p.no'")"

	check '"type": "http", "url": "{{env.API_URL}}/after/2/503/0", "figure": "status"' p.blip
	assert_same 'a blip is asked again' done "$(run_state p.blip)"
	assert_same 'both answers are kept' 'fail pass' "$(pg "select string_agg(outcome, ' ' order by at) from bf.check_result where run = 'p.blip'")"

	check '"type": "http", "url": "{{env.API_URL}}/slow/300", "figure": "latency", "error_if": "> 200ms"' p.slow
	[[ $(result_of p.slow) = 'fail 3'*'answered 200 in 3'*'fails if > 200ms'* ]]

	echo '{"meta": [], "data": [{"n": "3120"}], "rows": [{"f": [{"v": "7"}]}], "list": [1, 2, 3], "a/b": {"m~n": 2.5}, "text": "no"}' >"$httpd_dir/answer.json"
	check '"type": "http", "url": "{{env.API_URL}}/json", "pointer": "/data/0/n", "error_if": "< 3000"' p.value
	[[ $(result_of p.value) = "pass 3120: look: 3,120 found: /data/0/n in the answer to GET {{env.API_URL}}/json (${API_URL#*//}), status 200 to 299, fails if < 3000"* ]]
	check '"type": "http", "url": "{{env.API_URL}}/json", "pointer": "/rows/0/f/0/v", "error_if": "< 8"' p.low
	[[ $(result_of p.low) = 'fail 7: '* ]]
	check '"type": "http", "url": "{{env.API_URL}}/json", "pointer": "/list", "error_if": "!= 3"' p.list
	assert_same 'elements are counted' done "$(run_state p.list)"
	check '"type": "http", "url": "{{env.API_URL}}/json", "pointer": "/a~1b/m~0n", "warn_if": "> 2"' p.pointer
	[[ $(result_of p.pointer) = 'warn 3: '* ]]
	check '"type": "http", "url": "{{env.API_URL}}/json", "pointer": "/text", "error_if": "< 1"' p.text
	[[ $(result_of p.text) = 'fail -: '*'found "no" at /text, expected a number'* ]]
	check '"type": "http", "url": "{{env.API_URL}}/json", "pointer": "/none/here", "error_if": "< 1"' p.none
	[[ $(result_of p.none) = *'found nothing at /none, expected a number'* ]]
	check '"type": "http", "url": "{{env.API_URL}}/rubbish"' p.rubbish
	assert_same 'tries' 2 "$(pg "select attempts from bf.job where run = 'p.rubbish'")"
}

@test "a check counts in a JSON file of the worker's host" {
	mkdir -p "$BATS_TEST_TMPDIR/pipelines/probe/data"
	echo '{"resolutions": [{"id": 1}, {"id": 2}, {"id": 3}]}' >"$BATS_TEST_TMPDIR/pipelines/probe/data/r.json"
	check '"type": "json", "json_file": "data/r.json", "pointer": "/resolutions", "error_if": "< 3"' j.ok
	[[ $(result_of j.ok) = 'pass 3: look: 3 found: /resolutions of '*'/data/r.json, fails if < 3' ]]
	check '"type": "json", "json_file": "data/r.json", "pointer": "/resolutions", "error_if": "< 4"' j.few
	assert_same 'state' failed "$(run_state j.few)"
	check '"type": "json", "json_file": "data/none.json", "error_if": "< 4"' j.none
	[[ $(result_of j.none) = 'fail -: '*'data/none.json'* ]]
	echo '{"resolutions": [' >"$BATS_TEST_TMPDIR/pipelines/probe/data/r.json"
	check '"type": "json", "json_file": "data/r.json", "pointer": "/resolutions", "error_if": "< 4"' j.bad
	[[ $(result_of j.bad) = 'fail -: '*'not valid JSON: line '* ]]
}

@test "a soak samples a server, and one that does not answer is a sample that failed" {
	start_httpd
	pipeline probe <<-JSON
		{"pipeline": "probe", "steps": [{"name": "watch", "kind": "soak", "interval": "200ms", "duration": "4s", "failure_limit": 3,
		  "checks": [{"name": "up", "type": "http", "url": "{{env.API_URL}}/after/2/503/0"}, {"name": "quick", "type": "http", "url": "{{env.API_URL}}/ok", "figure": "latency", "error_if": "> 5s"}]}]}
	JSON
	enqueue_run s.one probe --since=2024-01-01 --until=2024-01-01 >/dev/null
	worker --drain >"$BATS_TEST_TMPDIR/worker.log" 2>&1
	assert_same 'state' done "$(run_state s.one)"
	assert_same 'samples that failed' 1 "$(pg "select count(*) from bf.check_result where run = 's.one' and outcome = 'fail'")"
	[ "$(pg "select count(*) from bf.check_result where run = 's.one' and name = 'up'")" -ge 4 ]
}

# ---- bad input ----

@test "a request that cannot be right is refused before anything runs" {
	refused() { # FIELDS PART
		pipeline call <<<"{\"pipeline\": \"call\", \"steps\": [{\"name\": \"ask\", \"kind\": \"http\", $1}]}"
		run enqueue validate call
		[ "$status" -eq 2 ]
		[[ $output = *"$2"* ]] || { echo "$output" >&2; false; }
	}
	refused '"method": "GET"' 'steps[0]: found no "url", expected a URL that begins with'
	refused '"url": "ftp://x"' 'steps[0].url: found "ftp://x", expected a URL that begins with http://, https:// or {{env.NAME}}'
	refused '"url": "http://x y"' 'expected a URL without spaces'
	refused '"url": "http://me:secret@host/"' 'steps[0].url: found a name or password in the URL'
	refused '"url": "http://x/{{day}}"' 'steps[0].url: found "{{day}}", expected {{since}}'
	refused '"url": "http://x", "method": "FETCH"' 'steps[0].method: found "FETCH", expected'
	refused '"url": "http://x", "method": "GET", "body": "x"' 'steps[0].body: found beside the method GET'
	refused '"url": "http://x", "body": 7' 'steps[0].body: found 7, expected a text, or an object or array'
	refused '"url": "http://x", "headers": {"Authorization": "Bearer abc"}' 'steps[0].headers.Authorization: found a secret as it is'
	refused '"url": "http://x", "headers": {"A b": "c"}' 'expected that of a header'
	refused '"url": "http://x", "headers": {"A": "b\nc"}' 'found a line break'
	refused '"url": "http://x", "headers": {"Host": "b"}' 'found a header that is written by itself'
	refused '"url": "http://x", "expected_status": 99' 'steps[0].expected_status: found 99, expected a status from 200 to 599'
	refused '"url": "http://x", "expected_status": []' 'found 0 elements, expected 1 to 20'
	refused '"url": "http://x", "redirects": 11' 'steps[0].redirects: found 11, expected'
	refused '"url": "http://x", "argv": ["a"]' 'steps[0].argv: found on a step of kind http, expected only on exec'
	refused '"url": "http://x", "pointer": "/a"' 'steps[0].pointer: found on a step of kind http, expected only on check'
	pipeline call <<<'{"pipeline": "call", "steps": [{"name": "a", "kind": "check", "type": "http", "url": "http://x", "pointer": "a"},
		{"name": "b", "kind": "check", "type": "http", "url": "http://x", "figure": "value"}, {"name": "c", "kind": "check", "type": "json", "pointer": "/~2"},
		{"name": "d", "kind": "check", "type": "http", "url": "http://x", "figure": "latency", "error_if": "> 3"},
		{"name": "e", "kind": "sql", "url": "http://x", "file": "x.sql"}]}'
	run enqueue validate call
	[ "$status" -eq 2 ]
	[[ $output = *'steps[0].pointer: found "a", expected a JSON pointer'* ]]
	[[ $output = *'steps[1].figure: found "value" without "pointer"'* ]]
	[[ $output = *'steps[2].pointer: found "/~2", expected a JSON pointer'* && $output = *'steps[2]: found no "json_file"'* ]]
	[[ $output = *'steps[3].error_if: found "> 3", expected a comparison with an age'* ]]
	[[ $output = *'steps[4].url: found on a step of kind sql, expected only on http and check'* ]]
}

# ---- connections and redirects ----

@test "a whole answer is an answer, although the connection is reset behind it" {
	start_httpd
	attempts=1 call '/reset/100?{{since}}' ', "method": "POST", "body": "{{since}}"'
	until=2024-01-20 run_call c.reset
	assert_same 'jobs done' 20 "$(pg "select count(*) from bf.job where run = 'c.reset' and state = 'done'")"
	attempts=1 call /reset/500000
	until=2024-01-20 run_call c.long --reprocess=completed
	assert_same 'jobs done, with a long answer' 20 "$(pg "select count(*) from bf.job where run = 'c.long' and state = 'done'")"
}

@test "a redirect keeps the method and the body, or becomes a GET without one, as its status says" {
	local status expected method
	start_httpd
	while read -r method status expected; do
		: >"$httpd_dir/requests"
		attempts=1 call "/to/$status/there" ", \"redirects\": 1, \"method\": \"$method\", \"body\": \"text\""
		run_call "c.${method,,}.$status" --reprocess=completed
		oracle "c.${method,,}.$status"
		assert_same "$method after $status" "$expected" "$(requests 'select(.path == "/there") | .method + "/" + .body + "/" + (.headers["content-type"] // "")')"
	done <<-END
		POST 301 GET//
		POST 302 GET//
		POST 303 GET//
		POST 307 POST/text/text/plain; charset=utf-8
		POST 308 POST/text/text/plain; charset=utf-8
		PUT 302 PUT/text/text/plain; charset=utf-8
		PUT 303 GET//
		DELETE 301 DELETE/text/text/plain; charset=utf-8
	END
}

@test "what comes from the environment goes to no other host on a redirect" {
	start_httpd
	export API_KEY=s3cr3t-value
	call /away/302/there ', "redirects": 3, "headers": {"Authorization": "Bearer {{env.API_KEY}}", "X-Token": "{{env.API_KEY}}", "X-Plain": "yes"}'
	run_call c.away
	oracle c.away
	assert_same 'there' 'null null yes' "$(requests 'select(.path == "/there") | "\(.headers.authorization) \(.headers["x-token"]) \(.headers["x-plain"])"')"
	: >"$httpd_dir/requests"
	call /redirect/there ', "redirects": 3, "headers": {"X-Token": "{{env.API_KEY}}"}'
	run_call c.home --reprocess=completed
	assert_same 'at home' s3cr3t-value "$(requests 'select(.path == "/there") | .headers["x-token"]')"
	: >"$httpd_dir/requests"
	call /away/307/there ', "redirects": 3, "method": "POST", "body": "key={{env.API_KEY}}"'
	run_call c.body --reprocess=completed
	assert_same 'state' failed "$(run_state c.body)"
	assert_same 'asked there' '' "$(requests 'select(.path == "/there")')"
	[[ $(error_of c.body) = *"it redirects to http://localhost:"*", another host, which is not to get the environment's values that are in the body" ]]
}

@test "a message names the host that was asked, also after a redirect" {
	start_httpd
	attempts=1 call /away/302/status/422 ', "redirects": 1'
	run_call c.other
	[[ $(error_of c.other) = "GET {{env.API_URL}}/away/302/status/422 (${API_URL#*//}), redirected to localhost:${API_URL##*:}, answered 422, expected 200 to 299" ]]
	attempts=1 call /away/302/close ', "redirects": 1'
	run_call c.lost --reprocess=completed
	[[ $(error_of c.lost) = "GET {{env.API_URL}}/away/302/close (${API_URL#*//}): redirected to localhost:${API_URL##*:}: Empty reply from server" ]]
}

@test "an answer with two lengths, or with one that is no number, is none" {
	local lengths why n=0
	start_httpd
	while read -r lengths why; do
		n=$((n + 1))
		attempts=1 call "/lengths/$lengths"
		run_call "c.n$n" --reprocess=completed
		assert_same "state with $lengths" failed "$(run_state "c.n$n")"
		assert_same "error with $lengths" "GET {{env.API_URL}}/lengths/$lengths (${API_URL#*//}): $why" "$(error_of "c.n$n")"
	done <<-'TABLE'
		5/10 the answer has more than one Content-Length: 5 and 10
		5,10 the answer has more than one Content-Length: 5 and 10
		5/0 the answer has more than one Content-Length: 5 and 0
		99999999999999999999 the answer has a Content-Length that is no number of bytes: 99999999999999999999
		0x5 the answer has a Content-Length that is no number of bytes: 0x5
		-5 Invalid Content-Length: value
		five Invalid Content-Length: value
	TABLE
	assert_same 'lengths tried' 7 "$n"
	attempts=1 call /lengths/5/5
	run_call c.same --reprocess=completed
	assert_same 'state with the same length twice' done "$(run_state c.same)"
}
