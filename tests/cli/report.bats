#!/usr/bin/env bats
# `bfstat report`: the files themselves. Nothing is written through a link, what an earlier report wrote and this one does not goes, and what
# is somebody else's stays.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	out=$BATS_TEST_TMPDIR/out elsewhere=$BATS_TEST_TMPDIR/elsewhere
	mkdir "$elsewhere"
}
teardown() { bf_teardown; }

# A step, a check that finds rows while the table `found` has some, and an approval before a step that waits for it.
report_pipeline() {
	pg 'create table found (n int); insert into found select generate_series(1, 3)'
	pipeline rep <<-'JSON'
		{"pipeline": "rep", "chunk": {"keys": {"sql": "sql/keys.sql"}},
		 "artifacts": {"summary.md": {"what": "summary"}, "logs/a/batch_*.json": {"what": "batches", "step": "work", "size": 2},
		   "rows.json": {"what": "violations", "step": "look"}, "look.md": {"what": "checks", "step": "look"},
		   "l*ter.json": {"what": "batches", "step": "later"}},
		 "steps": [{"name": "work", "kind": "noop"}, {"name": "look", "kind": "check", "type": "rows", "file": "sql/found.sql", "warn_if": "> 0"},
		   {"name": "ask", "kind": "approval"}, {"name": "later", "kind": "noop"}]}
	JSON
	sql_file keys.sql <<<"select 'k' || n from generate_series(1, 5) n;"
	sql_file found.sql <<<'select n from found;'
	enqueue_run r.one rep
	start_worker
	wait_until 'is 1 "select count(*) from bf.step where asked_at is not null"'
}
report() { bfstat report r.one --out="$out" >"$BATS_TEST_TMPDIR/report.txt" 2>&1; }
files() { (cd "$out" && find . -type f ! -name '.bfstat-report' | sed 's|^./||' | LC_ALL=C sort | paste -sd' '); }

@test "what has not run is not written, what is not right any more goes, and what somebody else has changed or put there stays" {
	report_pipeline
	report
	assert_same 'files' 'logs/a/batch_0001.json logs/a/batch_0002.json logs/a/batch_0003.json look.md rows.json summary.md' "$(files)"
	grep -q '\*\*look\*\* warns' "$out/look.md"
	grep -q '`rows.json`' "$out/look.md"
	grep -q 'look: has not failed, and warns' "$out/summary.md"
	[ -z "$(grep 'look: passed' "$out/summary.md")" ]

	echo mine >"$out/logs/a/notes.txt"
	echo changed >>"$out/logs/a/batch_0003.json"
	pg "delete from found; delete from bf.check_result where step = 'look'; update bf.job set chunk = 'k0' where step = 'work' and seq > 2"
	pg "delete from bf.job where step = 'work' and seq > 2"
	report
	assert_same 'files' 'logs/a/batch_0001.json logs/a/batch_0003.json logs/a/notes.txt look.md summary.md' "$(files)"
	report
	assert_same 'files' 'logs/a/batch_0001.json logs/a/batch_0003.json logs/a/notes.txt look.md summary.md' "$(files)"
	cp -r "$out" "$out.2"
	report
	diff -r "$out" "$out.2"

	enqueue approve r.one ask >/dev/null
	wait_for_end r.one
	report
	[[ $(files) = *'l0001ter.json'* ]]
}

@test "a link inside the folder is not followed, whatever it is called, and the link that the user names is" {
	report_pipeline
	echo precious >"$elsewhere/file"
	mkdir -p "$out"
	ln -s "$elsewhere/file" "$out/summary.md.part"
	ln -s "$elsewhere/file" "$out/summary.md"
	report
	assert_same 'what the link points to' precious "$(cat "$elsewhere/file")"
	[ ! -L "$out/summary.md" ]
	[ -L "$out/summary.md.part" ]

	rm -r "${out:?}/logs"
	ln -s "$elsewhere" "$out/logs"
	run report
	[ "$status" -eq 1 ]
	grep -q 'logs.*found a symbolic link or a file.*expected a folder' "$BATS_TEST_TMPDIR/report.txt"
	assert_same 'what was written through it' 'file' "$(ls "$elsewhere")"
	assert_same 'what was left behind' '' "$(find "$out" -name '.bfstat-report.*')"

	# a list that somebody has made up removes nothing that is not below the folder, or that is not as it says
	rm "$out/logs"
	printf '%s\n' '0000000000000001 rep ../elsewhere/file' '0000000000000001 rep /etc/hostname' '0000000000000001 rep summary.md' 'rubbish' >"$out/.bfstat-report"
	ln -s "$elsewhere" "$out/up"
	printf '%016x rep up/file\n' 1 >>"$out/.bfstat-report"
	report
	assert_same 'what was not ours' precious "$(cat "$elsewhere/file")"

	mv "$out" "$elsewhere/real"
	ln -s "$elsewhere/real" "$out"
	report
	[ -f "$elsewhere/real/summary.md" ]
}

@test "names that are no file inside the folder are refused by validate, each with its place" {
	local name
	for name in g/ ./f a//b a/./b ../x a/../b /x . .. 'a\b' $'a\x1bb' $'a\u202eb' '.bfstat-report' "$(printf 'x%.0s' {1..201})"; do
		pipeline names < <(jq -n --arg name "$name" '{pipeline: "names", artifacts: {($name): {what: "summary"}}, steps: [{name: "a", kind: "noop"}]}')
		run enqueue validate names
		[ "$status" -eq 2 ] || { printf 'not refused: %q\n' "$name" >&2; return 1; }
		[[ $output = *'found this name, expected that of a file in the folder of the report'* ]]
	done
	pipeline names <<<'{"pipeline": "names", "artifacts": {"dir": {"what": "summary"}, "dir/x": {"what": "results"}}, "steps": [{"name": "a", "kind": "noop"}]}'
	run enqueue validate names
	[ "$status" -eq 2 ]
	[[ $output = *'artifacts.dir: found a file of this name beside dir/x, which is in a folder of the same name'* ]]
	for name in f.md a/b/c.json .hidden a..b 'with space' ünder_ä.md; do
		pipeline names < <(jq -n --arg name "$name" '{pipeline: "names", artifacts: {($name): {what: "summary"}}, steps: [{name: "a", kind: "noop"}]}')
		enqueue validate names
	done
}
