-- Sessions that this run has applied and whose profile has another version.
select j.key as session, coalesce(p.results_version, 'none') as results_version
  from bf.job j left join guarded.profile p on p.session_id = j.key
 where j.run = :'run' and j.step = 'apply' and j.state = 'done' and p.results_version is distinct from :'results_version'
 order by 1;
