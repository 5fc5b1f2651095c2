-- One run, as it was asked for.  $1 run.  Times are ms since 1970.
select run, pipeline, since, until, state, queue, concurrency, params::text as params, requested_by, note,
       floor(extract(epoch from created_at) * 1000)::bigint as created_ms,
       floor(extract(epoch from finished_at) * 1000)::bigint as finished_ms,
       floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms,
       coalesce(held_reason, '') as held_reason,
       floor(extract(epoch from held_since) * 1000)::bigint as held_since_ms, throttle_ms, cancelling
  from bf.run where run = $1::text;
