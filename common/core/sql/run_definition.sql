-- What a worker needs to run a run's jobs: a row for each parameter (one row with nulls when there is none).  $1 run
select coalesce(p.written, p.body::text) as body, r.dir, r.state, v.key as param, v.value
  from bf.run r join bf.pipeline p using (sha256)
  left join lateral jsonb_each_text(r.params) v on true
 where r.run = $1::text
 order by v.key;
