# tests/bench/run: that it measures. What it finds is not judged here: this machine is busy, and the build is no release.
load ../support/lib.bash
bats_require_minimum_version 1.5.0

setup() { build=${BF_BUILD:-$bf_top/build-test}/bin; }

@test "the bench measures everything in small numbers, and prints the machine, the limits and the targets" {
	run --separate-stderr "$bf_top/tests/bench/run" --quick --bin="$build" 3>&-
	[ "$status" -eq 0 ] || { printf '%s\n' "$stderr" >&2; false; }
	for word in machine PostgreSQL Redis MEASURE noop sql plan backlog idle latency; do
		grep -q "^$word" <<<"$output"
	done
	[ "$(grep -cE '(met|MISSED)$' <<<"$output")" -eq 11 ]
}

@test "the bench names what it does not know" {
	run "$bf_top/tests/bench/run" --only=nothing --bin="$build" 3>&-
	[ "$status" -ne 0 ]
	grep -q 'expected noop, sql, plan, backlog, idle, latency, scale' <<<"$output"
	run "$bf_top/tests/bench/run" --fast 3>&-
	[ "$status" -eq 2 ]
	grep -q 'found "--fast"' <<<"$output"
}
