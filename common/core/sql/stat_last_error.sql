-- The latest try of a run that failed, the last line that it wrote, and what has become of its job since.  $1 run.  Time in ms since 1970.
select a.step, j.chunk, a.category, a.error, j.state, j.attempts,
       floor(extract(epoch from a.ended_at) * 1000)::bigint as at_ms,
       substring(rtrim(right(a.output_tail, 2000), E' \n\r\t') from '[^\n]*$') as said
  from bf.attempt a join bf.job j using (run, step, seq)
 where a.run = $1::text
 order by a.ended_at desc, a.step, a.seq limit 1;
