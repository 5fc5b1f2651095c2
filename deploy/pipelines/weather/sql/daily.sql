-- The cleaned figures of each day of the chunk. Takes out what an earlier time put there, so that a day that is no longer
-- in the raw table goes away as well.
delete from weather.daily where day between :'since' and :'until';

insert into weather.daily (day, temp_mean, temp_range, precipitation, wet, wind_class, weather)
select day,
       (temp_max + temp_min) / 2,
       abs(temp_max - temp_min),
       greatest(coalesce(precipitation, 0), 0),
       coalesce(precipitation, 0) >= 1.0, -- a wet day, as the WMO counts it
       case when wind is null then 'unknown'
            when wind < 1.6 then 'calm'
            when wind < 5.5 then 'breeze'
            when wind < 10.8 then 'fresh'
            else 'strong' end,
       coalesce(nullif(lower(trim(weather)), ''), 'unknown')
  from weather.raw
 where day between :'since' and :'until';
