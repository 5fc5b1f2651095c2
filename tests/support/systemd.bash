# shellcheck shell=bash
# A service manager for bats files, on top of lib.bash: a systemd of the test's own, PID 1 of namespaces of its own (processes, mounts, network,
# cgroups), that knows only the units of a folder. It needs root, and a kernel that lets root make namespaces. The units see the machine's
# files, and nothing they do reaches its own service manager.
#
#   systemd_can_run || skip "$why"
#   systemd_up UNIT_FILE…       units, and folders with drop-ins, as in /etc/systemd/system
#   inside systemctl start x    a command beside it
#   systemd_down                in teardown

# shellcheck disable=SC2034,SC2154 # of lib.bash, and for the tests
systemd_pid='' systemd_starter='' systemd_home='' why=''

systemd_can_run() {
	why='only root can start a systemd of its own'
	[ "$(id -u)" = 0 ] || return 1
	why='systemd is not installed'
	[ -x /lib/systemd/systemd ] && command -v unshare nsenter >/dev/null || return 1
	why='this kernel or container lets root make no namespaces with cgroups'
	unshare --mount --pid --fork --mount-proc --cgroup --uts --ipc --net sh -c 'mount -t tmpfs none /run && mount -t cgroup2 none /run' 2>/dev/null
}

systemd_up() {
	local target
	systemd_home=$BATS_TEST_TMPDIR/systemd
	mkdir -p "$systemd_home/units" "$systemd_home/cgroup"
	cp -r "$@" "$systemd_home/units"
	for target in sysinit basic shutdown network-online; do
		printf '[Unit]\nDefaultDependencies=no\n' >"$systemd_home/units/$target.target"
	done
	cat >"$systemd_home/boot" <<-'SH'
		set -e
		mount --make-rprivate /
		for folder in /run /var/lib /var/cache; do mount -t tmpfs none "$folder"; done # what units leave there
		mount -t tmpfs none /sys/fs/cgroup || true
		mount -t cgroup2 none /sys/fs/cgroup
		mount -o bind,ro /proc/sys /proc/sys
		export container=other SYSTEMD_UNIT_PATH=$1/units SYSTEMD_GENERATOR_PATH=$1/none
		exec /lib/systemd/systemd --system --unit=basic.target --log-target=console --show-status=no
	SH
	# in a cgroup of its own, so that nothing is left of it
	mount -t cgroup2 none "$systemd_home/cgroup"
	systemd_cgroup=bf-test-$BASHPID
	mkdir "$systemd_home/cgroup/$systemd_cgroup"
	bash -c 'echo 0 >"$1/cgroup.procs" && exec unshare --mount --pid --fork --kill-child --mount-proc --cgroup --uts --ipc --net bash "$2/boot" "$2"' \
		- "$systemd_home/cgroup/$systemd_cgroup" "$systemd_home" >"$systemd_home/log" 2>&1 3>&- </dev/null &
	systemd_starter=$!
	wait_until 'inside systemctl is-active basic.target | grep -x active' 20 || {
		cat "$systemd_home/log"
		return 1
	}
}

inside() {
	systemd_pid=$(cat "/proc/$systemd_starter/task/$systemd_starter/children")
	nsenter -t "${systemd_pid% }" -m -p "$@"
}

systemd_down() {
	local folder
	[ -n "$systemd_starter" ] || return 0
	kill -KILL "$systemd_starter" 2>/dev/null || true # its child goes with it, and with that all of the namespace
	wait "$systemd_starter" 2>/dev/null || true
	for _ in {1..100}; do
		find "$systemd_home/cgroup/$systemd_cgroup" -depth -type d -exec rmdir {} \; 2>/dev/null && break
		sleep 0.05
	done
	umount "$systemd_home/cgroup"
}
