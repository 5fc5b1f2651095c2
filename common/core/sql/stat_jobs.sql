-- A page of a step's jobs, in order.  $1 run, $2 step, $3 state or null, $4 after this seq, $5 at most so many.
-- Times are ms since 1970.
select step, seq, chunk, state, attempts, epoch, coalesce(worker, '') as worker,
       floor(extract(epoch from started_at) * 1000)::bigint as started_ms,
       floor(extract(epoch from finished_at) * 1000)::bigint as finished_ms,
       floor(extract(epoch from not_before) * 1000)::bigint as not_before_ms,
       rows, progress_done, progress_total, checkpoint, note, error_category, error, coalesce(over_hole, false) as over_hole
  from bf.job
 where run = $1::text and step = $2::text and seq > $4::int and ($3::text is null or state = $3::text)
 order by seq limit $5::int;
