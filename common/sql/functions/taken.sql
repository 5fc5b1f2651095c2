-- The jobs of a run's step whose days or keys are another run's by now: done by a run that was planned later, or held by an
-- unfinished one. Opening them again would do the work twice. A step per run covers the same days as others do, and is never taken.
create or replace function bf.taken(p_run text, p_step text) returns setof int
language sql stable set search_path = pg_catalog, bf, pg_temp as $$
    with others as materialized (
        select k.since, k.until, k.key
          from bf.run me
          join bf.step s on s.run = me.run and s.step = p_step and not s.per_run
          join bf.run o on o.pipeline = me.pipeline and o.identity = me.identity and o.run <> me.run
          join bf.job k on k.run = o.run and k.step = p_step
         where me.run = p_run
           and ((k.state = 'done' and o.created_at > me.created_at and not o.trial)
                or (k.state in ('pending', 'running') and o.state not in ('done', 'failed', 'cancelled')))
    ), taken as (
        select coalesce(range_agg(daterange(since, until, '[]')), '{}') as days from others where since is not null
    )
    select j.seq from bf.job j, taken t
     where j.run = p_run and j.step = p_step and j.since is not null and daterange(j.since, j.until, '[]') && t.days
    union all
    select j.seq from bf.job j
     where j.run = p_run and j.step = p_step and exists (select from others o where o.key = j.key)
$$;
