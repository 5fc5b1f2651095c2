create or replace view bf.gaps as
with pieces as (
    select r.pipeline, j.step, r.identity, range_agg(daterange(j.since, j.until, '[]')) as days
      from bf.job j join bf.run r using (run)
     where j.since is not null and not r.trial
     group by r.pipeline, j.step, r.identity
    union all
    select r.pipeline, s.step, r.identity, s.asked
      from bf.step s join bf.run r using (run)
     where s.asked is not null and not r.trial
), asked as (
    select pipeline, step, identity, range_agg(piece) as days
      from pieces cross join lateral unnest(days) as piece
     group by pipeline, step, identity)
select a.pipeline, a.step, a.identity, lower(missing.r) + g.n as day
  from asked a
  left join bf.coverage c using (pipeline, step, identity)
 cross join lateral unnest(a.days - coalesce(c.done, '{}'::datemultirange)) as missing(r)
 cross join lateral generate_series(0, upper(missing.r) - lower(missing.r) - 1) as g(n);
comment on view bf.gaps is 'Days that some run was asked for, planned or left by its limit, and that no run has done but a trial.';
