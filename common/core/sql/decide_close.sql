-- Nothing more comes of what failed in a run; the run's state.  $1 run, $2 who, $3 note
select bf.close($1::text, $2::text, $3::text) as state;
