-- oldest program that can live with this schema: 0.1.0
--
-- Holding a run back while a query of its pipeline says so; splitting a chunk that failed; chunks that wait for chunks; what was built over a hole; undoing what a run has done, chunk by chunk:
-- the step's rollback file and the ledger's row in one transaction.

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

-- The rollback files of a run's steps, for those who may undo and report, and not read all SQL of others.
create view bf.rollbacks as
select s.run, s.step, s.ordinal, s.chronological,
       p.body -> 'files' ->> coalesce(e.step -> 'rollback' ->> 'file', e.step ->> 'rollback') as undo,
       p.body -> 'files' ->> (e.step -> 'rollback' ->> 'changed') as changed,
       p.body -> 'files' ->> (e.step -> 'rollback' ->> 'verify') as verify
  from bf.step s
  join bf.run r using (run)
  join bf.pipeline p using (sha256)
 cross join lateral (select value from jsonb_array_elements(p.body -> 'steps')) as e(step)
 where e.step ->> 'name' = s.step and e.step ? 'rollback';
comment on view bf.rollbacks is 'undo: statements; changed, verify: one query each, which must yield no row before, and after them; or null.';

-- A file may be about several steps, and the rows of a check may be an array of any name.
drop view bf.artifacts;
create view bf.artifacts as
select r.run, r.pipeline, replace(a.key, '{{date}}', to_char(r.created_at at time zone 'UTC', 'YYYY-MM-DD')) as file, a.value ->> 'what' as what,
       case jsonb_typeof(a.value -> 'step')
           when 'string' then array[a.value ->> 'step']
           when 'array' then array(select jsonb_array_elements_text(a.value -> 'step'))
           else '{}' end as steps,
       coalesce((a.value ->> 'size')::int, 100) as size, coalesce(a.value ->> 'array', 'violations') as "array"
  from bf.run r join bf.pipeline p using (sha256) cross join lateral jsonb_each(coalesce(p.body -> 'artifacts', '{}')) a;
comment on view bf.artifacts is 'The files that a run''s pipeline wants to be written about it; steps: only about these.';

-- The first statement of the transaction that undoes a job. BF001 unless the job is done by this very attempt, its run is not under way,
-- and no other run has done the same since, or is about to.
create function bf.undo_begin(p_run text, p_step text, p_seq int, p_epoch int) returns void
language plpgsql as $$
declare
    r bf.run;
begin
    select * into r from bf.run where run = p_run for share;
    if r.state is null or r.state not in ('done', 'failed', 'cancelled', 'stopped') then
        raise exception 'run % is %, and would go on beside it', p_run, coalesce(r.state, 'unknown') using errcode = 'BF001';
    end if;
    perform from bf.job where run = p_run and step = p_step and seq = p_seq and epoch = p_epoch and state = 'done' for update;
    if not found then
        raise exception 'job %/%#% is not done, or was done again since', p_run, p_step, p_seq using errcode = 'BF001';
    end if;
    if exists (select from bf.run o where o.pipeline = r.pipeline and o.identity = r.identity and o.run <> r.run
                  and (o.created_at > r.created_at or o.state not in ('done', 'failed', 'cancelled')))
       and p_seq in (select bf.taken(p_run, p_step)) then
        raise exception 'another run has done it since, or is about to' using errcode = 'BF001';
    end if;
    perform set_config('bf.undo', pg_current_xact_id()::text, true);
end $$;

-- Raises p_sqlstate unless there is no row. BF002: another writer has changed it since; BF003: it is still there after the undo.
create function bf.expect_none(p_rows jsonb, p_sqlstate text, p_what text) returns void
language plpgsql immutable as $$
begin
    if p_rows is not null then
        raise exception '%', p_what using errcode = p_sqlstate, detail = left(p_rows::text, 20000);
    end if;
end $$;

-- The last statement.
create function bf.undo(p_run text, p_step text, p_seq int, p_epoch int, p_who text, p_note text) returns void
language plpgsql as $$
declare
    v_chunk text;
begin
    if current_setting('bf.undo', true) is distinct from pg_current_xact_id()::text then
        raise exception 'the rollback file has ended the transaction that it runs in' using errcode = 'BF001';
    end if;
    update bf.job set state = 'undone', epoch = epoch + 1, note = 'undone by ' || p_who || coalesce(': ' || p_note, '')
     where run = p_run and step = p_step and seq = p_seq and epoch = p_epoch and state = 'done'
    returning chunk into v_chunk;
    if v_chunk is null then
        raise exception 'job %/%#% is not done any more', p_run, p_step, p_seq using errcode = 'BF001';
    end if;
    insert into bf.event (run, step, chunk, who, what, note) values (p_run, p_step, v_chunk, p_who, 'undo', p_note);
