with changed as (
    update enrichment.position set vested = round(deposited * 0.01 * least(1, (date '2025-11-10' - opened) / 365.0), 4)
     where position between :first and :last returning 1)
select count(*) from changed;
