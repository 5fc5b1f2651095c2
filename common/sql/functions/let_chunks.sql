-- Moves `upto` of a step on, whose chunks wait for chunks (PROTOCOL R15). A chunk is skipped at that
-- moment if something that it is made of failed and stops others, was skipped, or was cancelled.
create or replace function bf.let_chunks(s bf.step) returns void
language plpgsql set search_path = pg_catalog, bf, pg_temp as $$
declare
    v_need bf.step;
    v_first int;
    v_next int;
    v_lacks int;
    v_upto int := s.planned;
begin
    for i in 1 .. cardinality(s.by_chunk) loop
        select * into v_need from bf.step where run = s.run and step = s.by_chunk[i];
        v_first := bf.first_unsettled(v_need);
        continue when v_first is null;
        select seq into v_next from bf.job
         where run = s.run and step = s.step and seq > s.upto and upper(after[i]) > v_first order by seq limit 1;
        v_upto := least(v_upto, v_next - 1);
    end loop;
    if v_upto <= s.upto then
        return;
    end if;
    with lacking as (
        select j.seq, l.need, l.chunk, l.state from bf.job j
         cross join lateral (select w.need, a.chunk, a.state from unnest(s.by_chunk, j.after) as w (need, seqs)
                               join bf.step n on n.run = s.run and n.step = w.need
                              cross join lateral (select chunk, state from bf.job a
                                                   where a.run = s.run and a.step = w.need and a.seq >= lower(w.seqs) and a.seq < upper(w.seqs)
                                                     and (a.state in ('cancelled', 'undone')
                                                          or (a.state = 'skipped' and (a.taken_by is null or exists ( -- it is there if the other has done it
                                                                  select from bf.job k where k.run = a.taken_by and k.step = a.step and k.state <> 'done'
                                                                     and (k.key = a.key or daterange(k.since, k.until, '[]') && daterange(a.since, a.until, '[]')))))
                                                          or (a.state = 'failed' and case when n.max_failed_ratio is null then n.on_failure = 'halt' else n.halted end))
                                                   order by state <> 'failed', seq limit 1) a
                              order by a.state <> 'failed' limit 1) l
         where j.run = s.run and j.step = s.step and j.seq > s.upto and j.seq <= v_upto and j.state = 'pending'),
    skipped as (
        update bf.job j set state = 'skipped', finished_at = clock_timestamp(), note = format('%s of step %s is %s', l.chunk, l.need, l.state)
          from lacking l where j.run = s.run and j.step = s.step and j.seq = l.seq and j.state = 'pending'
        returning j.seq)
    select min(seq) into v_lacks from skipped;
    if s.chronological and s.on_failure = 'halt' and s.max_failed_ratio is null then -- no hole before a chunk: it ends here
        update bf.job set state = 'skipped', finished_at = clock_timestamp(), note = 'a chunk before it is skipped'
         where run = s.run and step = s.step and seq > v_lacks and state = 'pending';
    end if;
    update bf.step set upto = v_upto where run = s.run and step = s.step;
end $$;
