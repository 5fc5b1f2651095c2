-- What a soak's checks have found, each over all samples since its step was let go the last time.  $1 run, $2 step
select coalesce(c.name, '') as name, c.type, count(*) as samples,
       count(*) filter (where c.outcome = 'pass') as passed,
       count(*) filter (where c.outcome = 'warn') as warned,
       count(*) filter (where c.outcome = 'fail') as failed,
       trim_scale(min(c.actual))::text as least, trim_scale(max(c.actual))::text as most, min(c.expected) as expected,
       (array_agg(coalesce(c.found, '') order by c.id desc))[1] as last_word,
       coalesce((array_agg(c.found order by c.id desc) filter (where c.outcome = 'fail'))[1], '') as last_failure
  from bf.check_result c join bf.step s using (run, step)
 where c.run = $1::text and c.step = $2::text and c.at >= s.released_at
 group by c.name, c.type
 order by min(c.id);
