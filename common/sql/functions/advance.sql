-- Moves a run on (PROTOCOL L10): cancels the next part of a run that is being cancelled, makes
-- the halves of chunks that were split, and lets bf.advance_settled judge the rest. Idempotent.
-- Returns the run's state; null for an unknown run.
create or replace function bf.advance(p_run text) returns text
language plpgsql security definer set search_path = pg_catalog, bf, pg_temp as $$
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
