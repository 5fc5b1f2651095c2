-- What a step need not do of a list of keys: as plan_days.sql, with places in the list instead of days.
--   $1 pipeline, $2 step, $3, $4 names and values of the identity's parameters, $5 keys, $6 the first one's place,
--   $7 reprocess: none | failed | completed | stale
with words as materialized (
    select distinct on (j.key) j.key, j.run, v.word
      from bf.run r join bf.job j on j.run = r.run and j.step = $2::text
     cross join lateral (select case when j.state in ('done', 'failed') and not r.trial then j.state
                                     when j.state in ('pending', 'running') and r.state not in ('done', 'failed', 'cancelled') then 'held'
                                     when j.state not in ('done', 'failed') and not r.trial then 'open' end as word) v
     where r.pipeline = $1::text and r.identity = jsonb_object($3::text[], $4::text[])
       and j.key is not null and v.word is not null
     order by j.key, v.word = 'held' desc, v.word = 'open', j.finished_at desc nulls last, r.created_at desc, j.run
), stale as materialized (
    select t.key from bf.stale_keys($1::text, jsonb_object($3::text[], $4::text[]), $2::text) as t(key) where $7::text = 'stale'
), verdicts as (
    select a.ord - 1 + $6::bigint as place, case when w.word = 'done' and t.key is not null then 'stale' else w.word end as verdict,
           case when w.word <> 'done' then w.run end as run
      from words w join unnest($5::text[]) with ordinality as a(key, ord) on w.key = a.key collate "C"
      left join stale t on t.key = w.key
     where w.word in ('held', 'open') or (w.word = 'done' and $7::text <> 'completed') or (w.word = 'failed' and $7::text in ('none', 'stale'))
), numbered as (
    select *, place - row_number() over (partition by verdict, run order by place) as island from verdicts
)
select verdict, run, min(place) as first, max(place) as last from numbered group by verdict, run, island order by first;
