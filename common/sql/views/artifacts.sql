-- Part of a pipeline's body, for those who may read reports and not the SQL of others.
create or replace view bf.artifacts as
select r.run, r.pipeline, replace(a.key, '{{date}}', to_char(r.created_at at time zone 'UTC', 'YYYY-MM-DD')) as file, a.value ->> 'what' as what,
       case jsonb_typeof(a.value -> 'step')
           when 'string' then array[a.value ->> 'step']
           when 'array' then array(select jsonb_array_elements_text(a.value -> 'step'))
           else '{}' end as steps,
       coalesce((a.value ->> 'size')::int, 100) as size, coalesce(a.value ->> 'array', 'violations') as "array"
  from bf.run r join bf.pipeline p using (sha256) cross join lateral jsonb_each(coalesce(p.body -> 'artifacts', '{}')) a;
comment on view bf.artifacts is 'The files that a run''s pipeline wants to be written about it; steps: only about these.';
