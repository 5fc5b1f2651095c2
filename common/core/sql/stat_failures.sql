-- A page of what failed for good, in order.  $1 run, $2 step or null, $3 after this step's ordinal (-1: from the beginning) and
-- $4 this seq, $5 at most so many.  Time in ms since 1970.
select f.ordinal, f.step, f.seq, f.chunk, f.attempts, coalesce(f.error_category, '') as category, coalesce(f.error, '') as error,
       coalesce(f.output_tail, '') as output_tail, coalesce(f.worker, '') as worker, f.retry_with,
       floor(extract(epoch from f.finished_at) * 1000)::bigint as finished_ms
  from bf.failures f
 where f.run = $1::text and ($2::text is null or f.step = $2::text) and (f.ordinal, f.seq) > ($3::int, $4::int)
 order by f.ordinal, f.seq limit $5::int;
