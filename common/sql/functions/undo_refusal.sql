-- The first statement of the transaction that undoes a job, for a script that goes on: what bf.undo_begin raises with BF001, as a text, or
-- null where the job may be undone.
create or replace function bf.undo_refusal(p_run text, p_step text, p_seq int, p_epoch int) returns text
language plpgsql set search_path = pg_catalog, bf, pg_temp as $$
begin
    perform bf.undo_begin(p_run, p_step, p_seq, p_epoch);
    return null;
exception when sqlstate 'BF001' then
    return sqlerrm;
end $$;
