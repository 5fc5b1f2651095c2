with changed as (
    update enrichment.position set health = round(1 - abs(tick)::numeric / (tick_upper - tick_lower), 4)
     where position between :first and :last returning 1)
select count(*) from changed;
