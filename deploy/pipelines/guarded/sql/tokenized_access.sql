select coalesce(avg(tokenized::int), 1) from guarded.event where environment = 'staging' and name = 'results opened';
