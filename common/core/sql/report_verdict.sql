-- A soak as a whole, since its step was let go the last time.  $1 run, $2 step.  Times are ms since 1970; 0: not yet.
select s.state, coalesce(floor(extract(epoch from s.released_at) * 1000)::bigint, 0) as begin_ms,
       coalesce(floor(extract(epoch from s.finished_at) * 1000)::bigint, 0) as end_ms,
       count(distinct c.epoch) as samples, count(distinct c.epoch) filter (where c.outcome = 'fail') as failed,
       count(distinct c.epoch) filter (where c.outcome = 'warn') as warned,
       coalesce(min(j.error), min(j.note), '') as said
  from bf.step s
  left join bf.check_result c on c.run = s.run and c.step = s.step and c.at >= s.released_at
  left join bf.job j on j.run = s.run and j.step = s.step and j.seq = 1
 where s.run = $1::text and s.step = $2::text
 group by s.run, s.step;
