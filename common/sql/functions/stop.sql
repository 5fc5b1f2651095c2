-- Stops a run: nothing more is opened; what runs may end. Returns the run's state; null for an
-- unknown run.
create or replace function bf.stop(p_run text, p_who text, p_note text) returns text
language plpgsql security definer set search_path = pg_catalog, bf, pg_temp as $$
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