end $$;

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

-- By its owner's rights: those who work may not plan.
create function bf.split(p_run text) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp set datestyle = 'ISO, MDY' as $$
declare
    w record;
    v_half date;
    v_planned int;
    v_ended boolean;
    v_count int := 0;
begin
    if not exists (select from bf.split_wanted where run = p_run) then
        return 0;
    end if;
    select state in ('done', 'failed', 'cancelled') into v_ended from bf.run where run = p_run for no key update;
    for w in
        delete from bf.split_wanted x using bf.job j
         where x.run = p_run and j.run = x.run and j.step = x.step and j.seq = x.seq
        returning j.step, j.seq, j.chunk, j.since, j.until, j.state = 'skipped' and j.split is true and j.since < j.until as due
    loop
        continue when not w.due;
        v_half := w.since + (w.until - w.since) / 2;
        select planned into v_planned from bf.step where run = p_run and step = w.step for no key update;
        insert into bf.job (run, step, seq, chunk, since, until, state, finished_at)
        select p_run, w.step, v_planned + h.n, case when h.since = h.until then h.since::text else h.since || '..' || h.until end, h.since, h.until,
               case when v_ended then 'cancelled' else 'pending' end, case when v_ended then clock_timestamp() end
          from (values (1, w.since, v_half), (2, v_half + 1, w.until)) as h (n, since, until);
        update bf.step set planned = v_planned + 2 where run = p_run and step = w.step;
        insert into bf.event (run, step, chunk, who, what) values (p_run, w.step, w.chunk, 'ledger', 'chunk split in two');
        v_count := v_count + 1;
    end loop;
    return v_count;
end $$;

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

-- A failed step stops what needs it, as before; so does a person's no, always; so does one that lacks chunks for something before it that stops others, whatever its own
-- failures may do.
create or replace function bf.stops_others(s bf.step) returns boolean
language sql immutable as $$
    select s.state in ('skipped', 'cancelled')
        or (s.state = 'failed' and (s.kind = 'approval' or case when s.max_failed_ratio is null then s.on_failure = 'halt' else s.halted end
                                    or (s.halted and s.by_chunk <> '{}')))
$$;

create function bf.first_unsettled(s bf.step) returns int
language sql stable as $$
    select seq from bf.job where run = s.run and step = s.step and seq >= s.floor and state in ('pending', 'running') order by seq limit 1
$$;

-- Moves `upto` on. What lacks something that it is made of is skipped at that moment: that failed and stops others, or was skipped or cancelled.
create function bf.let_chunks(s bf.step) returns void
language plpgsql as $$
declare
    v_need bf.step;
    v_first int;
    v_next int;
    v_lacks int;
    v_upto int := s.planned;
begin
    for i in 1 .. cardinality(s.by_chunk) loop
        select * into v_need from bf.step where run = s.run and step = s.by_chunk[i];
        v_first := bf.first_unsettled(v_need);
        continue when v_first is null;
        select seq into v_next from bf.job
         where run = s.run and step = s.step and seq > s.upto and upper(after[i]) > v_first order by seq limit 1;
        v_upto := least(v_upto, v_next - 1);
    end loop;
    if v_upto <= s.upto then
        return;
    end if;
    with lacking as (
        select j.seq, l.need, l.chunk, l.state from bf.job j
         cross join lateral (select w.need, a.chunk, a.state from unnest(s.by_chunk, j.after) as w (need, seqs)
                               join bf.step n on n.run = s.run and n.step = w.need
                              cross join lateral (select chunk, state from bf.job a
                                                   where a.run = s.run and a.step = w.need and a.seq >= lower(w.seqs) and a.seq < upper(w.seqs)
                                                     and (a.state in ('skipped', 'cancelled', 'undone')
                                                          or (a.state = 'failed' and case when n.max_failed_ratio is null then n.on_failure = 'halt' else n.halted end))
                                                   order by state <> 'failed', seq limit 1) a
                              order by a.state <> 'failed' limit 1) l
         where j.run = s.run and j.step = s.step and j.seq > s.upto and j.seq <= v_upto and j.state = 'pending'),
    skipped as (
        update bf.job j set state = 'skipped', finished_at = clock_timestamp(), note = format('%s of step %s is %s', l.chunk, l.need, l.state)
          from lacking l where j.run = s.run and j.step = s.step and j.seq = l.seq and j.state = 'pending'
        returning j.seq)
    select min(seq) into v_lacks from skipped;
    if s.chronological and s.on_failure = 'halt' and s.max_failed_ratio is null then -- no hole before a chunk: it ends here
        update bf.job set state = 'skipped', finished_at = clock_timestamp(), note = 'a chunk before it is skipped'
         where run = s.run and step = s.step and seq > v_lacks and state = 'pending';
    end if;
    update bf.step set upto = v_upto where run = s.run and step = s.step;
