# A run is never built on a hole that another run left: what a step needs is done by whichever run, or this run does it; else it is left out and
# named. No worker runs here: jobs are settled by hand.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	two_steps
}
teardown() { bf_teardown; }

# load, and report, which waits for all of it; FIELDS of report, FIELDS of load
two_steps() {
	pipeline across <<-JSON
		{"pipeline": "across", "chunk": {"size": 1}, "steps": [
		  {"name": "load", "kind": "noop"${2:-}},
		  {"name": "report", "kind": "noop"${1:-}}]}
	JSON
}
of() { printf -- '--since=%s\n--until=%s\n' "2024-05-$1" "2024-05-$2"; }
plan() { mapfile -t range < <(of "$2" "$3") && enqueue_run "across.$1" across "${range[@]}" "${@:4}"; } # NAME FIRST LAST [OPTION…]
dry() { mapfile -t range < <(of "$1" "$2") && enqueue run across "${range[@]}" --dry-run "${@:3}"; }     # FIRST LAST [OPTION…]
days() { pg "select string_agg(substr(chunk, 9), ' ' order by seq) from bf.job where run = 'across.$1' and step = '$2'"; } # NAME STEP
settle() { # NAME STATE STEP [CONDITION]: its open jobs, and moves the run on
	pg "update bf.job set state = '$2', epoch = epoch + 1, started_at = clock_timestamp(), finished_at = clock_timestamp()
	     where run = 'across.$1' and step = '$3' and state in ('pending', 'running') and ${4:-true};
	    select bf.advance('across.$1')" >/dev/null
}

@test "what failed in another run is left out of what is made of it, and named with that run and the command; after its retry it is there" {
	plan one 01 07
	settle one failed load "chunk = '2024-05-05'"
	settle one 'done' load
	assert_same 'the first run' failed "$(run_state across.one)"
	run -0 dry 02 08
	[[ $output = *'report: 1 day not there in load, for which it would wait (2024-05-05): load failed in run across.one; `enqueue retry across.one --step=load` tries it again'* ]]
	plan two 02 08
	assert_same 'load' 08 "$(days two load)"
	assert_same 'report' '02 03 04 06 07 08' "$(days two report)"
	settle two 'done' load
	settle two 'done' report
	assert_same 'gaps' $'load 2024-05-05\nreport 2024-05-01\nreport 2024-05-05' "$(pg "select step || ' ' || day from bf.gaps order by 1")"
	enqueue retry across.one --step=load
	settle one 'done' load
	settle one 'done' report
	assert_same 'no gaps' '' "$(pg 'select * from bf.gaps')"
}

@test "what another run holds is left out, named with that run, and planned when that is finished" {
	plan one 01 04 --only=load
	run -0 dry 01 05
	[[ $output = *'report: 4 days not there in load, for which it would wait (2024-05-01..2024-05-04): load is held by run across.one; once that is finished, this command plans them'* ]]
	plan two 01 05
	assert_same 'load' 05 "$(days two load)"
	assert_same 'report' 05 "$(days two report)"
	settle one 'done' load
	plan three 01 05
	assert_same 'report, afterwards' '01 02 03 04' "$(days three report)"
	plan four 01 02 --only=load --reprocess=completed
	enqueue cancel across.three
	assert_same 'as JSON' 'held load across.four 2' "$(dry 01 05 --json |
		jq -r '.. | objects | select(.reason? == "blocked") | "\(.cause) \(.origin) \(.run) \(.count)"')"
}

@test "an unfinished run is one that is stopped, too" {
	plan one 01 04
	enqueue stop across.one
	plan two 01 05
	assert_same 'report' 05 "$(days two report)"
}

@test "with --only: what was asked of the step before and is not done is left out; what nobody was asked for is not; --skip says that it is not needed" {
	plan one 01 03 --only=load
	settle one failed load "chunk = '2024-05-01'"
	settle one cancelled load "chunk = '2024-05-02'"
	settle one 'done' load
	run -0 dry 01 05 --only=report
	[[ $output = *'report: 1 day not there in load, for which it would wait (2024-05-01): load failed in run across.one'* ]]
	[[ $output = *'report: 1 day not there in load, for which it would wait (2024-05-02): run across.one was asked for load, and has not done it; `enqueue run across --only=load` does those first'* ]]
	plan two 01 05 --only=report
	assert_same 'report' '03 04 05' "$(days two report)"
	plan three 01 05 --skip=load
	assert_same 'report, without load' '01 02' "$(days three report)"
}

@test "a failure that the pipeline goes on without is no hole" {
	two_steps '' ', "on_failure": "continue"'
	plan one 01 03 --only=load
	settle one failed load "chunk = '2024-05-02'"
	settle one 'done' load
	plan two 01 03
	assert_same 'report' '01 02 03' "$(days two report)"
}

@test "a look-back reaches over what is not there, also before the first day that is asked for" {
	two_steps ', "lookback": {"days": 2}'
	plan one 01 06 --only=load
	settle one failed load "chunk = '2024-05-03'"
	settle one 'done' load
	plan two 04 10
	assert_same 'report' '06 07 08 09 10' "$(days two report)"
	run -0 dry 01 10
	[[ $output = *'report: 3 days not there in load'*'(2024-05-03..2024-05-05)'* ]]
}

@test "a look-back reaches as far as it says, and no further" {
	two_steps ', "lookback": {"days": 2}'
	plan one 01 06 --only=load
	settle one failed load "chunk = '2024-05-02'"
	settle one 'done' load
	plan two 04 06
	assert_same 'report' '05 06' "$(days two report)"
}

