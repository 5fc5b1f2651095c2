-- What Redis must have of a run's released steps: the jobs that the ledger has as running, with their workers, and the first
-- pending ones of each step (worker ''), where a stranded job would be.
--   $1 run, $2 how many pending ones, $3 how far from the step's first unsettled job running ones are looked for (2147483647: everywhere)
-- Jobs are handed out in their order, a window at a time: where twice a window of them was never opened, the rest was not, either, and is not
-- looked at. So the cost is that of what is under way, not of the backlog.
with recursive looked (step, floor, width, first, running, opened) as (
    select s.step, s.floor, w.width, s.floor::bigint, p.running, p.opened
      from bf.step s join bf.run r using (run)
     cross join lateral (select case $3::int when 2147483647 then 2147483647 else greatest(2 * r.concurrency, 2000) end as width) w
     cross join lateral (select array_agg(j.seq) filter (where j.state = 'running') as running, bool_or(j.epoch > 0) as opened
                           from bf.job j where j.run = s.run and j.step = s.step and j.seq >= s.floor and j.seq < s.floor::bigint + w.width) p
     where s.run = $1::text and s.state = 'released'
    union all
    select l.step, l.floor, l.width, l.first + l.width, p.running, p.opened
      from looked l
     cross join lateral (select array_agg(j.seq) filter (where j.state = 'running') as running, bool_or(j.epoch > 0) as opened
                           from bf.job j where j.run = $1::text and j.step = l.step
                            and j.seq >= l.first + l.width and j.seq < l.first + 2 * l.width::bigint) p
     where l.opened and l.first + l.width - l.floor < $3::int
)
select j.step, j.seq, j.chunk, coalesce(j.worker, '') as worker
  from looked l cross join unnest(l.running) as at (seq)
 cross join lateral (select * from bf.job j where j.run = $1::text and j.step = l.step and j.seq = at.seq limit 1) j -- by its key
 where j.state = 'running'
union all
select p.step, p.seq, p.chunk, ''
  from bf.step s
 cross join lateral (select j.step, j.seq, j.chunk from bf.job j
                      where j.run = s.run and j.step = s.step and j.seq >= s.floor and j.state = 'pending'
                      order by j.seq limit $2::int) p
 where s.run = $1::text and s.state = 'released';
