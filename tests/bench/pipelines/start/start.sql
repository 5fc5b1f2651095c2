insert into bench_started (run, at) values (:'run', clock_timestamp());
