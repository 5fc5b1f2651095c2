-- A page of a step's pending jobs, in order.  $1 run, $2 step, $3 after this seq, $4 up to this one, $5 at most so many
select seq, chunk from bf.job
 where run = $1::text and step = $2::text and seq > $3::int and seq <= $4::int and state = 'pending'
 order by seq limit $5::int;
