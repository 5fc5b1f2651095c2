-- What the ledger has as running, oldest first.  $1 run, or null for all runs that are not ended.  Times are ms since 1970.
select j.run, j.step, j.seq, j.chunk, coalesce(j.worker, '') as worker, j.epoch, j.attempts,
       floor(extract(epoch from j.started_at) * 1000)::bigint as started_ms, j.progress_done, j.progress_total, j.note
  from bf.run r
  join bf.step s using (run)
  join bf.job j using (run, step)
 where (r.run = $1::text or ($1::text is null and r.state not in ('done', 'failed', 'cancelled')))
   and s.state = 'released' and j.seq >= s.floor and j.state = 'running'
 order by j.started_at, j.run, s.ordinal, j.seq;
