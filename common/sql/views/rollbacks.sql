-- Part of a pipeline's body, for those who may undo and report and not read all SQL of others.
create or replace view bf.rollbacks as
select s.run, s.step, s.ordinal, s.chronological,
       p.body -> 'files' ->> coalesce(e.step -> 'rollback' ->> 'file', e.step ->> 'rollback') as undo,
       p.body -> 'files' ->> (e.step -> 'rollback' ->> 'changed') as changed,
       p.body -> 'files' ->> (e.step -> 'rollback' ->> 'verify') as verify,
       p.body -> 'files' ->> (e.step ->> 'present') as present
  from bf.step s
  join bf.run r using (run)
  join bf.pipeline p using (sha256)
 cross join lateral (select value from jsonb_array_elements(p.body -> 'steps')) as e(step)
 where e.step ->> 'name' = s.step and e.step ? 'rollback';
comment on view bf.rollbacks is 'undo: statements; changed, verify: one query each, which must yield no row before, and after them; present: the days or keys that are there; or null.';
