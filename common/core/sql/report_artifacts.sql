-- The files that a run's pipeline wants to be written about it; `step`: the first of those that it is about, or ''.  $1 run
select file, what, coalesce(steps[1], '') as step, size, "array", steps::text as steps from bf.artifacts where run = $1::text order by file;
