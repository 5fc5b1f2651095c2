-- What must be true of every run in the ledger at any moment, whatever has happened to it; one line for each thing that is not.

select format('%s is %s, and %s/%s is %s', r.run, r.state, j.step, j.chunk, j.state) -- I7
  from bf.run r join bf.job j using (run)
 where r.state in ('done', 'failed', 'cancelled') and j.state in ('pending', 'running');

select format('%s is done, and its step %s is %s', r.run, s.step, s.state)
  from bf.run r join bf.step s using (run)
 where r.state = 'done' and s.state not in ('done', 'skipped');

select format('%s/%s: planned %s, jobs %s, numbered %s to %s', s.run, s.step, s.planned, count(j.seq), min(j.seq), max(j.seq)) -- I1
  from bf.step s left join bf.job j using (run, step)
 group by s.run, s.step
having count(j.seq) <> s.planned or (s.planned > 0 and (min(j.seq), max(j.seq)) <> (1, s.planned));

select format('%s/%s: %s and %s overlap', a.run, a.step, a.chunk, b.chunk)
  from bf.job a join bf.job b on a.run = b.run and a.step = b.step and a.seq < b.seq
   and daterange(a.since, a.until, '[]') && daterange(b.since, b.until, '[]')
 where a.key is null and b.key is null;

select format('%s/%s: the key %s stands twice', run, step, key) from bf.job where key is not null group by run, step, key having count(*) > 1;

select format('%s/%s is running, and nobody has it', run, step) from bf.job where state = 'running' and worker is null;

-- What was done never changes unless a retry asks for it again (`redone`), and neither an epoch nor a checkpoint goes backwards (I4): by the
-- record that a trigger keeps, where there is one.
select to_regclass('public.history') is not null as recorded \gset
\if :recorded
select format('%s/%s went from %s in epoch %s at %s to %s in epoch %s at %s', run, step, state_before, epoch_before, checkpoint_before,
              state, epoch, checkpoint)
  from (select *, lag(epoch) over w as epoch_before, lag(state) over w as state_before, lag(checkpoint) over w as checkpoint_before,
               redone is not distinct from lag(redone) over w as not_asked
          from history window w as (partition by run, step, seq order by id)) h
 where epoch < epoch_before
    or (state_before = 'done' and not_asked and (state <> 'done' or epoch <> epoch_before))
    or (checkpoint_before is not null and checkpoint is null)
    or (checkpoint_before ~ '^\d+$' and checkpoint ~ '^\d+$' and checkpoint::int < checkpoint_before::int);
\endif
