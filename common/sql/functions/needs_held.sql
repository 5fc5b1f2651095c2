-- The jobs of a step that are made of days, or keys, which another unfinished run is at work on in a
-- step before theirs: that run and that step. Gates have nothing of their own; what is before them
-- counts.
create or replace function bf.needs_held(s bf.step)
returns table (seq int, by_run text, need text)
language sql stable set search_path = pg_catalog, bf, pg_temp as $$
    with recursive up(step) as (
        select unnest(s.needs) collate "C"
        union
        select unnest(n.needs) collate "C"
          from up join bf.step n on n.run = s.run and n.step = up.step
           and n.kind in ('check', 'soak', 'approval')
    ), held as materialized (
        select o.run, k.step, k.since, k.until + s.lookback as until, k.key
          from bf.run me
          join bf.run o on o.pipeline = me.pipeline and o.identity = me.identity
           and o.run <> me.run and o.state not in ('done', 'failed', 'cancelled')
          join bf.step t on t.run = o.run and not t.per_run
           and t.kind not in ('check', 'soak', 'approval')
          join up on up.step = t.step
          join bf.job k on k.run = t.run and k.step = t.step and bf.is_open(k)
         where me.run = s.run
    ), days as materialized (
        select run, step, range_agg(daterange(since, until, '[]')) as days
          from held where since is not null group by run, step
    )
    select j.seq, min(d.run), min(d.step)
      from bf.job j join days d on daterange(j.since, j.until, '[]') && d.days
     where j.run = s.run and j.step = s.step group by j.seq
    union all
    select j.seq, min(h.run), min(h.step)
      from bf.job j join held h on h.key = j.key
     where j.run = s.run and j.step = s.step group by j.seq
$$;
