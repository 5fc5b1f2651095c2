-- Moves a run on as far as its jobs allow (PROTOCOL L10); the run's state, or null when there is no such run.  $1 run
select bf.advance($1::text) as state;
