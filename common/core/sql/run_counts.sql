-- The counters that Redis shows for a run's steps, as the ledger has them.  $1 run
select step,
       count(*) filter (where state = 'done') as done,
       count(*) filter (where state = 'failed') as failed,
       count(*) filter (where state = 'skipped') as skipped,
       count(*) filter (where state = 'cancelled') as cancelled
  from bf.job where run = $1::text group by step;
