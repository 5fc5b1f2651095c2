select session_id from guarded.profile where results_version = :'results_version';
