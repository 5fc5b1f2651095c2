-- The tables of the stage-gated sample. Again at any time: it begins anew.
drop schema if exists stage_gated cascade;
create schema stage_gated;

create table stage_gated.schedule (game_date date primary key);
comment on table stage_gated.schedule is 'The dates with games: the source of truth of what should be there.';

-- Stage 2: what was collected.
create table stage_gated.raw (
    game_date date not null,
    player int not null,
    points int not null,
    minutes int not null,
    primary key (game_date, player)
);

-- Stage 3: a player's day, and his average of the last 15 days of the raw data.
create table stage_gated.analytics (
    game_date date not null,
    player int not null,
    points_per_minute numeric(8, 4) not null,
    average_15 numeric(8, 4) not null,
    primary key (game_date, player)
);

-- Stage 4: a score out of the last 30 days of stage 3; with a hole in those it would be another one.
create table stage_gated.precompute (
    game_date date not null,
    player int not null,
    score numeric(10, 4) not null,
    days_seen int not null,
    primary key (game_date, player)
);

create table stage_gated.season (current boolean not null);
insert into stage_gated.season values (false);

-- What the live system would do whenever a stage has new data: start the next stage, and tell people.
create table stage_gated.downstream (at timestamptz not null default now(), stage text not null, game_date date not null);
comment on table stage_gated.downstream is 'Triggers that fired and alerts that were sent. A backfill must not be among them.';

create function stage_gated.analyse(p_since date, p_until date) returns bigint
language sql as $$
    with days as (delete from stage_gated.analytics where game_date between p_since and p_until),
    made as (
        select r.game_date, r.player, r.points::numeric / r.minutes as points_per_minute,
               (select avg(b.points::numeric / b.minutes) from stage_gated.raw b
                 where b.player = r.player and b.game_date between r.game_date - 15 and r.game_date) as average_15
          from stage_gated.raw r where r.game_date between p_since and p_until),
    kept as (
        insert into stage_gated.analytics select * from made
        on conflict (game_date, player) do update
           set points_per_minute = excluded.points_per_minute, average_15 = excluded.average_15
        returning 1)
    select count(*) from kept
$$;

-- Raises an error that names the dates between the two that stage 3 does not have.
create function stage_gated.assert_whole(p_since date, p_until date) returns void
language plpgsql stable as $$
declare
    v_missing text;
begin
    select string_agg(game_date::text, ', ' order by game_date) into v_missing
      from stage_gated.schedule s
     where game_date between p_since and p_until
       and not exists (select from stage_gated.analytics a where a.game_date = s.game_date);
    if v_missing is not null then
        raise exception 'stage 3 has no %', v_missing
            using hint = format('Dates from %s to %s are made of it. Fill it first: enqueue run stage-gated --only=analytics', p_since, p_until);
    end if;
end $$;

create function stage_gated.score(p_since date, p_until date) returns bigint
language sql as $$
    with kept as (
        insert into stage_gated.precompute
        select a.game_date, a.player, 100 * avg(b.average_15), count(*)
          from stage_gated.analytics a
          join stage_gated.analytics b on b.player = a.player and b.game_date between a.game_date - 30 and a.game_date
         where a.game_date between p_since and p_until
         group by a.game_date, a.player
        on conflict (game_date, player) do update set score = excluded.score, days_seen = excluded.days_seen
        returning 1)
    select count(*) from kept
$$;

-- The live cascade: new raw data makes stage 3, that makes stage 4. Backfills say that they want none of it.
create function stage_gated.cascade() returns trigger
language plpgsql as $$
declare
    d date;
begin
    if current_setting('stage_gated.skip_downstream_trigger', true) = 'true' then
        return null;
    end if;
    for d in select distinct game_date from fresh loop
        insert into stage_gated.downstream (stage, game_date) values (tg_table_name, d);
        if tg_table_name = 'raw' and (select current from stage_gated.season) then
            perform stage_gated.analyse(d, d);
        elsif tg_table_name = 'analytics' and (select current from stage_gated.season) then
            perform stage_gated.score(d, d);
        end if;
    end loop;
    return null;
end $$;
create trigger cascade after insert on stage_gated.raw referencing new table as fresh
    for each statement execute function stage_gated.cascade();
create trigger cascade after insert on stage_gated.analytics referencing new table as fresh
    for each statement execute function stage_gated.cascade();