end $$;

-- ---------------------------------------------------------------------------------------------------------------------
-- What a chronological step did after a chunk that failed, was skipped or cancelled, and that it went on without, was built over a hole (PROTOCOL P4).
-- It is marked when the step ends and when a hole is opened again: after that nothing else would tell. Opening a job once more unmarks it.
alter table bf.job
    add column over_hole boolean,
    add column redone int;
comment on column bf.job.redone is 'How often it was opened again although it was done; null: never. Its idempotency key ends in it.';
comment on column bf.job.over_hole is 'Something was not there that it was made of: a chunk before it in a step that goes in order, or in a step before its own. Of one that is pending: its checkpoint is of that time, and is not used.';

create function bf.mark_over_hole(s bf.step) returns void
language sql as $$
    update bf.job set over_hole = true
     where run = s.run and step = s.step and state in ('done', 'running') and over_hole is not true
       and seq > (select min(seq) from bf.job where run = s.run and step = s.step and state in ('failed', 'cancelled', 'skipped') and split is not true
                     and seq not in (select bf.taken(s.run, s.step))) -- another run has filled it
$$;

-- What a step did without jobs before it that are open again, or were done over a hole themselves: that of the same days or key and of those
-- that look back at them; all of it, where one side is one job for the run; in a step that goes in order, what came after, too. Gates and the
-- like have nothing of their own, so what is before them counts.
create function bf.mark_done_without(s bf.step) returns void
language sql as $$
    with recursive up(step) as (
        select unnest(s.needs) collate "C"
        union
        select unnest(n.needs) collate "C" from up join bf.step n on n.run = s.run and n.step = up.step and n.kind in ('check', 'soak', 'approval')),
    missing as materialized (
        select a.step, a.seq, a.since, a.until, a.key, n.per_run
          from up join bf.step n on n.run = s.run and n.step = up.step and n.kind not in ('check', 'soak', 'approval')
          join bf.job a on a.run = n.run and a.step = n.step
         where a.state in ('pending', 'running') or (a.state = 'done' and a.over_hole)),
    days as materialized (select range_agg(daterange(since, until + s.lookback, '[]')) as missing from missing where since is not null having count(*) > 0),
    seqs as materialized (select step, range_agg(int4range(seq, seq, '[]')) as missing from missing where step = any (s.by_chunk) group by step),
    hit(seq) as (
        select j.seq from bf.job j
         where j.run = s.run and j.step = s.step and (select case when s.per_run then count(*) > 0 else bool_or(per_run) end from missing)
        union
        select j.seq from days join bf.job j on daterange(j.since, j.until, '[]') && days.missing where j.run = s.run and j.step = s.step
        union
        select j.seq from missing m join bf.job j on j.key = m.key where j.run = s.run and j.step = s.step
        union -- keys that look back at one: as far as it and the key that is looked back to are jobs of this step
        select j.seq from missing m
          join bf.job k on k.run = s.run and k.step = s.step and k.key = m.key
         cross join generate_series(1, s.lookback) as d
          join bf.job j on j.run = s.run and j.step = s.step and j.seq = k.seq + d
          left join bf.job b on b.run = s.run and b.step = s.step and b.key = j.lookback_key
         where coalesce(b.seq, 0) <= k.seq
        union -- chunk by chunk it is written down
        select j.seq from bf.job j cross join lateral unnest(s.by_chunk, j.after) as w (need, seqs) join seqs on seqs.step = w.need and seqs.missing && w.seqs
         where j.run = s.run and j.step = s.step and s.by_chunk <> '{}')
    update bf.job j set over_hole = true
      from (select seq from hit
            union
            select a.seq from bf.job a where a.run = s.run and a.step = s.step and s.chronological and a.seq > (select min(seq) from hit)) h
     where j.run = s.run and j.step = s.step and j.seq = h.seq and j.over_hole is not true
       and (j.state in ('done', 'running') or (j.state = 'pending' and j.checkpoint is not null)) -- it begins anew
$$;

