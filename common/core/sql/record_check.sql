-- A check's figure, if the job is still this attempt's.  $1 run, $2 step, $3 seq, $4 epoch, $5 type, $6 actual, $7 expected, $8 outcome
insert into bf.check_result (run, step, seq, epoch, type, actual, expected, outcome)
select j.run, j.step, j.seq, j.epoch, $5::text, $6::float8, $7::text, $8::text
  from bf.job j
 where j.run = $1::text and j.step = $2::text and j.seq = $3::int and j.epoch = $4::int and j.state = 'running';
