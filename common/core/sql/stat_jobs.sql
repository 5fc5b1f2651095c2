-- A page of a run's jobs, in order.  $1 run, $2 state or null, $3 step or null, $4 after this step's ordinal (-1: from the
-- beginning) and $5 this seq, $6 at most so many.  Times are ms since 1970.
select s.ordinal, j.step, j.seq, j.chunk, j.state, j.attempts, j.epoch, coalesce(j.worker, '') as worker,
       floor(extract(epoch from j.started_at) * 1000)::bigint as started_ms,
       floor(extract(epoch from j.finished_at) * 1000)::bigint as finished_ms,
       floor(extract(epoch from j.not_before) * 1000)::bigint as not_before_ms,
       j.rows, j.progress_done, j.progress_total, j.checkpoint, j.note, j.error_category, j.error
  from (select step, ordinal from bf.step
         where run = $1::text and ($3::text is null or step = $3::text) and ordinal >= $4::int) s
 cross join lateral (select * from bf.job j
                      where j.run = $1::text and j.step = s.step and j.seq > case when s.ordinal = $4::int then $5::int else 0 end
                        and ($2::text is null or j.state = $2::text)
                      order by j.seq limit $6::int) j
 order by s.ordinal, j.seq limit $6::int;
