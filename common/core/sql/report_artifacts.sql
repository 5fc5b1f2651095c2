-- The files that a run's pipeline wants to be written about it.  $1 run
select a.key as file, a.value ->> 'what' as what, coalesce(a.value ->> 'step', '') as step,
       coalesce((a.value ->> 'size')::int, 100) as size
  from bf.run r join bf.pipeline p using (sha256) cross join lateral jsonb_each(coalesce(p.body -> 'artifacts', '{}')) a
 where r.run = $1::text
 order by a.key;
