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

-- A failed step stops what needs it: one that was halted for its ratio, or, without a ratio, one that says so.
create function bf.stops_others(s bf.step) returns boolean
language sql immutable as $$
    select s.state in ('skipped', 'cancelled')
        or (s.state = 'failed' and case when s.max_failed_ratio is null then s.on_failure = 'halt' else s.halted end)
$$;

-- The decision about an approval's only job (PROTOCOL L11): done, or failed for good. It comes back to waiting by `retry`.
create function bf.decide_approval(p_run text, p_step text, p_approved boolean, p_who text, p_note text, p_category text) returns void
language plpgsql as $$
begin
    update bf.job
       set state = case when p_approved then 'done' else 'failed' end,
           epoch = epoch + 1, worker = null, finished_at = clock_timestamp(),
           attempts = attempts + (not p_approved)::int,
           note = case when p_approved then 'approved by ' || p_who || coalesce(': ' || p_note, '') end,
           error_category = case when not p_approved then p_category end,
           error = case when not p_approved then 'rejected by ' || p_who || coalesce(': ' || p_note, '') end
     where run = p_run and step = p_step and state = 'pending';
    insert into bf.event (run, step, who, what, note)
    values (p_run, p_step, p_who, case when p_approved then 'approve' else 'reject' end, p_note);
    update bf.step set asked_at = null where run = p_run and step = p_step;
end $$;

-- ---------------------------------------------------------------------------------------------------------------------
-- advance (PROTOCOL L10), with approvals and ratios. As before: idempotent, everything under the run's lock.
create or replace function bf.advance(p_run text) returns text
language plpgsql as $$
declare
    r bf.run;
    s bf.step;
    v_first int;
    v_failed bigint;
    v_job text;
    v_settled boolean;
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
    if r.state in ('queued', 'waiting') then -- whether it still waits is found at the end
        r.state := 'running';
    end if;

    loop
        v_moved := false;
        for s in select * from bf.step where run = p_run and state in ('waiting', 'released') order by ordinal loop
            if s.state = 'released' then
                if s.max_failed_ratio is not null and not s.halted then
                    select count(*) into v_failed from bf.job where run = p_run and step = s.step and state = 'failed';
                    if v_failed > s.max_failed_ratio * s.planned then
                        s.halted := true;
                        update bf.step set halted = true where run = p_run and step = s.step;
                        insert into bf.event (run, step, who, what, note)
                        values (p_run, s.step, 'ledger', 'step halted',
                                format('%s of %s jobs failed; at most a ratio of %s may', v_failed, s.planned, s.max_failed_ratio));
                    end if;
                end if;
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
                v_verdict := case
                    when exists (select from bf.job where run = p_run and step = s.step and state = 'failed') then 'failed'
                    when exists (select from bf.job where run = p_run and step = s.step and state = 'cancelled')
                     and not exists (select from bf.job where run = p_run and step = s.step and state = 'done') then 'cancelled'
                    else 'done' end;
                update bf.step set state = v_verdict, floor = s.planned + 1, finished_at = clock_timestamp()
                 where run = p_run and step = s.step;
                insert into bf.event (run, step, who, what) values (p_run, s.step, 'ledger', 'step ' || v_verdict);
                v_moved := true;
                continue;
            end if;
            if exists (select from bf.step n where n.run = p_run and n.step = any (s.needs) and bf.stops_others(n)) then
                update bf.job set state = 'skipped', epoch = epoch + 1, finished_at = clock_timestamp()
                 where run = p_run and step = s.step and state in ('pending', 'running'); -- running: a retry made its step wait again
                update bf.step set state = 'skipped', floor = s.planned + 1, asked_at = null, finished_at = clock_timestamp()
                 where run = p_run and step = s.step;
                insert into bf.event (run, step, who, what) values (p_run, s.step, 'ledger', 'step skipped');
                v_moved := true;
                continue;
            end if;
            v_settled := not exists (select from bf.step n where n.run = p_run and n.step = any (s.needs) and n.state in ('waiting', 'released'));
            if s.kind = 'approval' then
                select state into v_job from bf.job where run = p_run and step = s.step;
                if v_job = 'pending' and not v_settled then -- a retry has opened again what it was asked about
                    update bf.step set asked_at = null where run = p_run and step = s.step and asked_at is not null;
                elsif v_job = 'pending' and r.state = 'running' and s.asked_at is null then
                    update bf.step set asked_at = clock_timestamp() where run = p_run and step = s.step;
                    insert into bf.event (run, step, who, what) values (p_run, s.step, 'ledger', 'approval asked for');
                elsif v_job = 'pending' and r.state = 'running' and s.asked_at + s.timeout_ms * interval '1 millisecond' <= clock_timestamp() then
                    perform bf.decide_approval(p_run, s.step, s.on_timeout = 'approve', 'timeout',
                                               'nobody decided within ' || justify_interval(s.timeout_ms * interval '1 millisecond'), 'timeout');
                    v_moved := true;
                elsif v_job <> 'pending' and v_settled then
                    update bf.step set state = v_job, floor = s.planned + 1, finished_at = clock_timestamp()
                     where run = p_run and step = s.step;
                    insert into bf.event (run, step, who, what) values (p_run, s.step, 'ledger', 'step ' || v_job);
                    v_moved := true;
                end if;
            elsif r.state = 'running' and v_settled then
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
    elsif r.state = 'running' and not exists (select from bf.step where run = p_run and state = 'released')
        and exists (select from bf.step where run = p_run and state = 'waiting' and asked_at is not null) then
        r.state := 'waiting';
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
-- retry, which also opens again what a ratio had stopped.
create or replace function bf.retry(p_run text, p_step text, p_chunk text, p_who text, p_note text) returns int
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
        if s.chronological or s.max_failed_ratio is not null then -- what its halt had skipped
            update bf.job set state = 'pending', finished_at = null
             where run = p_run and step = s.step and state = 'skipped' and (seq > v_lowest or not s.chronological)
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
       and (j.state = 'skipped' or (t.kind in ('check', 'soak', 'approval') and j.state in ('done', 'failed')));
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

