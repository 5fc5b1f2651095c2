-- One deep look at a run at a time, over all workers: true when the lock is now this session's, which is then ended by the server once it was
-- silent for $2 ms.  $1 run
select case when pg_try_advisory_lock(hashtext('bf.reconcile'), hashtext($1::text))
            then set_config('idle_session_timeout', $2::bigint::text, false) is not null
            else false end as locked;
