# shellcheck shell=bash
# For bats files: an HTTP server of the test's own (httpd.py says what it answers). bf_teardown ends it with the workers.

# start_httpd [https]: API_URL is where it listens, httpd_dir holds its log
start_httpd() {
	httpd_dir=$(mktemp -d "$BATS_TEST_TMPDIR/httpd-XXXXXX")
	if [ "${1:-http}" = https ]; then
		openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
			-keyout "$httpd_dir/key.pem" -out "$httpd_dir/cert.pem" 2>/dev/null
	fi
	python3 "$bf_top/tests/support/httpd.py" "$httpd_dir" >"$httpd_dir/log" 2>&1 3>&- </dev/null &
	httpd_pid=$!
	WORKER_PIDS+=("$httpd_pid")
	wait_until "[ -s '$httpd_dir/port' ]"
	API_URL=http://127.0.0.1:$(cat "$httpd_dir/port")
	[ "${1:-http}" = http ] || API_URL=https://localhost:$(cat "$httpd_dir/port")
	export API_URL
	unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy
}

# requests [JQ]: what it was asked, through jq
requests() { jq -rc "${1:-.path}" "$httpd_dir/requests"; }
