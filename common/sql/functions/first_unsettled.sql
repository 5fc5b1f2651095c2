-- The smallest seq of a step that is pending or running; null when all are settled.
create or replace function bf.first_unsettled(s bf.step) returns int
language sql stable set search_path = pg_catalog, bf, pg_temp as $$
    select seq from bf.job where run = s.run and step = s.step and seq >= s.floor and state in ('pending', 'running') order by seq limit 1
$$;
