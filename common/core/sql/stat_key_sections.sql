-- The steps of a pipeline that work key by key, each with each identity that a run of it had.  $1 pipeline, $2 step or null
select s.step, r.identity::text as identity
  from bf.run r join bf.step s using (run)
 where r.pipeline = $1::text and r.since is null and not r.trial and not s.per_run
   and ($2::text is null or s.step = $2::text) and s.kind not in ('check', 'soak', 'approval')
 group by s.step, r.identity
 order by min(s.ordinal), s.step, r.identity;
