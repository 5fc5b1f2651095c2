-- Whether a job may still do its work: it waits or runs, or is to be split and its parts will.
create or replace function bf.is_open(j bf.job) returns boolean
language sql stable set search_path = pg_catalog, bf, pg_temp as $$
    select j.state in ('pending', 'running')
        or (j.split is true and j.state = 'skipped'
            and exists (select from bf.split_wanted w where w.run = j.run and w.step = j.step and w.seq = j.seq))
$$;
