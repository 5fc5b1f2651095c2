-- A check's figure.  $1 run, $2 step, $3 seq, $4 epoch, $5 type, $6 actual, $7 expected, $8 outcome
insert into bf.check_result (run, step, seq, epoch, type, actual, expected, outcome)
values ($1::text, $2::text, $3::int, $4::int, $5::text, $6::float8, $7::text, $8::text);
