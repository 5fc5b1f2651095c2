select distinct game_date from stage_gated.raw where game_date between :'since' and :'until';
