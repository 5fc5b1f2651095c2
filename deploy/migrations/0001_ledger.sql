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

-- ---------------------------------------------------------------------------------------------------------------------
-- settle: the last statement of a sql job's own transaction (PROTOCOL L3). Raises BF001 unless the job is still this
-- attempt's, so that nothing on the client decides between the effect and its commit.
create function bf.settle(p_run text, p_step text, p_seq int, p_epoch int) returns void
language plpgsql as $$
begin
    if current_setting('bf.transaction', true) is distinct from pg_current_xact_id()::text then
        raise exception 'the step''s SQL ended the transaction it was given'
            using errcode = 'BF002', hint = 'Take COMMIT and ROLLBACK out of the file and out of the procedures it calls.';
    end if;
    update bf.job set state = 'done', finished_at = clock_timestamp(), not_before = null, error = null, error_category = null
     where run = p_run and step = p_step and seq = p_seq and state = 'running' and epoch = p_epoch;
    if not found then
        raise exception 'job %/%/#% is no longer held by epoch %', p_run, p_step, p_seq, p_epoch using errcode = 'BF001';
    end if;
end $$;

-- ---------------------------------------------------------------------------------------------------------------------
-- advance (PROTOCOL L10): settles steps and the run from what their jobs say, releases what may now start.
-- Idempotent; everything happens under the run's lock. Returns the run's state, or null for an unknown run.
create function bf.advance(p_run text) returns text
language plpgsql as $$
declare
    r bf.run;
    s bf.step;
    v_first int;
    v_failed boolean;
    v_moved boolean;
    v_verdict text;
begin
    select * into r from bf.run where run = p_run for no key update;
    if not found then
        return null;
    end if;
    if r.state in ('done', 'failed', 'cancelled') then
        return r.state;
    end if;
    if r.state = 'queued' then
        r.state := 'running';
    end if;

    loop
        v_moved := false;
        for s in select * from bf.step where run = p_run and state in ('waiting', 'released') order by ordinal loop
            if s.state = 'released' then
                if s.halted then
                    update bf.job set state = 'skipped', finished_at = clock_timestamp()
                     where run = p_run and step = s.step and seq >= s.floor and state = 'pending';
                end if;
                select seq into v_first from bf.job
                 where run = p_run and step = s.step and seq >= s.floor and state in ('pending', 'running')
                 order by seq limit 1;
                if v_first is not null then
                    if v_first > s.floor then
                        update bf.step set floor = v_first where run = p_run and step = s.step;
                    end if;
                    continue;
                end if;
                select exists (select from bf.job where run = p_run and step = s.step and state = 'failed') into v_failed;
                v_verdict := case
                    when v_failed then 'failed'
                    when exists (select from bf.job where run = p_run and step = s.step and state = 'cancelled')
                     and not exists (select from bf.job where run = p_run and step = s.step and state = 'done') then 'cancelled'
                    else 'done' end;
                update bf.step set state = v_verdict, floor = s.planned + 1, finished_at = clock_timestamp()
                 where run = p_run and step = s.step;
                insert into bf.event (run, step, who, what) values (p_run, s.step, 'ledger', 'step ' || v_verdict);
                v_moved := true;
            elsif exists (select from bf.step n where n.run = p_run and n.step = any (s.needs)
                            and (n.state in ('skipped', 'cancelled') or (n.state = 'failed' and n.on_failure = 'halt'))) then
                update bf.job set state = 'skipped', epoch = epoch + 1, finished_at = clock_timestamp()
                 where run = p_run and step = s.step and state in ('pending', 'running'); -- running: a retry made its step wait again
                update bf.step set state = 'skipped', floor = s.planned + 1, finished_at = clock_timestamp()
                 where run = p_run and step = s.step;
                insert into bf.event (run, step, who, what) values (p_run, s.step, 'ledger', 'step skipped');
                v_moved := true;
            elsif r.state = 'running'
                and not exists (select from bf.step n where n.run = p_run and n.step = any (s.needs) and n.state in ('waiting', 'released')) then
                update bf.step set state = 'released', released_at = clock_timestamp() where run = p_run and step = s.step;
                insert into bf.event (run, step, who, what) values (p_run, s.step, 'ledger', 'step released');
                v_moved := true;
            end if;
        end loop;
        exit when not v_moved;
    end loop;

    if not exists (select from bf.step where run = p_run and state in ('waiting', 'released')) then
        r.state := case when exists (select from bf.step where run = p_run and state = 'failed') then 'failed'
                        when exists (select from bf.step where run = p_run and state = 'cancelled') then 'cancelled'
                        else 'done' end;
    elsif r.state = 'stopping' and not exists (
        select from bf.step t join bf.job j using (run, step)
         where t.run = p_run and t.state = 'released' and j.seq >= t.floor and j.state = 'running') then
        r.state := 'stopped';
    end if;
    update bf.run set state = r.state,
           version = version + (state is distinct from r.state)::int,
           finished_at = case when r.state in ('done', 'failed', 'cancelled') then clock_timestamp() end
     where run = p_run and state is distinct from r.state;
    if found and r.state <> 'running' then
        insert into bf.event (run, who, what) values (p_run, 'ledger', 'run ' || r.state);
    end if;
    return r.state;
