#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# shellcheck disable=SC2016,SC2030,SC2031
# Help: of each program and command, with examples that work, as wide as the terminal.

load ../support/lib.bash

setup() { bf_setup; }
teardown() { bf_teardown; }

commands_of() { # PROGRAM: as its help lists them
	"$1" --help | sed -n '/^Commands:$/,/^$/s/^  \([a-z-]*\)  .*/\1/p'
}

every_help() { # CALLBACK: called with the words that print a help text
	local program command
	"$1" worker
	for program in enqueue bfstat; do
		"$1" "$program"
		for command in $(commands_of "$program"); do
			"$1" "$program" "$command"
		done
	done
}

@test "help, -h and --help are one, of a program and of a command" {
	local program
	for program in enqueue bfstat; do
		assert_same "$program -h" "$($program --help)" "$($program -h)"
		assert_same "$program help" "$($program --help)" "$($program help)"
	done
	assert_same 'worker -h' "$(worker --help)" "$(worker -h)"
	assert_same 'worker help' "$(worker --help)" "$(worker help)"
	assert_same 'enqueue help run' "$(enqueue run --help)" "$(enqueue help run)"
	assert_same 'enqueue run -h' "$(enqueue run --help)" "$(enqueue run -h)"
	assert_same 'bfstat help coverage' "$(bfstat coverage --help)" "$(bfstat help coverage)"
	assert_same 'enqueue help undo' "$(enqueue rollback --help)" "$(enqueue help undo)"
	assert_same 'enqueue help stop --all' "$(enqueue stop-all --help)" "$(enqueue help stop --all)"
	run -2 enqueue help rn
	[[ $output == *'did you mean `enqueue run`?'* ]]
	run -2 bfstat help restart
	[[ $output == *'unknown command'* ]]
}

@test "the commands that are listed are those there are" {
	assert_same 'of enqueue' 'approve cancel migrate reject resume resume-all retry rollback run stop stop-all validate' \
		"$(commands_of enqueue | grep -v close | sort | xargs)"
	[ "$(commands_of bfstat | wc -l)" -ge 11 ]
}

has_examples() {
	"$@" --help | grep -q '^Examples:$' || { echo "no examples: $*" >&2; return 1; }
}
@test "every help text has examples" {
	every_help has_examples
}

# An example that is understood gets as far as the servers, which are not there; one that is not ends with 2 before that.
try_examples() {
	local line code
	while IFS= read -r line; do
		[[ $line != worker && $line != 'worker '* ]] || continue # would stay
		code=0
		bash -c "$line" >"$BATS_TEST_TMPDIR/said" 2>&1 </dev/null || code=$?
		[[ ($code != 2 && $code != 127) || $(<"$BATS_TEST_TMPDIR/said") = *'BACKFILL CRITICAL'* ]] || { printf 'not understood: %s\n' "$line" >&2; cat "$BATS_TEST_TMPDIR/said" >&2; return 1; }
		: $((tried++))
	done < <("$@" --help | sed -n '/^Examples:$/,/^$/s/^  \([a-z]\)/\1/p')
}
@test "every example of a help text is understood as it stands" {
	mkdir -p "$BATS_TEST_TMPDIR/pipelines/daily-sales"
	cd "$BATS_TEST_TMPDIR/pipelines"
	export BF_PIPELINES=$PWD tried=0
	export BF_DATABASE_URL='postgresql://x@/x?host=/nonexistent' BF_REDIS_URL=unix:///nonexistent/r.sock
	cat >daily-sales/pipeline.json <<<'{"pipeline": "daily-sales", "chunk": {"unit": "day"}, "params": {"region": {"default": "all"}}, "steps": [{"name": "totals", "kind": "sql", "file": "totals.sql"}]}'
	echo "select :'since'" >daily-sales/totals.sql
	every_help try_examples
	[ "$tried" -ge 25 ]
}

assert_narrow() {
	"$@" --help | awk 'length($0) > 80 {print; bad = 1} END {exit bad}' || { echo "wider than 80 columns: $*" >&2; return 1; }
}
@test "help is broken at 80 columns where there is no terminal" {
	export LC_ALL=C.UTF-8
	every_help assert_narrow
}

assert_fits_60() {
	script -qefc "stty cols 60 rows 24; $* --help" /dev/null </dev/null | tr -d '\r' >"$BATS_TEST_TMPDIR/help"
	# what cannot be broken, a command that can be pasted, may stick out
	awk '/^Examples:/ {examples = 1} /^$/ {examples = 0} !(examples && /^  [a-z]/) && length($0) > 60 {print; bad = 1} END {exit bad}' \
		"$BATS_TEST_TMPDIR/help" || { echo "wider than the terminal: $*" >&2; return 1; }
}
@test "help is as wide as the terminal" {
	export LC_ALL=C.UTF-8 TERM=xterm
	every_help assert_fits_60
}

@test "the first screen of a program's help has its commands" {
	export LC_ALL=C.UTF-8
	local command
	for command in run stop resume cancel retry approve rollback; do
		enqueue --help | head -n 24 | grep -q "^  $command "
	done
	for command in watch jobs failures coverage gaps workers; do
		bfstat --help | head -n 24 | grep -q "^  $command "
	done
}
