#!/usr/bin/env bash
# Each mutant of tests/mutants still fits the source, and names what it takes out, a promise and a test that is there.
# Whether the tests notice them is what tests/mutants/run shows; that builds each of them.
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
n=0 failed=0

header() { sed -n "s/^# $2: //p" "$1"; } # PATCH FIELD

wrong_with() { # PATCH: what is wrong with it
	local test filter
	patch -s --dry-run -d "$top" -p1 <"$1" >/dev/null || echo 'it does not fit'
	[ -n "$(header "$1" what)" ] || echo 'it does not say what it takes out'
	[[ $(header "$1" promise) =~ ^I[1-7]$ ]] || echo 'it names no promise'
	test=$(header "$1" test) filter=$(header "$1" filter)
	[ -n "$filter" ] && grep -E '^@test "' "$top/$test" | grep -qE "$filter" || echo "no test of $test is called that: $filter"
}

patches=("$top"/tests/mutants/*.patch)
printf '1..%d\n' "${#patches[@]}"
for patch in "${patches[@]}"; do
	n=$((n + 1)) wrong=$(wrong_with "$patch" 2>&1)
	if [ -z "$wrong" ]; then
		printf 'ok %d %s\n' "$n" "$(basename "$patch" .patch)"
	else
		printf 'not ok %d %s\n%s\n' "$n" "$(basename "$patch" .patch)" "${wrong//$'\n'/$'\n# '}"
		failed=1
	fi
done
exit $failed
