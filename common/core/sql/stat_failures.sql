-- A page of what failed for good in a step, in order.  $1 run, $2 step, $3 after this seq, $4 at most so many.  Time in ms since 1970.
select step, seq, chunk, attempts, coalesce(error_category, '') as category, coalesce(error, '') as error,
       coalesce(output_tail, '') as output_tail, coalesce(worker, '') as worker, retry_with,
       floor(extract(epoch from finished_at) * 1000)::bigint as finished_ms
  from bf.failures
 where run = $1::text and step = $2::text and seq > $3::int
 order by seq limit $4::int;
