# deploy/local: the private servers. Each test has a folder of its own and needs no server of tests/run.
bats_require_minimum_version 1.5.0

setup() {
	top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd -P)
	folder=$(mktemp -d /tmp/bf-local-XXXXXX)
	chmod 755 "$folder"
	export BF_LOCAL_DIR=$folder/servers
	bystander=''
}

teardown() {
	[ -z "$bystander" ] || kill "$bystander"
	"$top/deploy/local" wipe >/dev/null
	rm -rf "$folder"
}

local_() { "$top/deploy/local" "$@" 3>&-; }
pid_of() { local_ status | sed -nE "s/^$1 .*pid ([0-9]+),.*/\1/p"; }
connect() { eval "$(local_ env)"; }
sql() { psql -XAtq -v ON_ERROR_STOP=1 -d "$BF_DATABASE_URL" -c "$1"; }
rd() { redis-cli -s "${BF_REDIS_URL#unix://}" "$@"; }

fill() {
	connect
	sql "create table kept (n int); insert into kept values (42)"
	rd set kept 42
	rd config set appendfsync always
}

assert_kept() {
	connect
	[ "$(sql 'select n from kept')" = 42 ]
	[ "$(rd get kept)" = 42 ]
}

@test "up starts both servers, on sockets alone, with a log of every write and no eviction" {
	local_ up
	connect
	[ "$(sql 'show listen_addresses')" = '' ]
	[ "$(sql 'show fsync')" = on ]
	[ "$(rd config get port | tail -n 1)" = 0 ]
	[ "$(rd config get appendonly | tail -n 1)" = yes ]
	[ "$(rd config get appendfsync | tail -n 1)" = everysec ]
	[ "$(rd config get maxmemory-policy | tail -n 1)" = noeviction ]
}

@test "up a second time leaves the running servers alone" {
	local_ up
	before=$(pid_of PostgreSQL) before_redis=$(pid_of Redis)
	local_ up
	[ "$(pid_of PostgreSQL)" = "$before" ]
	[ "$(pid_of Redis)" = "$before_redis" ]
}

@test "the data outlives down and up" {
	local_ up
	fill
	local_ down
	run local_ status
	[ "$status" -eq 3 ]
	local_ up
	assert_kept
}

@test "the data outlives a crash of both servers" {
	local_ up
	fill
	kill -KILL "$(pid_of PostgreSQL)" "$(pid_of Redis)"
	local_ up
	assert_kept
}

@test "a recorded pid that is another program's by now is not taken for the server" {
	local_ up
	fill
	postmaster=$BF_LOCAL_DIR/pg/data/postmaster.pid
	kill -KILL "$(pid_of PostgreSQL)" "$(pid_of Redis)"
	sleep 600 3>&- &
	bystander=$!
	sed -i "1s/.*/$bystander/" "$postmaster"
	echo "$bystander" >"$BF_LOCAL_DIR/redis/redis.pid"
	run local_ status
	[ "$status" -eq 3 ]
	local_ down
	kill -0 "$bystander"
	local_ up
	kill -0 "$bystander"
	assert_kept
}

@test "the servers live on when the session that started them ends" {
	setsid -w "$top/deploy/local" up 3>&-
	[ "$(ps -o sid= -p "$(pid_of PostgreSQL)" | tr -d ' ')" = "$(pid_of PostgreSQL)" ]
	[ "$(ps -o sid= -p "$(pid_of Redis)" | tr -d ' ')" = "$(pid_of Redis)" ]
}

@test "two ups at once start one pair" {
	local_ up >"$folder/one" &
	one=$!
	local_ up >"$folder/two"
	wait "$one"
	cmp <(grep running "$folder/one") <(grep running "$folder/two")
}