end $$;

-- ---------------------------------------------------------------------------------------------------------------------
-- The operator's decisions. Each locks the run first, then its jobs in key order, and leaves an event.

create function bf.stop(p_run text, p_who text, p_note text) returns text
language plpgsql as $$
declare
    v_state text;
begin
    select state into v_state from bf.run where run = p_run for no key update;
    if v_state in ('queued', 'running', 'waiting') then
        update bf.run set state = 'stopping', version = version + 1 where run = p_run;
        insert into bf.event (run, who, what, note) values (p_run, p_who, 'stop', p_note);
        return bf.advance(p_run);
    end if;
    return v_state;
end $$;

create function bf.resume(p_run text, p_who text, p_note text) returns text
language plpgsql as $$
declare
    v_state text;
begin
    select state into v_state from bf.run where run = p_run for no key update;
    if v_state in ('stopping', 'stopped') then
        update bf.run set state = 'running', version = version + 1, finished_at = null where run = p_run;
        insert into bf.event (run, who, what, note) values (p_run, p_who, 'resume', p_note);
        return bf.advance(p_run);
    end if;
    return v_state;
end $$;

-- Takes jobs away from whoever holds them: epoch + 1 fences the attempt. p_step and p_chunk may be null (all).
-- Cancelling everything ends the run as cancelled. Returns the number of jobs cancelled, or null for an unknown run.
create function bf.cancel(p_run text, p_step text, p_chunk text, p_who text, p_note text) returns int
language plpgsql as $$
declare
    r bf.run;
    v_count int;
begin
    select * into r from bf.run where run = p_run for no key update;
    if not found then
        return null;
    end if;
    if r.state in ('done', 'failed', 'cancelled') then
        return 0;
    end if;
    perform from bf.job where run = p_run and (p_step is null or step = p_step) and (p_chunk is null or chunk = p_chunk)
       and state in ('pending', 'running') order by step, seq for no key update;
    update bf.job set state = 'cancelled', epoch = epoch + 1, finished_at = clock_timestamp()
     where run = p_run and (p_step is null or step = p_step) and (p_chunk is null or chunk = p_chunk)
       and state in ('pending', 'running');
    get diagnostics v_count = row_count;
    if p_step is null and p_chunk is null then
        update bf.step set state = 'cancelled', finished_at = clock_timestamp() where run = p_run and state in ('waiting', 'released');
        update bf.run set state = 'cancelled', version = version + 1, finished_at = clock_timestamp() where run = p_run;
    elsif v_count > 0 then
        update bf.run set version = version + 1 where run = p_run;
    end if;
    insert into bf.event (run, step, chunk, who, what, note) values (p_run, p_step, p_chunk, p_who, 'cancel', p_note);
    perform bf.advance(p_run);
    return v_count;
