-- A page of the samples that decide about a soak, in order: those since its step was let go the last time.
-- $1 run, $2 step, $3 after this epoch, $4 at most so many.  Times are ms since 1970.
select c.epoch, floor(extract(epoch from min(c.at)) * 1000)::bigint as at_ms,
       case when bool_or(c.outcome = 'fail') then 'fail' when bool_or(c.outcome = 'warn') then 'warn' else 'pass' end as outcome,
       string_agg(format('%s %s%s', coalesce(c.name, c.type), coalesce(trim_scale(c.actual)::text, '-'),
                         case c.outcome when 'pass' then '' else format(' (%s: %s)', c.outcome, c.found) end), ', ' order by c.id) as figures
  from bf.check_result c join bf.step s using (run, step)
 where c.run = $1::text and c.step = $2::text and c.at >= s.released_at and c.epoch > $3::int
 group by c.epoch order by c.epoch limit $4::int;
