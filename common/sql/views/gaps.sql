create or replace view bf.gaps as
with asked as (
    select r.pipeline, j.step, r.identity, range_agg(daterange(j.since, j.until, '[]')) as days
      from bf.job j join bf.run r using (run)
     where j.since is not null
     group by r.pipeline, j.step, r.identity)
select a.pipeline, a.step, a.identity, g.day::date as day
  from asked a
  left join bf.coverage c using (pipeline, step, identity)
 cross join lateral unnest(a.days - coalesce(c.done, '{}'::datemultirange)) as missing(r)
 cross join lateral generate_series(lower(missing.r), upper(missing.r) - 1, interval '1 day') as g(day);
comment on view bf.gaps is 'Days that some run was asked for and that no run has done.';
