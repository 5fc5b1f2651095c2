-- What a run's throttle said.  $1 run, $2 why it is held back, or null
-- The hold ends by itself a while after nobody asks any more.
with before as (
    select run, held_reason from bf.run, (select pg_advisory_xact_lock(hashtext('bf.run'), hashtext($1::text)) offset 0) gate -- open_jobs.sql has it
     where run = $1::text for no key update of run
), now as (
    update bf.run r
       set held_until = case when $2::text is not null
                             then clock_timestamp() + (2 * r.throttle_ms + 10000) * interval '1 millisecond' end,
           held_since = case when $2::text is not null then coalesce(r.held_since, clock_timestamp()) end,
           held_reason = $2::text
      from before b where r.run = b.run
)
select bf.note(run, null, null, 'throttle', case when $2::text is null then 'let go' else 'held back' end, $2::text)
  from before where (held_reason is null) <> ($2::text is null);
