-- Moves a run on as far as its jobs allow (PROTOCOL L10); the run's state, or null when there is no such run.  $1 run
-- Behind the gate that open_jobs.sql has.
select bf.advance($1::text) as state
  from (select pg_advisory_xact_lock(hashtext('bf.run'), hashtext($1::text)) offset 0) gate;
