-- The days of a pipeline's steps by what became of them over all runs, as ranges: first and last day, both inclusive.
--   $1 pipeline, $2 step or null (all that work day by day: no checks, soaks, approvals, and none per run).
-- what: asked | done | failed | running. A day may be in several; done outweighs running, and running outweighs failed.
-- Asked for is what was planned, and what a run with a limit has left for later. What a trial did does not count.
-- identity: the parameters that coverage belongs to, as JSON.
with steps as (
    select s.run, s.step, s.ordinal, s.asked, r.identity
      from bf.run r join bf.step s using (run)
     where r.pipeline = $1::text and not r.trial
       and case when $2::text is null then s.kind not in ('check', 'soak', 'approval') and not s.per_run else s.step = $2::text end
), planned as (
    select s.step, s.identity, s.ordinal,
           range_agg(daterange(j.since, j.until, '[]')) as asked,
           range_agg(daterange(j.since, j.until, '[]')) filter (where j.state = 'done') as done,
           range_agg(daterange(j.since, j.until, '[]')) filter (where j.state = 'failed') as failed,
           range_agg(daterange(j.since, j.until, '[]')) filter (where j.state = 'running') as running
      from steps s join bf.job j using (run, step)
     where j.since is not null
     group by s.step, s.identity, s.ordinal
), pieces as (
    select step, identity, ordinal, what, piece
      from planned
     cross join lateral (values ('asked', asked), ('done', done), ('failed', failed), ('running', running)) as w (what, days)
     cross join lateral unnest(w.days) as piece
    union all
    select step, identity, ordinal, 'asked', piece from steps cross join lateral unnest(asked) as piece
), merged as (
    select step, identity, what, min(ordinal) as ordinal, range_agg(piece) as days from pieces group by step, identity, what
)
select m.step, m.identity::text as identity, m.what, lower(piece) as first, upper(piece) - 1 as last
  from merged m
 cross join lateral unnest(m.days) as piece
 order by min(m.ordinal) over (partition by m.step), m.step, m.identity, m.what, lower(piece);
