-- The days of a pipeline's steps by what became of them over all runs, as ranges: first and last day, both inclusive.
--   $1 pipeline, $2 step or null (all that are no checks).
-- what: asked | done | failed | running. A day may be in several; done outweighs running, and running outweighs failed.
-- identity: the parameters that coverage belongs to, as JSON.
with jobs as materialized (
    select j.step, r.identity, s.ordinal, r.created_at, j.since, j.until, j.state
      from bf.run r join bf.step s using (run) join bf.job j using (run, step)
     where r.pipeline = $1::text and j.since is not null
       and case when $2::text is null then s.kind <> 'check' else s.step = $2::text end
), places as (
    select step, (array_agg(ordinal order by created_at desc))[1] as ordinal from jobs group by step
), days as (
    select step, identity, 'asked' as what, range_agg(daterange(since, until, '[]')) as days from jobs group by step, identity
    union all
    select step, identity, state, range_agg(daterange(since, until, '[]')) from jobs
     where state in ('done', 'failed', 'running') group by step, identity, state
)
select d.step, d.identity::text as identity, d.what, lower(piece) as first, upper(piece) - 1 as last
  from days d join places p using (step)
 cross join lateral unnest(d.days) as piece
 order by p.ordinal, d.step, d.identity, d.what, lower(piece);
