-- As bf.stale_days, of a pipeline of keys: each key for itself.
create or replace function bf.stale_keys(p_pipeline text, p_identity jsonb, p_step text)
returns setof text
language sql stable set search_path = pg_catalog, bf, pg_temp as $$
    with needs as materialized (
        select need from bf.made_of where pipeline = p_pipeline and step = p_step
    ), last_words as materialized (
        select distinct on (j.step, j.key) j.step, j.run, j.key, j.started_at, j.finished_at,
               j.over_hole
          from bf.run r join bf.step s using (run) join bf.job j using (run, step)
         where r.pipeline = p_pipeline and r.identity = p_identity and not r.trial
           and not s.per_run and s.kind not in ('check', 'soak', 'approval')
           and (j.step = p_step or j.step in (select need from needs))
           and j.key is not null and j.state = 'done'
         order by j.step, j.key, j.finished_at desc
    )
    select b.key from last_words b
     where b.step = p_step
       and (b.over_hole
            or exists (select from last_words n
                        where n.step <> p_step and n.key = b.key
                          and (n.over_hole or (n.run <> b.run and n.finished_at > b.started_at))))
$$;
