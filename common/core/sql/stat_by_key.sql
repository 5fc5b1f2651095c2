-- Whether the latest run of a pipeline was cut by keys.  $1 pipeline
select since is null from bf.run where pipeline = $1::text order by created_at desc limit 1;
