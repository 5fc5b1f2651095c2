-- One deep look at a run at a time, over all workers: true when the lock is now this session's.  $1 run
select pg_try_advisory_lock(hashtext('bf.reconcile'), hashtext($1::text)) as locked;
