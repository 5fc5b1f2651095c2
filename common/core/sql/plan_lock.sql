-- One planning at a time for a pipeline (PROTOCOL P2): is this it? The lock ends with the transaction.  $1 pipeline
select bf.lock_planning($1::text, false);
