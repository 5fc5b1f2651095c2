-- The rollback files of a run's steps.  $1 run
select step, chronological, undo, coalesce(changed, '') as changed, coalesce(verify, '') as verify,
       coalesce(present, '') as present
  from bf.rollbacks where run = $1::text order by ordinal;
