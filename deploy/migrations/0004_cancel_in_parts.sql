-- oldest program that can live with this schema: 0.1.0
--
-- A large run is cancelled in parts: what runs at once, and then so many jobs a transaction that nobody waits for it. Whoever advances the run
-- does the next part, so it comes to its end whatever becomes of the one who has decided it.

alter table bf.run add column cancelling boolean not null default false;
comment on column bf.run.cancelling is 'It was decided to cancel all of it; it is "stopping" until its last job is.';

-- Cancels up to 10,000 jobs of a run that is being cancelled, a step after the other; the run's state. The floor of a step says how far it has come.
create function bf.cancel_part(p_run text) returns text
language plpgsql set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$ -- along the key, whatever is known of so young a table
declare
    r bf.run;
    s bf.step;
    v_count int;
    v_last int;
    v_verdict text;
    v_left int := 10000;
begin
    select * into r from bf.run where run = p_run for no key update;
    if r.cancelling is not true then
        return r.state;
    end if;
    for s in select * from bf.step where run = p_run and state in ('waiting', 'released') order by ordinal loop
        select max(seq) into v_last from (
            select seq from bf.job where run = p_run and step = s.step and seq >= s.floor and state in ('pending', 'running')
             order by seq limit v_left for no key update) part;
        update bf.job set state = 'cancelled', epoch = epoch + 1, finished_at = clock_timestamp()
         where run = p_run and step = s.step and seq between s.floor and v_last and state in ('pending', 'running');
        get diagnostics v_count = row_count;
        v_left := v_left - v_count;
        if v_left = 0 then
            update bf.step set floor = v_last + 1 where run = p_run and step = s.step;
            return r.state;
        end if;
        v_verdict := case -- one of which nothing is cancelled is what its jobs are: a retry has nothing to open in it
            when v_count > 0 or exists (select from bf.job where run = p_run and step = s.step and state = 'cancelled') then 'cancelled'
            when exists (select from bf.job where run = p_run and step = s.step and state = 'failed') then 'failed'
            when exists (select from bf.job where run = p_run and step = s.step and state = 'done') then 'done'
            when exists (select from bf.job where run = p_run and step = s.step and state = 'skipped') then 'skipped'
            else 'cancelled' end;
        update bf.step set state = v_verdict, asked_at = null, finished_at = clock_timestamp() where run = p_run and step = s.step;
    end loop;
    update bf.run set state = 'cancelled', cancelling = false, version = version + 1, finished_at = clock_timestamp() where run = p_run;
    return 'cancelled';
end $$;

-- All that is left, at once.
create function bf.cancel_rest(p_run text) returns void
language plpgsql as $$
begin
    while exists (select from bf.run where run = p_run and cancelling) loop
        perform bf.cancel_part(p_run);
    end loop;
end $$;

-- The decision: what runs is cancelled, and nothing more is opened. Returns how many jobs there are to cancel, with these.
create function bf.cancel_begin(p_run text) returns int
language plpgsql set enable_seqscan = off set enable_bitmapscan = off as $$
declare
    v_count int;
    v_steps text[];
    v_seqs int[];
begin
    select count(*), array_agg(step order by step, seq) filter (where state = 'running'), array_agg(seq order by step, seq) filter (where state = 'running')
      into v_count, v_steps, v_seqs
      from bf.job where run = p_run and state in ('pending', 'running');
    for i in 1 .. coalesce(cardinality(v_steps), 0) loop -- each by its key, in their order
        update bf.job set state = 'cancelled', epoch = epoch + 1, finished_at = clock_timestamp()
         where run = p_run and step = v_steps[i] and seq = v_seqs[i] and state = 'running';
    end loop;
    update bf.run set state = 'stopping', cancelling = true, version = version + 1 where run = p_run;
    return v_count;
end $$;

-- As before, but all of a run is cancelled in parts, of which this is the first.
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
    if p_step is null and p_chunk is null then
        v_count := bf.cancel_begin(p_run);
    else
        perform from bf.job where run = p_run and (p_step is null or step = p_step) and (p_chunk is null or chunk = p_chunk)
           and state in ('pending', 'running') order by step, seq for no key update;
        update bf.job set state = 'cancelled', epoch = epoch + 1, finished_at = clock_timestamp()
         where run = p_run and (p_step is null or step = p_step) and (p_chunk is null or chunk = p_chunk)
           and state in ('pending', 'running');
        get diagnostics v_count = row_count;
        update bf.run set version = version + 1 where run = p_run and v_count > 0;
    end if;
    insert into bf.event (run, step, chunk, who, what, note) values (p_run, p_step, p_chunk, p_who, 'cancel', p_note);
    perform bf.advance(p_run);
    return v_count;
end $$;

-- As before, but a run that is being cancelled does not go on.
create or replace function bf.resume(p_run text, p_who text, p_note text) returns text
language plpgsql as $$
declare
    r bf.run;
begin
    select * into r from bf.run where run = p_run for no key update;
    if r.state in ('stopping', 'stopped') and not r.cancelling then
        update bf.run set state = 'running', version = version + 1, finished_at = null where run = p_run;
        insert into bf.event (run, who, what, note) values (p_run, p_who, 'resume', p_note);
        return bf.advance(p_run);
    end if;
    return r.state;
end $$;

-- As before, but of a run that is being cancelled the next part is.
create or replace function bf.advance(p_run text) returns text
language plpgsql as $$
declare
    v_state text;
begin
    perform from bf.run where run = p_run for no key update; -- whoever decides about it has decided
    if exists (select from bf.run where run = p_run and cancelling) then
        perform bf.split(p_run); -- of what failed while it was decided
        return bf.cancel_part(p_run);
    end if;
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
