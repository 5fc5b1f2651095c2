-- The part of the completed sessions that have a profile.
select avg((p.session_id is not null)::int)
  from guarded.session s left join guarded.profile p on p.session_id = s.id
 where s.environment = 'production' and s.completed_at is not null;
