-- One rebuild at a time (PROTOCOL R11): true when the lock is now this session's, which is then ended by the server once it was silent for
-- $1 ms: whoever stands still with the lock must not keep the others from it.
select case when pg_try_advisory_lock(hashtext('bf.rebuild')) then set_config('idle_session_timeout', $1::bigint::text, false) is not null
            else false end as locked;
