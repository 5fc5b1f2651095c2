insert into bench_daily (day, total) values (:'key'::int, 1) on conflict (day) do update set total = bench_daily.total + 1;
