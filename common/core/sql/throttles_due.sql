-- The runs whose throttle is to be asked now; asked by whoever gets the row, and by nobody else before the interval is over.  $1 queues
with due as materialized (
    select run from bf.run
     where throttle_ms is not null and state in ('queued', 'running') and queue = any ($1::text[])
       and (throttle_at is null or throttle_at + throttle_ms * interval '1 millisecond' <= clock_timestamp() or throttle_at > clock_timestamp())
     order by run
), gates as materialized ( -- open_jobs.sql has them
    select run, pg_advisory_xact_lock(hashtext('bf.run'), hashtext(run)) from due
)
update bf.run r set throttle_at = clock_timestamp()
  from gates g, bf.pipeline p
 where r.run = g.run and r.throttle_ms is not null and r.state in ('queued', 'running') and r.queue = any ($1::text[])
   and (r.throttle_at is null or r.throttle_at + r.throttle_ms * interval '1 millisecond' <= clock_timestamp()
        or r.throttle_at > clock_timestamp()) -- the clock went back
   and p.sha256 = r.sha256
returning r.run, p.body -> 'files' ->> (p.body -> 'throttle' ->> 'file') as sql, p.body -> 'throttle' ->> 'file' as file, r.throttle_ms;
