-- Marks what a step did without jobs before it that are open again or were themselves done over a
-- hole: jobs of the same days or key, and those that look back at them; all of the step, where one
-- side is one job for the run; what came after, in a chronological step. Checks, soaks and approvals
-- make nothing of their own, so the steps before them count.
create or replace function bf.mark_done_without(s bf.step) returns void
language sql set search_path = pg_catalog, bf, pg_temp as $$
    with recursive up(step) as (
        select unnest(s.needs) collate "C"
        union
        select unnest(n.needs) collate "C" from up join bf.step n on n.run = s.run and n.step = up.step and n.kind in ('check', 'soak', 'approval')),
    missing as materialized (
        select a.step, a.seq, a.since, a.until, a.key, n.per_run
          from up join bf.step n on n.run = s.run and n.step = up.step and n.kind not in ('check', 'soak', 'approval')
          join bf.job a on a.run = n.run and a.step = n.step
         where a.state in ('pending', 'running') or (a.state = 'done' and a.over_hole)),
    days as materialized (select range_agg(daterange(since, until + s.lookback, '[]')) as missing from missing where since is not null having count(*) > 0),
    seqs as materialized (select step, range_agg(int4range(seq, seq, '[]')) as missing from missing where step = any (s.by_chunk) group by step),
    hit(seq) as (
        select j.seq from bf.job j
         where j.run = s.run and j.step = s.step and (select case when s.per_run then count(*) > 0 else bool_or(per_run) end from missing)
        union
        select j.seq from days join bf.job j on daterange(j.since, j.until, '[]') && days.missing where j.run = s.run and j.step = s.step
        union
        select j.seq from missing m join bf.job j on j.key = m.key where j.run = s.run and j.step = s.step
        union -- keys that look back at one: as far as it and the key that is looked back to are jobs of this step
        select j.seq from missing m
          join bf.job k on k.run = s.run and k.step = s.step and k.key = m.key
         cross join generate_series(1, s.lookback) as d
          join bf.job j on j.run = s.run and j.step = s.step and j.seq = k.seq + d
          left join bf.job b on b.run = s.run and b.step = s.step and b.key = j.lookback_key
         where coalesce(b.seq, 0) <= k.seq
        union -- chunk by chunk it is written down
        select j.seq from bf.job j cross join lateral unnest(s.by_chunk, j.after) as w (need, seqs) join seqs on seqs.step = w.need and seqs.missing && w.seqs
         where j.run = s.run and j.step = s.step and s.by_chunk <> '{}')
    update bf.job j set over_hole = true
      from (select seq from hit
            union
            select a.seq from bf.job a where a.run = s.run and a.step = s.step and s.chronological and a.seq > (select min(seq) from hit)) h
     where j.run = s.run and j.step = s.step and j.seq = h.seq and j.over_hole is not true
       and (j.state in ('done', 'running') or (j.state = 'pending' and j.checkpoint is not null)) -- it begins anew
$$;
