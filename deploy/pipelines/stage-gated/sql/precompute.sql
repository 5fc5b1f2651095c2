-- Stage 4 of one date, out of stage 3 from :'lookback_since' on. With a hole there it would be wrong: then it fails.
select set_config('stage_gated.skip_downstream_trigger', :'skip_downstream_trigger', true);
select 1 / (not exists (
    select from stage_gated.schedule s
     where s.game_date between :'lookback_since' and :'until'
       and not exists (select from stage_gated.analytics a where a.game_date = s.game_date)))::int as "no hole in stage 3";
select stage_gated.score(:'since', :'until');
