-- A page of what the checks of a run found, in the order in which they were asked.  $1 run, $2 after this result's id, $3 at most so many,
-- $4 only of these steps ('{}': of all)
-- gate: others need it. violations: JSON, or null. Time in ms since 1970.
select c.id, c.step, coalesce(c.name, '') as name, c.type, c.actual, c.expected, c.outcome, coalesce(c.found, '') as found, c.violations::text,
       c.epoch, floor(extract(epoch from c.at) * 1000)::bigint as at_ms,
       exists (select from bf.step n where n.run = c.run and c.step = any (n.needs)) as gate
  from bf.check_result c
 where c.run = $1::text and c.id > $2::bigint and ($4::text[] = '{}' or c.step = any ($4::text[]))
 order by c.id limit $3::int;
