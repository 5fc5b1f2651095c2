-- Stage 3 of one date; its averages look back to :'lookback_since'.
select set_config('stage_gated.skip_downstream_trigger', :'skip_downstream_trigger', true);
select stage_gated.analyse(:'since', :'until');
