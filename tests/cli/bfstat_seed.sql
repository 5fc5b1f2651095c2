-- A ledger as four runs of one pipeline leave it: made by hand, so that a test knows every number in it.
--
--   weather.done01  done     2012-01-01..2012-12-31   daily 122, rolling 122, export 12, complete 1
--   weather.fail01  failed   2013-01-01..2013-12-31   rolling: chunk 40 failed, what came after it was skipped; export and complete skipped
--   weather.live01  running  2014-01-01..2015-12-31   daily: 100 done, 2 failed, 3 running (2 under w-alive, 1 under w-dead), 139 pending
--   weather.stop01  stopped  2016-01-01..2016-03-31   daily: 10 of 31 done
insert into bf.pipeline (sha256, name, body) values ('0000', 'weather', '{}');

create function pg_temp.run(p_run text, p_since date, p_until date, p_state text, p_age interval, p_finished interval) returns void
language sql as $$
    insert into bf.run (run, pipeline, sha256, dir, queue, since, until, concurrency, state, requested_by, created_at, finished_at)
    values (p_run, 'weather', '0000', '/nowhere', 'default', p_since, p_until, 8, p_state, 'tester', now() - p_age, now() - p_finished);
    insert into bf.event (run, who, what, note) values (p_run, 'tester', 'run', 'four steps');
    insert into bf.step (run, step, ordinal, kind, state, planned, needs, on_failure, concurrency, chronological)
    values (p_run, 'daily', 0, 'sql', 'released', 0, '{}', 'continue', 0, false),
           (p_run, 'rolling', 1, 'sql', 'waiting', 0, '{daily}', 'halt', 1, true),
           (p_run, 'export', 2, 'exec', 'waiting', 0, '{rolling}', 'halt', 0, false),
           (p_run, 'complete', 3, 'check', 'waiting', 0, '{rolling}', 'halt', 0, false);
    insert into bf.job (run, step, seq, since, until, chunk)
    select p_run, s.step, row_number() over (partition by s.step order by d.day), d.day, u.until,
           case when d.day = u.until then d.day::text else d.day || '..' || u.until end
      from (values ('daily', interval '3 days'), ('rolling', interval '3 days'), ('export', interval '1 month'),
                   ('complete', interval '100 years')) s (step, size)
     cross join lateral (select generate_series(p_since::timestamp, p_until, s.size)::date as day) d
     cross join lateral (select least((d.day + s.size)::date - 1, p_until) as until) u;
    update bf.step s set planned = (select count(*) from bf.job j where j.run = s.run and j.step = s.step) where s.run = p_run;
$$;

create function pg_temp.settle(p_run text, p_step text, p_from int, p_to int, p_state text) returns void
language sql as $$
    update bf.job j set state = p_state, epoch = 1, worker = 'w-alive', rows = 3,
           started_at = r.created_at + j.seq * interval '100 ms', finished_at = r.created_at + (j.seq + 1) * interval '100 ms'
      from bf.run r
     where r.run = p_run and j.run = p_run and j.step = p_step and j.seq between p_from and p_to;
$$;

create function pg_temp.fail(p_run text, p_step text, p_seq int, p_category text, p_error text, p_tail text) returns void
language sql as $$
    update bf.job set state = 'failed', epoch = 3, attempts = 3, worker = 'w-alive',
           finished_at = now() - interval '3 minutes', error_category = p_category, error = p_error
     where run = p_run and step = p_step and seq = p_seq;
    insert into bf.attempt (run, step, seq, epoch, worker, started_at, ended_at, category, error, output_tail)
    select p_run, p_step, p_seq, e, 'w-alive', now() - interval '4 minutes', now() - interval '3 minutes' + e * interval '1 s', p_category, p_error, p_tail
      from generate_series(1, 3) e;
$$;

create function pg_temp.steps(p_run text, p_steps text[], p_state text) returns void
language sql as $$
    update bf.step set state = p_state, finished_at = case when p_state in ('done', 'failed', 'skipped') then (select created_at + interval '1 minute' from bf.run where run = p_run) end,
           floor = case when p_state in ('done', 'failed', 'skipped') then planned + 1 else floor end
     where run = p_run and step = any (p_steps);
$$;

do $$
begin
    perform pg_temp.run('weather.done01', '2012-01-01', '2012-12-31', 'done', '3 days', '2 days 23 hours 55 minutes');
    perform pg_temp.settle('weather.done01', step, 1, 1000, 'done') from bf.step where run = 'weather.done01';
    perform pg_temp.steps('weather.done01', '{daily,rolling,export,complete}', 'done');

    perform pg_temp.run('weather.fail01', '2013-01-01', '2013-12-31', 'failed', '2 hours', '1 hour 57 minutes');
    perform pg_temp.settle('weather.fail01', 'daily', 1, 1000, 'done');
    perform pg_temp.settle('weather.fail01', 'rolling', 1, 39, 'done');
    perform pg_temp.settle('weather.fail01', 'rolling', 40, 40, 'done');
    perform pg_temp.fail('weather.fail01', 'rolling', 40, 'sql', 'column "tmax" does not exist', '');
    perform pg_temp.settle('weather.fail01', 'rolling', 41, 1000, 'skipped');
    perform pg_temp.settle('weather.fail01', step, 1, 1000, 'skipped') from bf.step where run = 'weather.fail01' and step in ('export', 'complete');
    perform pg_temp.steps('weather.fail01', '{daily}', 'done');
    perform pg_temp.steps('weather.fail01', '{rolling}', 'failed');
    perform pg_temp.steps('weather.fail01', '{export,complete}', 'skipped');

    perform pg_temp.run('weather.live01', '2014-01-01', '2015-12-31', 'running', '6 minutes', null);
    perform pg_temp.settle('weather.live01', 'daily', 1, 102, 'done');
    perform pg_temp.fail('weather.live01', 'daily', 50, 'exec', 'exit 7', E'reading station 72793\nno such file: raw/2014-05-28.csv');
    perform pg_temp.fail('weather.live01', 'daily', 51, 'exec', 'exit 7', E'reading station 72793\nno such file: raw/2014-05-31.csv');
    update bf.job set state = 'running', epoch = 1, worker = case when seq = 103 then 'w-dead' else 'w-alive' end,
           started_at = now() - interval '20 s', progress_done = 500 * (seq - 102), progress_total = 5000
     where run = 'weather.live01' and step = 'daily' and seq between 103 and 105;
    update bf.step set floor = 103 where run = 'weather.live01' and step = 'daily';

    perform pg_temp.run('weather.stop01', '2016-01-01', '2016-03-31', 'stopped', '1 day', null);
    perform pg_temp.settle('weather.stop01', 'daily', 1, 10, 'done');
    insert into bf.event (run, who, what, note) values ('weather.stop01', 'tester', 'stop', 'too much load');
end $$;
