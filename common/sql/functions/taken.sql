-- The jobs of a run's step that may not be opened again, for another run has some of their days, or
-- their key, by now.
create or replace function bf.taken(p_run text, p_step text) returns setof int
language sql stable set search_path = pg_catalog, bf, pg_temp as $$
    select distinct seq from bf.taken_days(p_run, p_step)
$$;
