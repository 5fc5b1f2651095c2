-- The checks and soaks of a pipeline that have failed the last time they were asked about these days, and in which run: what a plan of
-- what failed finds nothing of, for they are no days or keys.
--   $1 pipeline, $2, $3 names and values of the identity's parameters, $4 first day, $5 last day (or nulls)
with last_word as (
    select distinct on (s.step) s.step, s.ordinal, s.state, r.run
      from bf.run r join bf.step s using (run)
     where r.pipeline = $1::text and r.identity = jsonb_object($2::text[], $3::text[]) and not r.trial
       and s.per_run and s.kind in ('check', 'soak') and s.state in ('done', 'failed')
       and (r.since is null or (r.since <= $5::date and r.until >= $4::date))
     order by s.step, r.created_at desc
)
select step, run from last_word where state = 'failed' order by ordinal;
