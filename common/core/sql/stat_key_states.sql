-- What became of keys in a step over all runs, as intervals of places in the list; the rest is missing.
--   $1 pipeline, $2 step, $3 identity as JSON, $4 keys, $5 the first one's place
-- what: done | running | failed. Of a key that is several, this is the order.
with words as materialized (
    select j.key, case when bool_or(j.state = 'done') then 'done' when bool_or(j.state = 'running') then 'running' else 'failed' end as what
      from bf.run r join bf.job j on j.run = r.run and j.step = $2::text
     where r.pipeline = $1::text and r.identity = $3::jsonb and not r.trial
       and j.key is not null and j.state in ('done', 'running', 'failed')
     group by j.key
), places as (
    select w.what, a.ord - 1 + $5::bigint as place
      from unnest($4::text[]) with ordinality as a (key, ord) join words w on w.key = a.key collate "C"
), numbered as (
    select *, place - row_number() over (partition by what order by place) as island from places
)
select what, min(place) as first, max(place) as last from numbered group by what, island order by first;
