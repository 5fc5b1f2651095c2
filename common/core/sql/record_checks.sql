-- Figures of checks, if the job is still this attempt's.
--   $1 run, $2 step, $3 seq, $4 epoch; of each check: $5 type, $6 figure (of any length) or null, $7 what was expected, $8 outcome, $9 its name in a soak
--   or null, $10 what was found, $11 violations (JSON) or null
-- A row comes back if it is: how long its step has been released, in ms, and since then the samples (attempts that have recorded something)
-- and those in which a check failed, this one included.
with mine as (
    select j.run, j.step, j.seq, j.epoch
      from bf.job j
     where j.run = $1::text and j.step = $2::text and j.seq = $3::int and j.epoch = $4::int and j.state = 'running'
), kept as (
    insert into bf.check_result (run, step, seq, epoch, type, actual, expected, outcome, name, found, violations)
    select m.run, m.step, m.seq, m.epoch, c.type, c.actual, c.expected, c.outcome, c.name, c.found, c.violations::jsonb
      from mine m
     cross join unnest($5::text[], $6::numeric[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[])
           as c (type, actual, expected, outcome, name, found, violations)
)
select floor(extract(epoch from clock_timestamp() - s.released_at) * 1000)::bigint as elapsed_ms,
       (select count(distinct c.epoch) from bf.check_result c where c.run = m.run and c.step = m.step and c.at >= s.released_at) + 1 as samples,
       (select count(distinct c.epoch) from bf.check_result c
         where c.run = m.run and c.step = m.step and c.at >= s.released_at and c.outcome = 'fail') + ('fail' = any ($8::text[]))::int as failed
  from mine m join bf.step s using (run, step);
