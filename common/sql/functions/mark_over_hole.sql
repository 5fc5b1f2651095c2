-- Marks what a chronological step did after a chunk that failed, was skipped or cancelled (PROTOCOL
-- P4), unless another run has filled that hole.
create or replace function bf.mark_over_hole(s bf.step) returns void
language sql set search_path = pg_catalog, bf, pg_temp as $$
    update bf.job set over_hole = true
     where run = s.run and step = s.step and state in ('done', 'running') and over_hole is not true
       and seq > (select min(seq) from bf.job where run = s.run and step = s.step and state in ('failed', 'cancelled', 'skipped') and split is not true
                     and seq not in (select bf.taken(s.run, s.step))) -- another run has filled it
$$;
