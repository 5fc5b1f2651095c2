-- What is wrong with run :run, one line each; nothing when all is as promised.
select format('the run is %s', state) from bf.run where run = :'run' and state <> 'done';

select format('unknown run %s', :'run') where not exists (select from bf.run where run = :'run');

select format('step %s is %s', step, state) from bf.step where run = :'run' and state <> 'done';

select format('%s/%s is %s', step, chunk, state) from bf.job where run = :'run' and state <> 'done' order by step, seq;

select format('%s: planned %s, jobs %s, numbered %s to %s', s.step, s.planned, count(j.seq), min(j.seq), max(j.seq))
  from bf.step s left join bf.job j using (run, step)
 where s.run = :'run'
 group by s.run, s.step
having count(j.seq) <> s.planned or (s.planned > 0 and (min(j.seq), max(j.seq)) <> (1, s.planned));

select format('%s: %s and %s overlap', a.step, a.chunk, b.chunk)
  from bf.job a join bf.job b on a.run = b.run and a.step = b.step and a.seq < b.seq
   and daterange(a.since, a.until, '[]') && daterange(b.since, b.until, '[]')
 where a.run = :'run' and a.key is null and b.key is null;

select format('%s: key %s stands twice', step, key) from bf.job where run = :'run' and key is not null group by step, key having count(*) > 1;

-- the union of done chunks, of all runs, against what was asked for
select format('%s: not done: %s', s.step, datemultirange(daterange(r.since, r.until, '[]')) - coalesce(c.done, '{}'))
  from bf.run r join bf.step s using (run)
  left join bf.coverage c on c.pipeline = r.pipeline and c.step = s.step and c.identity = r.identity
 where r.run = :'run' and r.since is not null and s.planned > 0 and s.kind <> 'check'
   and not coalesce(c.done, '{}') @> daterange(r.since, r.until, '[]');

select format('%s/%s was settled outside of its run''s time', step, chunk)
  from bf.job j join bf.run r using (run)
 where run = :'run' and r.finished_at is not null and j.finished_at > r.finished_at;
