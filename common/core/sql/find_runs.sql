-- The latest runs, to suggest one.  $1 at most so many
select run from bf.run order by created_at desc, run limit $1::int;
