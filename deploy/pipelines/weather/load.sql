-- Loads the observations; again: changes what is different.
--   psql "$BF_DATABASE_URL" -f schema.sql -f load.sql < data/seattle-weather.csv
\set ON_ERROR_STOP on
begin;
create temporary table staging (like weather.raw) on commit drop;
\copy staging from pstdin with (format csv, header)
insert into weather.raw as r
select * from staging
    on conflict (day) do update
       set (precipitation, temp_max, temp_min, wind, weather) =
           (excluded.precipitation, excluded.temp_max, excluded.temp_min, excluded.wind, excluded.weather)
     where r is distinct from excluded;
commit;
