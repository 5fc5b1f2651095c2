-- Settles an approval's only job (PROTOCOL L11): done, or failed for good. `retry` makes it wait
-- for a person again.
create or replace function bf.decide_approval(p_run text, p_step text, p_approved boolean, p_who text, p_note text, p_category text) returns void
language plpgsql set search_path = pg_catalog, bf, pg_temp as $$
begin
    update bf.job
       set state = case when p_approved then 'done' else 'failed' end,
           epoch = epoch + 1, worker = null, finished_at = clock_timestamp(),
           attempts = attempts + (not p_approved)::int,
           note = case when p_approved then 'approved by ' || p_who || coalesce(': ' || p_note, '') end,
           error_category = case when not p_approved then p_category end,
           error = case when not p_approved then 'rejected by ' || p_who || coalesce(': ' || p_note, '') end
     where run = p_run and step = p_step and state = 'pending';
    insert into bf.event (run, step, who, what, note)
    values (p_run, p_step, p_who, case when p_approved then 'approve' else 'reject' end, p_note);
    update bf.step set asked_at = null, decision = case when p_approved then 'approved' else 'rejected' end
     where run = p_run and step = p_step;
end $$;
