-- Somebody has decided that nothing more comes of what failed in a run: it needs no attention any more, and what it was stays in the
-- ledger. Void once it has been tried again and ended anew. Returns the run's state, and closes nothing unless that is failed; null for an
-- unknown run.
create or replace function bf.close(p_run text, p_who text, p_note text) returns text
language plpgsql security definer set search_path = pg_catalog, bf, pg_temp as $$
declare
    v_state text;
begin
    select state into v_state from bf.run where run = p_run for no key update;
    if v_state = 'failed' then
        update bf.run set closed_at = clock_timestamp() where run = p_run;
        insert into bf.event (run, who, what, note) values (p_run, p_who, 'close', p_note);
    end if;
    return v_state;
end $$;
