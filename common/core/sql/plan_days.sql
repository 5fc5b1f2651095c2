-- What a step need not do in a range, day by day (PROTOCOL P1, P2): intervals of days and why, in order. The rest is missing.
--   $1 pipeline, $2 step, $3, $4 names and values of the identity's parameters, $5 first day, $6 last day,
--   $7 reprocess: none | failed | completed | stale
-- verdict: done | failed | held (by an unfinished run) | open (a run was asked for it, and none has done it: it is missing) | stale (with
-- that reprocess: done before what it is made of was done anew: it is planned).
-- Days are counted from 1970-01-01. The last word on a day counts: of two runs that settled it, the later one. A chunk that is still to be
-- split is held. What a trial did or failed at says nothing; while it is under way it holds its days.
with jobs as materialized (
    select j.run, j.since, j.until, j.finished_at, r.created_at,
           case when j.state in ('done', 'failed') and not r.trial then j.state
                when r.state not in ('done', 'failed', 'cancelled')
                 and (j.state in ('pending', 'running')
                      or j.split and exists (select from bf.split_wanted w where w.run = j.run and w.step = j.step and w.seq = j.seq)) then 'held'
                when j.state not in ('done', 'failed') and j.split is not true and not r.trial then 'open' end as word
      from bf.run r join bf.job j on j.run = r.run and j.step = $2::text
     where r.pipeline = $1::text and r.identity = jsonb_object($3::text[], $4::text[])
       and j.since <= $6::date and j.until >= $5::date
), words as (
    select distinct on (d.day) d.day, j.word, j.run
      from jobs j cross join lateral generate_series(greatest(j.since, $5::date) - date '1970-01-01',
                                                     least(j.until, $6::date) - date '1970-01-01') as d(day)
     where j.word is not null
     order by d.day, j.word = 'held' desc, j.word = 'open', j.finished_at desc nulls last, j.created_at desc, j.run
), stale as materialized (
    select case when $7::text = 'stale' then bf.stale_days($1::text, jsonb_object($3::text[], $4::text[]), $2::text) end as days
), verdicts as (
    select day, case when word = 'done' and stale then 'stale' else word end as verdict, case when word <> 'done' then run end as run
      from words cross join lateral (select $7::text = 'stale' and date '1970-01-01' + day <@ (select days from stale) as stale) s
     where word in ('held', 'open') or (word = 'done' and $7::text <> 'completed') or (word = 'failed' and $7::text in ('none', 'stale'))
), numbered as (
    select *, day - row_number() over (partition by verdict, run order by day) as island from verdicts
)
select verdict, run, min(day) as first, max(day) as last from numbered group by verdict, run, island order by first;