@test "a folder whose path is too long for a socket, or has spaces in it, works as well" {
	BF_LOCAL_DIR="$folder/a folder with spaces/$(printf 'long%.0s' {1..25})"
	local_ up
	fill
	[ "${#BF_REDIS_URL}" -lt 100 ]
	local_ down
	rm -rf "$(dirname "${BF_REDIS_URL#unix://}")" # as a reboot empties /tmp
	local_ up
	assert_kept
	local_ wipe
	[ ! -e "$BF_LOCAL_DIR" ]
	[ ! -e "$(dirname "${BF_REDIS_URL#unix://}")" ]
}

@test "in a folder that PostgreSQL's user cannot enter, root keeps its data elsewhere and says where" {
	[ "$(id -u)" = 0 ] || skip 'only root has this case'
	chmod 700 "$folder"
	run local_ up
	[ "$status" -eq 0 ]
	[[ $output = *'its data is kept in /var/lib/backfill-local/'* ]]
	fill
	local_ down
	local_ up
	assert_kept
	home=$(sed -n 's/^pg_home=//p' "$BF_LOCAL_DIR/servers")
	[ -d "$home/data" ]
	local_ wipe
	[ ! -e "$home" ]
}

@test "an ordinary user has servers of his own" {
	[ "$(id -u)" = 0 ] || skip 'this is the case of every test here'
	chown nobody "$folder"
	as_nobody() { setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups env HOME=/ BF_LOCAL_DIR="$BF_LOCAL_DIR" "$top/deploy/local" "$@" 3>&-; }
	as_nobody status >/dev/null 2>&1 || [ $? -ne 126 ] || skip 'the project is in a folder that others cannot read'
	as_nobody up
	[ "$(ps -o user= -p "$(pid_of PostgreSQL)")" = nobody ]
	[ "$(ps -o user= -p "$(pid_of Redis)")" = nobody ]
	fill
	as_nobody down
	local_ up # root may look after them; they stay nobody's
	[ "$(ps -o user= -p "$(pid_of PostgreSQL)")" = nobody ]
	[ "$(ps -o user= -p "$(pid_of Redis)")" = nobody ]
	assert_kept
	as_nobody wipe
	[ ! -e "$BF_LOCAL_DIR" ]
}

@test "another ordinary user is told whose servers these are" {
	[ "$(id -u)" = 0 ] || skip 'needs two users'
	local_ up
	run setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups env BF_LOCAL_DIR="$BF_LOCAL_DIR" "$top/deploy/local" wipe
	[ "$status" -ne 0 ]
	[[ $output = *'belongs to user'* ]] || [[ $output = *'ermission denied'* ]]
	[ -n "$(pid_of PostgreSQL)" ]
	[ -n "$(pid_of Redis)" ]
}

@test "wipe ends the servers and leaves nothing behind but what is not its own" {
	local_ up
	pids="$(pid_of PostgreSQL) $(pid_of Redis)"
	echo mine >"$BF_LOCAL_DIR/notes"
	local_ wipe
	run ps -o s= -p "${pids/ /,}"
	[[ ! $output =~ [^Z[:space:]] ]] # a dead one that nobody has buried yet is dead
	[ "$(ls -A "$BF_LOCAL_DIR")" = notes ]
	rm -r "$BF_LOCAL_DIR"
}

@test "wipe and down where nothing was started do nothing" {
	mkdir "$BF_LOCAL_DIR"
	echo mine >"$BF_LOCAL_DIR/notes"
	local_ down
	local_ wipe
	[ -e "$BF_LOCAL_DIR/notes" ]
}

@test "env without servers says how to start them, and prints nothing to evaluate" {
	run --separate-stderr local_ env
	[ "$status" -ne 0 ]
	[ "$output" = '' ]
	[[ $stderr = *'deploy/local up'* ]]
}

@test "an unknown command is an error that names the known ones" {
	run local_ upp
	[ "$status" -ne 0 ]
	[[ $output = *'expected up, logs, down, env, status or wipe'* ]]
}

# ---- workers ----

workers_path() { export PATH=${BF_BUILD:-$top/build-test}/bin:$PATH; }
# A build folder of the project beside it is not what is tested here.
without_build() { [ ! -e "$top/build/bin/worker" ] || skip 'build/bin has workers of its own'; }
workers_alive() {
	local url
	url=$(local_ env | sed -n "s/^export BF_REDIS_URL='unix:\/\/\(.*\)'/\1/p")
	redis-cli -s "$url" zcard bf:workers
}

@test "up --workers starts workers in the background, with a log each, and down ends them" {
	workers_path && without_build
	run local_ up --workers=2
	[ "$status" -eq 0 ]
	one=$(pid_of 'Worker 1') two=$(pid_of 'Worker 2')
	[ -n "$one" ] && [ -n "$two" ] && [ "$one" != "$two" ]
	[ "$(workers_alive)" = 2 ]
	[ "$(ps -o sid= -p "$one" | tr -d ' ')" = "$one" ] # the end of a terminal does not end it
	grep -q ' 8 slots, queues default' "$BF_LOCAL_DIR/workers/1.log"
	run local_ logs 2
	[[ $output = *' slots, queues default'* ]]
	run local_ logs
	[[ $output = *'workers/1.log'*'workers/2.log'* ]]
	run local_ down
	[[ $output = *'Worker 1 ended.'*'Worker 2 ended.'*'PostgreSQL ended.'* ]]
	run ps -o s= -p "$one,$two"
	[[ ! $output =~ [^Z[:space:]] ]]
	grep -q ' leaves: ' "$BF_LOCAL_DIR/workers/2.log"
}

@test "up --workers=N leaves N workers running, however many there were" {
	workers_path && without_build
	local_ up --workers=2 -- --slots=3
	one=$(pid_of 'Worker 1')
	grep -q ' 3 slots, ' "$BF_LOCAL_DIR/workers/1.log"
	kill -KILL "$(pid_of 'Worker 2')"
	run local_ status
	[[ $output = *'Worker 2    ended'* ]]
	local_ up --workers=3
	[ "$(pid_of 'Worker 1')" = "$one" ]
	[ -n "$(pid_of 'Worker 2')" ] && [ -n "$(pid_of 'Worker 3')" ]
	run local_ up --workers=1
	[[ $output = *'Worker 2 ended.'*'Worker 3 ended.'* ]]
	[ "$(pid_of 'Worker 1')" = "$one" ]
	local_ up # says nothing of workers: they stay
	[ "$(pid_of 'Worker 1')" = "$one" ]
	local_ wipe
	[ ! -e "$BF_LOCAL_DIR" ]
}

@test "a pid of a worker that is another program's by now is left alone" {
	workers_path && without_build
	local_ up --workers=1
	kill -KILL "$(pid_of 'Worker 1')"
	sleep 600 3>&- &
	bystander=$!
	echo "$bystander" >"$BF_LOCAL_DIR/workers/1.pid"
	run local_ status
	[[ $output = *'Worker 1    ended'* ]]
	local_ down
	kill -0 "$bystander"
}

@test "logs -f goes on with what the workers say" {
	workers_path && without_build
	local_ up --workers=1
	"$top/deploy/local" logs -f >"$folder/followed" 3>&- &
	bystander=$!
	for ((i = 0; i < 100; i++)); do ! grep -q slots "$folder/followed" || break; sleep 0.1; done
	kill "$(pid_of 'Worker 1')"
	for ((i = 0; i < 100; i++)); do ! grep -q ' leaves: ' "$folder/followed" || break; sleep 0.1; done
	grep -q ' leaves: ' "$folder/followed"
}

@test "a worker that cannot start says why, and what is no option of up is refused" {
	workers_path && without_build
	run local_ up --workers=1 -- --slots=none
	[ "$status" -ne 0 ]
	[[ $output = *'worker 1 did not start'*'--slots'* ]]
	run local_ up --wokers=1
	[ "$status" -ne 0 ]
	[[ $output = *'expected --workers=N'* ]]
	run local_ down extra
	[ "$status" -ne 0 ]
	run local_ logs 7
	[ "$status" -ne 0 ]
}

@test "env exports what psql and redis-cli need, typed without an address" {
	local_ up
	connect
	[ "$(psql -XAtc 'select current_database()')" = backfill ]
	[ "$(redis-cli -s "$BF_REDIS_SOCKET" ping)" = PONG ]
}
