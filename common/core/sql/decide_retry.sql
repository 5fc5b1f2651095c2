-- Opens failed and cancelled jobs again; how many.  $1 run, $2 step or null, $3 chunk or null, $4 who, $5 note,
-- $6 also what was done without them
-- A run that is being cancelled is, before that.
select bf.retry($1::text, $2::text, $3::text, $4::text, $5::text, $6::boolean) as jobs
  from (select bf.cancel_rest($1::text) from (select pg_advisory_xact_lock(hashtext('bf.run'), hashtext($1::text)) offset 0) gate offset 0) rest; -- open_jobs.sql has the gate
