-- 60 sessions of staging, of which plan.json names the first 39, and 40 of production, three of an older version.
insert into guarded.session select format('s-%s', lpad(n::text, 4, '0')), 'staging', now() - n * interval '1 hour' from generate_series(1, 60) n;
insert into guarded.session select format('p-%s', lpad(n::text, 4, '0')), 'production', now() - n * interval '1 hour' from generate_series(1, 40) n;
insert into guarded.profile (session_id, results_version, score, written_by)
select id, case when id between 's-0001' and 's-0036' or id in ('p-0007', 'p-0019', 'p-0031') then 'v1.1' else 'v1.2.1' end, 50, 'live'
  from guarded.session where id not in ('s-0037', 's-0038', 's-0039', 's-0060');
insert into guarded.event (environment, name, fc_kind) select environment, 'scored', 'functions' from guarded.session where id > 's-0039' or id < 'q';
insert into guarded.event (environment, name, tokenized) select environment, 'results opened', true from guarded.session;
