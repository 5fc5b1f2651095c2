#!/usr/bin/env bats
# shellcheck disable=SC2016
# What others wrote (keys, names, notes, parameters, output, errors, descriptions, reviews) holds what a terminal obeys: ESC, BEL, C1, what
# turns the direction of writing; and what Markdown, HTML and a shell obey. Every command shows it, and none passes it on.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	export LC_ALL=C.UTF-8 TERM=xterm
	shots=$BATS_TEST_TMPDIR/shots
	mkdir "$shots"
	# a title, a colour that these programs do not have, a cleared screen, CSI as one character, a line turned around, a mark, an invisible one
	EVIL=$'\e]0;owned\a\e[35m\e[2J\u009b35m\u0085\u202eevil\u2066\u200b\x7f'
	MARKUP="<script>alert(1)</script> [x](http://h/) **b** \`c\` | 'q'"
}
teardown() {
	[ -z "${socket:-}" ] || tmux -S "$socket" kill-server 2>/dev/null || true
	bf_teardown
}

# shot COMMAND…: keeps what it prints, whatever its exit code is
shot() {
	printf '%s\n' "$*" >>"$shots/commands"
	number=$((${number:-0} + 1))
	"$@" >"$shots/$number.out" 2>"$shots/$number.err" </dev/null || true
	assert_safe bytes "$shots/$number.out" "$shots/$number.err" || {
		printf 'printed by: %q ' "$@" >&2
		return 1
	}
}
assert_safe() { python3 "$bf_top/tests/support/foreign.py" "$@" >&2; }
printed() { cat "$shots/$number.out" "$shots/$number.err"; }

# A pipeline whose every text is somebody else's. The second key fails in its program, the third in SQL.
evil_pipeline() {
	pipeline evil < <(jq -n --arg evil "$EVIL" --arg markup "$MARKUP" '{pipeline: "evil", description: ("about " + $evil), concurrency: {default: 1, max: 1},
		chunk: {keys: {sql: "sql/keys.sql"}}, params: {who: {default: "x", identity: true}},
		env: {set: {EVIL: $evil, WHO: "{{param.who}}"}},
		defaults: {retry: {attempts: 1}, on_failure: "continue"},
		steps: [{name: "work", kind: "exec", argv: ["bin/work"], rollback: {file: "sql/undo.sql", changed: "sql/changed.sql"}},
			{name: "words", kind: "sql", file: "sql/words.sql"},
			{name: "judge", kind: "check", type: "rows", file: "sql/rows.sql", warn_if: "> 0"},
			{name: "ask", kind: "approval", review: ("look at " + $evil + $markup + "\nthen " + $evil)}]}')
	sql_file keys.sql <<<"select k from unnest(array['a', 'b' || '$EVIL' || \$m\$$MARKUP\$m\$, 'c' || '$EVIL']) k;"
	sql_file words.sql <<<"do \$do\$ begin raise notice 'said %', '$EVIL'; end \$do\$; select case when :'key' like 'c%' then ('$EVIL' || :'key' || :'who')::int end;"
	sql_file rows.sql <<<"select '$EVIL' as why, \$m\$$MARKUP\$m\$ as \"$EVIL\" from generate_series(1, 3);"
	sql_file undo.sql <<<"select :'key';"
	sql_file changed.sql <<<"select '$EVIL' as by where :'key' = 'a';"
	program work <<-'SH'
		printf 'out %s %s\n' "$EVIL" "$WHO"; printf 'err %s\n' "$EVIL" >&2
		printf 'note %s\n' "$EVIL" >&"$BF_PROGRESS_FD"; printf 'checkpoint %s\n' "$EVIL" >&"$BF_PROGRESS_FD"
		case $BF_KEY in b*) exit 65 ;; esac
	SH
}
evil_run() {
	evil_pipeline
	start_worker
	shot enqueue run evil --run-id=e.one --param=who="$EVIL$MARKUP" --note="$EVIL$MARKUP"
	wait_until 'is 1 "select count(*) from bf.step where run = '"'e.one'"' and asked_at is not null"'
}

@test "no command prints a byte that a terminal obeys, whatever others wrote" {
	evil_run
	shot enqueue validate evil
	shot enqueue validate evil --json
	shot bfstat plan evil
	shot bfstat plan evil --mermaid
	shot bfstat plan evil --json
	shot enqueue run evil --param=who="$EVIL" --dry-run
	shot enqueue run evil --param=who="$EVIL" --dry-run --json
	shot enqueue run evil --param=who="$EVIL$MARKUP" --dry-run
	for words in '' e.one 'jobs e.one' 'failures e.one' 'events e.one' workers queues verify 'coverage evil' 'gaps evil' "report e.one --out=$BATS_TEST_TMPDIR/out"; do
		# shellcheck disable=SC2086
		shot bfstat $words
		# shellcheck disable=SC2086
		shot bfstat $words --json
		jq -e . <"$shots/$number.out" >/dev/null || { printf 'no JSON: bfstat %s --json\n' "$words" >&2; return 1; }
	done
	shot timeout -s INT 2 bfstat watch e.one
	shot timeout -s INT 2 bfstat watch e.one --json
	shot enqueue approve e.one ask --by="$EVIL$MARKUP" --note="$EVIL$MARKUP"
	[[ $(printed) == *'approved by'*'evil'* ]]
	shot enqueue approve e.one ask --by="$EVIL" --note="$EVIL"
	shot enqueue reject e.one ask --by="$EVIL"
	wait_for_end e.one
	shot bfstat events e.one
	shot bfstat e.one
	shot enqueue rollback e.one --dry-run
	shot enqueue rollback e.one --dry-run --json
	shot enqueue retry e.one --step=work --chunk=b"$EVIL"
	shot enqueue retry e.one --step="$EVIL"
	shot enqueue cancel "$EVIL"
	shot bfstat "$EVIL"
	shot bfstat failures "$EVIL"
	shot enqueue "$EVIL"
	shot enqueue validate "$EVIL"
	shot enqueue run evil --param="$EVIL=1"
	shot enqueue run evil --key="$EVIL"
	shot enqueue run evil "--$EVIL"
	shot env BF_REDIS_URL="unix:///tmp/$EVIL" bfstat e.one
	shot env BF_DATABASE_URL="postgresql:///$EVIL" bfstat e.one
	shot env BF_PIPELINES="/tmp/$EVIL" enqueue validate evil
	shot enqueue stop-all
	shot enqueue resume e.one
	assert_safe bytes "$BATS_TEST_TMPDIR"/worker-*.log
	assert_same 'what ends badly on its own account' '' "$(grep -l 'Sanitizer' "$shots"/* || true)"
}

