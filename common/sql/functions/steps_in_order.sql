-- A run's steps, each after all that it needs.
create or replace function bf.steps_in_order(p_run text) returns setof bf.step
language sql stable set search_path = pg_catalog, bf, pg_temp as $$
    with recursive hops(step, n) as (
        select t.step, 0 from bf.step t where t.run = p_run
        union
        select t.step, h.n + 1
          from hops h join bf.step t on t.run = p_run and h.step = any (t.needs)
    )
    select t.*
      from bf.step t join (select step, max(n) as n from hops group by step) h using (step)
     where t.run = p_run order by h.n, t.ordinal
$$;
