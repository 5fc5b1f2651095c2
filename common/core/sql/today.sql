-- Which day today is, in days since 1970-01-01, by the server's clock, and in which time zone.
--   $1 time zone (NULL: that of the latest run of the pipeline $2; without one, UTC)
with zone as (
    select coalesce($1::text,
                    (select r.timezone from bf.run_settings r
                      where r.pipeline = $2::text order by r.created_at desc, r.run desc limit 1),
                    'UTC') as name
)
select (clock_timestamp() at time zone name)::date - date '1970-01-01' as day, name from zone;
