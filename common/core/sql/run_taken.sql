-- How many jobs of a run are taken by other runs, and by which (three at most).  $1 run
select count(*) as taken, coalesce(array_to_string((array_agg(distinct taken_by))[:3], ', '), '') as taken_by
  from bf.job where run = $1::text and state = 'skipped' and taken_by is not null;
