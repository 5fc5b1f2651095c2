-- A run that may exist already, and whether it was asked for the same thing.
--   $1 run, $2, $3 names and values of the parameters
select r.pipeline, r.since, r.until, r.state, r.params = jsonb_object($2::text[], $3::text[]) as same_params,
       (select coalesce(sum(s.planned), 0) from bf.step s where s.run = r.run) as planned
  from bf.run r where r.run = $1::text;
