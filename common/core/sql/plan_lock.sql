-- One planning at a time for a pipeline (PROTOCOL P2): is this it? The lock ends with the transaction.  $1 pipeline
select pg_try_advisory_xact_lock(hashtext('bf.plan'), hashtext($1::text));