end $$;

-- The jobs of a run's step whose days or keys are another run's by now: done by a run that was planned later, or held by an
-- unfinished one. Opening them again would do the work twice. A step per run covers the same days as others do, and is never taken.
create function bf.taken(p_run text, p_step text) returns setof int
language sql stable as $$
    with others as materialized (
        select k.since, k.until, k.key
          from bf.run me
          join bf.step s on s.run = me.run and s.step = p_step and not s.per_run
          join bf.run o on o.pipeline = me.pipeline and o.identity = me.identity and o.run <> me.run
          join bf.job k on k.run = o.run and k.step = p_step
         where me.run = p_run
           and ((k.state = 'done' and o.created_at > me.created_at)
                or (k.state in ('pending', 'running') and o.state not in ('done', 'failed', 'cancelled')))
    ), taken as (
        select coalesce(range_agg(daterange(since, until, '[]')), '{}') as days from others where since is not null
    )
    select j.seq from bf.job j, taken t
     where j.run = p_run and j.step = p_step and j.since is not null and daterange(j.since, j.until, '[]') && t.days
    union all
    select j.seq from bf.job j
     where j.run = p_run and j.step = p_step and exists (select from others o where o.key = j.key)
$$;

-- Opens failed and cancelled jobs again (all of the run, of one step, or one chunk), and with them, in every step after theirs,
-- what had been skipped for want of them and the checks that had judged without them. What another run has taken stays as it is.
-- Returns the number of jobs to run again, or null for an unknown run.
create function bf.retry(p_run text, p_step text, p_chunk text, p_who text, p_note text) returns int
language plpgsql as $$
declare
    r bf.run;
    s bf.step;
    v_count int;
    v_total int := 0;
    v_again text[] := '{}';
    v_lowest int;
begin
    -- not while a run of the pipeline is being planned, which looks at what is held
    perform pg_advisory_xact_lock(hashtext('bf.plan'), hashtext(pipeline)) from bf.run where run = p_run;
    select * into r from bf.run where run = p_run for no key update;
    if not found then
        return null;
    end if;
    for s in select * from bf.step where run = p_run order by ordinal loop
        with again as (
            update bf.job set state = 'pending', attempts = 0, crashes = 0, deaths = 0, not_before = null, finished_at = null, epoch = epoch + 1
             where run = p_run and step = s.step and state in ('failed', 'cancelled')
               and (p_step is null or step = p_step) and (p_chunk is null or chunk = p_chunk)
               and seq not in (select bf.taken(p_run, s.step))
            returning seq)
        select count(*), min(seq) into v_count, v_lowest from again;
        continue when v_count = 0;
        v_total := v_total + v_count;
        v_again := v_again || s.step;
        update bf.step set halted = false where run = p_run and step = s.step;
        if s.chronological then
            update bf.job set state = 'pending', finished_at = null
             where run = p_run and step = s.step and state = 'skipped' and seq > v_lowest
               and seq not in (select bf.taken(p_run, s.step));
            get diagnostics v_count = row_count;
            v_total := v_total + v_count;
        end if;
    end loop;
    if v_total = 0 then
        return 0;
    end if;
    -- what comes after, in any number of hops
    with recursive below(step) as (
        select unnest(v_again) collate "C"
        union
        select t.step from bf.step t join below b on b.step = any (t.needs) where t.run = p_run),
    after_them as (select distinct step from below),
    taken as materialized (select a.step, t.seq from after_them a cross join lateral bf.taken(p_run, a.step) as t(seq))
    update bf.job j set state = 'pending', attempts = 0, crashes = 0, deaths = 0, not_before = null, finished_at = null, epoch = j.epoch + 1
      from after_them a join bf.step t on t.run = p_run and t.step = a.step
     where j.run = p_run and j.step = a.step and not a.step = any (v_again)
       and not exists (select from taken x where x.step = j.step and x.seq = j.seq)
       and (j.state = 'skipped' or (t.kind = 'check' and j.state in ('done', 'failed')));
    get diagnostics v_count = row_count;
    v_total := v_total + v_count;
    with recursive below(step) as (
        select unnest(v_again) collate "C"
        union
        select t.step from bf.step t join below b on b.step = any (t.needs) where t.run = p_run)
    update bf.step t set state = 'waiting', floor = 1, plan_number = plan_number + 1, finished_at = null
     where t.run = p_run and t.step in (select step from below)
       and (t.state in ('done', 'failed') -- also where nothing is to be done again: what comes after it has to wait
            or exists (select from bf.job j where j.run = p_run and j.step = t.step and j.state in ('pending', 'running')));
    update bf.run set version = version + 1, finished_at = null,
           state = case when state in ('done', 'failed', 'cancelled') then 'running' else state end
     where run = p_run;
    insert into bf.event (run, step, chunk, who, what, note) values (p_run, p_step, p_chunk, p_who, 'retry', p_note);
    perform bf.advance(p_run);
    return v_total;
