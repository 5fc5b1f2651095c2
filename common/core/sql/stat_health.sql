-- The runs that an operator should know of when asking how the installation is: those that are not ended, and those that have
-- failed within seven days. `ready`: jobs that could start now. `still_ms`: since when nothing of a run that has ready jobs,
-- and none running, has started or ended; a run with a rate may stand still for its interval.
select r.run, r.queue, r.state, coalesce(j.ready, 0) as ready, coalesce(j.running, 0) as running,
       case when r.state in ('queued', 'running') and r.held_reason is null and j.ready > 0 and j.running = 0
            then greatest(0, floor(extract(epoch from clock_timestamp() - greatest(r.created_at, j.moved_at)) * 1000
                                   - r.interval_ms))::bigint
            else 0 end as still_ms,
       r.held_reason is not null as held
  from bf.run r
 cross join lateral (
    select sum(c.ready)::bigint as ready, sum(c.running)::bigint as running, max(c.moved_at) as moved_at
      from bf.step s
     cross join lateral (
        select count(*) filter (where state = 'pending' and (not_before is null or not_before < clock_timestamp())) as ready,
               count(*) filter (where state = 'running') as running,
               greatest(max(started_at), max(finished_at)) as moved_at
          from bf.job where run = s.run and step = s.step and seq >= s.floor) c
     where s.run = r.run and s.state = 'released') j
 where r.state not in ('done', 'failed', 'cancelled') or (r.state = 'failed' and r.finished_at > now() - interval '7 days')
 order by r.created_at, r.run limit 1000;
