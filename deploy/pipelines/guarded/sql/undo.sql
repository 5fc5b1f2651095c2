-- What this run has written goes; what it had replaced comes back.
delete from guarded.profile where session_id = :'key' and written_by = :'run' || '/apply/' || :'key';
insert into guarded.profile (session_id, results_version, score, written_by, written_at)
select session_id, results_version, score, written_by, written_at from guarded.profile_history
 where session_id = :'key' and replaced_by = :'run' || '/apply/' || :'key'
 order by id desc limit 1;
