-- Programs and requests that did not succeed, and may have been carried out all the same: whoever undoes the run has to ask.
create or replace view bf.unknown_outcomes as
select j.run, j.step, j.seq
  from bf.job j join bf.step s using (run, step)
 where j.state in ('failed', 'cancelled') and j.started_at is not null and s.kind in ('exec', 'http')
   and (j.state = 'cancelled'
        or exists (select from bf.attempt a
                    where a.run = j.run and a.step = j.step and a.seq = j.seq
                      and (a.category in ('timeout', 'crash', 'connection')
                           or (s.kind = 'http' and a.category !~ '4' and a.error !~ ' (answered|status) [1-4]'))));
comment on view bf.unknown_outcomes is 'Jobs that ran out of time, or whose answer never came: failed, or cancelled while at work, and perhaps done.';