end $$;

-- ---------------------------------------------------------------------------------------------------------------------
-- Views that a person would query.

create view bf.progress as
select s.run, r.pipeline, s.step, s.ordinal, s.kind, s.state, s.planned,
       count(j.seq) filter (where j.state = 'pending') as pending,
       count(j.seq) filter (where j.state = 'running') as running,
       count(j.seq) filter (where j.state = 'done') as done,
       count(j.seq) filter (where j.state = 'failed') as failed,
       count(j.seq) filter (where j.state = 'skipped') as skipped,
       count(j.seq) filter (where j.state = 'cancelled') as cancelled,
       count(j.seq) filter (where j.state = 'undone') as undone,
       min(j.started_at) as started_at,
       s.finished_at
  from bf.step s join bf.run r using (run) left join bf.job j using (run, step)
 group by s.run, s.step, r.run;
comment on view bf.progress is 'How many jobs of each step are in which state.';

create view bf.failures as
select j.run, r.pipeline, j.step, j.seq, j.chunk, j.attempts, j.error_category, j.error, a.output_tail, j.worker, j.finished_at,
       format('enqueue retry %s --step=%s --chunk=%s', j.run, j.step,
              case when j.chunk ~ '^[A-Za-z0-9._:@%/+=,-]+$' then j.chunk -- a key may need quotes in a shell
                   else '''' || replace(j.chunk, '''', '''\''''') || '''' end) as retry_with
  from bf.job j join bf.run r using (run)
  left join lateral (select output_tail from bf.attempt a where a.run = j.run and a.step = j.step and a.seq = j.seq
                      order by a.epoch desc limit 1) a on true
 where j.state = 'failed';
comment on view bf.failures is 'What failed for good, why, and the command that tries it again.';

create view bf.coverage as
select r.pipeline, j.step, r.identity, range_agg(daterange(j.since, j.until, '[]')) as done
  from bf.job j join bf.run r using (run)
 where j.state = 'done' and j.since is not null
 group by r.pipeline, j.step, r.identity;
comment on view bf.coverage is 'The days that are done, per pipeline, step and identity, over all runs.';

create view bf.gaps as
with asked as (
    select r.pipeline, j.step, r.identity, range_agg(daterange(j.since, j.until, '[]')) as days
      from bf.job j join bf.run r using (run)
     where j.since is not null
     group by r.pipeline, j.step, r.identity)
select a.pipeline, a.step, a.identity, g.day::date as day
  from asked a
  left join bf.coverage c using (pipeline, step, identity)
 cross join lateral unnest(a.days - coalesce(c.done, '{}'::datemultirange)) as missing(r)
 cross join lateral generate_series(lower(missing.r), upper(missing.r) - 1, interval '1 day') as g(day);
comment on view bf.gaps is 'Days that some run was asked for and that no run has done.';
