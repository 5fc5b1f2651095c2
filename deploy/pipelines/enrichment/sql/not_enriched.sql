-- Figures that are still null, by column.
select count(*) filter (where health is null) + count(*) filter (where range_status is null) + count(*) filter (where impermanent_loss is null)
     + count(*) filter (where vested is null) + count(*) filter (where unclaimed is null)
     + (select count(*) from enrichment.collect where usd is null) + (select count(*) from enrichment.pool where apr is null or volume_24h is null)
  from enrichment.position;
