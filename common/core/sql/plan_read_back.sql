-- A pipeline's body as the ledger would give it to a worker: jsonb writes numbers and texts in its own way.  $1 body
select $1::jsonb::text as body;
