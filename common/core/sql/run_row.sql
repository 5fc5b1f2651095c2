-- A run as the queue needs to know it.  $1 run, $2 whether to look for its last start, which takes a look at each of its jobs
select r.run, r.pipeline, r.since, r.until, r.queue, r.state, r.version, r.concurrency, r.interval_ms,
       to_char(r.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as created_at,
       case when $2::boolean and r.interval_ms > 0 then -- restores the rate after a rebuild
           (select ceil(extract(epoch from clock_timestamp() - max(j.started_at)) * 1000)::bigint from bf.job j where j.run = r.run) end
           as since_last_start_ms
  from bf.run r where r.run = $1::text;
