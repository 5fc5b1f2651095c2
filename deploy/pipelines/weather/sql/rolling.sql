-- Averages and sums over the 7 and 30 days that end with each day of the chunk, and once more for the days after it that
-- have looked back on them already: so the result does not depend on the order in which ranges were run or repeated.
-- The lock keeps a second run, of a neighbouring range, from reading what this one is about to change.
lock table weather.rolling in share row exclusive mode;

delete from weather.rolling where day between :'since' and :'until';

insert into weather.rolling as old (day, days_7, temp_mean_7, precipitation_7, days_30, temp_mean_30, precipitation_30, wet_days_30)
select *
  from (select day,
               count(*) over week,
               round(avg(temp_mean) over week, 3),
               sum(precipitation) over week,
               count(*) over month,
               round(avg(temp_mean) over month, 3),
               sum(precipitation) over month,
               count(*) filter (where wet) over month
          from weather.daily
         where day between :'lookback_since' and :'until'::date + 29
        window week as (order by day range between interval '6 days' preceding and current row),
               month as (order by day range between interval '29 days' preceding and current row)) as made
 where day between :'since' and :'until'
    or day > :'until' and day in (select day from weather.rolling)
    on conflict (day) do update
   set (days_7, temp_mean_7, precipitation_7, days_30, temp_mean_30, precipitation_30, wet_days_30) =
       (excluded.days_7, excluded.temp_mean_7, excluded.precipitation_7,
        excluded.days_30, excluded.temp_mean_30, excluded.precipitation_30, excluded.wet_days_30)
 where old is distinct from excluded;
