-- How long the jobs of a pipeline's steps took, in ms: of the last five runs, at most 500 done jobs of each step.  $1 pipeline
with runs as (
    select run from bf.run where pipeline = $1::text order by created_at desc limit 5
), took as (
    select s.step, extract(epoch from j.finished_at - j.started_at) * 1000 as ms, j.until - j.since + 1 as days
      from runs r join bf.step s using (run)
     cross join lateral (select * from bf.job j where j.run = s.run and j.step = s.step and j.state = 'done' and j.started_at is not null
                          order by j.seq limit 500) j
     where s.kind not in ('approval', 'soak') and j.finished_at >= j.started_at
)
select step, count(*) as jobs, avg(ms)::float8 as ms_a_job, (sum(ms) filter (where days > 0) / sum(days))::float8 as ms_a_day
  from took group by step;
