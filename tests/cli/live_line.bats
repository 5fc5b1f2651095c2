#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031
# A worker in the foreground of a terminal: one line that says what it does, below warnings and errors. Looked at through tmux.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	export LC_ALL=C.UTF-8
	terminal=bf$$-$BATS_TEST_NUMBER
	pipeline live <<-'JSON'
		{"pipeline": "live", "chunk": {"size": 1}, "concurrency": {"default": 2}, "defaults": {"retry": {"attempts": 1}, "on_failure": "continue"},
		 "steps": [{"name": "make", "kind": "sql", "file": "sql/make.sql"}]}
	JSON
	sql_file make.sql <<-'SQL'
		do $$ begin while exists (select from hold) loop perform pg_sleep(0.02); end loop; end $$;
		select 1 / (case when :'since' = '2024-01-03' then 0 else 1 end);
	SQL
	pg 'create table hold (n int)'
}
teardown() {
	tmux -L "$terminal" kill-server 2>/dev/null || true
	bf_teardown
}

# A shell of its own, in which one command runs; what is on its screen is `screen`.
terminal() { # COLUMNS COMMAND
	tmux -L "$terminal" -f /dev/null new-session -d -x "$1" -y 24 "$2; echo ended with \$?; exec sleep 600"
}
screen() { tmux -L "$terminal" capture-pane -p; }
shows() { wait_until "screen | grep -qE -- '$1'" || { screen >&2; return 1; }; }
keys() { tmux -L "$terminal" send-keys "$@"; }

@test "a worker on a terminal shows one live line instead of two lines a job" {
	pg 'insert into hold values (1)'
	enqueue run live --since=2024-01-01 --until=2024-01-09 >/dev/null
	terminal 120 worker
	shows '2 of 8 slots busy, 0 done, 0 failed; make 2024-01-0. for .*, and 1 more'
	pg 'delete from hold'
	shows 'waiting for jobs, 0 of 8 slots busy, 8 done, 1 failed'
	[ "$(screen | grep -c 'slots busy')" = 1 ]
	[ "$(screen | grep -c 'job started\|job done')" = 0 ]
	# the error is a line above it
	[ "$(screen | grep -n 'job failed for good.*division by zero' | cut -d: -f1)" -lt "$(screen | grep -n 'slots busy' | cut -d: -f1)" ]
	keys C-c
	shows 'ended with 0'
	[ "$(screen | grep -c 'slots busy')" = 0 ] # it is taken away
	screen | grep -q 'leaves: 8 jobs done, 1 failed'
}

@test "the live line stays one line on a narrow terminal, and follows its size" {
	enqueue run live --since=2024-01-01 --until=2024-01-01 >/dev/null
	terminal 30 worker
	shows 'waiting for jobs, 0 of 8'
	sleep_until_redrawn
	[ "$(screen | grep -c 'waiting for jobs')" = 1 ]
	[ "$(screen | grep -c 'busy, 1 done')" = 0 ]
	tmux -L "$terminal" resize-window -x 100 -y 24
	shows 'waiting for jobs, 0 of 8 slots busy, 1 done, 0 failed'
}
# Two ticks of the worker, as its lease is renewed: the line was drawn again by then.
sleep_until_redrawn() {
	local before
	before=$(rd zscore bf:workers "$(rd zrange bf:workers 0 0)")
	wait_until "[ \"\$(rd zscore bf:workers \"\$(rd zrange bf:workers 0 0)\")\" != '$before' ]"
}

@test "what is no terminal, JSON, debug, and a worker in the background have log lines as ever" {
	enqueue run live --since=2024-01-01 --until=2024-01-01 >/dev/null
	worker --drain 2>"$BATS_TEST_TMPDIR/log"
	grep -q 'job started' "$BATS_TEST_TMPDIR/log"
	grep -q 'job done' "$BATS_TEST_TMPDIR/log"
	run ! grep -q 'slots busy' "$BATS_TEST_TMPDIR/log"
	enqueue run live --since=2024-02-01 --until=2024-02-01 >/dev/null
	terminal 200 'BF_LOG=json worker --drain; BF_LOG_LEVEL=debug worker --drain; TERM=dumb worker --drain'
	shows 'ended with 0'
	screen | grep -q '"message":"job started'
	[ "$(screen | grep -c 'slots busy')" = 0 ]
}

@test "the live line says which server it waits for" {
	own_servers
	terminal 120 worker
	shows 'waiting for jobs'
	kill -STOP "$(server_pid redis)"
	kill -KILL "$(server_pid redis)"
	shows 'waiting for Redis'
	own_servers_again
	shows 'waiting for jobs'
}

# ---- watch ----

@test "q ends watch, and the terminal is as it was" {
	enqueue run live --since=2024-01-01 --until=2024-01-09 --run-id=live.one >/dev/null
	terminal 100 "stty -a >$BATS_TEST_TMPDIR/before; bfstat watch live.one; echo code \$?; stty -a >$BATS_TEST_TMPDIR/after"
	shows 'q: leave; the run goes on'
	shows 'live.one +(queued|running)'
	keys x
	keys q
	shows 'ended with 0'
	shows 'code 0'
	cmp "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	screen | grep -q 'live.one' # the last page stays
	[ "$(screen | grep -c 'q: leave')" = 0 ]
	assert_same 'the run goes on' running "$(run_state live.one)"
}

@test "a signal ends watch, and the terminal is as it was" {
	local signal
	enqueue run live --since=2024-01-01 --until=2024-01-09 --run-id=live.one >/dev/null
	for signal in INT TERM HUP QUIT; do
		terminal=${terminal%.*}.$signal # a server that is ending may still have its socket
		terminal 100 "stty -a >$BATS_TEST_TMPDIR/before; bfstat watch live.one; stty -a >$BATS_TEST_TMPDIR/after"
		shows 'q: leave'
		kill -s "$signal" "$(pgrep -f 'bfstat watch live.one' | tail -n 1)"
		shows 'ended with 0'
		cmp "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
		[ "$(tmux -L "$terminal" display-message -p '#{alternate_on} #{cursor_flag}')" = '0 1' ]
		tmux -L "$terminal" kill-server
	done
}

@test "Ctrl-Z gives the terminal back, and fg draws the page again" {
	enqueue run live --since=2024-01-01 --until=2024-01-09 --run-id=live.one >/dev/null
	tmux -L "$terminal" -f /dev/null new-session -d -x 100 -y 24 'env PS1="ready> " bash --norc --noprofile -i'
	shows 'ready>'
	keys -l 'bfstat watch live.one'
	keys Enter
	shows 'q: leave'
	keys C-z
	shows 'Stopped'
	[ "$(tmux -L "$terminal" display-message -p '#{alternate_on} #{cursor_flag}')" = '0 1' ]
	keys -l 'fg'
	keys Enter
	shows 'q: leave'
	keys q
	wait_until '[ "$(tmux -L "$terminal" display-message -p "#{alternate_on}")" = 0 ]'
	keys -l 'echo still $((40 + 2))'
	keys Enter
	shows 'still 42'
}
