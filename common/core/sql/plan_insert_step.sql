-- A step of a new run.
--   $1 run, $2 step, $3 ordinal, $4 kind, $5 number of jobs, $6 needs, $7 on_failure, $8 concurrency (0: only the run's), $9 chronological,
--   $10 one job for the whole run
insert into bf.step (run, step, ordinal, kind, planned, needs, on_failure, concurrency, chronological, per_run)
values ($1::text, $2::text, $3::int, $4::text, $5::int, $6::text[], $7::text, $8::int, $9::boolean, $10::boolean);
