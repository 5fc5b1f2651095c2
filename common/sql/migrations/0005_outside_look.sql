-- oldest program that can live with this schema: 0.1.0
--
-- Functions and views are no migrations: `enqueue migrate` replaces all of them when their text differs.

alter table bf.meta
    add column definitions text,
    add column definitions_by text not null default '';
comment on column bf.meta.definitions is 'SHA-256 of the files in common/sql/functions and views that were applied last.';
comment on column bf.meta.definitions_by is 'The version of the program that applied them.';