-- As before, with these.
create function bf.advance_settled(p_run text) returns text
language plpgsql as $$
declare
    r bf.run;
    s bf.step;
    v_first int;
    v_failed bigint;
    v_job text;
    v_settled boolean;
    v_lacks boolean;
    v_moved boolean;
    v_verdict text;
    v_why text;
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
                    update bf.job set state = 'skipped', finished_at = clock_timestamp(), note = 'its step was halted'
                     where run = p_run and step = s.step and seq >= s.floor and state = 'pending';
                end if;
                if s.by_chunk <> '{}' then
                    perform bf.let_chunks(s);
                end if;
                v_first := bf.first_unsettled(s);
                if v_first is not null then
                    if v_first > s.floor then
                        update bf.step set floor = v_first where run = p_run and step = s.step;
                    end if;
                    continue;
                end if;
                -- one whose chunks wait for chunks is not over before what it waits for, and stands like it where it lacks something for it
                continue when exists (select from bf.step n where n.run = p_run and n.step = any (s.by_chunk) and n.state in ('waiting', 'released'));
                v_lacks := exists (select from bf.step n where n.run = p_run and n.step = any (s.by_chunk) and bf.stops_others(n))
                       and exists (select from bf.job where run = p_run and step = s.step and state = 'skipped');
                v_verdict := case
                    when exists (select from bf.job where run = p_run and step = s.step and state = 'failed') then 'failed'
                    when v_lacks and exists (select from bf.job where run = p_run and step = s.step and state = 'done') then 'failed'
                    when v_lacks then 'skipped'
                    when exists (select from bf.job where run = p_run and step = s.step and state = 'cancelled')
                     and not exists (select from bf.job where run = p_run and step = s.step and state = 'done') then 'cancelled'
                    else 'done' end;
                if s.chronological then
                    perform bf.mark_over_hole(s);
                end if;
                update bf.step set state = v_verdict, floor = s.planned + 1, finished_at = clock_timestamp(), halted = halted or v_lacks
                 where run = p_run and step = s.step;
                insert into bf.event (run, step, who, what) values (p_run, s.step, 'ledger', 'step ' || v_verdict);
                v_moved := true;
                continue;
            end if;
            if exists (select from bf.step n where n.run = p_run and n.step = any (s.needs)
                         and case when n.step = any (s.by_chunk) then n.state in ('skipped', 'cancelled') else bf.stops_others(n) end) then
                select format('step %s is %s', n.step, n.state) into v_why from bf.step n
                 where n.run = p_run and n.step = any (s.needs)
                   and case when n.step = any (s.by_chunk) then n.state in ('skipped', 'cancelled') else bf.stops_others(n) end order by n.ordinal limit 1;
                update bf.job set state = 'skipped', epoch = epoch + 1, finished_at = clock_timestamp(), note = v_why
                 where run = p_run and step = s.step and state in ('pending', 'running'); -- running: a retry made its step wait again
                update bf.step set state = 'skipped', floor = s.planned + 1, asked_at = null, finished_at = clock_timestamp()
                 where run = p_run and step = s.step;
                insert into bf.event (run, step, who, what) values (p_run, s.step, 'ledger', 'step skipped');
                v_moved := true;
                continue;
            end if;
            v_settled := not exists (select from bf.step n where n.run = p_run and n.step = any (s.needs)
                                        and (n.state = 'waiting' or (n.state = 'released' and n.step <> all (s.by_chunk))));
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

-- What was split is seen to first.
create or replace function bf.advance(p_run text) returns text
language plpgsql as $$
declare
    v_state text;
begin
    if not exists (select from bf.step where run = p_run and split) then
        return bf.advance_settled(p_run);
    end if;
    loop
        perform bf.split(p_run);
        begin
            v_state := bf.advance_settled(p_run);
            if exists (select from bf.split_wanted where run = p_run) then -- settled meanwhile: it may have been taken for the last one
                raise exception 'again' using errcode = 'BF005';
            end if;
            return v_state;
        exception when sqlstate 'BF005' then
            null;
        end;
    end loop;
end $$;

-- As before, and the halves of what has failed are cancelled, too; what was done over a hole is marked.
create or replace function bf.cancel(p_run text, p_step text, p_chunk text, p_who text, p_note text) returns int
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
    perform bf.split(p_run); -- the halves of what has failed are cancelled, too
    perform bf.mark_over_hole(t) from bf.step t where t.run = p_run and t.chronological;
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

