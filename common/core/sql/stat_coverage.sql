-- The days of a pipeline's steps by what became of them over all runs, as ranges: first and last day, both inclusive.
--   $1 pipeline, $2 step or null (all that work day by day: no checks, soaks, approvals, and none per run).
-- what: asked | done | failed | running. A day may be in several; done outweighs running, and running outweighs failed.
-- identity: the parameters that coverage belongs to, as JSON.
with days as (
    select s.step, r.identity, min(s.ordinal) as ordinal,
           range_agg(daterange(j.since, j.until, '[]')) as asked,
           range_agg(daterange(j.since, j.until, '[]')) filter (where j.state = 'done') as done,
           range_agg(daterange(j.since, j.until, '[]')) filter (where j.state = 'failed') as failed,
           range_agg(daterange(j.since, j.until, '[]')) filter (where j.state = 'running') as running
      from bf.run r join bf.step s using (run) join bf.job j using (run, step)
     where r.pipeline = $1::text and j.since is not null
       and case when $2::text is null then s.kind not in ('check', 'soak', 'approval') and not s.per_run else s.step = $2::text end
     group by s.step, r.identity
)
select d.step, d.identity::text as identity, w.what, lower(piece) as first, upper(piece) - 1 as last
  from days d
 cross join lateral (values ('asked', asked), ('done', done), ('failed', failed), ('running', running)) as w (what, days)
 cross join lateral unnest(w.days) as piece
 order by min(d.ordinal) over (partition by d.step), d.step, d.identity, w.what, lower(piece);
