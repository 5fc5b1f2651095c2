-- What is done and was made before what it is made of was made anew, step by step.
--   $1 pipeline, $2 step or null (all)
-- first, last: days, or null for keys; count: how many days or keys.
with steps as (
    select distinct s.step, r.identity, min(s.ordinal) over (partition by s.step) as ordinal,
           bool_or(r.since is not null) over () as days
      from bf.run r join bf.step s using (run)
     where r.pipeline = $1::text and ($2::text is null or s.step = $2::text)
       and not s.per_run and s.kind not in ('check', 'soak', 'approval')
)
select s.step, s.identity::text as identity, lower(piece) as first, upper(piece) - 1 as last,
       (upper(piece) - lower(piece))::bigint as count, s.ordinal
  from steps s
 cross join lateral unnest(bf.stale_days($1::text, s.identity, s.step)) as piece
 where s.days
 union all
select s.step, s.identity::text, null, null, k.n, s.ordinal
  from steps s
 cross join lateral (select count(*) as n from bf.stale_keys($1::text, s.identity, s.step)) k
 where not s.days and k.n > 0
 order by ordinal, step, identity, first;