-- As before, but for what was split, which stays as it is, and for how far chunks may go, which is found anew. What was done without the jobs that
-- are opened is marked as done over a hole; p_downstream: all such jobs of the run that are done are opened again, too, from their beginning.
drop function bf.retry(text, text, text, text, text);
create function bf.retry(p_run text, p_step text, p_chunk text, p_who text, p_note text, p_downstream boolean default false) returns int
language plpgsql set enable_nestloop = off set jit = off as $$ -- many jobs have just changed, and what is known of them has not
declare
    r bf.run;
    s bf.step;
    v_count bigint;
    v_total int := 0;
    v_again text[] := '{}'; -- steps with failed and cancelled jobs
    v_below text[];         -- these, those whose done jobs are opened, and what comes after them
    v_gate boolean;
    v_lowest int;
begin
    -- not while a run of the pipeline is being planned, which looks at what is held
    perform pg_advisory_xact_lock(hashtext('bf.plan'), hashtext(pipeline)) from bf.run where run = p_run;
    select * into r from bf.run where run = p_run for no key update;
    if not found then
        return null;
    end if;
    perform from bf.job where run = p_run and state = 'running' order by step, seq for no key update; -- in the order of those who settle them
    for s in select * from bf.step where run = p_run order by ordinal loop
        if s.chronological then
            perform bf.mark_over_hole(s);
        end if;
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
            update bf.job set over_hole = true where run = p_run and step = s.step and state = 'pending' and seq > v_lowest and checkpoint is not null;
        end if;
        if s.chronological or s.max_failed_ratio is not null or s.by_chunk <> '{}' then -- what its halt had skipped, or lacked something
            update bf.job set state = 'pending', finished_at = null, note = null
             where run = p_run and step = s.step and state = 'skipped' and split is not true
               and (seq > v_lowest or not s.chronological or s.by_chunk <> '{}')
               and seq not in (select bf.taken(p_run, s.step));
            get diagnostics v_count = row_count;
            v_total := v_total + v_count;
        end if;
    end loop;
    v_below := v_again;
    for s in
        with recursive hops(step, n) as (
            select t.step, 0 from bf.step t where t.run = p_run
            union
            select t.step, h.n + 1 from hops h join bf.step t on t.run = p_run and h.step = any (t.needs))
        select t.* from bf.step t join (select step, max(n) as n from hops group by step) h using (step) where t.run = p_run order by h.n, t.ordinal
    loop -- each after all that it needs
        if s.needs && v_below and not s.step = any (v_below) then
            v_below := v_below || s.step;
        end if;
        v_gate := s.kind in ('check', 'soak', 'approval');
        if s.step = any (v_below) and not s.step = any (v_again) then
            update bf.job set state = 'pending', attempts = 0, crashes = 0, deaths = 0, not_before = null, finished_at = null, epoch = epoch + 1,
                   note = case when state <> 'skipped' then note end
             where run = p_run and step = s.step and seq not in (select bf.taken(p_run, s.step))
               and ((state = 'skipped' and split is not true) or (v_gate and state in ('done', 'failed')));
            get diagnostics v_count = row_count;
            v_total := v_total + v_count;
        end if;
        if s.step = any (v_below) and not v_gate then
            perform bf.mark_done_without(s);
        end if;
        update bf.job set over_hole = null -- another run's by now
         where run = p_run and step = s.step and state = 'done' and over_hole and seq in (select bf.taken(p_run, s.step));
        if p_downstream and not v_gate then
            update bf.job set state = 'pending', attempts = 0, crashes = 0, deaths = 0, not_before = null, finished_at = null, epoch = epoch + 1,
                   redone = coalesce(redone, 0) + 1
             where run = p_run and step = s.step and state = 'done' and over_hole;
            get diagnostics v_count = row_count;
            v_total := v_total + v_count;
            if v_count > 0 and not s.step = any (v_below) then
                v_below := v_below || s.step;
            end if;
        end if;
    end loop;
    if v_total = 0 then
        return 0;
    end if;
    update bf.step t set state = 'waiting', floor = 1, upto = case when upto is not null then 0 end, plan_number = plan_number + 1, finished_at = null,
           halted = halted and (by_chunk = '{}' or exists (select from bf.job j where j.run = p_run and j.step = t.step and j.state = 'failed'))
     where t.run = p_run and t.step = any (v_below); -- also where nothing is to be done again: what comes after it has to wait
    update bf.run set version = version + 1, finished_at = null,
           state = case when state in ('done', 'failed', 'cancelled') then 'running' else state end
     where run = p_run;
    insert into bf.event (run, step, chunk, who, what, note)
    values (p_run, p_step, p_chunk, p_who, case when p_downstream then 'retry downstream' else 'retry' end, p_note);
    perform bf.advance(p_run);
    return v_total;
end $$;
