# The fault proxy itself (tests/support/faultproxy.py), in front of Redis: a fault strikes what it is meant for, once, and says that it did.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/faultproxy.bash

setup() {
	bf_setup
	redis_behind_proxy
}
teardown() {
	faultproxies_down
	bf_teardown
}

through() { timeout 5 redis-cli -s "$BATS_TEST_TMPDIR/redis.sock" "$@" 2>&1; }
value() { redis-cli -s "$(server_socket)" get "$1"; }
server_socket() { local path=${BF_REDIS_URL#unix://} && echo "${path%%\?*}"; }
clear() { redis-cli -s "$(server_socket)" del n >/dev/null; }

# client EXPECTED REQUEST…: one connection that writes each request in inline form (a word `+` sends nothing, but waits a moment), then prints
# what it reads until the end of the stream, or `silence` after half a second of it. EXPECTED says what it waits for, however slow the
# machine, before a silence counts: `end`, or a number of answers.
client() {
	command -p python3 - "$BATS_TEST_TMPDIR/redis.sock" "$@" <<-'PY'
		import socket, sys, time
		PATIENCE_S, SILENCE_S = 30, 0.5
		path, expected, *words = sys.argv[1:]
		s = socket.socket(socket.AF_UNIX)
		s.connect(path)
		for word in words:
		    if word == "+":
		        time.sleep(0.1)
		    else:
		        s.sendall(word.encode().decode("unicode_escape").encode())
		answers = ""
		try:
		    while True:
		        waiting = expected == "end" or answers.count("\n") < int(expected)
		        s.settimeout(PATIENCE_S if waiting else SILENCE_S)
		        if not (data := s.recv(1000)):
		            break
		        answers += data.decode().replace("\r", "")
		    outcome = "end"
		except TimeoutError:
		    outcome = "silence"
		except ConnectionError:
		    outcome = "reset"
		print(answers + outcome)
	PY
}

@test "without a fault everything passes, and connections are counted" {
	clear
	assert_same 'answer' 1 "$(through incr n)"
	assert_same 'two requests on one connection' ':2 :3 silence' "$(client 2 'incr n\r\n' + 'incr n\r\n' | paste -sd' ')"
	wait_until '[ "$(fault redis open)" = 0 ]'
	for name in delay swallow drop-reply reset half-close late; do
		assert_same "$name" 0 "$(fault redis fired "$name")"
	done
}

@test "drop-reply: the request is executed, its answer does not come, and the next request has one" {
	clear
	fault redis drop-reply 'incr n' close
	assert_same 'closed' end "$(client end 'incr n\r\n')"
	assert_same 'executed' 1 "$(value n)"
	fault redis drop-reply 'incr n' silent
	assert_same 'silent, for all that follows' silence "$(client 0 'incr n\r\n' + 'incr n\r\n')"
	assert_same 'executed, the first one' 2 "$(value n)"
	assert_same 'answer' 3 "$(through incr n)"
	assert_same 'fired' 2 "$(fault redis fired drop-reply)"
}

@test "a fault strikes as often as it is told, and a pattern that comes in two pieces is seen" {
	clear
	fault redis drop-reply 'incr n' close 2
	assert_same 'first' end "$(client end 'incr n\r\n')"
	assert_same 'second, in pieces' end "$(client end 'inc' + 'r n\r\n')"
	assert_same 'third' ':3 silence' "$(client 1 'incr n\r\n' | paste -sd' ')"
	assert_same 'fired' 2 "$(fault redis fired drop-reply)"
}

@test "reset: the request does not reach the server" {
	clear
	fault redis reset 'incr n'
	[[ $(client end 'incr n\r\n') =~ ^(end|reset)$ ]]
	assert_same 'executed' '' "$(value n)"
	assert_same 'fired' 1 "$(fault redis fired reset)"
	assert_same 'answer' 1 "$(through incr n)"
}

@test "half-close: the client reads the end, and what it has written reaches the server" {
	clear
	fault redis half-close 'incr n'
	assert_same 'client' end "$(client end 'incr n\r\n')"
	wait_until '[ "$(value n)" = 1 ]'
	assert_same 'fired' 1 "$(fault redis fired half-close)"
}

@test "late: the request reaches the server behind a later one of another connection" {
	clear
	redis-cli -s "$(server_socket)" del list >/dev/null
	fault redis late 'rpush list late' 'rpush list next'
	[[ $(client end 'rpush list late\r\n') =~ ^(end|reset)$ ]]
	assert_same 'answer' ':1 silence' "$(client 1 'rpush list other\r\n' | paste -sd' ')"
	assert_same 'not yet' 0 "$(fault redis fired late)"
	assert_same 'answer' ':2 silence' "$(client 1 'rpush list next\r\n' | paste -sd' ')"
	wait_until 'fired redis late'
	assert_same 'in this order' 'other next late' "$(redis-cli -s "$(server_socket)" lrange list 0 -1 | paste -sd' ')"
}

@test "swallow: connections stay open and nothing passes, until pass: then new ones work" {
	clear
	fault redis swallow
	assert_same 'client' silence "$(client 0 'incr n\r\n')"
	assert_same 'executed' '' "$(value n)"
	fired redis swallow
	fault redis pass
	assert_same 'answer' 1 "$(through incr n)"
}

@test "delay: an answer comes so much later" {
	clear
	fault redis delay 300
	assert_same 'comes' ':1 silence' "$(client 1 'incr n\r\n' | paste -sd' ')"
	fault redis delay 700
	assert_same 'not within half a second' silence "$(client 0 'incr n\r\n')"
	fault redis pass
	assert_same 'answer' 3 "$(through incr n)"
}

@test "a command that is not understood is refused" {
	for command in 'delay' 'delay soon' 'reset' 'drop-reply x close 0' 'drop-reply x close 1 more' 'fired nothing' 'explode' 'pass now'; do
		# shellcheck disable=SC2086 # words
		run -1 fault redis $command
		[[ $output = 'refused: '* ]]
	done
}
