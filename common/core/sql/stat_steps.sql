-- The steps of a run in order, and how many of their jobs are in which state.  $1 run.  Times are ms since 1970;
-- recent: settled in the last 30 seconds.  One pass over the run's jobs.
with counted as (
    select step,
           count(*) filter (where state = 'pending') as pending,
           count(*) filter (where state = 'running') as running,
           count(*) filter (where state = 'done') as done,
           count(*) filter (where state = 'failed') as failed,
           count(*) filter (where state = 'skipped') as skipped,
           count(*) filter (where state = 'cancelled') as cancelled,
           count(*) filter (where state = 'undone') as undone,
           count(*) filter (where state in ('done', 'failed') and finished_at > clock_timestamp() - interval '30 seconds') as recent,
           min(started_at) as started_at
      from bf.job where run = $1::text group by step)
select s.step, s.kind, s.state, s.planned, array_to_string(s.needs, ' ') as needs,
       coalesce(c.pending, 0), coalesce(c.running, 0), coalesce(c.done, 0), coalesce(c.failed, 0), coalesce(c.skipped, 0),
       coalesce(c.cancelled, 0), coalesce(c.undone, 0), coalesce(c.recent, 0),
       floor(extract(epoch from c.started_at) * 1000)::bigint as started_ms,
       floor(extract(epoch from s.finished_at) * 1000)::bigint as finished_ms,
       floor(extract(epoch from s.asked_at) * 1000)::bigint as asked_ms, s.timeout_ms, s.on_timeout, s.review
  from bf.step s left join counted c using (step)
 where s.run = $1::text
 order by s.ordinal;
