-- Chunks of a run that begin as the given one does, to suggest one.  $1 run, $2 step or null, $3 beginning, $4 at most so many
select distinct j.chunk from bf.job j
 where j.run = $1::text and ($2::text is null or j.step = $2::text) and starts_with(j.chunk, $3::text)
 order by j.chunk limit $4::int;
