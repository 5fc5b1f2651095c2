with changed as (
    update enrichment.position set impermanent_loss = round(deposited * power(tick::numeric / 1000, 2), 6)
     where position between :first and :last returning 1)
select count(*) from changed;
