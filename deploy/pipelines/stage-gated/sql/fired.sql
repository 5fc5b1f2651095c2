-- Triggers and alerts that dates of the backfill have set off: there must be none.
select stage, game_date, 'fired during the backfill' as message
  from stage_gated.downstream
 where game_date between :'since' and :'until';
