with changed as (
    insert into enrichment.snapshot
    select position, date '2025-11-10', deposited - impermanent_loss + unclaimed from enrichment.position
     where position between :first and :last and impermanent_loss is not null and unclaimed is not null
    on conflict (position, day) do update set value = excluded.value
    returning 1)
select count(*) from changed;
