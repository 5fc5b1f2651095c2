-- A run and its steps, for one look of --follow.  $1 run
select r.state as run_state, p.step, p.state, p.planned, p.pending, p.running, p.done, p.failed, p.skipped, p.cancelled, p.undone
  from bf.run r join bf.progress p using (run) where r.run = $1::text order by p.ordinal;
