with changed as (
    update enrichment.pool p
       set volume_24h = (select coalesce(sum(amount), 0) from enrichment.swap s
                          where s.pool = p.pool and s.at > timestamptz '2025-11-09 00:00Z')
     where pool between :first and :last
    returning 1)
select count(*) from changed;
