-- oldest program that can live with this schema: 0.1.0
--
-- Holding a run back while a query of its pipeline says so; splitting a chunk that failed; chunks that
-- wait for chunks; what was done over a hole; undoing what a run has done.
--
-- Functions and views have their present definition in ../functions and ../views.
drop view if exists bf.artifacts;
drop function if exists bf.retry(text, text, text, text, text);

alter table bf.run
    add column throttle_ms bigint,
    add column throttle_at timestamptz,
    add column held_until timestamptz,
    add column held_since timestamptz,
    add column held_reason text;
comment on column bf.run.throttle_ms is 'How often the pipeline''s throttle is asked; null: it has none.';
comment on column bf.run.throttle_at is 'When it was last asked.';
comment on column bf.run.held_until is 'Until then nothing of the run is opened; renewed as long as the throttle says so.';
comment on column bf.run.held_reason is 'Why, in words; null: it is not held back.';

-- ---------------------------------------------------------------------------------------------------------------------
-- A chunk that has failed is split in two, until the one bad day is alone: it counts as skipped, and two new jobs behind all others have
-- its days. settle_jobs.sql says which; whoever advances the run next makes the new ones, before anything is said to be settled.
alter table bf.step add column split boolean not null default false;
alter table bf.job add column split boolean;
comment on column bf.step.split is 'A chunk of several days that failed for good is split in two.';
comment on column bf.job.split is 'True: it has failed, and two other jobs have its days. It is not opened again.';

create table bf.split_wanted (
    run text collate "C" not null, step text collate "C" not null, seq int not null,
    primary key (run, step, seq) -- no foreign key: each update of a job would look at it
);
comment on table bf.split_wanted is 'Jobs that are to be split at the next look at their run.';

-- ---------------------------------------------------------------------------------------------------------------------
-- Chunks that wait for chunks ("wait_for": "chunk"; PROTOCOL R15). The ledger says how far a step may go: its jobs up to `upto` may be
-- handed out. That is as far as each step before it is settled without a hole, so a chunk never begins before what it is made of.
alter table bf.step
    add column by_chunk text[] not null default '{}',
    add column upto int,
    add column lookback int not null default 0;
alter table bf.job
    add column after int4range[],
    add column lookback_key text collate "C";
comment on column bf.step.by_chunk is 'Those of its needs for which each of its chunks waits by chunks.';
comment on column bf.step.lookback is 'How many days, or keys, before its own each of its chunks is made of, too.';
comment on column bf.step.upto is 'Jobs with a greater seq wait for chunks of `by_chunk`; null: it has none.';
comment on column bf.job.after is 'For each step of its step''s `by_chunk`: which of that step''s jobs (seq) it waits for.';
comment on column bf.job.lookback_key is 'The key that its step looks back to.';

-- ---------------------------------------------------------------------------------------------------------------------
-- What a chronological step did after a chunk that failed, was skipped or cancelled, and that it went on without, was built over a hole (PROTOCOL P4).
-- It is marked when the step ends and when a hole is opened again: after that nothing else would tell. Opening a job once more unmarks it.
alter table bf.job
    add column over_hole boolean,
    add column redone int;
comment on column bf.job.redone is 'How often it was opened again although it was done; null: never. Its idempotency key ends in it.';
comment on column bf.job.over_hole is 'Something was not there that it was made of: a chunk before it in a step that goes in order, or in a step before its own. Of one that is pending: its checkpoint is of that time, and is not used.';
