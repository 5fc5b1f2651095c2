-- The last statement of the transaction that undoes a job: the job is undone, with an event. BF001
-- unless the transaction is the one that bf.undo_begin began and the job is still done by the attempt.
create or replace function bf.undo(p_run text, p_step text, p_seq int, p_epoch int, p_who text, p_note text) returns void
language plpgsql security definer set search_path = pg_catalog, bf, pg_temp as $$
declare
    v_chunk text;
begin
    if current_setting('bf.undo', true) is distinct from pg_current_xact_id()::text then
        raise exception 'the rollback file has ended the transaction that it runs in' using errcode = 'BF001';
    end if;
    update bf.job set state = 'undone', epoch = epoch + 1, note = 'undone by ' || p_who || coalesce(': ' || p_note, '')
     where run = p_run and step = p_step and seq = p_seq and epoch = p_epoch
       and state in ('done', 'failed', 'cancelled') -- as bf.undo_begin has found it, and locked it
    returning chunk into v_chunk;
    if v_chunk is null then
        raise exception 'job %/%#% is not done any more', p_run, p_step, p_seq using errcode = 'BF001';
    end if;
    insert into bf.event (run, step, chunk, who, what, note) values (p_run, p_step, v_chunk, p_who, 'undo', p_note);
end $$;
