-- Runs for the list: those that need someone first, then those under way, then the ended ones; each newest first.
--   $1 at most so many.  Counts are made only for the runs that are listed. Times are ms since 1970.
with ranked as (
    select r.*, count(*) over () as all_runs,
           (r.state in ('waiting', 'stopping', 'stopped')
            or (r.state = 'failed' and r.finished_at > now() - interval '7 days')) as attention,
           r.state not in ('done', 'failed', 'cancelled') as active
      from bf.run r
), listed as (
    select * from ranked order by attention desc, active desc, created_at desc, run limit $1::int
)
select l.run, l.pipeline, l.since, l.until, l.state, l.queue, l.all_runs, l.attention,
       coalesce(s.planned, 0) as planned,
       j.pending, j.running, j.done, j.failed, j.skipped, j.cancelled, j.undone, j.recent,
       floor(extract(epoch from l.created_at) * 1000)::bigint as created_ms,
       floor(extract(epoch from j.started_at) * 1000)::bigint as started_ms,
       floor(extract(epoch from l.finished_at) * 1000)::bigint as finished_ms,
       floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms
  from listed l
  left join lateral (select sum(planned)::bigint as planned from bf.step where run = l.run) s on true
 cross join lateral (
    select count(*) filter (where state = 'pending') as pending,
           count(*) filter (where state = 'running') as running,
           count(*) filter (where state = 'done') as done,
           count(*) filter (where state = 'failed') as failed,
           count(*) filter (where state = 'skipped') as skipped,
           count(*) filter (where state = 'cancelled') as cancelled,
           count(*) filter (where state = 'undone') as undone,
           count(*) filter (where state in ('done', 'failed') and finished_at > clock_timestamp() - interval '30 seconds') as recent,
           min(started_at) as started_at
      from bf.job where run = l.run) j
 order by l.attention or (l.active and j.failed > 0) desc, l.active desc, l.created_at desc, l.run;
