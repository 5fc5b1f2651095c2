# TLS to both servers: to Redis through stunnel with the sample of deploy/, to PostgreSQL by libpq. Each side is what it says, or is not used.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash
load ../support/chaos.bash
load ../support/tls.bash

teardown() {
	bf_teardown
	tls_down
}

is_refused() { # COMMAND…: no server that this command could use; what it says is in $output
	run "$@"
	assert_same 'exit code' 5 "$status"
}

@test "an address of Redis that asks for TLS is answered with where the recipe stands" {
	bf_setup
	BF_REDIS_URL=rediss://redis.example.com:6380 run enqueue run weather --since=2012-01-01 --until=2012-01-02
	[ "$status" -eq 2 ] && [[ $output = *'docs/operations.md shows under TLS'*'unix:///run/backfill/redis.sock'* ]]
	grep -x '## TLS' "$bf_top/docs/operations.md"
	grep -F 'accept = /run/backfill/redis.sock' "$bf_top/deploy/stunnel/backfill-redis.conf"
}

@test "a run goes through the tunnel of the sample, and goes on after the tunnel and Redis were killed" {
	chaos_setup
	tls_setup
	authority own
	certificate server own localhost
	tls_redis_up server
	tunnel_up own localhost
	[[ $(redis-cli -p "$redis_port" ping 2>&1) != PONG ]] # it speaks nothing but TLS
	mixed_pipeline
	begin_mixed mixed.tls 2024-01-01
	start_worker --slots=4
	wait_until '[ "$(rd hlen "bf:worker:$(worker_id "${WORKER_PIDS[0]}"):jobs")" -ge 2 ]'
	tunnel_down
	wait_until "worker_log 0 | grep -F 'Redis at unix://$tls/redis.sock'"
	tunnel_up own localhost
	kill_quietly "$redis_pid"
	tls_redis_up server
	let_walk mixed.tls
	wait_for_end mixed.tls
	assert_mixed mixed.tls
	bfstat verify
	assert_same 'tries that failed' 0 "$(pg 'select count(*) from bf.attempt')"
}

@test "a Redis with the certificate of another authority, or made out to another name, gets not one command" {
	bf_setup
	tls_setup
	authority own
	authority other
	certificate server other localhost
	tls_redis_up server
	tunnel_up own localhost
	is_refused enqueue run weather --since=2012-01-01 --until=2012-01-02
	[[ $output = *"Redis at unix://$tls/redis.sock"* ]]
	is_refused worker
	grep -iE 'certificate verify failed|unable to get local issuer' "$tls/stunnel.log"
	tunnel_down

	tunnel_up other redis.example.com
	is_refused enqueue run weather --since=2012-01-01 --until=2012-01-02
	is_refused worker
	grep -F 'CERT: Subject checks failed' "$tls/stunnel.log"
	tunnel_down

	tunnel_up other localhost # the same server by its right name and authority
	assert_same 'commands before this one' 0 "$(rd info commandstats | grep -c '^cmdstat_')"
	assert_same 'runs' 0 "$(pg 'select count(*) from bf.run')"
}

@test "PostgreSQL with sslmode=verify-full: the right name and authority, or nothing" {
	local by_name
	bf_setup
	own_servers
	chaos_record
	tls_setup
	authority own
	authority other
	certificate server own localhost
	mixed_pipeline
	tls_postgres server
	by_name="postgresql://backfill:$postgres_password@localhost:$postgres_port/backfill?sslmode=verify-full"

	BF_DATABASE_URL="$by_name&sslrootcert=$tls/other.pem" is_refused enqueue migrate
	[[ $output = *'certificate verify failed'* ]]
	BF_DATABASE_URL="postgresql://backfill:$postgres_password@127.0.0.1:$postgres_port/backfill?sslmode=verify-full&sslrootcert=$tls/own.pem" is_refused enqueue migrate
	[[ $output = *'"localhost"'*'does not match host name "127.0.0.1"'* ]]
	BF_DATABASE_URL="$by_name&sslrootcert=$tls/none.pem" is_refused worker
	[[ $output = *"$tls/none.pem"* ]]
	BF_DATABASE_URL="postgresql://backfill:$postgres_password@localhost:$postgres_port/backfill?sslmode=disable" is_refused worker
	[[ $output = *'pg_hba.conf'*'no encryption'* ]]
	[[ $output != *"$postgres_password"* ]]

	export BF_DATABASE_URL="$by_name&sslrootcert=$tls/own.pem"
	pg "create table hold_copies as select 1 as n;
	    create or replace function wait_for_walks(p_run text) returns void language plpgsql as
	    \$\$ begin while exists (select from hold_copies) loop perform pg_sleep(0.02); end loop; end \$\$"
	begin_mixed mixed.tls 2024-01-01
	start_worker --slots=4
	wait_until 'at_least 2 "select count(*) from bf.job where state = '"'running'"' and step = '"'copy'"'"' # they hold a connection of their own each
	assert_same 'connections of the worker, with TLS' '4+ t' "$(pg "
		select case when count(*) >= 4 then '4+' else count(*)::text end || ' ' || case when bool_and(ssl) then 't' else 'f' end
		  from pg_stat_activity join pg_stat_ssl using (pid) where application_name like 'worker%'")"
	pg "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'worker%'" >/dev/null
	pg 'truncate hold_copies'
	let_walk mixed.tls
	wait_for_end mixed.tls
	assert_mixed mixed.tls
}
