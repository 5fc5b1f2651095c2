-- A step of a new run.
--   $1 run, $2 step, $3 ordinal, $4 kind, $5 number of jobs, $6 needs, $7 on_failure, $8 concurrency (0: only the run's), $9 chronological,
--   $10 one job for the whole run, $11 ms that a person is asked, $12 and what then, $13 the part of its jobs that may fail (or nulls),
--   $14 what the person should look at, or null, $15 whether a chunk that failed is split in two,
--   $16 those of its needs for which a chunk waits by chunks, $17 days, or keys, that a chunk looks back at,
--   $18 the days that are missing, and $19 how many, or keys, where a limit has left some for later (or nulls), $20 ms that a soak lasts, or null
insert into bf.step (run, step, ordinal, kind, planned, needs, on_failure, concurrency, chronological, per_run, timeout_ms, on_timeout,
                     max_failed_ratio, review, split, by_chunk, upto, lookback, asked, asked_count, soak_ms)
values ($1::text, $2::text, $3::int, $4::text, $5::int, $6::text[], $7::text, $8::int, $9::boolean, $10::boolean, $11::bigint, $12::text,
        $13::float8, $14::text, $15::boolean, $16::text[], case when $16::text[] <> '{}' then 0 end, $17::int, $18::datemultirange, $19::bigint, $20::bigint);
