-- The last word of each check of a run, in the order of its steps.  $1 run, $2 only of these steps ('{}': of all)
-- Columns as of report_checks.sql.
select c.id, c.step, c.name, c.type, c.actual, c.expected, c.outcome, c.found, c.violations, c.epoch, c.at_ms, c.gate
  from (select distinct on (c.step, coalesce(c.name, ''))
               c.id, c.step, coalesce(c.name, '') as name, c.type, c.actual, c.expected, c.outcome, coalesce(c.found, '') as found,
               c.violations::text, c.epoch, floor(extract(epoch from c.at) * 1000)::bigint as at_ms,
               exists (select from bf.step n where n.run = c.run and c.step = any (n.needs)) as gate
          from bf.check_result c
         where c.run = $1::text and ($2::text[] = '{}' or c.step = any ($2::text[]))
         order by c.step, coalesce(c.name, ''), c.id desc) c
  join bf.step s on s.run = $1::text and s.step = c.step
 order by s.ordinal, c.id;
