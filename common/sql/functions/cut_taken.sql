-- Of chunks that were not done and of which another run has only some days by now: cuts them there,
-- so that the rest can be done here. The parts are jobs in the state of the whole, which is done
-- with. Not where jobs go in their order, or are waited for by their numbers. It runs with its
-- owner's rights, for those who decide may not plan.
create or replace function bf.cut_taken(p_run text, p_step text) returns void
language plpgsql security definer set search_path = pg_catalog, bf, pg_temp
set datestyle = 'ISO, MDY' as $$
declare
    v_cut int[];
    v_added int;
begin
    select array_agg(t.seq) into v_cut
      from bf.taken_by(p_run, p_step) t
      join bf.job j on j.run = p_run and j.step = p_step and j.seq = t.seq
     where t.days < t.of_days and j.state in ('failed', 'cancelled', 'skipped')
       and j.split is not true;
    if v_cut is null then
        return;
    end if;
    with days as materialized (
        select j.seq, d.day, t.day is not null as taken
          from bf.job j
         cross join lateral generate_series(0, j.until - j.since) as n
         cross join lateral (select j.since + n as day) d
          left join bf.taken_days(p_run, p_step) t on t.seq = j.seq and t.day = d.day
         where j.run = p_run and j.step = p_step and j.seq = any (v_cut)
    ), islands as (
        select *, day - row_number() over (partition by seq, taken order by day)::int as island
          from days
    ), parts as (
        select seq, min(day) as since, max(day) as until,
               row_number() over (order by seq, min(day)) as place
          from islands group by seq, taken, island
    )
    insert into bf.job (run, step, seq, chunk, since, until, state, attempts, finished_at,
                        error_category, error)
    select p_run, p_step, s.planned + p.place,
           case when p.since = p.until then p.since::text else p.since || '..' || p.until end,
           p.since, p.until, j.state, j.attempts, j.finished_at, j.error_category, j.error
      from parts p
      join bf.job j on j.run = p_run and j.step = p_step and j.seq = p.seq
      join bf.step s on s.run = p_run and s.step = p_step;
    get diagnostics v_added = row_count;
    update bf.job set state = 'skipped', split = true, error_category = null, error = null,
           note = 'in parts: another run has some of its days'
     where run = p_run and step = p_step and seq = any (v_cut);
    update bf.step set planned = planned + v_added where run = p_run and step = p_step;
end $$;
