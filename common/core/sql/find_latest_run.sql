-- The run of a pipeline that was asked for last.  $1 pipeline
select run from bf.run where pipeline = $1::text order by created_at desc, run desc limit 1;
