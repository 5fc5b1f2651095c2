-- The days of a step that were done before what they are made of was done anew: by another run since
-- they were begun, or, by the mark of their own run's retry, there. Gates, and jobs for a whole run,
-- are not made of days.
create or replace function bf.stale_days(p_pipeline text, p_identity jsonb, p_step text)
returns datemultirange
language sql stable set search_path = pg_catalog, bf, pg_temp as $$
    with needs as materialized (
        select need, lookback from bf.made_of where pipeline = p_pipeline and step = p_step
    ), jobs as materialized (
        select j.step, j.run, j.since - date '1970-01-01' as first,
               j.until - date '1970-01-01' as last, j.started_at, j.finished_at, j.over_hole
          from bf.run r join bf.step s using (run) join bf.job j using (run, step)
         where r.pipeline = p_pipeline and r.identity = p_identity and not r.trial
           and not s.per_run and s.kind not in ('check', 'soak', 'approval')
           and (j.step = p_step or j.step in (select need from needs))
           and j.since is not null and j.state = 'done'
    ), last_words as materialized (
        select distinct on (j.step, d.day) j.*, d.day
          from jobs j cross join lateral generate_series(j.first, j.last) as d(day)
         order by j.step, d.day, j.finished_at desc
    ), stale as (
        select b.day from last_words b where b.step = p_step and b.over_hole
        union
        select b.day
          from needs m
          join last_words n on n.step = m.need
         cross join lateral generate_series(n.day, n.day + m.lookback) as u(day)
          join last_words b on b.step = p_step and b.day = u.day
         where n.over_hole or (n.run <> b.run and n.finished_at > b.started_at)
    )
    select coalesce(range_agg(daterange(date '1970-01-01' + day, date '1970-01-01' + day, '[]')),
                    '{}') from stale
$$;
