-- A stopped run goes on; the run's state.  $1 run, $2 who, $3 note
select bf.resume($1::text, $2::text, $3::text) as state;
