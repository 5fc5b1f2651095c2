-- The row of bf.planning that is locked while a run of this pipeline is planned.
create or replace function bf.planning_slot(p_pipeline text) returns int
language sql stable set search_path = pg_catalog, bf, pg_temp as $$
    select hashtext(p_pipeline) & 1023
$$;
