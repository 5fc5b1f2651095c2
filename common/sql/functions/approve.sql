-- A person's decision about an approval, under the run's lock. Returns approved, rejected, not asked
-- (what it needs is not settled), decided (it was before), over (the run has ended) or another kind;
-- null for an unknown run or step.
create or replace function bf.approve(p_run text, p_step text, p_approved boolean, p_who text, p_note text) returns text
language plpgsql security definer set search_path = pg_catalog, bf, pg_temp as $$
declare
    r bf.run;
    s bf.step;
    v_job text;
begin
    select * into r from bf.run where run = p_run for no key update;
    select * into s from bf.step where run = p_run and step = p_step;
    if s.step is null then
        return null;
    elsif s.kind <> 'approval' then
        return 'another kind';
    end if;
    select state into v_job from bf.job where run = p_run and step = p_step for no key update;
    if v_job <> 'pending' then
        return 'decided';
    elsif r.state in ('done', 'failed', 'cancelled') then
        return 'over';
    elsif s.asked_at is null then
        return 'not asked';
    end if;
    perform bf.decide_approval(p_run, p_step, p_approved, p_who, p_note, 'rejected');
    update bf.run set version = version + 1 where run = p_run;
    perform bf.advance(p_run);
    return case when p_approved then 'approved' else 'rejected' end;
end $$;
