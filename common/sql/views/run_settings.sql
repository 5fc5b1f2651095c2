-- Part of a pipeline's body, for those who may look at runs and not read the SQL of others: the time
-- zone, and the parameters that were given another value than their default.
create or replace view bf.run_settings as
select r.run, r.pipeline, r.created_at, p.body ->> 'timezone' as timezone,
       (select string_agg(v.key || '=' || v.value, ' ' order by v.key)
          from jsonb_each_text(r.params) v
         where v.value is distinct from p.body -> 'params' -> v.key ->> 'default') as given
  from bf.run r join bf.pipeline p using (sha256);
comment on view bf.run_settings is 'The time zone of each run, and the parameters that were given.';
