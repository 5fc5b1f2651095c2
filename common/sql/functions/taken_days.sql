-- The days, or keys, of a run's step that are another run's by now, each with the job that has it
-- here: held by an unfinished run, or done since this job was settled, or by a run that was planned
-- later. Doing them here would do the work twice. A step per run covers the same days as others do,
-- and has none.
create or replace function bf.taken_days(p_run text, p_step text)
returns table (seq int, day date, by_run text, held boolean)
language sql stable set search_path = pg_catalog, bf, pg_temp as $$
    with me as (
        select r.* from bf.run r join bf.step s on s.run = r.run and s.step = p_step
         where r.run = p_run and not s.per_run
    ), others as materialized (
        select o.run, k.since - date '1970-01-01' as first, k.until - date '1970-01-01' as last,
               k.key, k.finished_at, k.state <> 'done' as held, o.created_at > me.created_at as later
          from me
          join bf.run o on o.pipeline = me.pipeline and o.identity = me.identity and o.run <> me.run
          join bf.job k on k.run = o.run and k.step = p_step
         where (me.since is null or (o.since <= me.until and o.until >= me.since))
           and case when k.state = 'done' -- what a trial has done is nobody's coverage
                    then not o.trial and (k.finished_at > me.created_at or o.created_at > me.created_at)
                    else o.state not in ('done', 'failed', 'cancelled') and bf.is_open(k) end
    ), theirs as materialized ( -- the run that holds it, or did it last
        select d.day, o.key, bool_or(o.held) as held, bool_or(o.later and not o.held) as later,
               max(o.finished_at) filter (where not o.held) as done_at,
               (array_agg(o.run order by o.held desc, o.finished_at desc))[1] as run
          from others o left join lateral generate_series(o.first, o.last) as d(day) on true
         group by d.day, o.key
    ), mine as (
        select j.seq, d.day, j.key, j.finished_at
          from bf.job j
          left join lateral generate_series(j.since - date '1970-01-01',
                                            j.until - date '1970-01-01') as d(day) on true
         where j.run = p_run and j.step = p_step and exists (select from others)
    )
    select m.seq, date '1970-01-01' + m.day, t.run, t.held
      from mine m join theirs t on t.day = m.day
     where t.held or t.later or t.done_at > m.finished_at
    union all
    select m.seq, null, t.run, t.held
      from mine m join theirs t on t.key = m.key
     where t.held or t.later or t.done_at > m.finished_at
$$;
