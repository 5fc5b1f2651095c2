-- Lets a stopped run go on, unless it is being cancelled. Returns the run's state; null for an
-- unknown run.
create or replace function bf.resume(p_run text, p_who text, p_note text) returns text
language plpgsql security definer set search_path = pg_catalog, bf, pg_temp as $$
declare
    r bf.run;
begin
    select * into r from bf.run where run = p_run for no key update;
    if r.state in ('stopping', 'stopped') and not r.cancelling then
        update bf.run set state = 'running', version = version + 1, finished_at = null where run = p_run;
        insert into bf.event (run, who, what, note) values (p_run, p_who, 'resume', p_note);
        return bf.advance(p_run);
    end if;
    return r.state;
end $$;
