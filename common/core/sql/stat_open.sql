-- How many jobs of each of these steps are open of those that Redis should have: pushed there, and not behind what the step has to wait for.
--   $1 run, $2 steps, $3 how far each has been pushed
select a.step, (select count(*) from bf.job j
                 where j.run = $1::text and j.step = a.step and j.seq <= least(a.pushed, coalesce(s.upto, s.planned))
                   and j.state in ('pending', 'running')) as open
  from unnest($2::text[], $3::int[]) as a (step, pushed)
  join bf.step s on s.run = $1::text and s.step = a.step;
