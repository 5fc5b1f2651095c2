-- A run and its steps, for one look of --follow. gate: a person or a soak that is in the run's way, and takes what no rate tells.  $1 run
select r.state as run_state, p.step, p.state, p.planned, p.pending, p.running, p.done, p.failed, p.skipped, p.cancelled, p.undone,
       (select s.kind in ('approval', 'soak') and s.state in ('waiting', 'released') from bf.step s where s.run = p.run and s.step = p.step) as gate
  from bf.run r join bf.progress p using (run) where r.run = $1::text order by p.ordinal;
