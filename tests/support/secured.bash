# shellcheck shell=bash
# Servers that ask for passwords, set up as docs/security.md says: the PostgreSQL of `deploy/local` with the roles of deploy/postgresql, and
# a Redis of its own with the users of deploy/redis.acl. For bats files, on top of lib.bash: `secured_setup` and `secured_teardown` instead of
# bf_setup and bf_teardown. The test itself looks as superuser and backfill-admin.

declare -gA password pg_url redis_url
secured_redis=''

random_secret() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# as ROLE COMMAND…: owner, worker, operator or reader
as() {
	local role=$1
	shift
	BF_DATABASE_URL=${pg_url[$role]} BF_REDIS_URL=${redis_url[$role]:-} "$@"
}

secured_redis_up() {
	redis-server "$bf_top/deploy/redis.conf" --port 0 --unixsocket "$redis_socket" --dir "$secured" --aclfile "$secured/redis.acl" \
		--logfile "$secured/redis.log" </dev/null >/dev/null 2>&1 3>&- &
	secured_redis=$!
	wait_until 'rd ping | grep -x PONG'
}

rd() { REDISCLI_AUTH=${password[admin]} redis-cli -s "$redis_socket" --user backfill-admin "$@"; }

# Puts the digest of a password into a line of the ACL file.
acl_password() { # USER PASSWORD
	sed -i "s/^user $1 on /&#$(printf %s "$2" | sha256sum | cut -d' ' -f1) /" "$secured/redis.acl"
}

secured_setup() {
	local role socket
	export PATH=${BF_BUILD:-$bf_top/build-test}/bin:$PATH BF_PIPELINES=$bf_top/deploy/pipelines
	secured=$BATS_TEST_TMPDIR/secured
	redis_socket=$secured/redis.sock
	mkdir -p "$secured"
	for role in admin owner worker operator reader; do
		password[$role]=$(random_secret)
	done

	servers_up
	own_folders+=("$BF_LOCAL_DIR")
	pg_home=$(sed -n 's/^pg_home=//p' "$BF_LOCAL_DIR/servers")
	pg_log=$pg_home/postgresql.log
	socket=$(sed -n 's/^pg_run=//p' "$BF_LOCAL_DIR/servers")
	psql -Xq -d "$BF_DATABASE_URL" -f "$bf_top/deploy/postgresql/roles.sql"
	for role in owner worker operator reader; do
		printf "alter role backfill_%s password '%s';\n" "$role" "${password[$role]}" | psql -Xq -v ON_ERROR_STOP=1 -d "$BF_DATABASE_URL"
		pg_url[$role]="postgresql://backfill_$role:${password[$role]}@/backfill?host=$socket"
	done
	printf 'local all backfill trust\nlocal all all scram-sha-256\n' >"$pg_home/data/pg_hba.conf"
	pg 'select pg_reload_conf()' >/dev/null

	cp "$bf_top/deploy/redis.acl" "$secured/redis.acl"
	for role in admin worker operator reader; do
		acl_password "backfill-$role" "${password[$role]}"
		redis_url[$role]="unix://backfill-$role:${password[$role]}@$redis_socket"
	done
	secured_redis_up
	export BF_REDIS_URL=unix://$redis_socket # nobody gets in without a user
	as owner enqueue migrate >/dev/null
}

secured_teardown() {
	if [ -n "$secured_redis" ]; then
		kill -KILL "$secured_redis" 2>/dev/null || true
		wait "$secured_redis" 2>/dev/null || true
	fi
	bf_teardown
}
