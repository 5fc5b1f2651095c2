with changed as (
    update enrichment.position p
       set unclaimed = p.deposited * 0.02 - coalesce((select sum(c.amount) from enrichment.collect c where c.position = p.position), 0) * 0.01
     where position between :first and :last returning 1)
select count(*) from changed;
