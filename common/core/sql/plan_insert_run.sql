-- A new run, and who asked for it.
--   $1 run, $2 pipeline, $3 its hash, $4 its folder, $5 queue, $6 first day, $7 last day (or nulls),
--   $8, $9 parameters, $10, $11 those of the identity, $12, $13 the command's options (names and values),
--   $14 concurrency, $15 ms between two starts, $16 an array: who asked, the note or null,
--   how often the throttle is asked in ms, or null (until it has answered for the first time nothing is opened), and
--   whether it is a trial
with run as (
    insert into bf.run (run, pipeline, sha256, dir, queue, since, until, params, identity, options, concurrency, interval_ms, requested_by, note, throttle_ms, held_until, trial)
    values ($1::text, $2::text, $3::text, $4::text, $5::text, $6::date, $7::date, jsonb_object($8::text[], $9::text[]),
            jsonb_object($10::text[], $11::text[]), jsonb_object($12::text[], $13::text[]), $14::int, $15::float8,
            ($16::text[])[1], ($16::text[])[2], (($16::text[])[3])::bigint,
            clock_timestamp() + (2 * ($16::text[])[3]::bigint + 10000) * interval '1 millisecond', ($16::text[])[4]::boolean)
    returning run, requested_by, note
)
select bf.note(run, null, null, requested_by, 'plan', note) from run;
