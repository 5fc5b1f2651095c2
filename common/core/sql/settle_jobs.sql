-- Settle (PROTOCOL L4): what became of jobs that this worker had opened, one row for every input, in the order given.
--   $1 runs, $2 steps, $3 seqs (sorted), $4 epochs, $5 outcomes: done | failed | retry | return,
--   $6 delays in ms (retry, return; 0: none), $7 rows, $8 error categories, $9 error texts (of a return: why the job is put off,
--   which is counted; null: it is handed back), $10 output tails, $11 checkpoints,
--   $12 notes, $13 and $14 progress (nulls leave what is there).
-- A row comes back with the job's state and epoch as they now are: the epoch given and a state other than running means that it
-- is settled (also when this is a repetition); another epoch means that the attempt was fenced off.
with given as materialized (
    select g.*, g.outcome = 'failed' and coalesce((select s.split from bf.step s where s.run = g.run and s.step = g.step), false) as splits
      from unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::text[],
                           $10::text[], $11::text[], $12::text[], $13::bigint[], $14::bigint[]) with ordinality
           as g (run, step, seq, epoch, outcome, delay_ms, rows, category, error, tail, checkpoint, note, progress_done, progress_total, ord)
), settled as ( -- locks, looks again at what has changed meanwhile, and changes, each row with one look at the index
    update bf.job j
       set state = case g.outcome when 'done' then 'done' when 'failed' then case when g.splits and j.since < j.until then 'skipped' else 'failed' end
                   else 'pending' end,
           split = j.split or g.splits and j.since < j.until,
           finished_at = case when g.outcome in ('done', 'failed') then clock_timestamp() end,
           attempts = j.attempts + (g.outcome in ('failed', 'retry'))::int,
           not_before = case when g.delay_ms > 0 then clock_timestamp() + g.delay_ms * interval '1 millisecond' end,
           rows = coalesce(g.rows, j.rows),
           checkpoint = coalesce(g.checkpoint, j.checkpoint),
           note = case when g.splits and j.since < j.until then 'failed, and is split in two' else coalesce(g.note, j.note) end,
           progress_done = coalesce(g.progress_done, j.progress_done),
           progress_total = coalesce(g.progress_total, j.progress_total),
           error_category = case when g.outcome in ('failed', 'retry') then g.category end,
           error = case when g.outcome in ('failed', 'retry') then g.error end,
           waits = case when g.outcome = 'return' then case when g.error is null then j.waits else coalesce(j.waits, 0) + 1 end end,
           waits_since = case when g.outcome = 'return' then
                              case when g.error is null then j.waits_since else coalesce(j.waits_since, clock_timestamp()) end end,
           waits_why = case when g.outcome = 'return' then coalesce(g.error, j.waits_why) end
      from given g
     where j.run = g.run and j.step = g.step and j.seq = g.seq and j.state = 'running' and j.epoch = g.epoch
    returning g.ord, g.outcome, g.category, g.error, g.tail, j.run, j.step, j.seq, j.epoch, j.state, j.worker, j.started_at
), others as materialized ( -- settled before, or fenced off; a lock shows them as they are now
    select g.ord, j.state, j.epoch
      from given g
      left join lateral (select j.state, j.epoch from bf.job j where j.run = g.run and j.step = g.step and j.seq = g.seq for no key update) j on true
     where g.ord not in (select s.ord from settled s)
), tried as (
    insert into bf.attempt (run, step, seq, epoch, worker, started_at, category, error, output_tail)
    select s.run, s.step, s.seq, s.epoch, s.worker, s.started_at, s.category, s.error, s.tail
      from settled s where s.outcome in ('failed', 'retry')
), wanted as ( -- bf.advance splits them
    insert into bf.split_wanted (run, step, seq) select s.run, s.step, s.seq from settled s where s.outcome = 'failed' and s.state = 'skipped'
        on conflict do nothing
), halted as (
    update bf.step s set halted = true
     where s.chronological and s.on_failure = 'halt' and s.max_failed_ratio is null and not s.halted -- a ratio: advance says
       and exists (select from settled f where f.outcome = 'failed' and f.run = s.run and f.step = s.step)
       and s.run = any ($1::text[]) and s.step = any ($2::text[])
)
select s.ord, s.state, s.epoch from settled s
 union all
select o.ord, o.state, o.epoch from others o
 order by ord;
