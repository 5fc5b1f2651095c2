-- A run by its name.  $1 run
select run, pipeline, state from bf.run where run = $1::text;
