-- Makes two jobs of each chunk that failed and is to be split. It runs with its owner's rights, for
-- workers may not plan. Returns how many chunks were split.
create or replace function bf.split(p_run text) returns int
language plpgsql security definer set search_path = pg_catalog, bf, pg_temp set datestyle = 'ISO, MDY' as $$
declare
    w record;
    v_half date;
    v_planned int;
    v_ended boolean;
    v_count int := 0;
begin
    if not exists (select from bf.split_wanted where run = p_run) then
        return 0;
    end if;
    select state in ('done', 'failed', 'cancelled') into v_ended from bf.run where run = p_run for no key update;
    for w in
        delete from bf.split_wanted x using bf.job j
         where x.run = p_run and j.run = x.run and j.step = x.step and j.seq = x.seq
        returning j.step, j.seq, j.chunk, j.since, j.until, j.state = 'skipped' and j.split is true and j.since < j.until as due
    loop
        continue when not w.due;
        v_half := w.since + (w.until - w.since) / 2;
        select planned into v_planned from bf.step where run = p_run and step = w.step for no key update;
        insert into bf.job (run, step, seq, chunk, since, until, state, finished_at)
        select p_run, w.step, v_planned + h.n, case when h.since = h.until then h.since::text else h.since || '..' || h.until end, h.since, h.until,
               case when v_ended then 'cancelled' else 'pending' end, case when v_ended then clock_timestamp() end
          from (values (1, w.since, v_half), (2, v_half + 1, w.until)) as h (n, since, until);
        update bf.step set planned = v_planned + 2 where run = p_run and step = w.step;
        insert into bf.event (run, step, chunk, who, what) values (p_run, w.step, w.chunk, 'ledger', 'chunk split in two');
        v_count := v_count + 1;
    end loop;
    return v_count;
end $$;
