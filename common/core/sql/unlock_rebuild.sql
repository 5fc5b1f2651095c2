select pg_advisory_unlock(hashtext('bf.rebuild')) as unlocked, set_config('idle_session_timeout', '0', false) as idle;
