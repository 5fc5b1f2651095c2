-- One rebuild at a time (PROTOCOL R11): true when the lock is now this session's.
select pg_try_advisory_lock(hashtext('bf.rebuild')) as locked;
