-- Runs for the list: those that need someone first, then those under way, then the ended ones; each newest first.
--   $1 at most so many, $2 only those in this state, $3 only those of this pipeline (NULL: any)
-- Counts are made only for the runs that are listed. Times are ms since 1970. Of `keys` there are as many as the longest step
-- that goes by keys has jobs. `given` are the parameters whose values are not the pipeline's defaults.
-- A job has only its last start: a run began with the first of its tries, or when a soak was released.
-- What failed needs nobody any more once the run is closed, or a later one has done it (superseded_by).
with ranked as (
    select r.*, count(*) over () as all_runs,
           (r.state in ('waiting', 'stopping', 'stopped')
            or (r.state = 'failed' and r.finished_at > now() - interval '7 days'
                and (r.closed_at >= r.finished_at) is not true)) as candidate,
           r.state not in ('done', 'failed', 'cancelled') as active
      from bf.run r
     where ($2::text is null or r.state = $2::text) and ($3::text is null or r.pipeline = $3::text)
), listed as materialized (
    select * from ranked order by candidate desc, active desc, created_at desc, run limit $1::int
), judged as (
    select l.*, l.candidate and s.by is null as attention, s.by as superseded_by
      from listed l
     cross join lateral (select case when l.candidate and l.state = 'failed' then bf.superseded_by(l.run) end as by) s
)
select l.run, l.pipeline, l.since, l.until, l.state, l.queue, l.all_runs, l.attention,
       coalesce(s.planned, 0) as planned,
       j.pending, j.running, j.done, j.failed, j.skipped, j.cancelled, j.undone, j.recent, j.taken,
       floor(extract(epoch from l.created_at) * 1000)::bigint as created_ms,
       floor(extract(epoch from case when j.started_at is not null then least(
           j.started_at, (select min(s.released_at) from bf.step s where s.run = l.run and s.kind = 'soak'
                             and exists (select from bf.job k where k.run = s.run and k.step = s.step and k.started_at is not null)),
           (select min(a.started_at) from bf.attempt a where a.run = l.run)) end) * 1000)::bigint as started_ms,
       floor(extract(epoch from l.finished_at) * 1000)::bigint as finished_ms,
       floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms,
       (l.state = 'failed' and l.closed_at >= l.finished_at) is true as closed, coalesce(l.superseded_by, '') as superseded_by,
       coalesce(l.held_until > clock_timestamp(), false) as held, g.gated,
       floor(extract(epoch from coalesce(j.active_at, l.created_at)) * 1000)::bigint as active_ms,
       s.keys, l.params, a.given
  from judged l
  left join lateral (
    select sum(planned)::bigint as planned,
           max(planned) filter (where (select key is not null from bf.job where run = s.run and step = s.step
                                        order by seq limit 1))::bigint as keys
      from bf.step s where s.run = l.run) s on true
  left join lateral (
    select given from bf.run_settings where run = l.run) a on true
 cross join lateral (select exists (select from bf.step where run = l.run and kind in ('approval', 'soak') and state in ('waiting', 'released')) as gated) g
 cross join lateral (
    select count(*) filter (where state = 'pending') as pending,
           count(*) filter (where state = 'running') as running,
           count(*) filter (where state = 'done') as done,
           count(*) filter (where state = 'failed') as failed,
           count(*) filter (where state = 'skipped') as skipped,
           count(*) filter (where state = 'cancelled') as cancelled,
           count(*) filter (where state = 'undone') as undone,
           count(*) filter (where state in ('done', 'failed') and finished_at > clock_timestamp() - interval '30 seconds') as recent,
           count(*) filter (where state = 'skipped' and taken_by is not null) as taken,
           min(started_at) as started_at, greatest(max(started_at), max(finished_at)) as active_at
      from bf.job where run = l.run) j
 order by l.attention or (l.active and j.failed > 0) desc, l.active desc, l.created_at desc, l.run;
