-- The roles of the ledger: docs/security.md says what each is for. Once for each database with a ledger, by a superuser, before the first
-- `enqueue migrate`; again at any time. `enqueue migrate` gives them their rights (common/sql/grants.sql).
--
--   psql -X -d DATABASE -f deploy/postgresql/roles.sql
--
-- Nobody can log in by password until one is set. In psql, \password backfill_worker sets one that neither the server's log nor a command
-- line gets to see.
\set ON_ERROR_STOP on
begin;

select format('create role %I login', name)
  from unnest(array['backfill_owner', 'backfill_worker', 'backfill_operator', 'backfill_reader']) as name
 where not exists (select from pg_roles where rolname = name)
\gexec

grant connect on database :"DBNAME" to backfill_owner, backfill_worker, backfill_operator, backfill_reader;
grant create on database :"DBNAME" to backfill_owner; -- `enqueue migrate` makes the schema bf

-- Before PostgreSQL 15 anybody may put functions there, for others to call by mistake. Grant it to those who need it.
revoke create on schema public from public;

commit;