@test "a look-back of keys reaches over what is not there, also before the first key that is asked for" {
	pipeline kept <<-'JSON'
		{"pipeline": "kept", "chunk": {"keys": {"sql": "sql/keys.sql"}}, "steps": [
		  {"name": "load", "kind": "noop"}, {"name": "report", "kind": "noop", "lookback": {"keys": 1}}]}
	JSON
	sql_file keys.sql <<<"select k from unnest(array['a', 'b', 'c', 'd', 'e']) k;"
	enqueue_run across.keys kept --only=load
	settle keys failed load "chunk = 'b'"
	settle keys 'done' load
	planned() { enqueue run kept --dry-run --json "$@" | jq -r '.steps[1] | "\(.jobs) \(.first) \(.last)"'; }
	assert_same 'all' '3 a e' "$(planned)"
	assert_same 'without the key itself' '1 d d' "$(planned --key=c --key=d)"
	run -0 enqueue run kept --key=c --dry-run
	[[ $output = *'report: 1 key not there in load, for which it would wait: load failed in run across.keys'* ]]
}

@test "steps of other sizes: the days that are not there are left out, the others are planned" {
	two_steps ', "chunk": {"size": 7}'
	plan one 01 14 --only=load
	settle one failed load "chunk = '2024-05-03'"
	settle one 'done' load
	plan two 01 14
	assert_same 'report' '2024-05-01..2024-05-02 2024-05-04..2024-05-10 2024-05-11..2024-05-14' \
		"$(pg "select string_agg(chunk, ' ' order by seq) from bf.job where run = 'across.two'")"
}

@test "a limit: nothing is planned that is made of what the limit leaves out" {
	plan one 01 04
	settle one 'done' load
	settle one 'done' report "chunk <> '2024-05-03'"
	enqueue cancel across.one
	pg "update bf.job set state = 'undone' where run = 'across.one' and step = 'load' and chunk in ('2024-05-01', '2024-05-02', '2024-05-03')"
	plan two 01 04 --limit=2
	assert_same 'load' '01 02' "$(days two load)"
	assert_same 'report of what is not loaded' '' "$(days two report)"
}

@test "one job for the run is not planned over a hole, nor what comes after it; a gate is, and hands it on" {
	pipeline across <<-'JSON'
		{"pipeline": "across", "chunk": {"size": 1}, "steps": [
		  {"name": "load", "kind": "noop"},
		  {"name": "gate", "kind": "check", "type": "coverage", "of": "load"},
		  {"name": "report", "kind": "noop"},
		  {"name": "total", "kind": "noop", "per": "run", "needs": ["gate"]},
		  {"name": "send", "kind": "noop", "needs": ["total"]},
		  {"name": "other", "kind": "noop", "needs": []}]}
	JSON
	plan one 01 03 --only=load
	settle one failed load "chunk = '2024-05-02'"
	settle one 'done' load
	run -0 dry 01 04
	[[ $output = *'total: not there in load, of which it is made (2024-05-02): load failed in run across.one'* || $output = *'total: 1 day not there in gate, for which it would wait (2024-05-02): load failed in run across.one'* ]]
	plan two 01 04
	assert_same 'gate' 1 "$(pg "select count(*) from bf.job where run = 'across.two' and step = 'gate'")"
	assert_same 'report' '01 03 04' "$(days two report)"
	assert_same 'total, send' '' "$(days two total)$(days two send)"
	assert_same 'other' '01 02 03 04' "$(days two other)"
}

@test "through steps in between, also those that have it already, or are left out" {
	pipeline across <<-'JSON'
		{"pipeline": "across", "chunk": {"size": 1}, "steps": [
		  {"name": "load", "kind": "noop"}, {"name": "clean", "kind": "noop"}, {"name": "report", "kind": "noop"}]}
	JSON
	plan one 01 03 --skip=report
	settle one 'done' load
	settle one 'done' clean
	plan again 02 02 --only=load --reprocess=completed
	plan two 01 03
	assert_same 'while it is made anew' '01 03' "$(days two report)"
	plan three 01 03 --only=report --reprocess=completed
	assert_same 'left out' '' "$(days three report)"
}

@test "other values of an identity's parameter are others' holes" {
	pipeline across <<-'JSON'
		{"pipeline": "across", "chunk": {"size": 1}, "params": {"site": {"default": "a", "identity": true}},
		 "steps": [{"name": "load", "kind": "noop"}, {"name": "report", "kind": "noop"}]}
	JSON
	plan one 01 03 --only=load
	plan two 01 03 --param site=b
	assert_same 'report' '01 02 03' "$(days two report)"
}

@test "a step that goes in order leaves a day alone that failed in another run, and goes on behind it" {
	two_steps ', "concurrency": 1'
	plan one 01 03
	settle one 'done' load
	settle one failed report "chunk = '2024-05-02'"
	pg "select bf.advance('across.one')" >/dev/null
	settle one 'done' report "chunk = '2024-05-01'"
	enqueue cancel across.one
	plan two 01 06
	assert_same 'behind the one that failed' '03 04 05 06' "$(days two report)"
	run -0 dry 01 06 --reprocess=failed --skip=load
	[[ $output != *'goes in order'* ]]
	plan later 04 06 --only=load
	assert_same 'nothing is left for it' '' "$(days later load)"
}
