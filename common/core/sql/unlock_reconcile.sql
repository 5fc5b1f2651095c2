-- $1 run
select pg_advisory_unlock(hashtext('bf.reconcile'), hashtext($1::text)) as unlocked, set_config('idle_session_timeout', '0', false) as idle;
