-- Cancels jobs of a run; how many. All of a large run (no step, no chunk) in parts, of which this is the first: advance.sql does the next one.
--   $1 run, $2 step or null, $3 chunk or null, $4 who, $5 note
select bf.cancel($1::text, $2::text, $3::text, $4::text, $5::text) as jobs
  from (select pg_advisory_xact_lock(hashtext('bf.run'), hashtext($1::text)) offset 0) gate; -- open_jobs.sql has it
