-- What each role may do with the ledger, and nothing more: by its owner, after each `enqueue migrate`, at any time.
--
--   psql -X "$BF_DATABASE_URL" -f deploy/postgresql/grants.sql       as backfill_owner
--
-- What the steps' own SQL reads and writes is granted to backfill_worker by whoever owns those tables.
\set ON_ERROR_STOP on
begin;

revoke all on all tables in schema bf from public, backfill_worker, backfill_operator, backfill_reader;
revoke all on all functions in schema bf from public, backfill_worker, backfill_operator, backfill_reader;
revoke all on schema bf from public, backfill_worker, backfill_operator, backfill_reader;
grant usage on schema bf to backfill_worker, backfill_operator, backfill_reader;

-- worker: opens, settles and advances what was planned. What was planned, and what was once recorded of a try or an event, it cannot change.
grant select on bf.migration, bf.meta, bf.pipeline, bf.run, bf.step, bf.job, bf.check_result to backfill_worker;
grant update (generation) on bf.meta to backfill_worker;
grant update (state, version, cancelling, finished_at, throttle_at, held_until, held_since, held_reason) on bf.run to backfill_worker;
grant update (state, halted, floor, upto, asked_at, released_at, finished_at) on bf.step to backfill_worker;
grant update (state, epoch, attempts, crashes, deaths, alone, not_before, worker, backend_pid, backend_start, started_at, finished_at, rows,
              progress_done, progress_total, progress_number, checkpoint, note, error_category, error, split, over_hole) on bf.job to backfill_worker;
grant insert on bf.attempt, bf.event, bf.check_result, bf.split_wanted to backfill_worker;
grant select on bf.split_wanted to backfill_worker, backfill_operator;
grant execute on function bf.settle, bf.taken, bf.advance, bf.advance_settled, bf.first_unsettled, bf.let_chunks, bf.mark_over_hole, bf.split, bf.stops_others,
   bf.decide_approval, bf.cancel_part to backfill_worker;

-- operator: plans, and decides about what is planned.
grant select on bf.migration, bf.meta, bf.run, bf.step, bf.job, bf.attempt, bf.event, bf.check_result,
                bf.artifacts, bf.rollbacks, bf.progress, bf.failures, bf.coverage, bf.gaps, bf.unknown_outcomes to backfill_operator;
grant insert on bf.pipeline, bf.run, bf.step, bf.job, bf.event to backfill_operator;
grant update (generation) on bf.meta to backfill_operator;
grant update (state, version, cancelling, finished_at, closed_at) on bf.run to backfill_operator;
grant update (state, halted, floor, upto, plan_number, asked_at, released_at, finished_at) on bf.step to backfill_operator;
grant update (state, epoch, attempts, crashes, deaths, not_before, worker, finished_at, note, error_category, error, over_hole, redone) on bf.job
   to backfill_operator;
grant execute on function bf.advance, bf.advance_settled, bf.first_unsettled, bf.let_chunks, bf.mark_over_hole, bf.mark_done_without, bf.split, bf.stop, bf.resume, bf.cancel, bf.cancel_begin, bf.cancel_part, bf.cancel_rest, bf.retry, bf.taken, bf.approve, bf.stops_others, bf.decide_approval,
   bf.undo_begin, bf.undo_refusal, bf.expect_none, bf.undo, bf.close, bf.superseded_by, bf.shell_word to backfill_operator;

-- What is undone (`enqueue rollback`) is granted to backfill_operator, too, by whoever owns those tables.

-- reader: looks.
grant select on bf.migration, bf.meta, bf.run, bf.step, bf.job, bf.attempt, bf.event, bf.check_result,
                bf.artifacts, bf.rollbacks, bf.progress, bf.failures, bf.coverage, bf.gaps, bf.unknown_outcomes to backfill_reader;
grant execute on function bf.taken, bf.superseded_by, bf.shell_word to backfill_reader;

commit;
