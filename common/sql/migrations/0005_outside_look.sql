-- oldest program that can live with this schema: 0.1.0
--
-- Functions and views are no migrations: `enqueue migrate` replaces all of them when their text differs.

alter table bf.meta
    add column definitions text,
    add column definitions_by text not null default '';
comment on column bf.meta.definitions is 'SHA-256 of the files in common/sql/functions and views that were applied last.';
comment on column bf.meta.definitions_by is 'The version of the program that applied them.';

-- ---------------------------------------------------------------------------------------------------------------------
-- What is missing: runs with a limit, trials, runs that are closed.

alter table bf.step
    add column asked datemultirange,
    add column asked_count bigint;
comment on column bf.step.asked is 'In a run with a limit that has left something: the days that were missing, planned or not; otherwise null.';
comment on column bf.step.asked_count is 'How many days, or keys, they are.';

alter table bf.run
    add column trial boolean not null default false,
    add column closed_at timestamptz;
comment on column bf.run.trial is 'A parameter that is a trial has another value than its default: what the run has done is not coverage.';
comment on column bf.run.closed_at is 'Somebody has decided that nothing more comes of what failed; void once the run has ended again later.';

-- ---------------------------------------------------------------------------------------------------------------------
-- Who decided, as the server knows it; and a decision about an approval that only bf.decide_approval writes.
alter table bf.event add column role name;
alter table bf.event alter column role set default session_user;
comment on column bf.event.role is 'The role that was logged in, whatever `who` says; null: from before it was recorded.';

alter table bf.step add column decision text collate "C" check (decision in ('approved', 'rejected'));
comment on column bf.step.decision is 'Of an approval: what bf.decide_approval was told. A job that is done without it is asked about again.';
update bf.step s set decision = 'approved'
 where s.kind = 'approval' and exists (select from bf.job j where j.run = s.run and j.step = s.step and j.state = 'done');

-- How long a run has still to go is not known without it: what a soak takes is no matter of a rate.
alter table bf.step add column soak_ms bigint;
comment on column bf.step.soak_ms is 'Of a soak: how long it lasts.';

-- What puts a job off without being a try is shown, and is kept over restarts of workers.
alter table bf.job
    add column waits int,
    add column waits_since timestamptz,
    add column waits_why text;
comment on column bf.job.waits is 'How often it was put off in a row for what counts as no try; null: it was not.';
comment on column bf.job.waits_since is 'When that was for the first time.';
comment on column bf.job.waits_why is 'The reason of the last time.';

-- Figures of any length: gates compare decimals, and the ledger keeps every digit.
alter table bf.check_result alter column actual type numeric using actual::text::numeric;

-- jsonb writes 1e3 as 1000: what a request is made from has to stay as it was written.
alter table bf.pipeline add column written text;
comment on column bf.pipeline.written is 'The body to the byte, which sha256 is of; null where an older program pinned it.';

-- Two runs that want the same day.
alter table bf.job add column taken_by text collate "C";
comment on column bf.job.taken_by is 'Of a job that is skipped: the run that has its days or its key by now, as a retry of this run found. A later retry looks again.';

-- Who plans a pipeline locks its row; a role that only reads cannot, as it could an advisory lock.
create table bf.planning (slot int primary key);
comment on table bf.planning is 'Rows to lock while a run is planned or its jobs are opened again: bf.lock_planning.';
insert into bf.planning select generate_series(0, 1023);
