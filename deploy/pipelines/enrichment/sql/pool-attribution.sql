with changed as (
    update enrichment.position p set pool = n.pool from enrichment.nft_pool n
     where p.position between :first and :last and p.pool is null and n.nft = p.nft returning 1)
select count(*) from changed;
