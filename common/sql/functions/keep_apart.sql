-- The constraint behind I1: at the commit of whatever makes jobs or opens settled ones again, no day
-- and no key of a step is held by two unfinished runs of its pipeline and identity. Who opens jobs
-- again has to raise their step's plan_number, or Redis is not given them; a run that had ended has
-- to come back to a state that is not final. So no way of opening a job leads around it. It looks
-- under the lock that planners have, so of two at once the second sees the first. Where a chunk is
-- only split, the lock is not waited for: others see the whole as held until its parts are there.
create or replace function bf.keep_apart() returns trigger
language plpgsql security definer set search_path = pg_catalog, bf, pg_temp as $$
declare
    v_pipeline text;
    v_step text;
    v_twice text;
begin
    select pipeline into v_pipeline from bf.run where run = new.run;
    if tg_op = 'UPDATE' and tg_table_name = 'step'
       and to_jsonb(new) -> 'plan_number' = to_jsonb(old) -> 'plan_number' then
        perform bf.lock_planning(v_pipeline, false);
    else
        perform bf.lock_planning(v_pipeline, true);
    end if;
    for v_step in
        select step from bf.step
         where run = new.run and (tg_table_name = 'run' or step = to_jsonb(new) ->> 'step')
    loop
        v_twice := bf.held_twice(new.run, v_step);
        if v_twice is not null then
            raise exception 'two runs would do the same: %', v_twice using errcode = 'BF007';
        end if;
    end loop;
    return null;
end $$;

do $$
begin
    if exists (select from pg_catalog.pg_trigger
                where tgrelid = 'bf.step'::regclass and tgname = 'keep_apart') then
        return;
    end if;
    create constraint trigger keep_apart
        after insert or update of plan_number, planned on bf.step
        deferrable initially deferred for each row execute function bf.keep_apart();
    create constraint trigger keep_apart
        after update of state on bf.run
        deferrable initially deferred for each row
        when (old.state in ('done', 'failed', 'cancelled')
              and new.state not in ('done', 'failed', 'cancelled'))
        execute function bf.keep_apart();
end $$;
