-- Settle (PROTOCOL L4): what became of jobs that this worker had opened, one row for every input, in the order given.
--   $1 runs, $2 steps, $3 seqs (sorted), $4 epochs, $5 outcomes: done | failed | retry | return,
--   $6 delays in ms (retry, return; 0: none), $7 rows, $8 error categories, $9 error texts, $10 output tails, $11 checkpoints,
--   $12 notes, $13 and $14 progress (nulls leave what is there).
-- A row comes back with the job's state and epoch as they now are: the epoch given and a state other than running means that it
-- is settled (also when this is a repetition); another epoch means that the attempt was fenced off.
with given as materialized (
    select g.* from unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::text[],
                           $10::text[], $11::text[], $12::text[], $13::bigint[], $14::bigint[]) with ordinality
           as g (run, step, seq, epoch, outcome, delay_ms, rows, category, error, tail, checkpoint, note, progress_done, progress_total, ord)
), found as materialized (
    select g.*, j.state as old_state, j.epoch as old_epoch, j.worker as held_by, j.started_at,
           j.state = 'running' and j.epoch = g.epoch as mine,
           g.outcome = 'failed' and j.since < j.until and coalesce((select s.split from bf.step s where s.run = g.run and s.step = g.step), false) as splits
      from given g
      left join lateral (select * from bf.job j where j.run = g.run and j.step = g.step and j.seq = g.seq for no key update) j on true
), settled as (
    update bf.job j
       set state = case f.outcome when 'done' then 'done' when 'failed' then case when f.splits then 'skipped' else 'failed' end else 'pending' end,
           split = case when f.splits then true else j.split end,
           finished_at = case when f.outcome in ('done', 'failed') then clock_timestamp() end,
           attempts = j.attempts + (f.outcome in ('failed', 'retry'))::int,
           not_before = case when f.delay_ms > 0 then clock_timestamp() + f.delay_ms * interval '1 millisecond' end,
           rows = coalesce(f.rows, j.rows),
           checkpoint = coalesce(f.checkpoint, j.checkpoint),
           note = case when f.splits then 'failed, and is split in two' else coalesce(f.note, j.note) end,
           progress_done = coalesce(f.progress_done, j.progress_done),
           progress_total = coalesce(f.progress_total, j.progress_total),
           error_category = case when f.outcome in ('failed', 'retry') then f.category end,
           error = case when f.outcome in ('failed', 'retry') then f.error end
      from found f
     where f.mine and j.run = f.run and j.step = f.step and j.seq = f.seq
), tried as (
    insert into bf.attempt (run, step, seq, epoch, worker, started_at, category, error, output_tail)
    select f.run, f.step, f.seq, f.epoch, f.held_by, f.started_at, f.category, f.error, f.tail
      from found f where f.mine and f.outcome in ('failed', 'retry')
), wanted as ( -- bf.advance splits them
    insert into bf.split_wanted (run, step, seq) select f.run, f.step, f.seq from found f where f.mine and f.splits on conflict do nothing
), halted as (
    update bf.step s set halted = true
     where s.chronological and s.on_failure = 'halt' and s.max_failed_ratio is null and not s.halted -- a ratio: advance says
       and exists (select from found f where f.mine and f.outcome = 'failed' and f.run = s.run and f.step = s.step)
       and s.run = any ($1::text[]) and s.step = any ($2::text[])
)
select f.ord,
       case when not f.mine then f.old_state when f.splits then 'skipped' when f.outcome in ('done', 'failed') then f.outcome else 'pending' end as state,
       f.old_epoch as epoch
  from found f
 order by f.ord;
