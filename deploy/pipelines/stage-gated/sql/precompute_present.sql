select distinct game_date from stage_gated.precompute where game_date between :'since' and :'until';
