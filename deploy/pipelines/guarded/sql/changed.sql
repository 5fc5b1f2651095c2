-- Written by another than this run since.
select session_id, results_version, written_by, written_at from guarded.profile
 where session_id = :'key' and written_by <> :'run' || '/apply/' || :'key';
