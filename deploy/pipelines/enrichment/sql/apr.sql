with changed as (update enrichment.pool set apr = round((fees + incentives) * 365 / value, 4) where pool between :first and :last returning 1)
select count(*) from changed;
