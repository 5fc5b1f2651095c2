-- Jobs of a run that wait because something puts them off that counts as no try: how many, and the one that waits longest.
-- $1 run.  Times are ms since 1970.
select count(*) over () as jobs, j.step, j.chunk, j.waits, floor(extract(epoch from j.waits_since) * 1000)::bigint as since_ms, j.waits_why
  from bf.step s join bf.job j using (run, step)
 where s.run = $1::text and s.state = 'released' and j.seq >= s.floor and j.state in ('pending', 'running') and j.waits is not null
 order by j.waits_since, s.ordinal, j.seq limit 1;
