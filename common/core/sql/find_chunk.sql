-- The steps of a run that have a chunk.  $1 run, $2 chunk
select j.step, j.state from bf.job j where j.run = $1::text and j.chunk = $2::text order by j.step;
