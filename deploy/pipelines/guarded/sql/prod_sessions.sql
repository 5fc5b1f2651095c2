-- Sessions of production that are to be scored again: the rows are a plan file's sessions.
select s.id, coalesce('results_version ' || p.results_version, 'no profile') as reason
  from guarded.session s left join guarded.profile p on p.session_id = s.id
 where s.environment = 'production' and s.completed_at is not null and p.results_version is distinct from :'results_version'
 order by s.id;
