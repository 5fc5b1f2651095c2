-- The part of what was scored that went through functions.
select coalesce(avg((fc_kind = 'functions')::int), 1) from guarded.event where environment = 'staging' and name = 'scored';
