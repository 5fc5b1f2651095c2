-- The run that has done last what failed in this one, or was not run for want of it; null where some of that is not done by a later run.
-- A step per run counts as done where a later run of at least this range has done it. Trials do not count.
create or replace function bf.superseded_by(p_run text) returns text
language sql stable set search_path = pg_catalog, bf, pg_temp as $$
    with me as materialized (
        select * from bf.run where run = p_run and state = 'failed'
    ), lost as materialized (
        select j.step, j.since, j.until, j.key, s.per_run
          from me join bf.job j using (run) join bf.step s using (run, step)
         where j.state in ('failed', 'skipped', 'cancelled') and j.split is not true
    ), later as materialized (
        select o.run, o.created_at
          from me join bf.run o on o.pipeline = me.pipeline and o.identity = me.identity and o.created_at > me.created_at
         where not o.trial and o.run <> me.run
    ), found as materialized (
        select k.step, k.since, k.until, k.key, l.run, l.created_at
          from later l join bf.job k using (run)
         where k.state = 'done' and k.step in (select step from lost)
    ), days as materialized (
        select step, range_agg(daterange(since, until, '[]')) as done from found where since is not null group by step
    ), missing as (
        select from lost l
         where not case
             when l.per_run then exists (select from found f where f.step = l.step
                                            and (l.since is null or (f.since <= l.since and f.until >= l.until)))
             when l.key is not null then exists (select from found f where f.step = l.step and f.key = l.key)
             else exists (select from days d where d.step = l.step and daterange(l.since, l.until, '[]') <@ d.done) end
    )
    select f.run from found f
     where exists (select from lost) and not exists (select from missing)
     order by f.created_at desc, f.run limit 1
$$;