-- A person's decision. Under the run's lock. -> approved | rejected | not asked (its needs are not settled) |
-- decided (it was before) | over (the run has ended) | another kind; null for an unknown run or step.
create function bf.approve(p_run text, p_step text, p_approved boolean, p_who text, p_note text) returns text
language plpgsql as $$
declare
    r bf.run;
    s bf.step;
    v_job text;
begin
    select * into r from bf.run where run = p_run for no key update;
    select * into s from bf.step where run = p_run and step = p_step;
    if s.step is null then
        return null;
    elsif s.kind <> 'approval' then
        return 'another kind';
    end if;
    select state into v_job from bf.job where run = p_run and step = p_step for no key update;
    if v_job <> 'pending' then
        return 'decided';
    elsif r.state in ('done', 'failed', 'cancelled') then
        return 'over';
    elsif s.asked_at is null then
        return 'not asked';
    end if;
    perform bf.decide_approval(p_run, p_step, p_approved, p_who, p_note, 'rejected');
    update bf.run set version = version + 1 where run = p_run;
    perform bf.advance(p_run);
    return case when p_approved then 'approved' else 'rejected' end;
end $$;

-- Part of a pipeline's body, for those who may read reports and not the SQL of others.
create view bf.artifacts as
select r.run, r.pipeline, a.key as file, a.value ->> 'what' as what, coalesce(a.value ->> 'step', '') as step,
       coalesce((a.value ->> 'size')::int, 100) as size
  from bf.run r join bf.pipeline p using (sha256) cross join lateral jsonb_each(coalesce(p.body -> 'artifacts', '{}')) a;
comment on view bf.artifacts is 'The files that a run''s pipeline wants to be written about it.';
