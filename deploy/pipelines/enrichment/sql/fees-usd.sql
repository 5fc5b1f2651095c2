with changed as (update enrichment.collect set usd = amount * price where position between :first and :last returning 1)
select count(*) from changed;
