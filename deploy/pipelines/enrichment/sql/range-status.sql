with changed as (
    update enrichment.position set range_status = case when tick between tick_lower and tick_upper then 'IN_RANGE' else 'OUT_OF_RANGE' end
     where position between :first and :last returning 1)
select count(*) from changed;
