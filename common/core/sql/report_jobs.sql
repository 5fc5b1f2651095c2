-- A page of a step's jobs for a report, in order.  $1 run, $2 step, $3 after this seq, $4 at most so many.  Times are ms since 1970.
-- tries: all that were made, over every retry, those that were handed back excepted. http_status: of the last answer, which an http job's
-- note begins with. keyed: the job is of a key.
select j.step, j.seq, j.chunk, j.key is not null as keyed, j.state,
       (select count(*) from bf.attempt a where a.run = j.run and a.step = j.step and a.seq = j.seq)
           + (j.state in ('done', 'running', 'undone'))::int as tries,
       j.attempts as failed_tries,
       case when s.kind = 'http' then substring(j.note from '^HTTP ([0-9]{3})\M')::int end as http_status,
       floor(extract(epoch from j.started_at) * 1000)::bigint as started_ms,
       floor(extract(epoch from j.finished_at) * 1000)::bigint as finished_ms,
       j.rows, j.checkpoint, j.note, j.error_category, j.error
  from bf.job j join bf.step s using (run, step)
 where j.run = $1::text and j.step = $2::text and j.seq > $3::int
 order by j.seq limit $4::int;
