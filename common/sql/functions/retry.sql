-- Opens failed and cancelled jobs again (all of the run, of one step, or one chunk), and with them, in
-- every step after theirs, what had been skipped for want of them and the checks that had judged
-- without them. Of what another run holds or has done since, day by day and key by key, nothing is
-- opened: such a job is skipped, and says by which run it is taken. What another run is at work on in a
-- step before stays as it is, and so does what was split. What was done without
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
    v_taken bigint;
    v_settled bigint;       -- of these, those that had failed or were cancelled
    v_all_taken bigint := 0;
    v_again text[] := '{}'; -- steps with failed and cancelled jobs
    v_below text[];         -- these, those whose done jobs are opened, and what comes after them
    v_gate boolean;
    v_lowest int;
begin
    -- not while a run of the pipeline is being planned, which looks at what is held
    perform bf.lock_planning(pipeline, true) from bf.run where run = p_run;
    select * into r from bf.run where run = p_run for no key update;
    if not found then
        return null;
    end if;
    perform from bf.job where run = p_run and state = 'running' order by step, seq for no key update; -- in the order of those who settle them
    for s in select * from bf.steps_in_order(p_run) loop
        if s.chronological then
            perform bf.mark_over_hole(s);
        end if;
        if not s.chronological and s.by_chunk = '{}' and not exists (select from bf.step t where t.run = p_run and s.step = any (t.by_chunk)) then
            perform bf.cut_taken(p_run, s.step);
        end if;
        with taken as (
            update bf.job j set state = 'skipped', taken_by = t.by_run, note = 'taken by run ' || t.by_run, error_category = null, error = null
              from bf.taken_by(p_run, s.step) t join bf.job o on o.run = p_run and o.step = s.step and o.seq = t.seq
             where j.run = p_run and j.step = s.step and j.seq = t.seq and t.days = t.of_days
               and (j.state in ('failed', 'cancelled') or (j.state = 'skipped' and j.split is not true and j.taken_by is distinct from t.by_run))
               and (p_step is null or j.step = p_step) and (p_chunk is null or j.chunk = p_chunk)
            returning o.state)
        select count(*), count(*) filter (where state <> 'skipped') into v_taken, v_settled from taken;
        v_all_taken := v_all_taken + v_taken;
        with again as (
            update bf.job set state = 'pending', attempts = 0, crashes = 0, deaths = 0, not_before = null, finished_at = null, epoch = epoch + 1,
                   waits = null, waits_since = null, waits_why = null,
                   taken_by = null, note = case when taken_by is null then note end
             where run = p_run and step = s.step and (state in ('failed', 'cancelled') or (state = 'skipped' and split is not true
                    and (taken_by is not null or s.state = 'done'))) -- its step went on without it: another run was at work on what it is made of
               and (p_step is null or step = p_step) and (p_chunk is null or chunk = p_chunk)
               and seq not in (select bf.taken(p_run, s.step)) and seq not in (select h.seq from bf.needs_held(s) h)
            returning seq)
        select count(*), min(seq) into v_count, v_lowest from again;
        continue when v_count + v_settled = 0;
        v_total := v_total + v_count;
        v_again := v_again || s.step;
        update bf.step set halted = false where run = p_run and step = s.step;
        if s.chronological then
            update bf.job set over_hole = true where run = p_run and step = s.step and state = 'pending' and seq > v_lowest and checkpoint is not null;
        end if;
        if s.chronological or s.max_failed_ratio is not null or s.by_chunk <> '{}' then -- what its halt had skipped, or lacked something
            update bf.job set state = 'pending', finished_at = null, note = null, taken_by = null
             where run = p_run and step = s.step and state = 'skipped' and split is not true
               and (seq > v_lowest or v_lowest is null or not s.chronological or s.by_chunk <> '{}')
               and seq not in (select bf.taken(p_run, s.step)) and seq not in (select h.seq from bf.needs_held(s) h);
            get diagnostics v_count = row_count;
            v_total := v_total + v_count;
        end if;
    end loop;
    for s in -- a person who has said no is asked anew about what the checks before him find by now
        select c.* from bf.step c
         where c.run = p_run and c.kind = 'check' and not c.step = any (v_again)
           and exists (select from bf.step a where a.run = p_run and a.kind = 'approval' and a.step = any (v_again) and c.step = any (a.needs))
    loop
        update bf.job set state = 'pending', attempts = 0, crashes = 0, deaths = 0, not_before = null, finished_at = null, epoch = epoch + 1,
               waits = null, waits_since = null, waits_why = null
         where run = p_run and step = s.step and state in ('done', 'failed');
        get diagnostics v_count = row_count;
        v_total := v_total + v_count;
        v_again := v_again || s.step;
    end loop;
    v_below := v_again;
    for s in select * from bf.steps_in_order(p_run) loop
        if s.needs && v_below and not s.step = any (v_below) then
            v_below := v_below || s.step;
        end if;
        v_gate := s.kind in ('check', 'soak', 'approval');
        if s.step = any (v_below) and not s.step = any (v_again) then
            update bf.job set state = 'pending', attempts = 0, crashes = 0, deaths = 0, not_before = null, finished_at = null, epoch = epoch + 1,
                   waits = null, waits_since = null, waits_why = null,
                   taken_by = null, note = case when state <> 'skipped' then note end
             where run = p_run and step = s.step and seq not in (select bf.taken(p_run, s.step)) and seq not in (select h.seq from bf.needs_held(s) h)
               and ((state = 'skipped' and split is not true) or (v_gate and state in ('done', 'failed')));
            get diagnostics v_count = row_count;
            v_total := v_total + v_count;
        end if;
        update bf.job j set note = format('step %s is held by run %s', h.need, h.by_run)
          from bf.needs_held(s) h
         where j.run = p_run and j.step = s.step and j.seq = h.seq and j.state in ('skipped', 'cancelled')
           and j.split is not true and j.taken_by is null;
        if s.step = any (v_below) and not v_gate then
            perform bf.mark_done_without(s);
        end if;
        update bf.job set over_hole = null -- done by another run since
         where run = p_run and step = s.step and state = 'done' and over_hole
           and seq in (select t.seq from bf.taken_by(p_run, s.step) t where t.days = t.of_days and not t.held);
        if p_downstream and not v_gate then
            update bf.job set state = 'pending', attempts = 0, crashes = 0, deaths = 0, not_before = null, finished_at = null, epoch = epoch + 1,
                   waits = null, waits_since = null, waits_why = null,
                   redone = coalesce(redone, 0) + 1
             where run = p_run and step = s.step and state = 'done' and over_hole
               and seq not in (select bf.taken(p_run, s.step)) and seq not in (select h.seq from bf.needs_held(s) h);
            get diagnostics v_count = row_count;
            v_total := v_total + v_count;
            if v_count > 0 and not s.step = any (v_below) then
                v_below := v_below || s.step;
            end if;
        end if;
    end loop;
    if v_total + v_all_taken = 0 then
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
