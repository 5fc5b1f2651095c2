-- Completed sessions that have a profile, as a part of what they had before.
select avg((p.session_id is not null)::int) / :baseline_conversion
  from guarded.session s left join guarded.profile p on p.session_id = s.id
 where s.environment = 'production' and s.completed_at is not null;
