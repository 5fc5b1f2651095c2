-- Cancels all that is left of a run that is being cancelled, within one transaction.
create or replace function bf.cancel_rest(p_run text) returns void
language plpgsql security definer set search_path = pg_catalog, bf, pg_temp as $$
begin
    while exists (select from bf.run where run = p_run and cancelling) loop
        perform bf.cancel_part(p_run);
    end loop;
end $$;
