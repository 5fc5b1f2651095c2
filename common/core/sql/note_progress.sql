-- Progress and checkpoints of running jobs (PROTOCOL L8): only of the attempt that holds the job, and never backwards.
--   $1 runs, $2 steps, $3 seqs (sorted), $4 epochs, $5 numbers (rising within an attempt),
--   $6 done, $7 total, $8 checkpoints, $9 notes (nulls leave what is there)
update bf.job j
   set progress_number = g.number, progress_done = coalesce(g.done, j.progress_done), progress_total = coalesce(g.total, j.progress_total),
       checkpoint = coalesce(g.checkpoint, j.checkpoint), note = coalesce(g.note, j.note)
  from (select * from unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::int[], $6::bigint[], $7::bigint[], $8::text[], $9::text[])
               as g (run, step, seq, epoch, number, done, total, checkpoint, note)) g
 where j.run = g.run and j.step = g.step and j.seq = g.seq
   and j.epoch = g.epoch and j.state = 'running' and j.progress_number < g.number;
