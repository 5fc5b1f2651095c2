-- The steps of a run in order, and how many of their jobs are in which state.  $1 run.  Times are ms since 1970;
-- recent: settled in the last 30 seconds; over_hole: done although something before was not there, and not done again by another run since;
-- asked_count, units: where a limit has left something, how many days or keys were asked for, and how many have a job;
-- taken: of those that are skipped, what another run has by now, and which run or runs (three at most);
-- split: those whose days other jobs have.
-- A job has only its last start: a step began with the first of its tries, and a soak when it was released.
-- One pass over the run's jobs.
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
           count(*) filter (where state = 'done' and over_hole) as over_hole,
           count(*) filter (where state = 'skipped' and taken_by is not null) as taken,
           count(*) filter (where state = 'skipped' and split) as split,
           (array_agg(distinct taken_by) filter (where state = 'skipped' and taken_by is not null))[:3] as taken_by,
           min(started_at) as started_at, greatest(max(started_at), max(finished_at)) as active_at,
           sum(case when since is null then 1 else until - since + 1 end) filter (where split is not true) as units
      from bf.job where run = $1::text group by step)
select s.step, s.kind, s.state, s.planned, array_to_string(s.needs, ' ') as needs,
       coalesce(c.pending, 0), coalesce(c.running, 0), coalesce(c.done, 0), coalesce(c.failed, 0), coalesce(c.skipped, 0),
       coalesce(c.cancelled, 0), coalesce(c.undone, 0), coalesce(c.recent, 0),
       floor(extract(epoch from case when c.started_at is not null then least(
           c.started_at, case when s.kind = 'soak' then s.released_at end,
           (select min(a.started_at) from bf.attempt a where a.run = s.run and a.step = s.step)) end) * 1000)::bigint as started_ms,
       floor(extract(epoch from s.finished_at) * 1000)::bigint as finished_ms,
       floor(extract(epoch from s.asked_at) * 1000)::bigint as asked_ms, s.timeout_ms, s.on_timeout, s.review,
       coalesce(h.n, 0) as over_hole, h.first as hole_first, h.last as hole_last,
       s.asked_count, case when s.asked_count is not null then coalesce(c.units, 0) end as units,
       floor(extract(epoch from s.released_at) * 1000)::bigint as released_ms,
       floor(extract(epoch from c.active_at) * 1000)::bigint as active_ms,
       s.soak_ms,
       coalesce(c.taken, 0) as taken, coalesce(array_to_string(c.taken_by, ', '), '') as taken_by,
       coalesce(c.split, 0) as split
  from bf.step s left join counted c using (step)
 left join lateral (
       select count(*) as n, coalesce(min(since)::text, (array_agg(chunk order by seq))[1]) as first,
              coalesce(max(until)::text, (array_agg(chunk order by seq desc))[1]) as last
         from bf.job j where j.run = s.run and j.step = s.step and j.state = 'done' and j.over_hole and c.over_hole > 0
          and j.seq not in (select bf.taken(s.run, s.step))
  ) h on true
 where s.run = $1::text
 order by s.ordinal;
