-- The runs that are not ended, oldest first.  $1 only those after this run's name ('' for the first page), $2 at most so many
select run, state, queue from bf.run
 where state in ('queued', 'running', 'waiting', 'stopping', 'stopped') and run > $1::text
 order by run limit $2::int;
