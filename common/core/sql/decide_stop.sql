-- Nothing more of a run is started; the run's state.  $1 run, $2 who, $3 note
select bf.stop($1::text, $2::text, $3::text) as state
  from (select pg_advisory_xact_lock(hashtext('bf.run'), hashtext($1::text)) offset 0) gate; -- open_jobs.sql has it
