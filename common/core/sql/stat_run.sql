-- One run, as it was asked for.  $1 run.  Times are ms since 1970.
-- closed: void once the run has ended again later. again: the command that asks for the same once more.
select r.run, r.pipeline, r.since, r.until, r.state, r.queue, r.concurrency, r.params::text as params, r.requested_by, r.note,
       floor(extract(epoch from r.created_at) * 1000)::bigint as created_ms,
       floor(extract(epoch from r.finished_at) * 1000)::bigint as finished_ms,
       floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms,
       coalesce(r.held_reason, '') as held_reason,
       floor(extract(epoch from r.held_since) * 1000)::bigint as held_since_ms, r.throttle_ms, r.cancelling, r.trial,
       floor(extract(epoch from c.at) * 1000)::bigint as closed_ms, c.who as closed_by, c.note as closed_note,
       case when r.state = 'failed' then bf.superseded_by(r.run) end as superseded_by,
       bf.command_again(r) as again
  from bf.run r
  left join lateral (select e.at, e.who, e.note from bf.event e
                      where e.run = r.run and e.what = 'close' and r.closed_at >= r.finished_at order by e.id desc limit 1) c on true
 where r.run = $1::text;
