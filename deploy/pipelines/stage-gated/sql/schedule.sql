-- The dates that should be there.
select game_date from stage_gated.schedule where game_date between :'since' and :'until' order by game_date;
