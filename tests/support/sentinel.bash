# shellcheck shell=bash
# A master, its replica and three sentinels on loopback ports of their own, on top of lib.bash and chaos.bash.
#
#   sentinels_up           starts them and points BF_REDIS_URL at them; from then on `rd` asks whoever is the master
#   cut_off_replica        what the master takes from now on does not reach its replica
#   end_master SIGNAL      KILL or STOP
#   fail_over              asks the first sentinel for a failover, as soon as it has a replica that it would take
#   wait_for_failover      the sentinels name the other one, and it is a master
#   old_master_again       starts it with the files it had (after KILL) or lets it go on (after STOP), and waits until it is a replica
#   sentinels_down         in teardown
#
# A server is named by its port.

sentinel_pids=()
declare -A data_pids=()

# As many ports of 127.0.0.1 as asked for that nobody listens on, below those that the system gives to clients.
free_ports() { # COUNT
	command -p python3 - "$1" <<-'PY'
		import random, socket, sys
		held = []
		for port in random.sample(range(20000, 32000), 500):
		    s = socket.socket()
		    try:
		        s.bind(("127.0.0.1", port))
		    except OSError:
		        continue
		    held.append(s)
		    if len(held) == int(sys.argv[1]):
		        break
		print(*(s.getsockname()[1] for s in held))
	PY
}

at_port() { redis-cli -h 127.0.0.1 -p "$1" "${@:2}"; } # PORT COMMAND…

master_port() { # as the first sentinel that answers says
	local port
	for port in "${sentinel_ports[@]}"; do
		at_port "$port" sentinel get-master-addr-by-name bf 2>/dev/null | tail -n 1 && return 0
	done
	return 1
}

# Replicas come as `copyist`, so that the master can turn them away.
start_data_server() { # PORT [ARGUMENT…]
	local folder=$BATS_TEST_TMPDIR/redis-$1
	mkdir -p "$folder"
	[ -e "$folder/conf" ] || cp "$bf_top/deploy/redis.conf" "$folder/conf" # sentinels have their servers write it
	redis-server "$folder/conf" --bind 127.0.0.1 --port "$1" --dir "$folder" --logfile "$folder/log" --daemonize no \
		--repl-diskless-sync-delay 0 --masteruser copyist --masterauth copy \
		--user copyist on ">copy" +psync +replconf +ping "${@:2}" >"$folder/out" 2>&1 3>&- </dev/null &
	data_pids[$1]=$!
	wait_until "at_port $1 ping | grep -q PONG" 10
}

start_sentinel() { # PORT
	local folder=$BATS_TEST_TMPDIR/sentinel-$1
	mkdir "$folder"
	cat >"$folder/conf" <<-END
		port $1
		bind 127.0.0.1
		dir $folder
		logfile $folder/log
		sentinel monitor bf 127.0.0.1 ${data_ports[0]} 2
		sentinel down-after-milliseconds bf 1000
		sentinel failover-timeout bf 3000
		sentinel parallel-syncs bf 1
	END
	redis-server "$folder/conf" --sentinel >"$folder/out" 2>&1 3>&- </dev/null &
	sentinel_pids+=($!)
}

# Sentinel $1 knows both others and the replica, and could promote it.
sentinel_is_ready() { # PORT
	at_port "$1" sentinel master bf | paste -sd' ' | grep -q 'num-slaves 1 num-other-sentinels 2' &&
		at_port "$1" sentinel ckquorum bf | grep -q '^OK 3 usable' &&
		at_port "$1" sentinel replicas bf | paste -sd' ' | grep -q 'master-link-status ok'
}

sentinels_up() {
	local ports port
	read -ra ports < <(free_ports 5)
	data_ports=("${ports[@]:0:2}") sentinel_ports=("${ports[@]:2}")
	start_data_server "${data_ports[0]}"
	start_data_server "${data_ports[1]}" --replicaof 127.0.0.1 "${data_ports[0]}"
	for port in "${sentinel_ports[@]}"; do
		start_sentinel "$port"
	done
	for port in "${sentinel_ports[@]}"; do
		wait_until "sentinel_is_ready $port" 20
	done
	master=${data_ports[0]} replica=${data_ports[1]}
	export BF_REDIS_URL
	BF_REDIS_URL=sentinel://$(printf '127.0.0.1:%s,' "${sentinel_ports[@]}" | sed 's/,$//')/bf
	# shellcheck disable=SC2317 # called by everybody
	rd() { at_port "$(master_port)" "$@"; }
}

cut_off_replica() {
	at_port "$master" acl setuser copyist off >/dev/null
	at_port "$master" client kill type replica >/dev/null
	wait_until "at_port $replica info replication | grep -q master_link_status:down"
}

end_master() { # KILL|STOP
	kill -s "$1" "${data_pids[$master]}"
	[ "$1" = STOP ] || wait "${data_pids[$master]}" || true
}

has_role() { [ "$(at_port "$1" role 2>/dev/null | head -n 1)" = "$2" ]; } # PORT master|slave

# A replica that was away is looked at by each sentinel in its own time; until then this one refuses (NOGOODSLAVE).
fail_over() {
	wait_until "at_port ${sentinel_ports[0]} sentinel failover bf | grep -qx OK" 20
}

wait_for_failover() {
	wait_until "[ \"\$(master_port)\" = $replica ] && has_role $replica master" 20
	old_master=$master master=$replica replica=$old_master
}

old_master_again() { # KILL|STOP: how it was ended
	if [ "$1" = STOP ]; then
		kill -CONT "${data_pids[$old_master]}"
	else
		start_data_server "$old_master"
	fi
	wait_until "has_role $old_master slave" 40
	wait_until "at_port $old_master info replication | grep -q master_link_status:up" 20
}

sentinels_down() {
	local pid
	for pid in "${sentinel_pids[@]}" "${data_pids[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
}
