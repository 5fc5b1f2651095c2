-- A migration was applied.  $1 number, $2 name, $3 the oldest program that can live with it
insert into bf.migration (number, name, oldest_program) values ($1::int, $2::text, $3::text);
