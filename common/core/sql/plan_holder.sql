-- Who has the lock of plan_lock.sql and waits for its program, which is stopped or gone where that lasts:
-- pid and start of its backend. A row's xmax is the transaction that has locked it last.  $1 pipeline
select a.pid, a.backend_start::text
  from bf.planning p
  join pg_locks l on l.locktype = 'transactionid' and l.granted and l.transactionid = p.xmax
  join pg_stat_activity a on a.pid = l.pid
 where p.slot = bf.planning_slot($1::text) and a.wait_event_type = 'Client';
