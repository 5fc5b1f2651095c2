# shellcheck shell=bash
# Certificates and servers that speak TLS, for bats files, on top of lib.bash. Call tls_down in teardown.
#
#   authority NAME                      makes $tls/NAME.pem and its key
#   certificate FILE AUTHORITY HOST     makes $tls/FILE.pem and FILE.key: of that authority, made out to that name
#   tls_redis_up FILE                   a Redis that speaks nothing but TLS, on localhost:$redis_port, with that certificate
#   tunnel_up AUTHORITY HOST            stunnel with deploy/stunnel/backfill-redis.conf; BF_REDIS_URL leads through it
#   tls_postgres FILE                   the PostgreSQL of own_servers, again with TLS on localhost:$postgres_port; $postgres_password

# shellcheck disable=SC2034,SC2154 # of lib.bash, and for the tests
tls='' redis_pid='' tunnel_pid=''

tls_setup() {
	tls=$BATS_TEST_TMPDIR/tls
	mkdir -p "$tls"
}

authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=Authority $1" \
		-keyout "$tls/$1.key" -out "$tls/$1.pem" 2>/dev/null
}

certificate() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$3" -keyout "$tls/$1.key" -out "$tls/$1.csr" 2>/dev/null
	printf 'subjectAltName=DNS:%s\n' "$3" >"$tls/$1.ext"
	openssl x509 -req -in "$tls/$1.csr" -CA "$tls/$2.pem" -CAkey "$tls/$2.key" -CAcreateserial -days 2 -extfile "$tls/$1.ext" \
		-out "$tls/$1.pem" 2>/dev/null
}

free_port() {
	command -p python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

tls_redis_up() {
	mkdir -p "$tls/redis"
	redis_port=${redis_port:-$(free_port)}
	redis-server "$bf_top/deploy/redis.conf" --bind 127.0.0.1 --port 0 --tls-port "$redis_port" --tls-auth-clients no \
		--tls-cert-file "$tls/$1.pem" --tls-key-file "$tls/$1.key" --dir "$tls/redis" --logfile "$tls/redis.log" </dev/null >/dev/null 2>&1 3>&- &
	redis_pid=$!
	wait_until "grep -F 'Ready to accept connections' '$tls/redis.log'"
	rm "$tls/redis.log" # its next life begins another
}

tunnel_up() {
	sed -e "s|/run/backfill/|$tls/|; s|redis\.example\.com:6380|localhost:$redis_port|; s|redis\.example\.com|$2|; s|/etc/backfill/redis-ca.pem|$tls/$1.pem|" \
		"$bf_top/deploy/stunnel/backfill-redis.conf" >"$tls/stunnel.conf"
	stunnel4 "$tls/stunnel.conf" >>"$tls/stunnel.log" 2>&1 3>&- </dev/null &
	tunnel_pid=$!
	export BF_REDIS_URL=unix://$tls/redis.sock
	wait_until "[ -S '$tls/redis.sock' ]"
}

# Ends it with its socket, as the service does.
tunnel_down() {
	kill_quietly "$tunnel_pid"
	rm -f "$tls/redis.sock"
}

tls_postgres() {
	local home run user binaries file
	home=$(sed -n 's/^pg_home=//p' "$BF_LOCAL_DIR/servers") run=$(sed -n 's/^pg_run=//p' "$BF_LOCAL_DIR/servers")
	user=$(stat -c %U "$home") binaries=$(dirname "$(readlink "/proc/$(server_pid postgres)/exe")")
	postgres_port=$(free_port)
	postgres_password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	printf "alter role backfill password '%s';\n" "$postgres_password" | psql -Xq -v ON_ERROR_STOP=1 -d "$BF_DATABASE_URL"
	for file in pem key; do
		install -o "$user" -m 600 "$tls/$1.$file" "$home/data/server.$file"
	done
	# no line for connections without TLS: they are refused
	printf 'local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n' >"$home/data/pg_hba.conf"
	(cd / && setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups "$binaries/pg_ctl" -D "$home/data" -l "$home/postgresql.log" -w -s -m fast \
		-o "-k $run -p $postgres_port -c listen_addresses=127.0.0.1 -c max_connections=200 -c ssl=on -c ssl_cert_file=server.pem -c ssl_key_file=server.key" \
		restart >/dev/null 2>&1 3>&-)
}

kill_quietly() { # PID
	[ -n "$1" ] || return 0
	kill -KILL "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

tls_down() {
	kill_quietly "$tunnel_pid"
	kill_quietly "$redis_pid"
}
