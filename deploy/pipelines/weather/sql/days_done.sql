-- The days of the run that have both their daily and their rolling figures.
select count(*) from weather.daily join weather.rolling using (day) where day between :'since' and :'until';
