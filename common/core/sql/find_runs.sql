-- The latest runs and the pipelines, to suggest one.  $1 at most so many of each
(select run from bf.run order by created_at desc, run limit $1::int)
union all
(select distinct pipeline from bf.run limit $1::int);
