select pg_advisory_unlock(hashtext('bf.rebuild')) as unlocked;
