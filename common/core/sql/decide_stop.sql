-- Nothing more of a run is started; the run's state.  $1 run, $2 who, $3 note
select bf.stop($1::text, $2::text, $3::text) as state;
