-- Effects of step :step of run :run in :table (column chunk) that are not there exactly once.
select format('%s/%s: %s effects', :'step', coalesce(j.chunk, e.chunk), count(e.chunk))
  from (select chunk from bf.job where run = :'run' and step = :'step' and state = 'done') j
  full join :table e on e.chunk = j.chunk
 group by j.chunk, e.chunk
having count(e.chunk) <> 1 or j.chunk is null;
