-- The current season is processed as its data comes in; the first date that comes goes through all stages.
update stage_gated.season set current = true;
insert into stage_gated.schedule values ('2024-10-22') on conflict do nothing;
insert into stage_gated.raw
select '2024-10-22', player, 20, 30 from generate_series(1, 6) player
on conflict do nothing;
