-- The pipelines that have runs, for suggestions.
select distinct pipeline from bf.run order by pipeline limit 1000;
