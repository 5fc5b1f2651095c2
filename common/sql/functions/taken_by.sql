-- The jobs of a run's step of which another run has days, or the key, by now: which run (one of
-- them), how many days (a key counts as one), of how many, and whether it still holds any of them.
create or replace function bf.taken_by(p_run text, p_step text)
returns table (seq int, by_run text, days bigint, of_days int, held boolean)
language sql stable set search_path = pg_catalog, bf, pg_temp as $$
    select t.seq, (array_agg(t.by_run order by t.held desc, t.day))[1], count(*),
           coalesce(j.until - j.since, 0) + 1, bool_or(t.held)
      from bf.taken_days(p_run, p_step) t
      join bf.job j on j.run = p_run and j.step = p_step and j.seq = t.seq
     group by t.seq, j.until - j.since
$$;
