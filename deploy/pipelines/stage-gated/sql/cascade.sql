-- How many of the stages after the raw data have the newest date.
select (select count(*) from stage_gated.raw r where r.game_date = newest.day) / 6
     + (select count(*) from stage_gated.analytics a where a.game_date = newest.day) / 6
     + (select count(*) from stage_gated.precompute p where p.game_date = newest.day) / 6 as stages
  from (select max(game_date) as day from stage_gated.raw) newest;
