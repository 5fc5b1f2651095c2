-- What Redis must have of a run's released steps: the jobs that the ledger has as running, with their workers, and the first
-- pending ones of each step (worker ''), where a stranded job would be.
--   $1 run, $2 how many pending ones, $3 how far from the step's first unsettled job running ones are looked for
select j.step, j.seq, j.chunk, coalesce(j.worker, '') as worker
  from bf.step s join bf.job j using (run, step)
 where s.run = $1::text and s.state = 'released' and j.seq >= s.floor and j.seq - s.floor < $3::int and j.state = 'running'
union all
select p.step, p.seq, p.chunk, ''
  from bf.step s
 cross join lateral (select j.step, j.seq, j.chunk from bf.job j
                      where j.run = s.run and j.step = s.step and j.seq >= s.floor and j.state = 'pending'
                      order by j.seq limit $2::int) p
 where s.run = $1::text and s.state = 'released';
