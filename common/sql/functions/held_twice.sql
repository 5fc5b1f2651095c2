-- What a run and another unfinished one hold both, in words; null: nothing, as it must be (I1).
create or replace function bf.held_twice(p_run text, p_step text) returns text
language plpgsql stable set search_path = pg_catalog, bf, pg_temp as $$
declare
    me bf.run;
    v_others text[];
    v_theirs datemultirange;
    v_chunk text;
begin
    select r.* into me from bf.run r join bf.step s using (run)
     where r.run = p_run and s.step = p_step and not s.per_run
       and r.state not in ('done', 'failed', 'cancelled');
    v_others := array(
        select o.run from bf.run o
         where o.pipeline = me.pipeline and o.identity = me.identity and o.run <> me.run
           and o.state not in ('done', 'failed', 'cancelled')
           and (me.since is null or (o.since <= me.until and o.until >= me.since)));
    if v_others = '{}' then
        return null;
    end if;
    if me.since is null then
        select j.chunk into v_chunk
          from bf.job j
          join bf.job k on k.run = any (v_others) and k.step = p_step and k.key = j.key
           and bf.is_open(k)
         where j.run = p_run and j.step = p_step and bf.is_open(j) limit 1;
    else
        select range_agg(daterange(k.since, k.until, '[]')) into v_theirs
          from bf.job k
         where k.run = any (v_others) and k.step = p_step
           and k.since <= me.until and k.until >= me.since and bf.is_open(k);
        select chunk into v_chunk
          from bf.job j
         where v_theirs is not null and j.run = p_run and j.step = p_step
           and daterange(j.since, j.until, '[]') && v_theirs and bf.is_open(j)
         order by seq limit 1;
    end if;
    return v_chunk || format(' of step %s in run %s is held by another of %s', p_step, p_run,
                             array_to_string(v_others, ', '));
end $$;
