select distinct game_date from stage_gated.analytics where game_date between :'since' and :'until';
