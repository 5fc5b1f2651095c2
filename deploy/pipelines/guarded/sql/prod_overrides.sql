select count(*) from guarded.event where environment = 'production' and name = 'engine_version_override';
