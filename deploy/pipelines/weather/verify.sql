-- Compares the tables that the pipeline made, chunk by chunk, with the same figures from one query over all of weather.raw.
-- Prints the rows that differ; nothing when all are the same. All is exact numeric, so the order of adding up does not matter.
--   psql -At "$BF_DATABASE_URL" -f verify.sql
with expected as (
    select r.day,
           (r.temp_max + r.temp_min) / 2 as temp_mean,
           abs(r.temp_max - r.temp_min) as temp_range,
           greatest(coalesce(r.precipitation, 0), 0) as precipitation,
           coalesce(r.precipitation, 0) >= 1.0 as wet,
           case when r.wind is null then 'unknown' when r.wind < 1.6 then 'calm' when r.wind < 5.5 then 'breeze'
                when r.wind < 10.8 then 'fresh' else 'strong' end as wind_class,
           coalesce(nullif(lower(trim(r.weather)), ''), 'unknown') as weather,
           back.*
      from weather.raw r
     cross join lateral (
            select count(*) filter (where recent) as days_7,
                   round(avg((temp_max + temp_min) / 2) filter (where recent), 3) as temp_mean_7,
                   sum(greatest(coalesce(precipitation, 0), 0)) filter (where recent) as precipitation_7,
                   count(*) as days_30,
                   round(avg((temp_max + temp_min) / 2), 3) as temp_mean_30,
                   sum(greatest(coalesce(precipitation, 0), 0)) as precipitation_30,
                   count(*) filter (where precipitation >= 1.0) as wet_days_30
              from (select *, b.day > r.day - 7 as recent from weather.raw b where b.day between r.day - 29 and r.day) as before) as back),
made as (
    select day, temp_mean, temp_range, precipitation, wet, wind_class, weather,
           days_7, temp_mean_7, precipitation_7, days_30, temp_mean_30, precipitation_30, wet_days_30
      from weather.daily full join weather.rolling using (day)),
missing as (select * from expected except all select * from made),
unexpected as (select * from made except all select * from expected)
select 'missing' as what, * from missing
union all
select 'unexpected', * from unexpected
order by day, what;