@test "the command that retries a failure can be pasted, whatever the key is, in text, in JSON and in SQL" {
	evil_run
	local key again
	key=$(pg "select chunk from bf.job where run = 'e.one' and step = 'work' and state = 'failed'")
	for again in "$(bfstat failures e.one | grep -- 'enqueue retry e.one --step=work --chunk')" \
		"$(bfstat failures e.one --json | jq -r '.failures[] | select(.step == "work").retry_with')" \
		"$(pg "select retry_with from bf.failures where run = 'e.one' and step = 'work'")"; do
		printf '%s' "$again" >"$shots/again"
		assert_safe bytes "$shots/again"
		eval "set -- $again"
		assert_same 'the chunk that it names' "--chunk=$key" "$5"
	done
	run enqueue retry e.one --step=work "$5"
	[ "$status" -eq 0 ]
	[[ $output = *'1 job'* || $output = *' jobs of run e.one'* ]]
}

@test "reports: nothing of what others wrote is Markdown, HTML or a control, and JSON means what was written" {
	evil_run
	enqueue approve e.one ask --by="$MARKUP $EVIL" --note="$MARKUP
# a heading
- a list" >/dev/null
	wait_for_end e.one
	bfstat report e.one --out="$BATS_TEST_TMPDIR/out" >/dev/null
	assert_safe bytes "$BATS_TEST_TMPDIR"/out/*
	local page
	for page in "$BATS_TEST_TMPDIR"/out/*.md; do
		# what stands in code is shown as it is: the commands
		python3 -c 'import re, sys; p = sys.argv[1]; t = open(p).read(); open(p, "w").write(re.sub(r"(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)", "", t))' "$page"
		assert_same "$page: tags" '' "$(grep -o '<script[^&]*' "$page" || true)"
		assert_same "$page: links" '' "$(grep -oF '[x](http' "$page" || true)"
		assert_same "$page: bold text of others" '' "$(grep -oF ' **b**' "$page" | head -n 1 || true)"
		assert_same "$page: headings of others" '' "$(grep '^# a heading' "$page" || true)"
		assert_same "$page: rows that have other columns than their table" '' "$(awk '/^\|/ { gsub(/\\\|/, ""); n = gsub(/\|/, "|"); if (last && n != last) print; last = n; next } { last = 0 }' "$page")"
	done
	grep -qF '&lt;script>' "$BATS_TEST_TMPDIR/out/summary.md"
	assert_same 'the note in the JSON' "$(pg "select note from bf.run where run = 'e.one'")" "$(jq -r .note "$BATS_TEST_TMPDIR/out/results.json")"
}

@test "a terminal shows what others wrote, and is not touched by it" {
	evil_run
	socket=$BATS_TEST_TMPDIR/tmux
	tmux -S "$socket" -f /dev/null new-session -d -x 100 -y 50 -s it bash --norc
	tmux -S "$socket" select-pane -t it -T untouched
	tmux -S "$socket" pipe-pane -t it -o "cat >>$shots/screen"
	local words
	for words in 'bfstat' 'bfstat e.one' 'bfstat jobs e.one' 'bfstat failures e.one' 'bfstat events e.one' 'timeout -s INT 3 bfstat watch e.one' \
		'bfstat plan evil' "bfstat report e.one --out=$BATS_TEST_TMPDIR/out" 'enqueue validate evil' 'enqueue rollback e.one --dry-run'; do
		tmux -S "$socket" send-keys -t it "clear; $words; echo over'-'$((++number))" Enter
		wait_until "tmux -S $socket capture-pane -p -t it -S -300 | grep -q '^over-$number'"
		tmux -S "$socket" capture-pane -p -e -J -t it -S -2000 >>"$shots/pane" # before the next one clears it
	done
	assert_same 'the title of the pane' untouched "$(tmux -S "$socket" display-message -p -t it '#{pane_title}')"
	assert_same 'colours of others' '' "$(grep -o $'\e\\[35m' "$shots/pane" || true)"
	sed 's/\x1b\[[?0-9;]*[a-zA-Z]\|\x1b(B//g' "$shots/pane" >"$shots/plain"
	assert_safe bytes "$shots/plain"
	grep -qF '\x1b]0;owned\x07\x1b[35m\x1b[2J\u009b35m\u0085\u202eevil' "$shots/plain"
}
