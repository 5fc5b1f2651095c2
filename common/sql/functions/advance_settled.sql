-- Settles the steps whose jobs are all settled, releases those that may now start, asks for
-- approvals, and ends the run (PROTOCOL L10). All of it happens under the run's lock; calling it
-- again changes nothing. Returns the run's state; null for an unknown run.
create or replace function bf.advance_settled(p_run text) returns text
language plpgsql set search_path = pg_catalog, bf, pg_temp as $$
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
                if v_job = 'done' and s.decision is distinct from 'approved' then -- written past bf.decide_approval
                    update bf.job set state = 'pending', epoch = epoch + 1, finished_at = null, note = null
                     where run = p_run and step = s.step;
                    insert into bf.event (run, step, who, what, note)
                    values (p_run, s.step, 'ledger', 'approval asked for again', 'it was done, and nobody had approved it');
                    v_job := 'pending';
                elsif v_job = 'pending' and s.decision is not null then -- opened again since it was decided
                    update bf.step set decision = null where run = p_run and step = s.step;
                end if;
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
                        when exists (select from bf.step where run = p_run and state = 'cancelled')
                          or exists (select from bf.job where run = p_run and state = 'cancelled') then 'cancelled'
                        -- what is not done is another run's, or was split; else this run is not done, whatever its steps are
                        when exists (select from bf.job where run = p_run and state = 'skipped' and split is not true and taken_by is null) then 'failed'
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
