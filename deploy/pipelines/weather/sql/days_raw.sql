-- The days of the run that there are observations of.
select count(*) from weather.raw where day between :'since' and :'until';
