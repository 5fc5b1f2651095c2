select count(*) from guarded.event where environment = 'staging' and name = 'engine_version_override';
