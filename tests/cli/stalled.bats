# A run that does not move says why: nobody serves its queue, its throttle holds it back, a lease has to end first. An ETA counts what can be
# known: up to the next approval, and with all of a soak.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() { bf_setup; }
teardown() { bf_teardown; }

# Ten days, two at once; a day waits in its middle until its gate is open.
gated_days() { # NAME [FIELDS OF THE PIPELINE [MORE STEPS]]
	pg 'create table gate (day date)'
	pg "create function pass_gate(p_day date) returns void language plpgsql as
	    \$\$ begin while not exists (select from gate where day >= p_day) loop perform pg_sleep(0.02); end loop; end \$\$"
	pipeline "$1" <<-JSON
		{"pipeline": "$1", "chunk": {"size": 1}, "concurrency": {"default": 2}${2:-},
		 "steps": [{"name": "work", "kind": "sql", "file": "sql/work.sql", "needs": []}${3:-}]}
	JSON
	sql_file work.sql <<<"select pass_gate(:'since');"
	sql_file one.sql <<<'select 1;'
}
open_gate() { pg "insert into gate values ('$1')"; }
at_work() { is 2 "select count(*) from bf.job where state = 'running'"; }
field() { bfstat "$1" --json | jq -r "$2"; } # RUN FIELD

@test "a run that no worker serves says so, and since when, in the list, on its page and in watch; it has no ETA" {
	gated_days lonely ', "queue": "far"'
	enqueue_run lonely.one lonely --since=2024-01-01 --until=2024-01-10
	start_worker --queues=near
	wait_until '[ "$(rd zcard bf:workers)" = 1 ]'
	run bfstat
	[[ $output =~ 'stalled: no worker for queue far since 20'[0-9T:-]+'Z ('.*'`worker --queues=far` starts one' ]]
	grep -qE 'lonely\.one.* stalled *$' <<<"$output"
	assert_same 'the list as JSON' true "$(bfstat --json | jq -r '.runs[] | select(.run == "lonely.one") | .stalled')"
	run bfstat lonely.one
	[[ $output =~ 'stalled: no worker for queue far since 20'[0-9T:-]+'Z (' ]] && [[ $output != *' left'* ]]
	assert_same 'as JSON' 'true null' "$(field lonely.one '"\(.stalled) \(.eta_ms)"')"
	run timeout 20 bfstat watch lonely.one --json
	[ "$(head -n 1 <<<"$output" | jq -r .stalled)" = true ]

	start_worker --queues=far
	wait_until at_work
	wait_until '[ "$(field lonely.one .stalled)" = false ]'
	assert_same 'in the list' '' "$(bfstat | grep stalled || true)"
	kill_worker "${WORKER_PIDS[1]}" KILL || true
	wait_until '[ "$(field lonely.one .stalled)" = true ]' 40
}

@test "what a worker held that has not been heard of waits for its lease to end, and its run says so" {
	export BF_LEASE=1m
	gated_days silent
	enqueue_run silent.one silent --since=2024-01-01 --until=2024-01-10
	start_worker
	wait_until at_work
	name=$(rd zrange bf:workers 0 0)
	kill_worker "${WORKER_PIDS[0]}" KILL || true
	start_worker
	wait_until "bfstat silent.one | grep -qE 'waits for a lease to end: worker $name has not been heard of for [0-9.]+ s; its 2 jobs go to others in '"
}

@test "a run that its throttle holds back says so in the list, and has no ETA" {
	gated_days calm ', "throttle": {"file": "sql/throttle.sql", "every": "5s"}'
	sql_file throttle.sql <<<"select 'the disk is nearly full';"
	enqueue_run calm.one calm --since=2024-01-01 --until=2024-01-10
	start_worker
	wait_until "is 1 \"select count(*) from bf.run where held_until > now()\""
	run bfstat
	grep -qE 'calm\.one.* held back *$' <<<"$output"
	assert_same 'as JSON' 'true null' "$(bfstat --json | jq -r '.runs[0].held') $(field calm.one .eta_ms)"
}

@test "an ETA ends where a person is asked, and says so" {
	gated_days signed '' ', {"name": "sign", "kind": "approval"}, {"name": "after", "kind": "sql", "file": "sql/one.sql"}'
	enqueue_run signed.one signed --since=2024-01-01 --until=2024-01-10
	start_worker
	wait_until at_work
	open_gate 2024-01-04
	wait_until "is 4 \"select count(*) from bf.job where state = 'done'\""
	wait_until '[ "$(field signed.one .eta_ms)" != null ]'
	assert_same 'up to' sign "$(field signed.one .eta_until)"
	wait_until "bfstat signed.one | grep -qE 'about [0-9.]+ .* left until sign is asked'"
	assert_same 'time in the list' '' "$(bfstat | grep -E 'signed\.one.* left' || true)"
}

@test "an ETA has all of a soak that is still to come, and what is left of one that is under way" {
	soak='"kind": "soak", "interval": "10m", "duration": "2h", "checks": [{"name": "one", "type": "metric", "file": "sql/one.sql", "error_if": "< 1"}]'
	gated_days soaked '' ", {\"name\": \"before\", $soak, \"needs\": []}, {\"name\": \"watch\", $soak, \"needs\": [\"work\"]}"
	enqueue_run soaked.one soaked --since=2024-01-01 --until=2024-01-10
	start_worker
	wait_until at_work
	open_gate 2024-02-01
	wait_until "is 10 \"select count(*) from bf.job where step = 'work' and state = 'done'\""
	wait_until "is released \"select state from bf.step where step = 'watch'\""
	eta=$(field soaked.one .eta_ms)
	[ "$eta" -gt $((100 * 60000)) ] && [ "$eta" -le $((120 * 60000)) ]
}
