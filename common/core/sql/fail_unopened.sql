-- Jobs that nobody can open: their run's definition cannot be read, or a value in their row cannot be worked with. They
-- fail here, for good, with the reason; a retry tries them again.  $1 runs, $2 steps, $3 seqs: the jobs, each once,
-- sorted;  $4 category, $5 error;  $6 the worker. One row for every input, in the order given, with the state that the
-- job now is in ('' for one that is not there): one that is settled is left as it is.
-- Locks in the order of open_jobs: the gates, the runs, the jobs. The epoch rises as far as it can.
with gates as materialized (
    select pg_advisory_xact_lock_shared(hashtext('bf.run'), hashtext(run))
      from (select distinct run from unnest($1::text[]) as run order by run) g
), runs as materialized (
    select r.run from bf.run r where r.run = any ($1::text[]) and (select count(*) from gates) > 0 order by r.run for share
), asked as materialized (
    select a.* from unnest($1::text[], $2::text[], $3::int[]) with ordinality as a (run, step, seq, ord) left join runs using (run)
), failed as (
    update bf.job j
       set state = 'failed', epoch = least(j.epoch, 2147483646) + 1, attempts = least(j.attempts, 2147483646) + 1,
           finished_at = clock_timestamp(), not_before = null, error_category = $4::text, error = $5::text
      from asked a
     where j.run = a.run and j.step = a.step and j.seq = a.seq and j.state in ('pending', 'running')
    returning a.ord, j.run, j.step, j.seq, j.epoch, j.started_at
), tried as (
    insert into bf.attempt (run, step, seq, epoch, worker, started_at, category, error)
    select run, step, seq, epoch, $6::text, started_at, $4::text, $5::text from failed on conflict do nothing
), halted as (
    update bf.step s set halted = true
     where s.chronological and s.on_failure = 'halt' and s.max_failed_ratio is null and not s.halted
       and exists (select from failed f where f.run = s.run and f.step = s.step)
       and s.run = any ($1::text[]) and s.step = any ($2::text[])
)
select a.ord, case when f.ord is not null then 'failed' else coalesce(j.state, '') end as state
  from asked a
  left join failed f using (ord)
  left join bf.job j on j.run = a.run and j.step = a.step and j.seq = a.seq
 order by a.ord;
