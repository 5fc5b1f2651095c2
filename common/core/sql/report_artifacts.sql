-- The files that a run's pipeline wants to be written about it.  $1 run
select file, what, step, size from bf.artifacts where run = $1::text order by file;
