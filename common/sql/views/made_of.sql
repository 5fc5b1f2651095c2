-- What each step of a pipeline is made of, in any number of steps, by the file of its latest run:
-- the steps before it, and how many days before its own it looks back at there.
create or replace view bf.made_of as
with recursive latest as (
    select distinct on (r.pipeline) r.pipeline, p.body
      from bf.run r join bf.pipeline p using (sha256) order by r.pipeline, r.created_at desc
), steps as (
    select l.pipeline, e.step, coalesce((e.step -> 'lookback' ->> 'days')::int, 0) as lookback,
           lag(e.step ->> 'name') over (partition by l.pipeline order by e.ord) as above
      from latest l
     cross join lateral jsonb_array_elements(l.body -> 'steps') with ordinality as e(step, ord)
), needs as (
    select s.pipeline, s.step ->> 'name' as step, n.need, s.lookback
      from steps s
     cross join lateral jsonb_array_elements_text(
           case when jsonb_typeof(s.step -> 'needs') = 'array' then s.step -> 'needs'
                when s.above is null then '[]'
                else jsonb_build_array(s.above) end) as n(need)
), all_of_them(pipeline, step, need, lookback) as (
    select pipeline, step, need, lookback from needs
    union
    select a.pipeline, a.step, n.need, a.lookback + n.lookback
      from all_of_them a join needs n on n.pipeline = a.pipeline and n.step = a.need
)
select pipeline, step collate "C" as step, need collate "C" as need, max(lookback) as lookback
  from all_of_them group by pipeline, step, need;
comment on view bf.made_of is
    'The steps that each step of a pipeline comes after, and how far it looks back at them.';
