-- How many of the given jobs the ledger has settled, by step: those that Redis still lists are waiting to be acknowledged, no more.
--   $1 run, $2 steps, $3 seqs.  limit 1: each is looked up by its key.
select a.step, count(*) as settled
  from unnest($2::text[], $3::int[]) as a (step, seq)
  join lateral (select state from bf.job j where j.run = $1::text and j.step = a.step and j.seq = a.seq limit 1) j on true
 where j.state not in ('pending', 'running')
 group by a.step;
