-- What each role may do with the ledger, and nothing more (docs/security.md). `enqueue migrate` runs it each
-- time, as the ledger's owner; where the roles of deploy/postgresql/roles.sql are not there, it does nothing.
-- What the steps' own SQL reads and writes is granted to backfill_worker by whoever owns those tables.
do $grants$
begin
    if (select count(*) from pg_catalog.pg_roles
         where rolname in ('backfill_worker', 'backfill_operator', 'backfill_reader')) < 3
       or not (select pg_catalog.pg_has_role(nspowner, 'usage') from pg_catalog.pg_namespace where nspname = 'bf') then
        return;
    end if;
    revoke all on all tables in schema bf from public, backfill_worker, backfill_operator, backfill_reader;
    revoke all on all functions in schema bf from public, backfill_worker, backfill_operator, backfill_reader;
    revoke all on schema bf from public, backfill_worker, backfill_operator, backfill_reader;
    grant usage on schema bf to backfill_worker, backfill_operator, backfill_reader;

    -- worker: opens and settles jobs, and asks the ledger to move runs on (bf.advance, by its owner's rights). What was planned, what
    -- was once recorded of a try or an event, and the states of runs and steps it cannot change.
    grant select on bf.migration, bf.meta, bf.pipeline, bf.run, bf.step, bf.job, bf.check_result, bf.split_wanted to backfill_worker;
    grant update (generation) on bf.meta to backfill_worker;
    grant update (throttle_at, held_until, held_since, held_reason) on bf.run to backfill_worker;
    grant update (halted) on bf.step to backfill_worker;
    grant update (state, epoch, attempts, crashes, deaths, alone, not_before, worker, backend_pid, backend_start, started_at, finished_at, rows,
                  progress_done, progress_total, progress_number, checkpoint, note, error_category, error, split, over_hole, waits, waits_since, waits_why)
       on bf.job to backfill_worker;
    grant insert on bf.attempt, bf.check_result, bf.split_wanted to backfill_worker;
    grant execute on function bf.settle, bf.advance, bf.note, bf.taken, bf.taken_days, bf.is_open, bf.split to backfill_worker;

    -- operator: plans (jobs are born pending, steps waiting, runs queued), and decides by functions that run by their owner's rights
    -- and record who was logged in.
    grant select on bf.migration, bf.meta, bf.run, bf.step, bf.job, bf.attempt, bf.event, bf.check_result, bf.split_wanted, bf.planning,
                    bf.artifacts, bf.rollbacks, bf.progress, bf.failures, bf.coverage, bf.gaps, bf.unknown_outcomes, bf.made_of, bf.run_settings to backfill_operator;
    grant insert on bf.pipeline to backfill_operator;
    grant insert (run, pipeline, sha256, dir, queue, since, until, params, identity, options, concurrency, interval_ms, requested_by, note,
                  throttle_ms, held_until, trial) on bf.run to backfill_operator;
    grant insert (run, step, ordinal, kind, planned, needs, on_failure, concurrency, chronological, per_run, timeout_ms, on_timeout,
                  max_failed_ratio, review, split, by_chunk, upto, lookback, asked, asked_count, soak_ms) on bf.step to backfill_operator;
    grant insert (run, step, seq, chunk, since, until, key, after, lookback_key) on bf.job to backfill_operator;
    grant update (generation) on bf.meta to backfill_operator;
    grant execute on function bf.advance, bf.note, bf.stop, bf.resume, bf.cancel, bf.cancel_rest, bf.retry, bf.approve, bf.taken, bf.taken_days, bf.is_open,
       bf.stale_days, bf.stale_keys, bf.lock_planning, bf.planning_slot,
       bf.close, bf.undo_begin, bf.undo_refusal, bf.expect_none, bf.undo, bf.superseded_by, bf.shell_word, bf.command_again to backfill_operator;

    -- What is undone (`enqueue rollback`) is granted to backfill_operator, too, by whoever owns those tables.

    -- reader: looks.
    grant select on bf.migration, bf.meta, bf.run, bf.step, bf.job, bf.attempt, bf.event, bf.check_result,
                    bf.artifacts, bf.rollbacks, bf.progress, bf.failures, bf.coverage, bf.gaps, bf.unknown_outcomes, bf.made_of, bf.run_settings, bf.split_wanted to backfill_reader;
    grant execute on function bf.taken, bf.taken_days, bf.is_open, bf.stale_days, bf.stale_keys, bf.superseded_by, bf.shell_word, bf.command_again to backfill_reader;
end $grants$;
