-- The first statement of the transaction that undoes a job. BF001 unless the job is done by this very
-- attempt, or may be (bf.unknown_outcomes), its run is not under way, and no other run has done the same since or is about to.
create or replace function bf.undo_begin(p_run text, p_step text, p_seq int, p_epoch int) returns void
language plpgsql security definer set search_path = pg_catalog, bf, pg_temp as $$
declare
    r bf.run;
begin
    select * into r from bf.run where run = p_run for share;
    if r.state is null or r.state not in ('done', 'failed', 'cancelled', 'stopped') then
        raise exception 'run % is %, and would go on beside it', p_run, coalesce(r.state, 'unknown') using errcode = 'BF001';
    end if;
    perform from bf.job where run = p_run and step = p_step and seq = p_seq and epoch = p_epoch
       and (state = 'done' or exists (select from bf.unknown_outcomes u where u.run = p_run and u.step = p_step and u.seq = p_seq))
       for update;
    if not found then
        raise exception 'job %/%#% is not done, or was done again since', p_run, p_step, p_seq using errcode = 'BF001';
    end if;
    if exists (select from bf.run o where o.pipeline = r.pipeline and o.identity = r.identity and o.run <> r.run
                  and (o.created_at > r.created_at or o.finished_at > r.created_at or o.state not in ('done', 'failed', 'cancelled')))
       and p_seq in (select bf.taken(p_run, p_step)) then
        raise exception 'another run has done it since, or is about to' using errcode = 'BF001';
    end if;
    perform set_config('bf.undo', pg_current_xact_id()::text, true);
end $$;
