-- Sample data: 638 dates of three seasons, 72, 215, 205 and 146 in the years from 2021 on; raw data of all of them; stage 3 of 34, 91, 112 and
-- 74; nothing of stage 4. The proportions are those of a real backfill. The dates and figures are made here, by hash, the same every time.
select set_config('stage_gated.skip_downstream_trigger', 'true', false);

insert into stage_gated.schedule
select day from (
    select d::date as day, row_number() over (partition by extract(year from d) order by md5('game ' || d::date)) as place,
           case extract(year from d) when 2021 then 72 when 2022 then 215 when 2023 then 205 when 2024 then 146 end as wanted
      from generate_series('2021-10-19'::date, '2024-06-17', interval '1 day') d
     where extract(month from d) not in (7, 8, 9)) as candidates
 where place <= wanted;

insert into stage_gated.raw
select game_date, player, 4 + abs(hashtext(game_date || '/' || player) % 28), 18 + abs(hashtext(player || '/' || game_date) % 20)
  from stage_gated.schedule, generate_series(1, 6) player;

create temporary table already as
select day from (
    select game_date as day, row_number() over (partition by extract(year from game_date) order by md5('stage 3 ' || game_date)) as place,
           case extract(year from game_date) when 2021 then 34 when 2022 then 91 when 2023 then 112 when 2024 then 74 end as wanted
      from stage_gated.schedule) as candidates
 where place <= wanted;
select sum(stage_gated.analyse(day, day)) as "rows of stage 3 that are there" from already;
