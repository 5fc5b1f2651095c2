-- Takes jobs away from whoever holds them: epoch + 1 fences the attempt. p_step and p_chunk may be
-- null (all). All of a run is cancelled in parts (bf.cancel_part), of which this does the first.
-- Returns how many jobs are cancelled or will be; null for an unknown run.
create or replace function bf.cancel(p_run text, p_step text, p_chunk text, p_who text, p_note text) returns int
language plpgsql security definer set search_path = pg_catalog, bf, pg_temp as $$
declare
    r bf.run;
    v_count int;
begin
    select * into r from bf.run where run = p_run for no key update;
    if not found then
        return null;
    end if;
    if r.state in ('done', 'failed', 'cancelled') then
        return 0;
    end if;
    perform bf.split(p_run); -- the halves of what has failed are cancelled, too
    perform bf.mark_over_hole(t) from bf.step t where t.run = p_run and t.chronological;
    if p_step is null and p_chunk is null then
        v_count := bf.cancel_begin(p_run);
    else
        perform from bf.job where run = p_run and (p_step is null or step = p_step) and (p_chunk is null or chunk = p_chunk)
           and state in ('pending', 'running') order by step, seq for no key update;
        update bf.job set state = 'cancelled', epoch = epoch + 1, finished_at = clock_timestamp()
         where run = p_run and (p_step is null or step = p_step) and (p_chunk is null or chunk = p_chunk)
           and state in ('pending', 'running');
        get diagnostics v_count = row_count;
        update bf.run set version = version + 1 where run = p_run and v_count > 0;
    end if;
    insert into bf.event (run, step, chunk, who, what, note) values (p_run, p_step, p_chunk, p_who, 'cancel', p_note);
    perform bf.advance(p_run);
    return v_count;
end $$;
