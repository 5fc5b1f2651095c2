-- Of the jobs named, those that are still not settled.  $1 run, $2 steps, $3 seqs
-- limit 1: each is looked up by its key, whatever the planner thinks of a table that it has no statistics of.
select j.step, j.seq, j.chunk, case when j.state = 'running' then coalesce(j.worker, '') else '' end as worker
  from unnest($2::text[], $3::int[]) as a (step, seq)
 cross join lateral (select * from bf.job j where j.run = $1::text and j.step = a.step and j.seq = a.seq limit 1) j
 where j.state in ('pending', 'running');
