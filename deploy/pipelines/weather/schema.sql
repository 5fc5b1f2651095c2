-- The tables of this pipeline. Can be run again at any time.
set client_min_messages = warning;
create schema if not exists weather;

create table if not exists weather.raw (
    day date primary key,
    precipitation numeric(6,1),
    temp_max numeric(4,1),
    temp_min numeric(4,1),
    wind numeric(4,1),
    weather text
);
comment on table weather.raw is 'Observations as they came; mm, °C, m/s.';

create table if not exists weather.daily (
    day date primary key,
    temp_mean numeric(6,2),
    temp_range numeric(4,1),
    precipitation numeric(6,1) not null,
    wet boolean not null,
    wind_class text not null,
    weather text not null
);
comment on table weather.daily is 'One row a day, cleaned: made by the step `daily`.';

create table if not exists weather.rolling (
    day date primary key,
    days_7 int not null,
    temp_mean_7 numeric(8,3),
    precipitation_7 numeric(8,1) not null,
    days_30 int not null,
    temp_mean_30 numeric(8,3),
    precipitation_30 numeric(8,1) not null,
    wet_days_30 int not null
);
comment on table weather.rolling is 'Figures over the 7 and 30 days that end with this one, as far as they exist (days_7, days_30): made by `rolling`.';
