-- The command that asks once more for what a run was asked for.
create or replace function bf.command_again(r bf.run) returns text
language sql stable set search_path = pg_catalog, bf, pg_temp as $$
    select 'enqueue run ' || r.pipeline || coalesce(' --since=' || r.since || ' --until=' || r.until, '')
        || coalesce((select string_agg(' --' || o.key || '=' || bf.shell_word(o.value), '' order by o.key)
                       from jsonb_each_text(r.options) o where o.key in ('only', 'skip', 'queue')), '')
        || coalesce((select string_agg(' --param=' || p.key || '=' || bf.shell_word(p.value), '' order by p.key)
                       from jsonb_each_text(r.params) p), '')
$$;
