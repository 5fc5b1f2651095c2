-- Opens failed and cancelled jobs again (all of the run, of one step, or one chunk), and with them, in
-- every step after theirs, what had been skipped for want of them and the checks that had judged
-- without them. What another run has taken, and what was split, stays as it is. What was done without
-- the jobs that are opened is marked as done over a hole; p_downstream: all such jobs of the run are
-- opened again, too, from their beginning. Returns the number of jobs to run again; null for an
-- unknown run.
create or replace function bf.retry(p_run text, p_step text, p_chunk text, p_who text, p_note text, p_downstream boolean default false) returns int
language plpgsql security definer set search_path = pg_catalog, bf, pg_temp set enable_nestloop = off set jit = off as $$ -- many jobs have just changed, and what is known of them has not
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
    for s in -- a person who has said no is asked anew about what the checks before him find by now
        select c.* from bf.step c
         where c.run = p_run and c.kind = 'check' and not c.step = any (v_again)
           and exists (select from bf.step a where a.run = p_run and a.kind = 'approval' and a.step = any (v_again) and c.step = any (a.needs))
    loop
        update bf.job set state = 'pending', attempts = 0, crashes = 0, deaths = 0, not_before = null, finished_at = null, epoch = epoch + 1
         where run = p_run and step = s.step and state in ('done', 'failed');
        get diagnostics v_count = row_count;
        v_total := v_total + v_count;
        v_again := v_again || s.step;
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
