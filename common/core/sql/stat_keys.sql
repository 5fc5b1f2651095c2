-- The keys that runs of a pipeline were asked for, as they came first.  $1 pipeline, $2 identity as JSON
select j.key
  from bf.run r join bf.job j using (run)
 where r.pipeline = $1::text and r.identity = $2::jsonb and not r.trial and j.key is not null
 group by j.key
 order by min(r.created_at), min(j.seq), j.key;
