# shellcheck shell=bash
# A pgbouncer of the test's own before the server of BF_DATABASE_URL, on a socket in a folder of its own. On top of lib.bash.

pooler_pid='' pooler_dir=''

# pooler_up MODE [SETTING…]: lines of pgbouncer.ini. Sets direct_url, and BF_DATABASE_URL to the same database through the pooler.
pooler_up() {
	local socket=${BF_DATABASE_URL##*host=} as=()
	pooler_dir=$(mktemp -d /tmp/bf-pooler-XXXXXX)
	direct_url=$BF_DATABASE_URL
	printf '"backfill" ""\n"t_limited" ""\n' >"$pooler_dir/users"
	{
		printf '[databases]\n* = host=%s\n[pgbouncer]\nunix_socket_dir = %s\n' "${socket%%&*}" "$pooler_dir"
		printf 'listen_addr =\nlisten_port = 6432\nauth_type = trust\nauth_file = %s/users\n' "$pooler_dir"
		printf 'pool_mode = %s\nlogfile = %s/log\nunix_socket_mode = 0777\n' "$1" "$pooler_dir"
		printf '%s\n' "${@:2}"
	} >"$pooler_dir/pgbouncer.ini"
	chmod -R a+rX "$pooler_dir"
	if [ "$(id -u)" = 0 ]; then # it does not run as root
		chown -R postgres "$pooler_dir"
		as=(-u postgres)
	fi
	/usr/sbin/pgbouncer -q "${as[@]}" "$pooler_dir/pgbouncer.ini" </dev/null >"$BATS_TEST_TMPDIR/pooler.out" 2>&1 3>&- &
	pooler_pid=$!
	local name=${BF_DATABASE_URL#*@/}
	export BF_DATABASE_URL="postgresql://backfill@/${name%%\?*}?host=$pooler_dir&port=6432"
	wait_until "server_sql '$BF_DATABASE_URL' 'select 1'" || {
		cat "$pooler_dir/log" "$BATS_TEST_TMPDIR/pooler.out" >&2
		return 1
	}
}

pooler_down() {
	[ -n "$pooler_pid" ] || return 0
	kill -KILL "$pooler_pid" 2>/dev/null || true
	wait "$pooler_pid" 2>/dev/null || true
	rm -rf "$pooler_dir"
	pooler_pid=''
}

pg() { server_sql "${direct_url:-$BF_DATABASE_URL}" "$1"; } # past the pooler
