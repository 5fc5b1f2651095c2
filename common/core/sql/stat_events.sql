-- A page of what happened to a run, oldest first.  $1 run, $2 after this event's id, $3 at most so many.  Time in ms since 1970.
select id, floor(extract(epoch from at) * 1000)::bigint as at_ms, who, what, coalesce(step, '') as step, coalesce(chunk, '') as chunk,
       coalesce(note, '') as note, coalesce(role::text, '') as role
  from bf.event where run = $1::text and id > $2::bigint order by id limit $3::int;
