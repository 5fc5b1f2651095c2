-- Stage 4 of one date, out of stage 3 from :'lookback_since' on. With a hole there it would be wrong: then it fails.
select set_config('stage_gated.skip_downstream_trigger', :'skip_downstream_trigger', true);
select stage_gated.assert_whole(:'lookback_since', :'until');
select stage_gated.score(:'since', :'until');
