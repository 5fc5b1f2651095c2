-- The steps of a run, in order, as the queue needs to know them.  $1 run
select step, ordinal, state, planned, concurrency, chronological, plan_number, kind = 'soak' as soak,
       coalesce(upto, planned) as upto, by_chunk <> '{}' as waits_for_chunks
  from bf.step where run = $1::text order by ordinal;
