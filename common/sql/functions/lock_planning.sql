-- One planning, or opening again, of a pipeline's jobs at a time (PROTOCOL P2): locks the pipeline's row
-- of bf.planning until the end of the transaction. p_wait: false does not wait for another who has it,
-- and returns whether it was got. A row lock, because anybody who may connect can take an advisory lock,
-- and only who may change a table can lock its rows. Pipelines share a row where their hashes agree.
create or replace function bf.lock_planning(p_pipeline text, p_wait boolean) returns boolean
language plpgsql security definer set search_path = pg_catalog, bf, pg_temp as $$
begin
    if p_wait then
        perform from bf.planning where slot = bf.planning_slot(p_pipeline) for update;
    else
        perform from bf.planning where slot = bf.planning_slot(p_pipeline) for update skip locked;
    end if;
    return found;
end $$;
