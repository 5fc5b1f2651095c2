-- The tables of the enrichment sample, and positions to enrich. Again at any time: it begins anew.
drop schema if exists enrichment cascade;
create schema enrichment;

create table enrichment.pool (
    pool int primary key,
    fees numeric(12, 2) not null,
    incentives numeric(12, 2) not null,
    value numeric(14, 2) not null,
    apr numeric(10, 4),
    volume_24h numeric(14, 2)
);
create table enrichment.swap (pool int not null, at timestamptz not null, amount numeric(12, 2) not null);
create table enrichment.position (
    position int primary key,
    nft int not null,
    pool int,
    tick_lower int not null,
    tick_upper int not null,
    tick int not null,
    deposited numeric(12, 2) not null,
    opened date not null,
    health numeric(6, 4),
    range_status text,
    impermanent_loss numeric(12, 6),
    vested numeric(12, 4),
    unclaimed numeric(12, 4)
);
comment on column enrichment.position.pool is 'Null: unknown; the step pool-attribution finds it.';
create table enrichment.nft_pool (nft int primary key, pool int not null);
create table enrichment.collect (id int primary key, position int not null, amount numeric(12, 4) not null, price numeric(12, 4) not null, usd numeric(14, 4));
create table enrichment.snapshot (position int not null, day date not null, value numeric(14, 4) not null, primary key (position, day));

insert into enrichment.pool (pool, fees, incentives, value)
select n, 100 + n * 7 % 90, 20 + n * 13 % 40, 10000 + n * 137 % 9000 from generate_series(1, 20) n;
insert into enrichment.swap
select 1 + n % 20, timestamptz '2025-11-10 00:00Z' - n * interval '3 minutes', 5 + n * 31 % 400 from generate_series(1, 4000) n;
insert into enrichment.nft_pool select n, 1 + n % 20 from generate_series(1, 5000) n;
insert into enrichment.position (position, nft, pool, tick_lower, tick_upper, tick, deposited, opened)
select n, n, case when n % 3 = 0 then null else 1 + n % 20 end, -100 - n % 50, 100 + n % 50, n * 37 % 500 - 250,
       100 + n * 17 % 900, date '2025-01-01' + n % 300
  from generate_series(1, 5000) n;
insert into enrichment.collect select n, 1 + n % 5000, 1 + n % 17, 2 + n % 5 from generate_series(1, 8000) n;
