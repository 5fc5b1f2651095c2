-- oldest program that can live with this schema: 0.1.0
--
-- Steps that wait for a person, steps that stop when too much of them fails, and what checks found.

alter table bf.step
    add column timeout_ms bigint,
    add column on_timeout text collate "C" check (on_timeout in ('approve', 'reject')),
    add column review text,
    add column asked_at timestamptz,
    add column max_failed_ratio double precision check (max_failed_ratio between 0 and 1);
comment on column bf.step.asked_at is 'Of an approval: since when a person is asked. It stays `waiting` and never goes to the queue.';
comment on column bf.step.review is 'Of an approval: what the person should look at.';
comment on column bf.step.timeout_ms is 'Of an approval: how long a person is asked before `on_timeout` decides.';
comment on column bf.step.max_failed_ratio is 'Up to this part of its jobs may fail without stopping what comes after; beyond it the step is halted.';

alter table bf.check_result
    add column name text collate "C",
    add column found text,
    add column violations jsonb;
comment on column bf.check_result.name is 'Of a soak: which of its checks; a check step has only one, and no name for it.';
comment on column bf.check_result.found is 'What was found, in words.';
comment on column bf.check_result.violations is 'The first rows, or days, that should not be there or are missing.';

