-- Positions whose pool is still unknown.
select position, nft, 'the pool is unknown' as message from enrichment.position where pool is null;
