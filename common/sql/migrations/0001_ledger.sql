-- oldest program that can live with this schema: 0.1.0
--
-- The ledger. It decides what is done; Redis is rebuilt from it. Columns that change while a run runs
-- (state, epoch, times) carry no index, so that opening and settling a job stay heap-only updates.

create schema bf;
comment on schema bf is 'The ledger of the backfill queue: what was asked for, what is done, who decided.';

create table bf.migration (
    number int primary key,
    name text not null,
    oldest_program text not null,
    applied_at timestamptz not null default now()
);

-- One row. The generation must equal bf:generation in Redis; another value there means that the queue has to be rebuilt.
create table bf.meta (
    one boolean primary key default true check (one),
    generation bigint not null
);
insert into bf.meta (generation) values (1);

create table bf.pipeline (
    sha256 text primary key,
    name text not null,
    body jsonb not null,
    created_at timestamptz not null default now()
);
comment on table bf.pipeline is 'Pipeline bodies, pinned by hash: editing a file never changes a run under way.';

create table bf.run (
    run text collate "C" primary key,
    pipeline text collate "C" not null,
    sha256 text not null references bf.pipeline,
    dir text not null,
    queue text collate "C" not null,
    since date,
    until date,
    params jsonb not null default '{}',
    identity jsonb not null default '{}',
    options jsonb not null default '{}',
    concurrency int not null check (concurrency > 0),
    interval_ms double precision not null default 0 check (interval_ms >= 0),
    state text collate "C" not null default 'queued'
        check (state in ('queued', 'running', 'waiting', 'stopping', 'stopped', 'done', 'failed', 'cancelled')),
    version int not null default 0,
    requested_by text not null,
    note text,
    created_at timestamptz not null default now(),
    finished_at timestamptz,
    check ((since is null) = (until is null)),
    check (since <= until)
) with (fillfactor = 50);
create index run_pipeline on bf.run (pipeline);
comment on column bf.run.version is 'Rises with each decision of an operator; workers that hold jobs of the run look again when they see it change.';
comment on column bf.run.identity is 'The parameters that the pipeline declares as identity: coverage belongs to (pipeline, step, identity).';

create table bf.step (
    run text collate "C" not null references bf.run,
    step text collate "C" not null,
    ordinal int not null,
    kind text collate "C" not null,
    state text collate "C" not null default 'waiting'
        check (state in ('waiting', 'released', 'done', 'failed', 'skipped', 'cancelled')),
    planned int not null,
    needs text[] not null default '{}',
    on_failure text collate "C" not null check (on_failure in ('halt', 'continue')),
    concurrency int not null default 0,
    chronological boolean not null default false,
    per_run boolean not null default false,
    halted boolean not null default false,
    plan_number int not null default 1,
    floor int not null default 1,
    released_at timestamptz,
    finished_at timestamptz,
    primary key (run, step)
) with (fillfactor = 50);
comment on column bf.step.floor is 'Every job with a smaller seq is settled.';
comment on column bf.step.plan_number is 'Rises when settled jobs are opened again: the pending list in Redis is then made anew.';
comment on column bf.step.halted is 'A job of this chronological step failed for good; what comes after it is not opened.';

create table bf.job (
    run text collate "C" not null,
    step text collate "C" not null,
    seq int not null,
    chunk text collate "C" not null,
    since date,
    until date,
    key text collate "C",
    state text collate "C" not null default 'pending'
        check (state in ('pending', 'running', 'done', 'failed', 'skipped', 'cancelled', 'undone')),
    epoch int not null default 0,
    attempts int not null default 0,
    crashes int not null default 0,
    deaths int not null default 0,
    alone boolean not null default false,
    not_before timestamptz,
    worker text collate "C",
    backend_pid int,
    backend_start timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    rows bigint,
    progress_done bigint,
    progress_total bigint,
    progress_number int not null default 0,
    checkpoint text,
    note text,
    error_category text collate "C",
    error text,
    primary key (run, step, seq)
) with (fillfactor = 45);
comment on column bf.job.seq is 'The place in the order of its step, from 1, without holes.';
comment on column bf.job.epoch is 'Rises each time the job is opened or taken away; only the attempt with the present epoch may change anything.';
comment on column bf.job.crashes is 'How often its worker was gone while it was open, in the company of others. From the second time on it runs alone.';
comment on column bf.job.deaths is 'How often its worker was gone while it ran alone. At the third it has failed.';
comment on column bf.job.attempts is 'Tries that failed. A hand-back, a server away or a lock conflict is not a try.';

create table bf.attempt (
    run text collate "C" not null,
    step text collate "C" not null,
    seq int not null,
    epoch int not null,
    worker text collate "C",
    started_at timestamptz,
    ended_at timestamptz not null default now(),
    category text collate "C" not null,
    error text not null,
    output_tail text,
    primary key (run, step, seq, epoch)
);
comment on table bf.attempt is 'Append-only: every try that did not end in done.';

create table bf.event (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    run text collate "C",
    step text collate "C",
    chunk text collate "C",
    who text not null,
    what text collate "C" not null,
    note text
);
create index event_run on bf.event (run, id);
comment on table bf.event is 'Append-only: who did what, when.';

create table bf.check_result (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    run text collate "C" not null,
    step text collate "C" not null,
    seq int not null,
    epoch int not null,
    type text collate "C" not null,
    actual double precision,
    expected text not null,
    outcome text collate "C" not null check (outcome in ('pass', 'warn', 'fail'))
);
create index check_result_run on bf.check_result (run, step);
