-- Which of the jobs that a worker holds are no longer its own (cancelled, taken over): their places in the arrays, from 1.
--   $1 runs, $2 steps, $3 seqs, $4 epochs
select a.ord
  from unnest($1::text[], $2::text[], $3::int[], $4::int[]) with ordinality as a (run, step, seq, epoch, ord)
  left join lateral (select j.state, j.epoch from bf.job j where j.run = a.run and j.step = a.step and j.seq = a.seq) j on true
 where j.state is distinct from 'running' or j.epoch <> a.epoch;
