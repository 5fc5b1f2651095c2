-- Cancels up to 10,000 jobs of a run that is being cancelled, one step after the other. A step's
-- floor says how far it has come. Returns the run's state.
create or replace function bf.cancel_part(p_run text) returns text
language plpgsql set search_path = pg_catalog, bf, pg_temp set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$ -- along the key, whatever is known of so young a table
declare
    r bf.run;
    s bf.step;
    v_count int;
    v_last int;
    v_verdict text;
    v_left int := 10000;
begin
    select * into r from bf.run where run = p_run for no key update;
    if r.cancelling is not true then
        return r.state;
    end if;
    for s in select * from bf.step where run = p_run and state in ('waiting', 'released') order by ordinal loop
        select max(seq) into v_last from (
            select seq from bf.job where run = p_run and step = s.step and seq >= s.floor and state in ('pending', 'running')
             order by seq limit v_left for no key update) part;
        update bf.job set state = 'cancelled', epoch = epoch + 1, finished_at = clock_timestamp()
         where run = p_run and step = s.step and seq between s.floor and v_last and state in ('pending', 'running');
        get diagnostics v_count = row_count;
        v_left := v_left - v_count;
        if v_left = 0 then
            update bf.step set floor = v_last + 1 where run = p_run and step = s.step;
            return r.state;
        end if;
        v_verdict := case -- one of which nothing is cancelled is what its jobs are: a retry has nothing to open in it
            when v_count > 0 or exists (select from bf.job where run = p_run and step = s.step and state = 'cancelled') then 'cancelled'
            when exists (select from bf.job where run = p_run and step = s.step and state = 'failed') then 'failed'
            when exists (select from bf.job where run = p_run and step = s.step and state = 'done') then 'done'
            when exists (select from bf.job where run = p_run and step = s.step and state = 'skipped') then 'skipped'
            else 'cancelled' end;
        update bf.step set state = v_verdict, asked_at = null, finished_at = clock_timestamp() where run = p_run and step = s.step;
    end loop;
    update bf.run set state = 'cancelled', cancelling = false, version = version + 1, finished_at = clock_timestamp() where run = p_run;
    return 'cancelled';
end $$;
