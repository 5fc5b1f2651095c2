-- A run's parameters.  $1 run
select e.key, e.value from bf.run r cross join lateral jsonb_each_text(r.params) e where r.run = $1::text order by e.key;
