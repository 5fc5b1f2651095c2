# shellcheck shell=bash
# Private servers for tests: sourced by tests/run and by lib.bash. They live in a folder of their own and end with the tests.

bf_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)

# servers_up [FOLDER]: exports BF_LOCAL_DIR, BF_REDIS_URL and BF_DATABASE_URL. Again with the same folder after a crash: with the same data.
servers_up() {
	local folder=${1:-}
	if [ -z "$folder" ]; then
		folder=$(mktemp -d /tmp/bf-test-XXXXXX)
		chmod 755 "$folder" # PostgreSQL's user has to get through
	fi
	export BF_LOCAL_DIR=$folder
	"$bf_top/deploy/local" up >"$folder/up.log" 2>&1 || {
		cat "$folder/up.log" >&2
		return 1
	}
	eval "$("$bf_top/deploy/local" env)"
}

servers_down() { # FOLDER
	[ -d "$1" ] || return 0
	BF_LOCAL_DIR=$1 "$bf_top/deploy/local" wipe >/dev/null || return 1
	rm -rf "$1"
}

# The same servers, another database: database_url URL NAME
database_url() { printf '%s\n' "${1/@\/backfill\?/@/$2?}"; }
