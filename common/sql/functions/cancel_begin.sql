-- The decision to cancel a whole run: running jobs are cancelled now, and nothing more is opened.
-- Returns how many jobs there are to cancel, including these.
create or replace function bf.cancel_begin(p_run text) returns int
language plpgsql set search_path = pg_catalog, bf, pg_temp set enable_seqscan = off set enable_bitmapscan = off as $$
declare
    v_count int;
    v_steps text[];
    v_seqs int[];
begin
    select count(*), array_agg(step order by step, seq) filter (where state = 'running'), array_agg(seq order by step, seq) filter (where state = 'running')
      into v_count, v_steps, v_seqs
      from bf.job where run = p_run and state in ('pending', 'running');
    for i in 1 .. coalesce(cardinality(v_steps), 0) loop -- each by its key, in their order
        update bf.job set state = 'cancelled', epoch = epoch + 1, finished_at = clock_timestamp()
         where run = p_run and step = v_steps[i] and seq = v_seqs[i] and state = 'running';
    end loop;
    update bf.run set state = 'stopping', cancelling = true, version = version + 1 where run = p_run;
    return v_count;
end $$;
