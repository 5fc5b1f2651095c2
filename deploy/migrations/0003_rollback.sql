-- oldest program that can live with this schema: 0.1.0
--
-- Holding a run back while a query of its pipeline says so; undoing what a run has done, chunk by chunk: the step's rollback file and the ledger's row in one transaction.

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
