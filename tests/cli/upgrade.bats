# A ledger of the release before, in the middle of its work, is migrated, and all of it ends right.
bats_require_minimum_version 1.5.0
load ../support/lib.bash
load ../support/work.bash

setup() {
	bf_setup
	export BF_LEASE=2s
	old_ledger
	pipelines_of_it
}
teardown() { bf_teardown; }

# In place of the migrated one that every test has.
old_ledger() {
	pg 'set client_min_messages = warning; drop schema bf cascade'
	psql -Xq -v ON_ERROR_STOP=1 -d "$BF_DATABASE_URL" -f "$bf_top/tests/support/ledger_0004.sql" >/dev/null
}

# What the ledger has pinned is read from there; programs, and what a run planned from now on reads, from here.
pipelines_of_it() {
	export BF_PIPELINES=$BATS_TEST_TMPDIR/pipelines
	pg "update bf.run set dir = replace(dir, '/srv/pipelines', '$BF_PIPELINES')"
	pipeline walk <<<'{"pipeline": "walk", "chunk": {"size": 10}, "steps": [{"name": "walk", "kind": "exec", "argv": ["bin/walk"]}]}'
	printf '#!/bin/sh\necho "$BF_SINCE from $BF_CHECKPOINT" >>%q\n' "$BATS_TEST_TMPDIR/walked" >"$BF_PIPELINES/walk/bin/walk"
	chmod +x "$BF_PIPELINES/walk/bin/walk"
}

effects() { pg "select count(*) || ' ' || count(distinct chunk) from effect where run = '$1' and step = '$2'"; } # RUN STEP
asked() { is 1 "select count(*) from bf.step where run = '$1' and step = 'sign' and asked_at is not null"; }      # RUN
sign() {                                                                                                          # RUN
	wait_until "asked $1"
	enqueue approve "$1" sign --by=Owner
	wait_for_end "$1"
	assert_same "$1" done "$(run_state "$1")"
}

@test "a ledger in mid-run is migrated: what was done stays, what was at work goes on, each effect is there once" {
	pg "create table was_done as select run, step, seq, epoch, finished_at from bf.job where state = 'done'"
	run -0 enqueue migrate
	[[ $output = *'applied 0005_'* ]]
	run -0 enqueue migrate
	[[ $output != *applied* ]]
	start_worker
	sign days.mid
	wait_for_end keys.mid
	wait_for_end walk.mid

	pg 'delete from bad'
	enqueue retry days.failed >/dev/null
	sign days.failed
	enqueue resume days.stopped >/dev/null
	sign days.stopped

	assert_same 'programs go on from where they were' $'2024-01-01 from 7\n2024-01-11 from 7' "$(sort "$BATS_TEST_TMPDIR/walked")"
	assert_same 'effects of days.mid' '60 60, 60 60, 1 1' "$(effects days.mid load), $(effects days.mid roll), $(effects days.mid total)"
	assert_same 'effects of days.failed' '10 10, 10 10' "$(effects days.failed load), $(effects days.failed roll)"
	assert_same 'effects of days.stopped' '10 10, 10 10' "$(effects days.stopped load), $(effects days.stopped roll)"
	assert_same 'effects of keys.mid' '60 60' "$(effects keys.mid send)"
	for run in days.done days.mid days.failed days.stopped keys.mid walk.mid; do
		oracle "$run"
	done
	assert_same 'what was done before, and is not as it was' '' "$(pg "
		select w.* from was_done w left join bf.job j using (run, step, seq)
		 where (j.state, j.epoch, j.finished_at) is distinct from ('done', w.epoch, w.finished_at)")"
}

schema_of() { # DATABASE
	pg_dump --schema=bf --schema-only --no-owner -d "$(database_url "$BF_TEST_SERVERS_URL" "$1")" | sed '/restrict/d'
}

@test "a ledger that was migrated has the schema of a new one" {
	enqueue migrate >/dev/null
	schema_of "$(pg 'select current_database()')" >"$BATS_TEST_TMPDIR/migrated"
	schema_of bf_template >"$BATS_TEST_TMPDIR/new"
	diff "$BATS_TEST_TMPDIR/new" "$BATS_TEST_TMPDIR/migrated"
}
