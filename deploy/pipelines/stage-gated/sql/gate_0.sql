-- Every table, column and function that the stages need and that is not there, each by its name.
with needed (kind, name) as (values
    ('table', 'stage_gated.schedule'), ('column', 'stage_gated.schedule.game_date'),
    ('table', 'stage_gated.raw'), ('column', 'stage_gated.raw.game_date'), ('column', 'stage_gated.raw.player'),
    ('column', 'stage_gated.raw.points'), ('column', 'stage_gated.raw.minutes'),
    ('table', 'stage_gated.analytics'), ('column', 'stage_gated.analytics.game_date'),
    ('column', 'stage_gated.analytics.player'), ('column', 'stage_gated.analytics.points_per_minute'),
    ('column', 'stage_gated.analytics.average_15'),
    ('table', 'stage_gated.precompute'), ('column', 'stage_gated.precompute.game_date'),
    ('column', 'stage_gated.precompute.player'), ('column', 'stage_gated.precompute.score'),
    ('column', 'stage_gated.precompute.days_seen'),
    ('table', 'stage_gated.season'), ('column', 'stage_gated.season.current'),
    ('table', 'stage_gated.downstream'), ('column', 'stage_gated.downstream.stage'),
    ('column', 'stage_gated.downstream.game_date'),
    ('function', 'stage_gated.analyse(date,date)'), ('function', 'stage_gated.score(date,date)'),
    ('function', 'stage_gated.assert_whole(date,date)'))
select kind, name, 'is not there' as message
  from needed
 where case kind
       when 'table' then to_regclass(name) is null
       when 'function' then to_regprocedure(name) is null
       else not exists (
           select from information_schema.columns c
            where format('%s.%s.%s', c.table_schema, c.table_name, c.column_name) = needed.name) end;
