-- What a run has done in steps without a rollback file, which stays: their names and how many jobs.  $1 run
select s.step, s.kind, count(*) as jobs
  from bf.step s join bf.job j using (run, step)
 where s.run = $1::text and j.state = 'done' and s.kind in ('sql', 'exec', 'http')
   and not exists (select from bf.rollbacks b where b.run = s.run and b.step = s.step)
 group by s.ordinal, s.step, s.kind order by s.ordinal;
