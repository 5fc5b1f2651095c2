-- The tries of a run that did not end in done, by their category.  $1 run
select step, category, count(*) as tries, count(distinct seq) as jobs, min(error) as example
  from bf.attempt where run = $1::text group by step, category order by step, category;
