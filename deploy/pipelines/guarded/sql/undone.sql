select session_id, written_by from guarded.profile where session_id = :'key' and written_by = :'run' || '/apply/' || :'key';
