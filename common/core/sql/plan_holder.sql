-- Who has the lock of plan_lock.sql and waits for its program, which is stopped or gone where that lasts: pid and start of its backend.
--   $1 pipeline
select a.pid, a.backend_start::text
  from pg_locks l
  join pg_stat_activity a on a.pid = l.pid
 where l.locktype = 'advisory' and l.granted and l.objsubid = 2
   and l.database = (select d.oid from pg_database d where d.datname = current_database())
   and l.classid = hashtext('bf.plan')::oid and l.objid = hashtext($1::text)::oid
   and a.wait_event_type = 'Client';
