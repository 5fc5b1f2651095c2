-- The number of rows that sql jobs have changed. It is known to the client only after the job's own commit, so it is noted
-- right behind it: a worker that dies in between leaves it null (not known).
--   $1 runs, $2 steps, $3 seqs (sorted), $4 epochs, $5 rows
update bf.job j set rows = g.rows
  from (select * from unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::bigint[]) as g (run, step, seq, epoch, rows)) g
 where j.run = g.run and j.step = g.step and j.seq = g.seq and j.epoch = g.epoch and j.state = 'done';
